"""Making and changing assistants: pairs, copies, edits; removing one that others name; where files lie."""

import json
import shlex
import sys
from pathlib import Path

import pytest

from pluriverse.errors import NoSpaceError
from pluriverse.store import Store

from .conftest import Call, Terminal

PROMPTS = ("--system", "You love winter.", "--system", "You love summer.")


def editor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    """An editor that does `code` to `text`, the file's text."""
    script = tmp_path / "editor with a space.py"
    script.write_text(
        "import pathlib, sys\nfile = pathlib.Path(sys.argv[-1])\ntext = file.read_text('utf-8')\n"
        f"{code}\nfile.write_text(text, 'utf-8')\n"
    )
    monkeypatch.setenv("EDITOR", f"{shlex.quote(sys.executable)} {shlex.quote(str(script))} --wait")


def test_a_pair_names_each_other_and_is_guided(call: Call) -> None:
    result = call("new", "--pair", "north", "south", *PROMPTS, "--title", "North", "--title", "South", "--json")
    north, south = result.document["assistants"]
    assert (north["counterpart"], south["counterpart"]) == ("south", "north")
    assert north["guidance"] == south["guidance"] == {"against": "counterpart", "strength": 2.0}
    assert (north["title"], south["title"]) == ("North", "South")
    assert call("show", "south", "--json").document["system"] == "You love summer."
    replies = call("ask", "Hi", "--with", "north,south", "--json").document["replies"]
    assert [reply["guidance"]["against"] for reply in replies] == ["south", "north"]


def test_a_pair_has_a_prompt_to_begin_with(call: Call) -> None:
    assert call("new", "--pair", "early-bird", "night-owl").code == 0
    prompts = {call("show", name, "--json").document["system"] for name in ("early-bird", "night-owl")}
    assert len(prompts) == 2 and any("night owl" in prompt for prompt in prompts)
    plain = call("new", "--pair", "a", "b", "--guidance", "0", "--json").document["assistants"]
    assert [each["guidance"] for each in plain] == [None, None]


@pytest.mark.parametrize(
    "words",
    [
        ("--pair", "north", "north"),
        ("--pair", "north", "south", "--system", "only one"),
        ("--pair", "north", "south", "--counterpart", "duty"),
        ("west", "--pair", "north", "south"),
        ("--pair", "north", "duty"),
        ("--pair", "north", "NOT A NAME"),
        ("north", "--system", "One.", "--system", "Two."),
        ("north",),
        (),
    ],
)
def test_half_a_pair_is_never_made(call: Call, home: Path, words: tuple[str, ...]) -> None:
    assert call("new", *words, "--json").document["error"]["kind"] == "usage"
    assert not list(home.rglob("*.toml"))


def test_a_member_is_not_removed_without_a_word(call: Call) -> None:
    call("new", "--pair", "north", "south", *PROMPTS)
    call("panel", "new", "climate", "north,scientist")
    call("panel", "new", "lonely", "north")
    error = call("rm", "north", "--json").document["error"]
    assert error["kind"] == "usage" and error["hint"] == "pluriverse rm north --force"
    for name in ("climate", "lonely", "south"):
        assert name in error["message"]
    result = call("rm", "north", "--force")
    assert "climate goes on without it" in result.err and "lonely had no other member" in result.err
    assert call("ask", "Hi", "--panel", "climate", "--json").document["replies"][0]["assistant"] == "scientist"
    assert "lonely" not in call("panel", "ls").out
    assert call("ask", "Hi", "--with", "south", "--json").document["replies"][0]["guidance"] is None


def test_nobody_misses_one_that_the_starter_set_has_too(call: Call) -> None:
    call("new", "duty", "--system", "Mine.", "--force")
    assert call("rm", "duty").code == 0
    assert call("ask", "Hi", "--panel", "values").code == 0


def test_a_copy_speaks_as_its_original(call: Call) -> None:
    result = call("copy", "duty", "my-duty", "--json")
    assert result.document["path"].endswith("my-duty.toml") and result.document["builtin"] is False
    mine, original = (call("show", name, "--json").document for name in ("my-duty", "duty"))
    assert mine["system"] == original["system"] and mine["sampling"] == original["sampling"]
    assert call("ask", "Hi", "--with", "my-duty").code == 0
    against = call("ask", "Hi", "--with", "my-duty", "--json").document["replies"][0]["guidance"]["against"]
    assert against == call("show", "outcomes", "--json").document["system"]
    assert call("copy", "duty", "my-duty").code == 2
    assert call("copy", "duty", "my-duty", "--force").code == 0
    assert call("copy", "values", "my-values").code == 0
    members = call("panel", "show", "my-values", "--json").document["members"]
    assert members == call("panel", "show", "values", "--json").document["members"]
    assert call("copy", "nobody-here", "x", "--json").document["error"]["kind"] == "not_found"


