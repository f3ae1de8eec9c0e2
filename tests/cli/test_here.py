"""What is here and what is done with it: `ls`, `show`, `new`, `panel`, `pull`, `catalogue`, `rm`, `verify`, `gc`."""

import hashlib
import struct
from pathlib import Path

import pytest

from pluriverse.assistant.assistant import DIMENSIONS
from pluriverse.catalogue.ladder import rungs
from pluriverse.cli.commands.new import DIMENSIONS as TOLD

from .conftest import Call

ENTRY = {"id", "name", "maker", "country", "licence", "languages", "params_b", "parents", "scores", "sources"}


def gguf(letter: str = "a") -> bytes:
    """The smallest file with a sound header: two facts, one tensor of 64 bytes."""

    def text(value: str) -> bytes:
        return struct.pack("<Q", len(value)) + value.encode()

    facts = text("general.architecture") + struct.pack("<I", 8) + text("llama")
    facts += text("general.name") + struct.pack("<I", 8) + text(f"tiny {letter}")
    tensor = text("token_embd.weight") + struct.pack("<IQIQ", 1, 16, 0, 0)
    header = b"GGUF" + struct.pack("<IQQ", 3, 1, 2) + facts + tensor
    return header + b"\0" * (-len(header) % 32) + letter.encode() * 64


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "tiny.gguf"
    file.write_bytes(gguf())
    return file


@pytest.fixture
def model(call: Call, file: Path) -> str:
    """A model that was pulled from a file; its name."""
    name = call("pull", str(file), "--name", "tiny", "--json").document["name"]
    assert name == "tiny"
    return "tiny"


def test_ls_has_the_contract_fields(call: Call, model: str) -> None:
    document = call("ls", "--json").document
    assert set(document) >= {"assistants", "models", "adapters"}
    for assistant in document["assistants"]:
        assert set(assistant) >= {"name", "base", "digest", "kind"}
        assert assistant["base"] == "scripted"
    [stored] = document["models"]
    assert (stored["name"], stored["kind"], stored["bytes"]) == (model, "model", len(gguf()))
    assert document["adapters"] == []


def test_ls_fits_80_columns_in_its_names_and_says_sizes_in_words(call: Call, model: str) -> None:
    text = call("ls").out
    assert f"{len(gguf())} bytes" in text
    assert "\x1b" not in text
    assert "starter" in text


def test_ls_warns_of_a_file_that_cannot_be_used(call: Call, home: Path) -> None:
    (home / "assistants").mkdir(parents=True)
    (home / "assistants" / "broken.toml").write_text("title = [")
    assert "broken.toml" in call("ls").err
    assert call("ls", "--json").document["assistants"]
    assert call("show", "broken", "--json").document["error"]["kind"] == "usage"
    assert call("rm", "broken").code == 0
    assert call("ls").err == ""


def test_pull_from_a_file(call: Call, file: Path) -> None:
    document = call("pull", str(file), "--json").document
    assert set(document) >= {"ref", "name", "digest", "bytes", "source", "resumed_bytes"}
    assert document["digest"] == f"sha256:{hashlib.sha256(gguf()).hexdigest()}"
    assert document["bytes"] == len(gguf())
    again = call("pull", str(file), "--json").document
    assert again["already_here"] is True


def test_pull_of_what_is_no_model(call: Call, tmp_path: Path) -> None:
    bad = tmp_path / "bad.gguf"
    bad.write_bytes(b"not a model at all" * 10)
    result = call("pull", str(bad), "--json")
    assert result.code == 3
    assert result.document["error"]["kind"] == "integrity"
    assert call("pull", str(tmp_path / "none.gguf"), "--json").code == 1
    assert call("ls", "--json").document["models"] == []


def test_show_a_model(call: Call, model: str) -> None:
    document = call("show", model, "--json").document
    assert document["architecture"] == "llama"
    assert Path(document["path"]).read_bytes() == gguf()
    by_digest = call("show", document["digest"], "--json").document
    assert by_digest == document
    assert document["digest"] in call("show", model).out


