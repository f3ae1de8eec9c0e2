"""Templates of others are filled as transformers fills them: what `docs/templates.md` says is so."""

import importlib.util
import os
import tomllib
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from pluriverse.engines.local.renderer import Renderer

ROOT = Path(__file__).parents[3]
TABLE: dict[str, Any] = tomllib.loads((ROOT / "tools" / "templates.toml").read_text("utf-8"))
DATA = Path(os.environ.get("PLURIVERSE_DATA", "")) / "templates"

FEATURES = {
    "marks of training": "{% for m in messages %}{{ m.role }}{% generation %}{{ m.content }}"
    "{% endgeneration %}{% endfor %}",
    "loops": "{% for m in messages %}{% if loop.index > 2 %}{% break %}{% endif %}\n  {{- m.content }}\n{% endfor %}",
    "parts": "{% for m in messages %}{% for p in m.content %}{{ p.type }}:{{ p.text | trim }}{% endfor %}{% endfor %}",
    "tools": "{% for t in tools or [] %}{{ t | tojson(indent=2) }}{{ t.function.parameters.properties | items | list }}"
    "{% endfor %}{{ messages | tojson(ensure_ascii=True, sort_keys=True) }}",
    "dates": "{{ strftime_now('%A %d %B %Y %H:%M:%S') }}{{ messages[0].content }}",
    "refusals": "{% for m in messages %}{% if m.role == 'system' and loop.index > 1 %}{{ raise_exception('no') }}"
    "{% endif %}{{ m.content }}{% endfor %}",
    "names": "{% set n = namespace(a=1, b={}) %}{% for m in messages %}{% set n.a = n.a + 1 %}{% endfor %}{{ n.a }}"
    "{{ dict(x=n.b) }}{{ messages[0].content }}{% if tools %}{% set n._c = 1 %}{% endif %}",
    "undefined": "{{ bos_token }}{{ unk_token }}{% if documents %}{{ nothing.at.all }}{% endif %}"
    "{{ messages[-1]['content'] }}",
    "methods": "{% for m in messages %}{{ m.get('content').strip().split('</think>')[-1].title() }}{% endfor %}",
    "switches": "{{ enable_thinking is defined and enable_thinking is false }}{{ messages[-1].content }}"
    "{{ eos_token }}",
}


def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("templates", ROOT / "tools" / "templates.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def renderer() -> Iterator[Renderer]:
    made = Renderer()
    yield made
    made.close()


def test_the_page_is_of_this_table() -> None:
    made = tool().page()
    assert (ROOT / "docs" / "templates.md").read_text("utf-8") == made, "make it again: python tools/templates.py docs"


def test_no_template_of_the_table_comes_out_otherwise() -> None:
    assert len(TABLE["template"]) > 90
    for row in TABLE["template"]:
        assert (row["equal"], row["prompts"], row["different"]) == (20, 10, []), row["model"]


@pytest.mark.parametrize("name", FEATURES)
def test_what_templates_use_is_as_in_transformers(name: str, renderer: Renderer) -> None:
    pytest.importorskip("transformers")
    from .original_templates import compare

    assert compare(FEATURES[name], renderer).different == ()


@pytest.mark.skipif(not DATA.is_dir(), reason="PLURIVERSE_DATA names no folder with templates")
def test_originals_are_filled_as_in_transformers(renderer: Renderer) -> None:
    pytest.importorskip("transformers")
    from .original_templates import compare

    for row in TABLE["template"]:
        data = (DATA / row["file"]).read_bytes()
        assert sha256(data).hexdigest() == row["sha256"], row["file"]
        found = compare(data.decode(), renderer)
        assert (found.different, found.refused) == ((), row["refused"]), row["model"]
