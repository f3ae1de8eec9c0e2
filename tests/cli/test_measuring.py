"""`measure`: its list at any width, and what it says where public data cannot be had."""

import shlex

from .conftest import Call, Terminal


def test_all_missing_data_are_named_at_once(call: Call) -> None:
    result = call("measure", "standard", "--with", "duty", "--limit", "8", "--accept-licence", "--json")
    error = result.document["error"]
    assert (result.code, error["kind"]) == (1, "unreachable")
    assert "truthfulqa" in error["message"] and "xstest" in error["message"] and "strongreject" in error["message"]
    hint = error["hint"].partition("measure the others: ")[2].partition(";")[0]
    words = shlex.split(hint)
    assert "history" in words and "xstest" not in words and words[-5:-3] == ["--with", "duty"], hint
    assert call(*words[1:-5], "--with", "duty", "--limit", "1", "--no-proof").code == 0, "their data are here"


def test_one_instrument_without_data_is_told_as_such(call: Call) -> None:
    result = call("measure", "xstest", "--with", "duty")
    assert result.code == 1 and "measure the others" not in result.err
    assert "XSTest is not here and PLURIVERSE_OFFLINE is set" in result.err


def test_titles_are_whole_on_a_narrow_terminal(terminal: type[Terminal]) -> None:
    shown = terminal("measure", width=80)
    assert shown.end() == 0 and "…" not in shown.screen and "WHAT IT IS" in shown.screen