def test_edit_changes_the_file(call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = Path(call("new", "gardener", "--system", "You grow things.").out.strip())
    path.write_text(path.read_text("utf-8") + "# a remark of mine\n", "utf-8")
    editor(tmp_path, monkeypatch, "text = text.replace('grow', 'cut')")
    document = call("edit", "gardener", "--json").document
    assert (document["changed"], document["path"]) == (True, str(path))
    assert call("show", "gardener", "--json").document["system"] == "You cut things."
    assert "# a remark of mine" in path.read_text("utf-8")
    assert call("edit", "gardener", "--json").document["changed"] is False
    assert sorted(each.name for each in path.parent.iterdir()) == ["gardener.toml"]


def test_edit_of_the_starter_set_makes_a_file_of_ones_own(
    call: Call, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    editor(tmp_path, monkeypatch, "pass")
    assert call("edit", "duty").code == 0
    assert not list(home.rglob("*.toml"))
    editor(tmp_path, monkeypatch, "text += '# mine\\n'")
    assert call("edit", "duty", "--json").document["shadows"] is True
    editor(tmp_path, monkeypatch, 'text = text.replace(\'"outcomes"\', \'"outcomes", "scientist"\', 1)')
    assert "scientist" in call("edit", "values", "--json").document["members"]


@pytest.mark.parametrize("broken", ["text += 'nonsense = ='", "text += 'colour = 1'", "text += chr(7)"])
def test_what_cannot_be_used_is_not_lost(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    path = Path(call("new", "gardener", "--system", "You grow things.").out.strip())
    before = path.read_text("utf-8")
    editor(tmp_path, monkeypatch, f"text = '# first\\n' + text; {broken}")
    result = call("edit", "gardener", "--json")
    assert result.code == 2 and "pluriverse edit gardener" in result.document["error"]["hint"]
    assert path.read_text("utf-8") == before
    assert call("ls").err == ""
    editor(tmp_path, monkeypatch, "text = text[: text.rindex('[generation]')] + '# second'")
    assert call("edit", "gardener").code == 0
    assert path.read_text("utf-8").startswith("# first\n") and path.read_text("utf-8").endswith("# second")


def test_an_editor_that_fails_changes_nothing(call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = Path(call("new", "gardener", "--system", "You grow things.").out.strip())
    before = path.read_text("utf-8")
    editor(tmp_path, monkeypatch, "file.write_text('half'); sys.exit(3)")
    assert "code 3" in call("edit", "gardener").err
    monkeypatch.setenv("EDITOR", "no-such-editor-here")
    assert call("edit", "gardener").code == 1
    assert path.read_text("utf-8") == before
    assert call("edit", "nobody-here", "--json").document["error"]["kind"] == "not_found"


def test_a_broken_file_can_be_edited(call: Call, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "assistants").mkdir(parents=True)
    (home / "assistants" / "odd.toml").write_text("title = ")
    editor(tmp_path, monkeypatch, "text += '\"Mended\"'")
    assert call("edit", "odd", "--json").document["title"] == "Mended"


def test_a_change_of_somebody_else_is_kept(call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = Path(call("new", "gardener", "--system", "You grow things.").out.strip())
    other = f"pathlib.Path({str(path)!r}).write_text('title = \"Theirs\"')"
    editor(tmp_path, monkeypatch, f"{other}; text += '# mine'")
    result = call("edit", "gardener")
    assert result.code == 1 and "draft" in result.err
    assert path.read_text("utf-8") == 'title = "Theirs"'


def test_a_person_is_asked_to_mend_it_at_once(
    call: Call, terminal: type[Terminal], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = Path(call("new", "gardener", "--system", "You grow things.").out.strip())
    editor(tmp_path, monkeypatch, "text = text.replace('bad = =', '# good') if 'bad' in text else text + 'bad = ='")
    edit = terminal("edit", "gardener", width=80)
    edit.until("edit it again?")
    edit.type("\n")
    assert edit.end() == 0
    assert path.read_text("utf-8").endswith("# good")


def test_ls_and_show_tell_places(call: Call, home: Path) -> None:
    call("new", "gardener", "--system", "You grow things.")
    document = call("ls", "--json").document
    assert document["home"] == str(home)
    paths = {each["name"]: Path(each["path"]) for each in (*document["assistants"], *document["panels"])}
    assert all(path.is_file() for path in paths.values())
    assert paths["gardener"] == home / "assistants" / "gardener.toml"
    for name in ("gardener", "duty", "starter"):
        shown = call("show", name)
        assert str(paths[name]) in shown.out
        assert call("show", name, "--json").document["path"] == str(paths[name])
    assert str(home) in call("ls").out and str(home) in call("show", "duty").out
    assert json.dumps(document)


@pytest.mark.parametrize("words", [("new", "mine", "--system", "Hi."), ("new", "--pair", "mine", "other"),
                                   ("copy", "duty", "mine")])  # fmt: skip
def test_what_fails_in_the_middle_leaves_nothing(
    words: tuple[str, ...], call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise NoSpaceError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(Store, "put_assistant", full)
        assert call(*words).code == 1
        assert not list(tmp_path.rglob("mine.toml"))
    assert call(*words).code == 0


def test_how_to_leave_the_editor_is_said(call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    vim = tmp_path / "vim"
    vim.write_text("#!/bin/sh\nexit 0\n")
    vim.chmod(0o755)
    monkeypatch.setenv("EDITOR", str(vim))
    result = call("edit", "duty")
    assert result.code == 0 and ":wq" in result.err and ":q!" in result.err
    assert call("edit", "duty", "--quiet").err == ""
