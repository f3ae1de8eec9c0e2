"""The public verbs, sync and async, through the scripted engine."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from pluriverse import (
    AskFinished,
    CheckOptions,
    MeasureOptions,
    NotFoundError,
    Pluriverse,
    PluriverseError,
    Replies,
    ReplyChunk,
    Settings,
    UsageError,
    aio,
)
from pluriverse.api import synchronous

from ..patience import PATIENCE_S

DATA = os.environ.get("PLURIVERSE_DATA")


@pytest.fixture
def shared(pluriverse: Pluriverse, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pluriverse]:
    """What the module's functions share, for one test."""
    monkeypatch.setattr(synchronous, "_shared_by_process", {os.getpid(): pluriverse})
    yield pluriverse


def test_the_starter_panel_answers(pluriverse: Pluriverse) -> None:
    replies = pluriverse.ask("What is a fair tax?", panel="starter", max_tokens=16)
    (starter,) = [panel for panel in pluriverse.panels() if panel.name == "starter"]
    assert replies.names == starter.members and len(replies) == 6
    assert all(reply.text and reply.error is None and reply.base == "scripted" for reply in replies)


def test_replies_are_found_by_place_and_name(pluriverse: Pluriverse, names: list[str]) -> None:
    first, second = names
    replies = pluriverse.ask("Hello?", names)
    assert replies[0] is replies[first] and replies[1:] == (replies[second],)
    assert first in replies and "nobody" not in replies and replies[0] in replies
    with pytest.raises(NotFoundError, match="nobody"):
        replies["nobody"]
    assert str(replies).startswith(f"{first}\n  ") and f"**{second}**" in replies._repr_markdown_()
    assert replies.as_dict()["question"] == "Hello?"


def test_a_panel_is_checked(pluriverse: Pluriverse) -> None:
    report = pluriverse.check(panel="politics", options=CheckOptions(questions=4, facts=False))
    assert report.panel == "politics" and len(report.voices) == 4 and len(report.pairs) == 2
    with pytest.raises(UsageError):
        pluriverse.check(["duty", "duty"])


@pytest.mark.skipif(not DATA, reason="data sets")
def test_instruments_are_run(settings: Settings, names: list[str]) -> None:
    pluriverse = Pluriverse(replace(settings, data=Path(str(DATA))))
    measured = pluriverse.measure("xstest", names, options=MeasureOptions(limit=8, check_sensitivity=False))
    assert {each.assistant for each in measured.figures} >= set(names)
    assert len(measured.run.responses) == 16
    again = pluriverse.measure(["xstest"], names, options=MeasureOptions(limit=8, check_sensitivity=False))
    assert again.items_per_s == 0 and again.figures == measured.figures
    with pytest.raises(NotFoundError, match="xtest"):
        pluriverse.measure("xtest", names)
    pluriverse.close()


def test_one_name_may_be_given_alone_and_assistants_as_objects(pluriverse: Pluriverse, names: list[str]) -> None:
    assert pluriverse.ask("Hello?", names[0]).names == (names[0],)
    someone = next(each for each in pluriverse.assistants() if each.name == names[1])
    assert pluriverse.ask("Hello?", someone).names == (someone.name,)


def test_errors_pass_through(pluriverse: Pluriverse, names: list[str]) -> None:
    with pytest.raises(UsageError):
        pluriverse.ask("  ", names)
    with pytest.raises(UsageError, match="panel"):
        pluriverse.ask("Hello?", names, panel="starter")
    with pytest.raises(UsageError, match="temperature"):
        pluriverse.ask("Hello?", names, temperature=99)
    with pytest.raises(NotFoundError):
        pluriverse.ask("Hello?", "nobody-of-that-name")
    with pytest.raises(NotFoundError):
        pluriverse.ask("Hello?", names, base="no-such-model")
    with pytest.raises(TypeError, match="max_token"):
        pluriverse.ask("Hello?", names, max_token=5)  # type: ignore[call-arg]


