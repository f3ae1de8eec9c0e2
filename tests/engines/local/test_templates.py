"""Chat templates of all kinds: filled as transformers does, never losing a message without a word, within limits."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from pluriverse.engines.local.forms import Forms
from pluriverse.engines.local.library import Library, find
from pluriverse.engines.local.model import Model
from pluriverse.engines.local.prompts import ChatTemplate
from pluriverse.engines.local.renderer import Renderer
from pluriverse.errors import ContextOverflowError, EngineError, UsageError
from pluriverse.values import Message

from ...patience import PATIENCE_S
from . import tiny_tokenizers as tiny
from .test_prompts import Templated, text

TURNS = (
    "{% for m in messages %}[{{ m.role }}]{{ m.content }}{% endfor %}{% if add_generation_prompt %}[reply]{% endif %}"
)
ASKED = [Message("user", "Why is <the> sky “blue” & wide?")]
CHAT = [Message("system", "Be brief."), *ASKED]


@pytest.fixture(scope="module")
def renderer() -> Iterator[Renderer]:
    made = Renderer()
    yield made
    made.close()


Make = Callable[[str], ChatTemplate]


@pytest.fixture
def made(model: Model, renderer: Renderer) -> Make:
    return lambda source: ChatTemplate(Templated(model, source), renderer)  # type: ignore[arg-type]


def said_by(model: Model, tokens: Sequence[int]) -> str:
    return b"".join(map(model.piece, tokens)).decode()


def prompt(model: Model, chat: ChatTemplate, messages: list[Message]) -> str:
    return said_by(model, chat.prompt(messages).tokens)


pytestmark = pytest.mark.model


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("{% for m in messages %}{% generation %}{{ m.content }}{% endgeneration %}{% endfor %}", "{content}"),
        ("{% if tools is not none %}TOOLS{% endif %}{{ messages[0].content }}", "{content}"),
        ("{% if documents %}DOCUMENTS{% endif %}{{ messages[0].content }}", "{content}"),
        ("{{ messages[0].content | tojson }}", '"{content}"'),
        ("{{ messages[0] | tojson(indent=1) }}", '{{\n "role": "user",\n "content": "{content}"\n}}'),
        ("{% for m in messages %}{{ m.content }}{% break %}{% endfor %}", "{content}"),
        ("{% for m in messages %}\n  {% if true %}\n{{ m.content }}\n  {% endif %}\n{% endfor %}", "{content}\n"),
        ("{% set größe = messages[0].content %}{{ größe }}", "{content}"),
        ("{{ messages[0].content | wordwrap(99) }}", "{content}"),
        ("{{ strftime_now('%Y') | length }} {{ messages[0]['content'] }}", "4 {content}"),
        ("{{ bos_token }}{% set n = namespace(t='') %}{% set n.t = messages[0].content %}{{ n.t }}", "{content}"),
    ],
)
def test_templates_are_filled_as_transformers_fills_them(model: Model, made: Make, source: str, shown: str) -> None:
    assert prompt(model, made(source), ASKED) == shown.format(content=ASKED[0].content)


TYPED = (
    "{% for m in messages %}[{{ m.role }}]{% for part in m.content %}{% if part.type == 'text' %}{{ part.text }}"
    "{% endif %}{% endfor %}{% endfor %}"
)


def test_a_template_that_wants_parts_gets_parts(model: Model, made: Make) -> None:
    assert prompt(model, made(TYPED), CHAT) == "[system]Be brief.[user]Why is <the> sky “blue” & wide?"
    without_system = "{% if messages[0].role == 'system' %}{{ raise_exception('none') }}{% endif %}" + TYPED
    assert prompt(model, made(without_system), CHAT) == "[user]Be brief.\n\nWhy is <the> sky “blue” & wide?"
    assert prompt(model, made(TURNS), CHAT) == "[system]Be brief.[user]Why is <the> sky “blue” & wide?[reply]"


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("chatml", "no template but the words 'chatml'"),
        ("Hello!", "no template"),
        ("{% for m in messages if m.role == 'system' %}{{ m.content }}{% endfor %}", "leaves out the question"),
        ("{% for m in messages %}{{ m.text }}{% endfor %}", "leaves out the question"),
        ("{% for m in messages %}{{ m.content[:20] }}{% endfor %}", "leaves out"),
        ("{% for m in messages %}{{ m.content | upper }}{% endfor %}", "leaves out"),
        ("{{ messages | length }}", "leaves out"),
        ("{{ raise_exception('not this \x1b[31m') }}", "refuses these messages: not this"),
        ("{{ '{who}'.format() }}", "fails on these messages: KeyError: 'who'"),
        ("{% macro deep(n) %}{{ deep(n + 1) }}{% endmacro %}{{ deep(0) }}", "RecursionError"),
        ("{{ messages[9].content }}", "has no element 9"),
        ("{{ nothing.more }}", "undefined"),
        ("{{ (1, 2)[0](3) }}", "TypeError"),
        ("{{ 'a' | nosuch }}", "nosuch"),
    ],
)
def test_no_message_is_lost_without_a_word(made: Make, source: str, words: str) -> None:
    with pytest.raises((UsageError, EngineError), match="chat template") as caught:
        made(source).prompt([Message("system", "Be brief, and be it always."), Message("user", "Hello, who are you?")])
    assert words in caught.value.message and "\x1b" not in caught.value.message
    assert caught.value.hint


def test_a_message_that_a_template_changes_is_held_as_it_was_said(model: Model, made: Make) -> None:
    """A template that shows any word in its place, but not this text, shows this text."""
    long = [Message("user", "word " * 40 + "the end?")]
    assert "the end?" in prompt(model, made("{{ messages[0].content[:100] }}"), long)
    asked = [Message("user", "What does </think> mean?")]
    assert prompt(model, made("{{ messages[0].content.split('</think>')[-1] }}"), asked) == asked[0].content
    thought = [Message("user", "Hi"), Message("assistant", "<think>Hm.</think>Hello."), Message("user", "Why?")]
    parting = "{% for m in messages %}[{{ m.content.split('</think>')[-1] }}]{% endfor %}"
    assert prompt(model, made(parting), thought) == "[Hi][Hello.][Why?]"


def test_a_text_that_is_shown_twice_is_there_twice(model: Model, made: Make) -> None:
    attack = [Message("system", "Say <|im_end|>."), Message("user", "Then <|im_start|>?")]
    source = "{{ messages[1].content }}/{{ messages[0].content }}/{{ messages[1].content }}"
    tokens = made(source).prompt(attack).tokens
    assert not any(model.is_control(token) for token in tokens)
    assert text(model, tokens) == "Then <|im_start|>?/Say <|im_end|>./Then <|im_start|>?"


def test_the_time_stands_while_a_continuation_is_scored(made: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(10**9, 10**9 + 1000))
    monkeypatch.setattr(time, "time", lambda: float(next(clock)))
    chat = made("{{ strftime_now('%H:%M:%S') }} {{ messages[0].content }}:")
    head = chat.prompt(ASKED)
    assert chat.continuation(ASKED, head, " Yes")


@pytest.mark.parametrize(
    "source", ["{{ 10 ** (10 ** 9) }}", "{{ 'a' * 10 ** 9 }}", "{{ '%999999999d' % 1 }}", "{% for %}"]
)
def test_limits_hold_while_a_template_is_read(made: Make, renderer: Renderer, source: str) -> None:
    began = time.perf_counter()
    with pytest.raises((EngineError, UsageError), match=r"template.*(seconds|memory|'for'|Expected)"):
        made(source).prompt(ASKED)
    assert time.perf_counter() - began < PATIENCE_S  # two seconds of processor time, on a machine that may be busy
    assert made("{{ messages[0].content }}").prompt(ASKED)


def test_a_template_that_takes_too_long_is_not_waited_for_again(made: Make) -> None:
    chat = made("{% for a in range(9999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}" + TURNS)
    with pytest.raises(UsageError, match="2 seconds of processor time"):
        chat.prompt(CHAT)
    began = time.process_time()
    with pytest.raises(UsageError, match="2 seconds of processor time"):
        chat.prompt(CHAT)
    assert time.process_time() - began < 0.5


def test_a_process_that_fills_a_template_opens_no_file(renderer: Renderer) -> None:
    """Whatever would get out of the sandbox."""
    probe = "from pluriverse.engines.local import template_process as t; t._Templates(); t._limit(); open(t.__file__)"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True)
    assert "Too many open files" in done.stderr or sys.platform == "win32"


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere it ends when its two seconds are over")
def test_it_dies_with_the_engine_in_the_middle_of_one_operation() -> None:
    code = (
        "from pluriverse.engines.local.renderer import Renderer\n"
        "made = Renderer(); print(made._process.pid, flush=True); made.read('{{ 10 ** (10 ** 9) }}')"
    )
    engine = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert engine.stdout
    child = int(engine.stdout.readline())
    time.sleep(0.5)
    engine.kill()
    engine.wait()
    assert _ends(child, 1.5)


def _ends(pid: int, seconds: float) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
            return True
        time.sleep(0.02)
    return False


def test_an_engine_ends_with_the_one_that_asks_also_while_it_loads(default_model: Path) -> None:
    from dataclasses import asdict

    from pluriverse.engines.local import EngineOptions, wire

    for wait in (0.0, 0.1, 0.4):
        engine = subprocess.Popen(
            [sys.executable, "-m", "pluriverse.engines.local.worker"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
        )
        assert engine.stdin
        engine.stdin.write(wire.pack({"op": "load", "path": str(default_model), "options": asdict(EngineOptions())}))
        engine.stdin.flush()
        time.sleep(wait)
        engine.stdin.close()
        assert engine.wait(10) in {0, -signal.SIGKILL}


# -- tokenizers


@pytest.fixture
def load(tmp_path: Path) -> Iterator[Callable[[Path], Model]]:
    loaded: list[Model] = []
    library = Library(find())

    def read(path: Path) -> Model:
        loaded.append(Model(library, path))
        return loaded[-1]

    yield read
    for each in loaded:
        each.close()


def test_no_mark_of_the_end_stands_behind_a_prompt(load: Callable[[Path], Model], tmp_path: Path) -> None:
    plain = load(tiny.sentencepiece(tmp_path / "plain.gguf"))
    adding = load(tiny.sentencepiece(tmp_path / "adding.gguf", lambda writer: writer.add_add_eos_token(True)))
    found = []
    for model in (plain, adding):
        chat = ChatTemplate(model)
        head = chat.raw("hello")
        found.append((chat.prompt(ASKED).tokens, head.tokens, chat.continuations("hello", head, [" you"])))
        chat.close()
    assert found[0] == found[1]
    assert found[0][0][0] == found[0][1][0] == 1  # the mark of the beginning, once
    assert found[0][0].count(1) == 1 and 2 not in found[0][0] + found[0][1]


def test_no_message_spells_a_control_token_of_rwkv(load: Callable[[Path], Model], tmp_path: Path) -> None:
    model = load(tiny.rwkv(tmp_path / "rwkv.gguf"))
    for said in ("<s>", "hello<s>hello", "<<s>>", "<s><s>", "<s<s>>", "a <s><s><s> b"):
        assert any(
            map(model.is_control, model.tokenize(said, special=False))
        )  # the library alone does not keep them out
        tokens = model.tokenize_plain(said)
        assert not any(map(model.is_control, tokens))
        assert said_by(model, tokens) == said
        chat = ChatTemplate(model)
        assert not any(map(model.is_control, chat.prompt([Message("user", said)]).tokens[1:]))
        chat.close()


def test_a_text_that_is_far_too_long_is_refused_at_once(model: Model, made: Make) -> None:
    chat = made(TURNS)
    for long in ("word " * 3_000_000, "a" * 15_000_000, " " * 10_000_000 + "word " * 1_000_000):
        began = time.process_time()
        with pytest.raises(ContextOverflowError, match=r"characters, [\d,]+ tokens or more; the model reads") as caught:
            chat.prompt([Message("system", "Be brief."), Message("user", long)])
        assert f"{len(long):,}"[:2] in caught.value.message
        assert time.process_time() - began < 3
    with pytest.raises(ContextOverflowError):
        chat.raw("word " * 3_000_000)
    with pytest.raises(ContextOverflowError):
        made("{% for i in range(99999) %}{{ messages[0].content }} and {% endfor %}").prompt(ASKED)


def test_what_is_only_a_little_too_long_is_counted(model: Model) -> None:
    most = model.context_length
    fits = "word " * (most - 100)
    assert model.longer(fits, most, special=True) == 0
    assert model.longer("<|im_end|>" * (most - 100), most, special=True) == 0
    assert model.longer(fits * 2, most, special=True) > most


def test_forms_are_found_once_for_each_sequence_of_roles(renderer: Renderer) -> None:
    renderer.read(TURNS)
    filled = []

    def fill(values: dict[str, object]) -> object:
        filled.append(values)
        return renderer.render(values, 0.0)

    forms = Forms(TURNS, fill)  # type: ignore[arg-type]
    for _ in range(3):
        forms.of(CHAT)
        forms.of(ASKED)
    assert len(filled) == 2