def test_show_an_assistant_and_a_panel(call: Call) -> None:
    name = call("ls", "--json").document["assistants"][0]["name"]
    document = call("show", name, "--json").document
    assert set(document) >= {"name", "base", "digest", "kind", "system", "outlook", "counterpart", "languages", "path"}
    text = call("show", name).out
    assert document["system"].splitlines()[0] in text
    assert document["digest"] in text
    assert call("show", "starter", "--json").document == call("panel", "show", "starter", "--json").document


def test_show_what_is_not_here_names_the_near_one(call: Call) -> None:
    name = call("ls", "--json").document["assistants"][0]["name"]
    error = call("show", f"{name}x", "--json").document["error"]
    assert (error["kind"], error["hint"]) == ("not_found", f"did you mean `pluriverse show {name}`?")


def test_new_writes_a_file_that_can_be_asked(call: Call) -> None:
    words = (
        "--title",
        "Old gardener",
        "--language",
        "en,fr",
        "--outlook",
        "expertise: gardens",
        "--temperature",
        "0.2",
    )
    result = call("new", "gardener", "--system", "You grow things.", *words)
    path = Path(result.out.strip())
    assert 'title = "Old gardener"' in path.read_text("utf-8")
    document = call("show", "gardener", "--json").document
    assert document["system"] == "You grow things."
    assert document["languages"] == ["en", "fr"]
    assert document["outlook"] == {"dimension": "expertise", "position": "gardens", "summary": ""}
    assert document["sampling"] == {"temperature": 0.2}
    assert document["path"] == str(path)
    assert call("ask", "Hi", "--with", "gardener").code == 0


def test_new_does_not_overwrite_by_itself(call: Call) -> None:
    assert call("new", "mine", "--system", "One.", "--json").document["name"] == "mine"
    assert call("new", "mine", "--system", "Two.", "--json").document["error"]["kind"] == "usage"
    assert call("new", "mine", "--system", "-", "--force", stdin="Three.\n").code == 0
    assert call("show", "mine", "--json").document["system"] == "Three."


def test_new_reads_a_file(call: Call, tmp_path: Path) -> None:
    prompt = tmp_path / "prompt.txt"
    prompt.write_text("You are brief.\n", "utf-8")
    assert call("new", "brief", "--system-file", str(prompt)).code == 0
    assert call("show", "brief", "--json").document["system"] == "You are brief."
    assert call("new", "other", "--system-file", str(tmp_path / "none")).code == 2


@pytest.mark.parametrize(
    "words",
    [
        ("../escape", "--system", "x"),
        ("name", "--system", "x", "--outlook", "nonsense: y"),
        ("name", "--system", "x", "--temperature", "99"),
        ("name", "--system", "x", "--system-file", "y"),
        ("name",),
    ],
)
def test_new_refuses(call: Call, home: Path, words: tuple[str, ...]) -> None:
    assert call("new", *words, "--json").document["error"]["kind"] == "usage"
    assert not list(home.parent.rglob("*.toml"))


def test_new_help_names_the_dimensions() -> None:
    assert all(dimension in TOLD for dimension in DIMENSIONS)


def test_panels(call: Call) -> None:
    names = [each["name"] for each in call("ls", "--json").document["assistants"]]
    made = call("panel", "new", "pair", f"{names[0]},{names[1]}", "--title", "Two of them", "--json").document
    assert made["members"] == names[:2]
    assert "pair" in [panel["name"] for panel in call("panel", "ls", "--json").document["panels"]]
    assert "Two of them" in call("panel", "show", "pair").out
    assert call("panel", "new", "bad", "nobody-here", "--json").document["error"]["kind"] == "not_found"
    assert call("rm", "pair", "--json").document["kind"] == "panel"
    assert call("panel", "show", "pair").code == 1