def test_the_stream_is_the_same_in_pieces(pluriverse: Pluriverse, names: list[str]) -> None:
    events = list(pluriverse.stream("Hello?", names, seed=1))
    last = events[-1]
    assert isinstance(last, AskFinished)
    for index, reply in enumerate(last.replies):
        assert "".join(e.text for e in events if isinstance(e, ReplyChunk) and e.index == index) == reply.text


def test_a_stream_can_be_left_and_the_next_ask_works(pluriverse: Pluriverse, names: list[str]) -> None:
    for event in pluriverse.stream("Hello?", names):
        if isinstance(event, ReplyChunk):
            break
    assert pluriverse.ask("Hello?", names)[0].text


def test_the_same_seed_gives_the_same_reply(pluriverse: Pluriverse, names: list[str]) -> None:
    texts = [[reply.text for reply in pluriverse.ask("Hello?", names, seed=3)] for _ in range(2)]
    assert texts[0] == texts[1]
    assert all(reply.seed == 3 for reply in pluriverse.ask("Hello?", names, seed=3))


def test_it_works_in_a_notebook_and_in_threads(pluriverse: Pluriverse, names: list[str]) -> None:
    async def cell() -> Replies:
        return pluriverse.ask("Hello?", names)

    assert len(asyncio.run(cell())) == 2
    with ThreadPoolExecutor(4) as threads:
        asked = list(threads.map(lambda number: pluriverse.ask(f"Question {number}?", names), range(8)))
    assert [replies.question for replies in asked] == [f"Question {number}?" for number in range(8)]


def test_a_chat_and_another_voice_in_it(pluriverse: Pluriverse, names: list[str]) -> None:
    first, second = names
    chat = pluriverse.chat(first, max_tokens=16)
    assert chat.with_(second) is None and chat.with_(first) is None
    assert chat.say("Hello?").assistant == first
    joined = chat.with_(second)
    assert joined is not None and joined.assistant == chat.assistant == second
    assert "".join(e.text for e in chat.stream("And now?") if isinstance(e, ReplyChunk))
    assert [turn.speaker for turn in chat.turns] == [None, first, second, None, second]
    assert chat.id is not None and chat.forget_oldest() == 1
    with pytest.raises(UsageError):
        chat.say("")


def test_a_chat_that_is_not_kept_touches_no_file(pluriverse: Pluriverse, names: list[str], settings: Settings) -> None:
    chat = pluriverse.chat(names[0], keep=False)
    chat.say("Hello?")
    assert chat.id is None and not settings.history_file.exists()


def test_scores_are_log_probabilities(pluriverse: Pluriverse) -> None:
    scores = pluriverse.score("The sky is", [" blue", " green"], base="scripted")
    assert len(scores) == 2 and all(score.total <= 0 for score in scores)


def test_models_are_listed_and_none_is_here(pluriverse: Pluriverse) -> None:
    assert pluriverse.models() == []


def test_whether_a_model_fits(pluriverse: Pluriverse, settings: Settings) -> None:
    found = pluriverse.fit("smollm2-135m-instruct", context=512, assistants=3, guided=True, measure=False)
    assert found.fits and (found.load.context, found.load.streams) == (512, 6)
    assert found.memory_needed and found.bytes and found.tokens_per_s is None and found.as_dict()["ref"] == found.ref
    closed = pluriverse.fit("gpt-3.5-turbo", measure=False)
    assert closed.fits is False and [each.kind for each in closed.why] == ["closed"]
    with pytest.raises(UsageError):
        pluriverse.fit("smollm2-135m-instruct", assistants=0)
    with pytest.raises(NotFoundError) as unknown:
        pluriverse.fit("no-such-model")
    assert unknown.value.hint


def test_pull_of_nonsense_is_an_error_in_words(pluriverse: Pluriverse) -> None:
    with pytest.raises(PluriverseError):
        pluriverse.pull("no-such-model-anywhere")


def test_module_functions_share_one(shared: Pluriverse, names: list[str]) -> None:
    import pluriverse

    def loops() -> set[int | None]:
        return {thread.ident for thread in threading.enumerate() if thread.name == "pluriverse"}

    others = loops()
    assert pluriverse.ask("Hello?", names).names == tuple(names)
    assert any(isinstance(event, AskFinished) for event in pluriverse.stream("Hello?", names))
    assert pluriverse.chat(names[0], keep=False).say("Hello?").text
    assert pluriverse.assistants() == shared.assistants() and pluriverse.panels() == shared.panels()
    assert pluriverse.models() == [] and len(pluriverse.score("a", [" b"])) == 1
    assert len(loops() - others) <= 1


