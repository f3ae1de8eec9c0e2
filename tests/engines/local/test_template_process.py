"""What the templates' process does with its jobs, here in the process of the tests, without limits."""

import io
import json
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from pluriverse.engines.local import template_process
from pluriverse.engines.local.template_process import _Templates, main


def filled(source: str, now: float = 0.0, **values: Any) -> dict[str, Any]:
    templates = _Templates()
    read = templates.answer({"template": source})
    return read or templates.answer({"values": values, "now": now})


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("{{ x }}", "é"),
        ("{% generation %}{{ x }}{% endgeneration %}!", "é!"),
        ("{% for n in range(9) %}{% if n == 2 %}{% break %}{% endif %}{{ n }}{% endfor %}", "01"),
        ("{% set ns = namespace(a=1) %}{% set ns.a = ns.a + 1 %}{{ ns.a }}", "2"),
        ("{% set ns = namespace({'b': 3}) %}{{ ns.b }}", "3"),
        ("{{ {'a': '<é>'} | tojson }}", '{"a": "<é>"}'),
        ("{{ [1] | tojson(indent=1) }}", "[\n 1\n]"),
        ("{{ strftime_now('%Y') }}", "2001"),
    ],
)
def test_it_fills(source: str, text: str) -> None:
    assert filled(source, 10**9, x="é") == {"text": text}


@pytest.mark.parametrize(
    ("source", "why", "error"),
    [
        ("{% for %}", "refused", "Expected"),
        ("{{ raise_exception('no\n system \x00 prompts') }}", "refused", "no system ? prompts"),
        ("{{ raise_exception('') }}", "refused", "TemplateError"),
        ("{{ raise_exception('long ' * 99) }}", "refused", "..."),
        ("{{ 1 / 0 }}", "failed", "ZeroDivisionError: division by zero"),
        ("{{ namespace(_a=1) }}", "refused", "cannot hold the name _a"),
        ("{% set ns = namespace() %}{% set ns._a = 1 %}", "refused", "cannot hold the name _a"),
        ("{{ ''.__class__.__mro__ }}", "refused", "unsafe"),
        ("{{ big() }}", "memory", "512 MB of memory"),
        ("{{ 'a' * 20 }}", "long", "20 characters"),
    ],
)
def test_it_says_why_it_cannot(source: str, why: str, error: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def big() -> str:
        raise MemoryError

    monkeypatch.setattr(template_process, "LONGEST", 19)
    found = filled(source, big=big)
    assert found["why"] == why and error in found["error"] and len(found["error"]) < 210


def test_a_line_is_a_job_and_a_line_its_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    clocks: list[float] = []
    jobs: list[dict[str, Any]] = [
        {"template": "{{ a }}"}, {"values": {"a": "é"}, "now": 0}, {"template": "{% if %}"}
    ]  # fmt: skip
    lines, said = b"".join(json.dumps(job).encode() + b"\n" for job in jobs), io.StringIO()
    monkeypatch.setattr(template_process, "die_with_parent", lambda: None)
    monkeypatch.setattr(template_process, "_limit", lambda: None)
    monkeypatch.setattr(template_process, "clock", clocks.append)
    monkeypatch.setattr(sys, "argv", ["template_process.py", "/packages"])
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(lines + lines.splitlines(True)[1])))
    monkeypatch.setattr(sys, "stdout", said)
    answer = _Templates.answer

    def once(self: _Templates, job: dict[str, Any]) -> dict[str, Any]:
        """Memory may also run out where nothing of a template runs."""
        if len(clocks) == 7:
            raise MemoryError
        return answer(self, job)

    monkeypatch.setattr(_Templates, "answer", once)
    main()
    found = [json.loads(line) for line in said.getvalue().splitlines()]
    assert found[:2] == [{}, {"text": "é"}]
    assert [each.get("why") for each in found] == [None, None, "refused", "memory"]
    assert clocks == [template_process.SECONDS, 0] * 4 and sys.path[-1] == "/packages"
