"""`pluriverse catalogue` and `pull` of what is in it: what people see, what programs read, what is refused and why."""

import http.server
import re
import threading
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import pytest

from pluriverse import catalogue
from pluriverse.catalogue.lineage import Family
from pluriverse.cli.terminal.text import cells
from pluriverse.report.lineage import _placed, lineage_svg

from .conftest import Call, Terminal
from .test_here import gguf

SVG = "{http://www.w3.org/2000/svg}"
OURS = """id = "our-model"
name = "Our Model"
maker = "Our School"
country = "NO"
kind = "chat"
licence = "CC-BY-NC-4.0"
url = "{url}"
sources = ["https://example.org/about"]

[architecture]
llama_cpp = "{architecture}"
"""


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """Where our model is served."""
    folder = tmp_path / "served"
    folder.mkdir()
    (folder / "our.gguf").write_bytes(gguf())

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *given: object) -> None:
            super().__init__(*given, directory=str(folder))  # type: ignore[arg-type]

        def log_message(self, *given: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/our.gguf"
        server.shutdown()


def ours(home: Path, url: str, architecture: str = "llama") -> Path:
    folder = home / "catalogue"
    folder.mkdir(parents=True)
    path = folder / "our-model.toml"
    path.write_text(OURS.format(url=url, architecture=architecture), "utf-8")
    return path


def ids(call: Call, *words: str) -> list[str]:
    return [entry["id"] for entry in call("catalogue", *words, "--json").document["entries"]]


def test_search_combines_words_and_facts(call: Call) -> None:
    assert ids(call, "search", "smaug") == ["smaug-34b-v0.1", "smaug-72b-v0.1"]
    found = ids(call, "search", "instruct", "--maker", "mistral", "--licence-permission", "commercial")
    assert "mistral-7b-instruct-v0.3" in found and "mistral-large-instruct-2411" not in found
    small = ids(call, "search", "--country", "FR", "--max-size", "3G", "--fits")
    assert "smollm2-135m-instruct" in small and "mistral-7b-v0.1" not in small
    assert ids(call, "search", "--architecture", "grok") == ["grok-1"]
    assert ids(call, "search", "--language", "basque") == ["latxa-70b"]
    assert call("catalogue", "search", "--max-size", "much", "--json").code == 2
    assert call("catalogue", "search", "--licence-permission", "all", "--json").code == 2


def test_show_tells_licence_openness_lineage_and_scores(call: Call) -> None:
    shown = call("catalogue", "show", "smaug-72b-v0.1").out
    for words in (
        "Above 100 million monthly active users", "in none of its classes", "qwen-72b", "momo-72b-lora-1.8.7-dpo",
        "Open LLM Leaderboard v1: 80.48, the mean of its six; measured by the board; 2024-02-03",
        "trained on tasks of this board", "self-reported: its maker says so", "[1] https://github.com/abacusai/smaug",
    ):  # fmt: skip
        assert words in shown
    [entry] = call("catalogue", "show", "smaug-72b-v0.1", "--json").document["entries"]
    assert entry["ancestors"] == ["momo-72b-lora-1.8.7-dpo", "qwen-72b"] and entry["descendants"] == []
    assert entry["terms"]["commercial"] == "conditions" and entry["openness"]["at_most"] is None
    assert entry["published"][0]["average"] == 80.48 and entry["can_be_pulled"] is False
    closed = call("catalogue", "show", "claude-2.1")
    assert "nobody can fetch its weights" in closed.err
    assert "not known" in call("catalogue", "show", "allam-2-7b-instruct").out


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("words", [("catalogue", "search", "qwen"), ("catalogue", "show", "grok-1")], ids=" ".join)
def test_it_fits_a_terminal(terminal: type[Terminal], words: tuple[str, ...], width: int) -> None:
    shown = terminal(*words, width=width)
    assert shown.end() == 0
    lines = [line for line in re.sub(r"\x1b\[\d*m", "", shown.screen).splitlines() if "https://" not in line]
    assert all(cells(line) <= width for line in lines), [line for line in lines if cells(line) > width]


def test_for_me_names_one_and_how_to_take_it(call: Call) -> None:
    document = call("catalogue", "--for-me", "--json").document
    assert document["command"] == f"pluriverse pull {document['entries'][0]['id']}"
    assert all(entry["fits"] and entry["can_be_pulled"] for entry in document["entries"])
    shown = call("catalogue", "--for-me")
    assert document["entries"][0]["id"] in shown.out and document["command"] in shown.err


def test_graph_as_text_and_drawn(call: Call, tmp_path: Path) -> None:
    shown = call("catalogue", "graph", "smaug-72b-v0.1").out.splitlines()
    assert [line.strip(" └─").split("  ")[0] for line in shown] == [
        "qwen-72b", "momo-72b-lora-1.8.7-dpo", "smaug-72b-v0.1",
    ]  # fmt: skip
    file = tmp_path / "lineage.svg"
    document = call("catalogue", "graph", "qwen-72b", "-o", str(file), "--json").document
    assert {"parent": "qwen-72b", "child": "qwen-72b-chat", "relation": "finetune"} in document["edges"]
    drawn = ET.parse(file).getroot()
    texts = {text.text for text in drawn.iter(f"{SVG}text")}
    assert {"qwen-72b", "smaug-72b-v0.1", "Abacus.AI"} <= texts and len(list(drawn.iter(f"{SVG}path"))) == 3
    assert call("catalogue", "graph", "-o", str(tmp_path / "all.svg")).code == 0
    assert "Qwen/Qwen2.5-7B" in {text.text for text in ET.parse(tmp_path / "all.svg").getroot().iter(f"{SVG}text")}
    assert call("catalogue", "graph", "nobody", "--json").document["error"]["kind"] == "not_found"


def test_no_two_boxes_lie_on_each_other_and_names_cannot_break_the_drawing() -> None:
    family = Family(catalogue.entries())
    places = _placed(family.roots(), family.down)
    assert len(set(places.values())) == len(places) > 150
    assert all(places[parent][0] < places[child][0] for child in family.up for parent in family.up[child])
    nasty = "</svg><script>"
    ET.fromstring(lineage_svg({nasty: "&<"}, [(nasty, "x", '"')], nasty))


def test_a_catalogue_of_ones_own(call: Call, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = ours(home, "https://models.example.org/m.gguf")
    assert "our-model" in ids(call, "search", "our school")
    assert str(path) in call("catalogue", "show", "our-model").out
    assert call("catalogue", "check", str(path.parent)).code == 0
    (path.parent / "bad.toml").write_text("id = 3\n")
    checked = call("catalogue", "check", str(path.parent))
    assert checked.code == 1 and f"{path.parent / 'bad.toml'}:1: id must be" in checked.out
    document = call("catalogue", "check", str(path.parent), "--json").document
    assert document["entries"] == ["our-model"] and document["problems"][0]["line"] == 1
    listed = call("catalogue", "search", "our-model")
    assert "our-model" in listed.out and "bad.toml:1: id must be" in listed.err
    assert call("catalogue", "check", str(tmp_path / "none"), "--json").code == 1
    moved = path.parent.rename(tmp_path / "organisation")
    assert "our-model" not in ids(call)
    monkeypatch.setenv("PLURIVERSE_CATALOGUES", str(moved))
    assert "our-model" in ids(call)


def test_pull_tells_licence_and_size_first_and_tries_the_file(
    call: Call, home: Path, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PLURIVERSE_OFFLINE")
    ours(home, address)
    pulled = call("pull", "our-model", "--json")
    assert pulled.code == 0 and pulled.document["source"] == address
    first = pulled.err.splitlines()[:2]
    assert first == ["Our Model by Our School; licence: CC-BY-NC-4.0", "  Only for non-commercial purposes."]
    assert "our-model" in [model["name"] for model in call("ls", "--json").document["models"]]


def test_pull_refuses_what_the_engine_cannot_load_before_it_fetches(
    call: Call, home: Path, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PLURIVERSE_OFFLINE")
    ours(home, address.replace("our.gguf", "missing.gguf"), "qwen9moe")
    error = call("pull", "our-model", "--json").document["error"]
    assert error["kind"] == "unsupported" and "does not know the architecture 'qwen9moe'" in error["message"]


@pytest.mark.parametrize(
    ("name", "words"),
    [("claude-2.1", "is closed"), ("smaug-72b-v0.1", "no GGUF file"), ("kimi-k2-instruct", "does not fit")],
)
def test_pull_refuses_what_cannot_be_had_or_does_not_fit(call: Call, name: str, words: str) -> None:
    error = call("pull", name, "--json").document["error"]
    assert error["kind"] == "unsupported" and words in error["message"] and error["hint"]
    assert call("ask", "Hi", "--base", "claude-2.1", "--json").code == 1