def test_async_verbs(settings: Settings, names: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLURIVERSE_HOME", str(settings.home))
    monkeypatch.setenv("PLURIVERSE_BASE", "scripted")

    async def main() -> None:
        async with aio.Pluriverse(settings) as pluriverse:
            replies = await pluriverse.ask("Hello?", names)
            async with pluriverse.stream("Hello?", names) as events:
                assert [event async for event in events][-1].replies.names == replies.names  # type: ignore[union-attr]
            chat = pluriverse.chat(names[0], keep=False)
            assert (await chat.say("Hello?")).assistant == names[0]
            assert (await pluriverse.score("a", [" b"]))[0].total <= 0
        assert (await aio.ask("Hello?", names)).names == replies.names
        assert isinstance([event async for event in aio.stream("Hello?", names)][-1], AskFinished)
        assert len(await aio.score("a", [" b"])) == 1
        assert aio.assistants() and aio.panels() and aio.models() == []
        with pytest.raises(PluriverseError):
            await aio.pull("no-such-model-anywhere")

    asyncio.run(main())


def program(settings: Settings, code: str, base: str = "scripted") -> "subprocess.Popen[str]":
    environ = os.environ | {"PLURIVERSE_HOME": str(settings.home), "PLURIVERSE_BASE": base, "PYTHONDEVMODE": "1"}
    command = [sys.executable, "-W", "error", "-c", f"import pluriverse\n{code}"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environ)


@pytest.mark.parametrize(
    "code",
    [
        "print(pluriverse.ask('Hello?', 'test-alpha')[0].text)",
        "p = pluriverse.Pluriverse(); print(p.ask('Hello?', 'test-alpha')[0].text)",
        "s = pluriverse.stream('Hello?', 'test-alpha'); print(next(s))",
        "c = pluriverse.chat('test-alpha'); s = c.stream('Hello?'); print(next(s))",
        "import threading\nthreading.Thread(target=lambda: print(pluriverse.ask('Hi?', 'test-alpha')[0].text)).start()",
    ],
)
def test_a_program_that_never_closes_ends_quietly(settings: Settings, names: list[str], code: str) -> None:
    running = program(settings, code)
    out, err = running.communicate(timeout=PATIENCE_S)
    slow = [line for line in err.splitlines() if line.startswith("Executing <") and " took " in line]  # a busy machine
    assert (running.returncode, err.splitlines()) == (0, slow) and out.strip()


@pytest.mark.skipif(sys.platform == "win32", reason="no such signal there")
def test_an_interrupted_program_stops_at_once(settings: Settings, names: list[str]) -> None:
    # A job started in the background ignores SIGINT, and so would its children.
    code = "import signal\nsignal.signal(signal.SIGINT, signal.default_int_handler)\nprint('asking', flush=True)\n"
    code += "pluriverse.ask('Hello?', 'test-alpha', max_tokens=100_000)"
    running = program(settings, code, base=f"scripted:{settings.home / 'endless.toml'}")
    (settings.home / "endless.toml").write_text("[[rule]]\nreplies = ['never']\nhang = true\n")
    assert running.stdout and running.stdout.readline() == "asking\n"
    time.sleep(1.5)
    running.send_signal(signal.SIGINT)
    _, err = running.communicate(timeout=PATIENCE_S)  # the reply would never end
    assert err.rstrip().endswith("KeyboardInterrupt") and "Exception ignored" not in err and "never awaited" not in err


def test_a_closed_one_says_so(settings: Settings, names: list[str]) -> None:
    pluriverse = Pluriverse(settings)
    pluriverse.ask("Hello?", names)
    pluriverse.close()
    pluriverse.close()
    with pytest.raises(PluriverseError, match="closed"):
        pluriverse.ask("Hello?", names)