def test_rm_says_which_when_a_name_is_taken_twice(call: Call, model: str) -> None:
    assert call("new", model, "--system", "x").code == 0
    result = call("rm", model, "--json")
    assert result.code == 2
    assert result.document["error"]["hint"] == f"pluriverse rm {model} --kind assistant"
    assert call("rm", model, "--kind", "assistant").code == 0
    assert call("rm", model, "--json").document["kind"] == "model"
    assert call("ls", "--json").document["models"] == []


def test_rm_says_what_the_next_ask_does_without_the_default_model(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small, standard, _ = (each.model for each in rungs())
    monkeypatch.setenv("PLURIVERSE_MEMORY", "1G")
    for base in ("default", "small"):
        monkeypatch.setenv("PLURIVERSE_BASE", base)
        for name in (small, standard):
            (tmp_path / "a.gguf").write_bytes(gguf(name[0]))
            assert call("pull", str(tmp_path / "a.gguf"), "--name", name).code == 0
        if base == "default":
            assert f"the next ask speaks through small ({small}), which is here" in call("rm", standard).err
        else:
            assert "default" not in call("rm", standard).err
        assert f"can answer until it is pulled again: pluriverse pull {small}" in call("rm", small).err
    (tmp_path / "a.gguf").write_bytes(gguf())
    assert call("pull", str(tmp_path / "a.gguf"), "--name", small).code == 0
    monkeypatch.setenv("PLURIVERSE_OFFLINE", "0")
    assert f"the next ask fetches it again; now: pluriverse pull {small}" in call("rm", small).err


def test_rm_of_the_starter_set_and_of_nothing(call: Call) -> None:
    name = call("ls", "--json").document["assistants"][0]["name"]
    assert call("rm", name, "--json").document["error"]["kind"] == "usage"
    assert call("rm", "nobody-here", "--json").document["error"]["kind"] == "not_found"


def test_gc_frees_what_rm_dropped(call: Call, model: str) -> None:
    path = Path(call("show", model, "--json").document["path"])
    freed = call("rm", model, "--json").document["freed_by_gc"]
    assert freed >= len(gguf())
    document = call("gc", "--json").document
    assert document["bytes"] == freed
    assert not path.exists()
    assert call("gc", "--json").document["bytes"] == 0


def test_verify(call: Call, model: str) -> None:
    document = call("verify", "--json").document
    assert set(document) >= {"checked", "bytes", "total_s", "bad"}
    assert (document["checked"], document["bad"]) == (3, [])  # weights, config, manifest
    assert call("verify", "nothing-here").code == 1


def test_verify_finds_one_changed_byte(call: Call, model: str) -> None:
    shown = call("show", model, "--json").document
    path = Path(shown["path"])
    path.chmod(0o600)
    path.write_bytes(gguf("b"))
    result = call("verify", model, "--json")
    assert result.code == 3
    [bad] = result.document["bad"]
    assert (bad["name"], bad["digest"]) == (model, shown["digest"])
    assert bad["problem"]
    words = call("verify")
    assert words.code == 3
    assert model in words.out


def test_catalogue(call: Call) -> None:
    entries = call("catalogue", "--json").document["entries"]
    assert "smollm2-135m-instruct" in [entry["id"] for entry in entries]
    assert all(set(entry) >= ENTRY for entry in entries)
    assert call("catalogue", "show", "smollm2-135m-instruct", "--json").document["entries"][0] in entries
    assert call("catalogue", "search", "SMOLLM2", "--json").document["entries"]
    assert call("catalogue", "search", "nothing-like-it", "--json").document["entries"] == []
    assert call("catalogue", "search", "french", "--json").document["entries"]
    assert call("catalogue", "show", "smollm", "--json").document["error"]["kind"] == "not_found"
    assert "smollm2-135m-instruct" in call("catalogue").out
