"""The contract of `engines.contract.Engine`, sentence by sentence, against every engine within what it declares.

The scripted engine always; the local engine on the real default model with the library of the wheel (mark `model`), and
with one built here (mark `slow`, minutes; PLURIVERSE_TEST_NATIVE names a data folder that has one already). Engines of
other packages: PLURIVERSE_TEST_BASES names bases as `--base` takes them, with commas between, and only these are asked:

    PLURIVERSE_TEST_BASES=mykind:thing scripts/test tests/engines/test_contract.py
"""

import asyncio
import json
import os
import signal
from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pluriverse import doors
from pluriverse.assistant.bases import resolve
from pluriverse.catalogue.ladder import model_of
from pluriverse.engines.contract import (
    Chosen,
    Chunk,
    Engine,
    EngineEvent,
    Failed,
    Finished,
    Guide,
    Request,
    Scored,
    ScoreRequest,
    Started,
)
from pluriverse.engines.local import LocalEngine
from pluriverse.engines.local.sizes import physical_cores
from pluriverse.engines.quoting import held as found_in
from pluriverse.engines.quoting import quotations
from pluriverse.engines.script import Script
from pluriverse.engines.scripted import ScriptedEngine
from pluriverse.errors import ContextOverflowError, EngineCrashedError, EngineError, UnsupportedError, UsageError
from pluriverse.pictures import picture
from pluriverse.settings import Settings
from pluriverse.store import Store
from pluriverse.values import Digest, Message, Sampling

from ..patience import PATIENCE_S
from .local.projectors import pixels, png

SMALL = model_of("small")
VOICES = ("You value duty.", "You are a historian. You are brief.", "You are a doctor.", "You are a poet of the sea.")
QUESTION = "What is a fair society?"

Run = Callable[[Callable[[Engine], Coroutine[Any, Any, Any]]], Any]


OURS = ["scripted", pytest.param("local", marks=pytest.mark.model), pytest.param("native", marks=pytest.mark.slow)]
THEIRS = [each for each in os.environ.get("PLURIVERSE_TEST_BASES", "").split(",") if each]
ours = pytest.mark.skipif(bool(THEIRS), reason="of the local engine alone")
ADAPTER, UNKNOWN = (Digest("sha256:" + sign * 64) for sign in "a0")
SCRIPT = f"""
context_length = 600
[[rule]]
adapter = "{ADAPTER}"
replies = ["Adapted."]
[[rule]]
system = "quote"
replies = [
  'They say "all is one", "as free to act" “and … itself” so.', '"« No » and “every age”.', "「And so」 it goes on."]
[[rule]]
replies = ["{{voice}} Schön, 你好 🌍! You asked: {{question}} A b c d e f.",
  "One. {{voice}}", "Two. {{voice}}", "Three. {{voice}}", "Four. {{question}}"]
"""


@pytest.fixture(scope="module", params=THEIRS or OURS)
def run(request: pytest.FixtureRequest) -> Iterator[Run]:
    """Run a coroutine function on the engine; one engine and one event loop serve a whole module."""
    loop = asyncio.new_event_loop()
    if request.param == "scripted":
        script = Script.parse(SCRIPT)
        engine: Engine = ScriptedEngine("scripted", script)
    elif request.param in THEIRS:
        engine = theirs(request.param, request.getfixturevalue("tmp_path_factory").mktemp("home"))
    else:
        from pluriverse.engines.local import EngineOptions

        path = request.getfixturevalue("default_model")
        native = request.getfixturevalue("native_library") if request.param == "native" else None
        options = EngineOptions(threads=physical_cores(), library=native and str(native.path))
        engine = LocalEngine(SMALL, None, path, _settings(path), options)
    yield lambda work: loop.run_until_complete(asyncio.wait_for(work(engine), PATIENCE_S))
    loop.run_until_complete(engine.aclose())
    loop.close()


def _settings(path: Path) -> Settings:
    return Settings(home=path.parent)


def theirs(ref: str, home: Path) -> Engine:
    """The engine of an installed package, as `ask --base` makes it."""
    settings = Settings(home=home)
    base = resolve(ref, Store.at(settings), settings)
    return doors.opened("engines", base.kind)(base, settings)


async def unable(engine: Engine, *what: str) -> bool:
    """Whether it lacks one of these capabilities; then the sentence under test is not about it."""
    await engine.start()
    return not all(getattr(engine.capabilities, each) for each in what)


def needs(run: Run, *what: str) -> None:
    if run(lambda engine: unable(engine, *what)):
        pytest.skip(f"the engine declares that it has no {' and '.join(what)}")


def ask(system: str, question: str = QUESTION, **sampling: Any) -> Request:
    messages = (Message("system", system), Message("user", question))
    return Request(messages, Sampling(**{"temperature": 0.0, "max_tokens": 12, **sampling}))


async def heard(engine: Engine, requests: Sequence[Request]) -> list[EngineEvent]:
    return [event async for event in engine.generate(requests)]


def text(events: Sequence[EngineEvent], index: int = 0) -> str:
    return "".join(event.text for event in events if isinstance(event, Chunk) and event.index == index)


def end(events: Sequence[EngineEvent], index: int = 0) -> Finished | Failed:
    (last,) = (e for e in events if isinstance(e, Finished | Failed) and e.index == index)
    return last


def test_each_request_starts_speaks_and_ends_once(run: Run) -> None:
    events = run(lambda engine: heard(engine, [ask(voice) for voice in VOICES]))
    for index in range(len(VOICES)):
        own = [event for event in events if event.index == index]
        assert isinstance(own[0], Started)
        assert isinstance(own[-1], Finished)
        assert all(isinstance(event, Chunk) and event.text for event in own[1:-1])
        assert text(events, index).strip()


def test_vectors_are_those_of_their_texts_alone(run: Run) -> None:
    needs(run, "embeds")
    texts = ["A lie is never right.", "", "The corn was cheap. 你好", "word " * 5000]
    together = run(lambda engine: engine.embed(texts))
    assert together.dtype == np.float32 and together.shape[0] == len(texts)
    assert np.allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)
    for place, each in enumerate(texts):
        assert np.array_equal(run(lambda engine, each=each: engine.embed([each]))[0], together[place])
    assert run(lambda engine: engine.embed([])).shape == (0, together.shape[1])


def test_an_engine_that_cannot_embed_says_so(run: Run) -> None:
    if not run(lambda engine: unable(engine, "embeds")):
        pytest.skip("it embeds")
    with pytest.raises(UnsupportedError):
        run(lambda engine: engine.embed(["a"]))


def test_replies_come_interleaved(run: Run) -> None:
    events = run(lambda engine: heard(engine, [ask(voice) for voice in VOICES[:2]]))
    first_end = next(place for place, event in enumerate(events) if isinstance(event, Finished))
    assert {event.index for event in events[:first_end] if isinstance(event, Chunk)} == {0, 1}


def test_counts_agree(run: Run) -> None:
    events = run(lambda engine: heard(engine, [ask(VOICES[0], max_tokens=7)]))
    started, finished = events[0], end(events)
    assert isinstance(started, Started) and isinstance(finished, Finished)
    assert started.prompt_tokens == finished.prompt_tokens > 5
    assert 0 <= started.cached_tokens <= started.prompt_tokens
    assert (finished.reason, finished.completion_tokens) == ("length", 7)


def test_company_changes_no_word(run: Run) -> None:
    together = run(lambda engine: heard(engine, [ask(voice) for voice in VOICES]))
    for index, voice in enumerate(VOICES):
        alone = run(lambda engine, voice=voice: heard(engine, [ask(voice)]))
        assert text(alone) == text(together, index)


def test_a_stop_string_ends_a_reply_and_is_never_shown(run: Run) -> None:
    whole = text(run(lambda engine: heard(engine, [ask(VOICES[1], max_tokens=16)])))
    middle = len(whole) // 2
    for stop in (whole[middle : middle + 1], whole[middle : middle + 5]):  # within a token, and across tokens
        events = run(lambda engine, stop=stop: heard(engine, [ask(VOICES[1], max_tokens=16, stop=(stop,))]))
        assert text(events) == whole[: whole.index(stop)]
        assert end(events).reason == "stop"  # type: ignore[union-attr]


def test_seeds_decide(run: Run) -> None:
    needs(run, "seed")

    def spoken(seed: int | None) -> tuple[str, int]:
        events = run(lambda engine: heard(engine, [ask(VOICES[0], temperature=1.5, seed=seed, max_tokens=16)]))
        assert isinstance(events[0], Started)
        return text(events), events[0].seed

    assert spoken(5) == spoken(5)
    assert len({spoken(seed)[0] for seed in range(5)}) > 1
    fresh, seed = spoken(None)
    assert spoken(seed)[0] == fresh


def test_a_bad_request_fails_alone(run: Run) -> None:
    needs(run, "context_length")
    events = run(lambda engine: heard(engine, [ask(VOICES[0]), ask("", "word " * 20_000), ask(VOICES[1])]))
    failed = end(events, 1)
    assert isinstance(failed, Failed) and isinstance(failed.error, ContextOverflowError)
    assert failed.error.hint and "," in failed.error.message
    assert isinstance(end(events, 0), Finished) and isinstance(end(events, 2), Finished)


def test_several_calls_at_once(run: Run) -> None:
    async def work(engine: Engine) -> list[list[EngineEvent]]:
        return await asyncio.gather(*(heard(engine, [ask(voice)]) for voice in VOICES))

    for voice, events in zip(VOICES, run(work), strict=True):
        assert text(events) == text(run(lambda engine, voice=voice: heard(engine, [ask(voice)])))


def test_closing_the_iterator_cancels(run: Run) -> None:
    async def work(engine: Engine) -> float:
        stream = engine.generate([ask(voice, max_tokens=500) for voice in VOICES])
        async for event in stream:
            if isinstance(event, Chunk):
                break
        clock = asyncio.get_running_loop().time
        closed = clock()
        await stream.aclose()  # type: ignore[attr-defined]
        events = await heard(engine, [ask(VOICES[0], max_tokens=2)])
        assert isinstance(end(events), Finished)
        return clock() - closed

    assert run(work) < 3


def test_a_cancelled_task_leaves_the_engine_usable(run: Run) -> None:
    async def work(engine: Engine) -> None:
        task = asyncio.create_task(heard(engine, [ask(VOICES[0], max_tokens=500)]))
        await asyncio.sleep(0)  # it is under way, and cannot be done
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert isinstance(end(await heard(engine, [ask(VOICES[0])])), Finished)

    run(work)


def test_text_is_whole_characters(run: Run) -> None:
    events = run(lambda engine: heard(engine, [ask("你好 🌍 ñandú", "Répète: 你好 🌍 ñandú", max_tokens=30)]))
    for event in events:
        if isinstance(event, Chunk):
            assert "�" not in event.text
            event.text.encode("utf-8")


def test_what_is_repeated_is_not_computed_again(run: Run) -> None:
    system = "You are somebody whom nobody here has met before, and you speak of the weather."
    first = run(lambda engine: heard(engine, [ask(system, "One?")]))[0]
    second = run(lambda engine: heard(engine, [ask(system, "Two?")]))[0]
    assert first.cached_tokens == 0
    assert second.cached_tokens > 10 or THEIRS, "ours keep what they have read"


def test_grammar_binds_or_is_refused(run: Run) -> None:
    async def work(engine: Engine) -> tuple[bool, list[EngineEvent]]:
        request = ask(VOICES[0], "Is it late?", temperature=1.0, grammar='root ::= "yes" | "no"')
        return engine.capabilities.grammar, await heard(engine, [request])

    capable, events = run(work)
    if capable:
        assert text(events) in {"yes", "no"}
    else:
        failed = end(events)
        assert isinstance(failed, Failed) and isinstance(failed.error, UnsupportedError)


def test_scores_are_log_probabilities(run: Run) -> None:
    needs(run, "logprobs", "logits")

    async def work(engine: Engine) -> None:
        words = [" red", " blue", " green", " seven", " the"]
        scores = await engine.score("The colour of the sky is", words, logits=True)
        assert all(score.total == sum(score.logprobs) < 0 for score in scores)
        assert sum(np.exp(score.logprobs[0]) for score in scores) <= 1 + 1e-6
        for score in scores:
            assert score.logits is not None and score.logits.shape[0] == len(score.tokens)
            row = score.logits[0].astype(np.float64)
            assert score.logprobs[0] == pytest.approx(row[score.tokens[0]] - np.log(np.exp(row).sum()), abs=1e-4)

    run(work)


def test_scores_add_up(run: Run) -> None:
    needs(run, "logprobs")

    async def work(engine: Engine) -> None:
        (whole,) = await engine.score("One two three", [" four five"])
        (first,) = await engine.score("One two three", [" four"])
        (second,) = await engine.score("One two three four", [" five"])
        assert whole.tokens == first.tokens + second.tokens
        # The prefix of `second` is computed in one piece, of `whole` in two: quantised weights differ by a little.
        assert whole.total == pytest.approx(first.total + second.total, abs=0.2)

    run(work)


def test_scores_do_not_depend_on_company(run: Run) -> None:
    needs(run, "logprobs")

    async def work(engine: Engine) -> None:
        words = [" four", " five and six", " nothing at all, and so on"]
        together = await engine.score("One two three", words)
        await engine.score("Something else", [" entirely"])
        alone = [(await engine.score("One two three", [word]))[0] for word in reversed(words)]
        assert list(together) == alone[::-1]

    run(work)


def test_messages_can_be_a_prefix(run: Run) -> None:
    needs(run, "logprobs")

    async def work(engine: Engine) -> None:
        (score,) = await engine.score([Message("system", VOICES[0]), Message("user", "Yes or no?")], ["Yes"])
        assert score.total < 0

    run(work)


def test_scoring_beside_replies(run: Run) -> None:
    needs(run, "logprobs")

    async def work(engine: Engine) -> None:
        events, scores = await asyncio.gather(
            heard(engine, [ask(VOICES[0])]), engine.score("One two three", [" four", " five"])
        )
        assert isinstance(end(events), Finished) and len(scores) == 2

    run(work)


def test_what_cannot_be_scored_is_refused(run: Run) -> None:
    needs(run, "logprobs")

    async def work(engine: Engine) -> None:
        with pytest.raises(UsageError, match="empty"):
            await engine.score("One", [""])
        with pytest.raises(ContextOverflowError):
            await engine.score("word " * 20_000, [" end"])

    run(work)


def test_tokens_are_counted(run: Run) -> None:
    async def work(engine: Engine) -> None:
        try:
            assert await engine.count_tokens("") == 0
        except UnsupportedError:
            pytest.skip("the engine has no tokenizer")
        assert 2 <= await engine.count_tokens("hello big world") <= 6

    run(work)


def test_tokens_of_a_text_have_exact_scores(run: Run) -> None:
    needs(run, "tokens", "logprobs")

    async def work(engine: Engine) -> None:
        read = await engine.tokens("One two three four.")
        assert "".join(each.text for each in read) == "One two three four."
        assert await engine.tokens("") == ()
        ids = [each.id for each in read]
        scored = await engine.tokens(ids, 2)
        assert [each.id for each in scored] == ids and scored[0].logprob is None
        (score,) = await engine.score(read[0].text, ["".join(each.text for each in read[1:])])
        assert [each.logprob for each in scored[1:]] == pytest.approx(score.logprobs, abs=1e-4)
        for each in scored[1:]:
            (first, second) = each.likeliest
            assert first[2] >= second[2] and each.logprob is not None and each.logprob <= first[2]

    run(work)


def test_chosen_tokens_are_told_where_they_are_asked_for(run: Run) -> None:
    needs(run, "tokens")

    async def work(engine: Engine) -> None:
        events = await heard(engine, [replace(ask(VOICES[0], max_tokens=5), likeliest=1), ask(VOICES[1], max_tokens=5)])
        chosen = [event.token for event in events if isinstance(event, Chosen)]
        assert all(event.index == 0 for event in events if isinstance(event, Chosen))
        last = end(events)
        assert isinstance(last, Finished) and len(chosen) == last.completion_tokens
        assert text(events).startswith(chosen[0].text) and all(each.logprob is not None for each in chosen)
        plain = await heard(engine, [ask(VOICES[0], max_tokens=5)])
        assert text(plain) == text(events)

    run(work)


def test_it_says_what_it_is(run: Run) -> None:
    async def work(engine: Engine) -> None:
        await engine.start()
        assert engine.base
        assert engine.capabilities.context_length is None or engine.capabilities.context_length >= 256
        assert engine.memory >= 0
        identity = engine.identity
        assert identity.kind in doors.names("engines") and identity == engine.identity
        assert json.loads(json.dumps(asdict(identity)))["settings"] == identity.settings, "records keep it"
        assert identity.may_change == (identity.weights is None and identity.script is None)

    run(work)


def test_what_it_cannot_do_is_refused(run: Run) -> None:
    async def work(engine: Engine) -> None:
        await engine.start()
        able = engine.capabilities
        if not able.logprobs:
            with pytest.raises(UnsupportedError):
                await engine.score("One two three", [" four"])
        if not able.guidance:
            failed = end(await heard(engine, [guided(VOICES[0], VOICES[1])]))
            assert isinstance(failed, Failed) and isinstance(failed.error, UnsupportedError)

    run(work)


def test_an_adapter_that_it_cannot_apply_is_refused_alone(run: Run) -> None:
    """For the voice and for the other side, in replies and in scores; never answered by the plain base."""

    async def work(engine: Engine) -> None:
        bad = [replace(ask(VOICES[0]), adapter=UNKNOWN)]
        if engine.capabilities.guidance:
            guide = Guide(ask(VOICES[1]).messages, 1.0, UNKNOWN)
            bad.append(replace(ask(VOICES[0]), guide=guide))
        events = await heard(engine, [*bad, ask(VOICES[1])])
        for index in range(len(bad)):
            failed = end(events, index)
            assert isinstance(failed, Failed) and isinstance(failed.error, UnsupportedError) and failed.error.hint
        assert isinstance(end(events, len(bad)), Finished)
        if engine.capabilities.logprobs:
            with pytest.raises(UnsupportedError):
                await engine.score("One two three", [" four"], adapter=UNKNOWN)
            scores = [ScoreRequest("One two", (" three",), adapter=UNKNOWN), ScoreRequest("One two", (" three",))]
            refused, scored = [each async for each in engine.score_all(scores)]
            assert isinstance(refused, Failed) and isinstance(refused.error, UnsupportedError)
            assert isinstance(scored, Scored)

    run(work)


def test_a_picture_is_seen_or_its_request_refused_alone(run: Run) -> None:
    """Never answered as if it had not been shown."""

    async def work(engine: Engine) -> None:
        await engine.start()
        shown = picture(png(pixels(1)))
        asked = replace(ask(VOICES[0]), messages=(Message("user", QUESTION, (shown,)),))
        events = await heard(engine, [asked, ask(VOICES[1])])
        last = end(events)
        if engine.capabilities.images:
            assert isinstance(last, Finished)
        else:
            assert isinstance(last, Failed) and isinstance(last.error, UnsupportedError) and last.error.hint
        assert isinstance(end(events, 1), Finished)

    run(work)


def test_what_was_computed_under_an_adapter_is_not_taken_for_another(run: Run) -> None:
    needs(run, "adapters")
    if THEIRS:
        pytest.skip("its package knows which adapters it has")

    async def work(engine: Engine) -> None:
        system = "Nobody has said this to it before."
        plain = await heard(engine, [ask(system)])
        applied, again, back = [
            await heard(engine, [replace(ask(system), adapter=adapter)]) for adapter in (ADAPTER, ADAPTER, None)
        ]
        cached = [events[0].cached_tokens for events in (plain, applied, again, back)]
        assert cached[:2] == [0, 0] and min(cached[2:]) > 0
        assert text(plain) == text(back) != text(applied) == text(again)
        (one,), (other,) = [await engine.score("One two", [" three"], adapter=each) for each in (ADAPTER, None)]
        assert one.logprobs != other.logprobs

    run(work)


def test_a_closed_engine_says_so(tmp_path: Path) -> None:
    async def work() -> None:
        engine = theirs(THEIRS[0], tmp_path) if THEIRS else ScriptedEngine()
        await engine.aclose()
        await engine.aclose()
        with pytest.raises(EngineError, match="closed"):
            await heard(engine, [ask(VOICES[0])])

    asyncio.run(work())


@ours
@pytest.mark.model
def test_a_killed_process_is_one_error_and_the_next_ask_works(default_model: Any) -> None:
    async def work() -> None:
        engine = LocalEngine(SMALL, None, default_model, _settings(default_model))
        stream = engine.generate([ask(voice, max_tokens=200) for voice in VOICES[:2]])
        ends = []
        killed = False
        async for event in stream:
            if isinstance(event, Chunk) and not killed:
                assert engine.pid
                os.kill(engine.pid, signal.SIGKILL)
                killed = True
            if isinstance(event, Finished | Failed):
                ends.append(event)
        assert [type(each) for each in ends] == [Failed, Failed]
        assert all(isinstance(each.error, EngineCrashedError) and each.error.hint for each in ends)  # type: ignore[union-attr]
        assert isinstance(end(await heard(engine, [ask(VOICES[0])])), Finished)
        scoring = asyncio.create_task(engine.score("One " * 500, [" two"] * 50))
        await asyncio.sleep(0.3)
        os.kill(engine.pid or 0, signal.SIGKILL)
        with pytest.raises(EngineCrashedError):
            await scoring
        await engine.aclose()
        assert engine.pid is None and engine.memory == 0

    asyncio.run(work())


@ours
@pytest.mark.model
def test_a_file_that_is_no_model_is_refused_in_words(default_model: Any, tmp_path: Any) -> None:
    from pluriverse.errors import IntegrityError

    broken = tmp_path / "broken.gguf"
    data = bytearray(default_model.read_bytes()[:2_000_000])
    broken.write_bytes(data)

    async def work() -> None:
        engine = LocalEngine("broken", None, broken, _settings(broken))
        with pytest.raises(IntegrityError, match="beyond the file"):
            await heard(engine, [ask(VOICES[0])])
        await engine.aclose()

    asyncio.run(work())


def guided(voice: str, against: str, strength: float = 2.0, **sampling: Any) -> Request:
    plain = ask(voice, **sampling)
    return Request(plain.messages, plain.sampling, Guide(ask(against).messages, strength))


def test_strength_nothing_is_the_voice_itself(run: Run) -> None:
    needs(run, "guidance")
    alone = run(lambda engine: heard(engine, [ask(VOICES[0])]))
    assert text(run(lambda engine: heard(engine, [guided(VOICES[0], VOICES[1], 0.0)]))) == text(alone)


def test_a_guided_voice_keeps_its_words_in_company(run: Run) -> None:
    """Beside plain voices, beside its counterpart guided the other way, and alone: the same text, bit for bit."""
    needs(run, "guidance")
    pair = [guided(VOICES[0], VOICES[2]), guided(VOICES[2], VOICES[0]), ask(VOICES[1]), ask(VOICES[3])]
    together = run(lambda engine: heard(engine, pair))
    for index, request in enumerate(pair):
        assert text(run(lambda engine, request=request: heard(engine, [request]))) == text(together, index)


def test_a_guided_voice_stops_counts_and_ends_like_any_other(run: Run) -> None:
    needs(run, "guidance")
    whole = text(run(lambda engine: heard(engine, [guided(VOICES[1], VOICES[0], max_tokens=16)])))
    stop = whole[len(whole) // 2 :][:4]
    request = guided(VOICES[1], VOICES[0], max_tokens=16, stop=(stop,))
    events = run(lambda engine: heard(engine, [request]))
    assert text(events) == whole[: whole.index(stop)]
    started, finished = events[0], end(events)
    assert isinstance(started, Started) and isinstance(finished, Finished)
    assert started.prompt_tokens == finished.prompt_tokens
    plain = run(lambda engine: heard(engine, [ask(VOICES[1], max_tokens=1)]))[0]
    assert isinstance(plain, Started) and plain.prompt_tokens == started.prompt_tokens


def test_the_other_side_must_fit_too(run: Run) -> None:
    needs(run, "guidance")
    long = Request(ask(VOICES[0]).messages, Sampling(max_tokens=4), Guide(ask("", "word " * 20_000).messages, 1.0))
    events = run(lambda engine: heard(engine, [long, ask(VOICES[1])]))
    failed = end(events, 0)
    assert isinstance(failed, Failed) and isinstance(failed.error, ContextOverflowError)
    assert isinstance(end(events, 1), Finished)


def test_a_guided_reply_is_dropped_half_way(run: Run) -> None:
    """Both sides go; the engine is free at once for the next question."""
    needs(run, "guidance")

    async def work(engine: Engine) -> str:
        stream = engine.generate([guided(VOICES[0], VOICES[1], max_tokens=400)])
        async for event in stream:
            if isinstance(event, Chunk):
                break
        await stream.aclose()  # type: ignore[attr-defined]
        return text(await heard(engine, [ask(VOICES[0])]))

    assert run(work) == text(run(lambda engine: heard(engine, [ask(VOICES[0])])))


def test_guided_scores_are_the_contrast_of_both(run: Run) -> None:
    """log p_g = log softmax(log p_v + g (log p_v - log p_c)), over the whole vocabulary."""
    needs(run, "guidance", "logprobs", "logits")

    async def work(engine: Engine) -> tuple[Any, Any, Any]:
        request = guided(VOICES[0], VOICES[1], 1.5)
        assert request.guide is not None
        (voice,) = await engine.score(request.messages, ["A fair society"], logits=True)
        (against,) = await engine.score(request.guide.against, ["A fair society"], logits=True)
        (both,) = await engine.score(request.messages, ["A fair society"], logits=True, guide=request.guide)
        return voice, against, both

    def normal(rows: Any) -> Any:
        rows = rows.astype(np.float64)
        return (
            rows - np.log(np.exp(rows - rows.max(1, keepdims=True)).sum(1, keepdims=True)) - rows.max(1, keepdims=True)
        )

    voice, against, both = run(work)
    expected = normal(normal(voice.logits) + 1.5 * (normal(voice.logits) - normal(against.logits)))
    assert np.allclose(normal(both.logits), expected, atol=1e-4)
    assert both.tokens == voice.tokens
    assert np.allclose(both.logprobs, expected[range(len(both.tokens)), both.tokens], atol=1e-4)


def test_guided_scores_need_messages(run: Run) -> None:
    needs(run, "guidance", "logprobs")
    guide = Guide(ask(VOICES[1]).messages, 1.0)
    with pytest.raises(UsageError):
        run(lambda engine: engine.score("raw text", [" x"], guide=guide))


@pytest.mark.parametrize("strength", [-0.1, 5.1, float("nan"), float("inf")])
def test_a_strength_out_of_range_is_refused(strength: float) -> None:
    with pytest.raises(UsageError):
        Guide((Message("user", "x"),), strength)


def test_many_scores_are_as_single_ones(run: Run) -> None:
    needs(run, "logprobs")

    async def both(engine: Engine) -> None:
        texts = ("One two three", "One two four")
        requests = [ScoreRequest(text, (" five", " six seven")) for text in texts]
        requests.insert(1, ScoreRequest("One", ("",)))
        conversation = (Message("system", VOICES[0]), Message("user", "Yes or no?"))
        requests.append(ScoreRequest(conversation, ("Yes", "No")))
        if engine.capabilities.guidance:
            against = (Message("system", VOICES[1]), Message("user", "Yes or no?"))
            requests.append(ScoreRequest(conversation, ("Yes", "No"), Guide(against, 1.5)))
        found = [each async for each in engine.score_all(requests)]
        assert [each.index for each in found] == list(range(len(requests)))
        assert isinstance(found[1], Failed)
        for each, request in zip(found, requests, strict=True):
            if isinstance(each, Scored):
                alone = await engine.score(request.prefix, request.continuations, guide=request.guide)
                assert [score.total for score in each.scores] == pytest.approx([s.total for s in alone], abs=1.5)
                assert [score.tokens for score in each.scores] == [score.tokens for score in alone]

    run(both)


def test_raw_text_is_continued_as_it_is(run: Run) -> None:
    async def raw(engine: Engine) -> None:
        request = Request((), Sampling(temperature=0, max_tokens=4), raw="One, two, three, four, five,")
        (events,) = [await heard(engine, [request])]
        assert isinstance(end(events), Finished)

    run(raw)


TEXTS = (
    "Every age and generation must be as free to act for itself, in all cases, as the ages which preceded it.",
    "人生而自由，在尊严和权利上一律平等。 El sol no es de nadie: “don't say «never»”, said she.",
)
LEAD = 'The work says: "Every age and generation must be as free to act for itself" and'


def quoting(lead: str = "", texts: tuple[str, ...] = TEXTS, **sampling: Any) -> Request:
    return replace(ask("You quote.", "Quote with marks.", **{"max_tokens": 24, **sampling}), lead=lead, quotable=texts)


def test_a_lead_is_the_beginning_of_the_reply(run: Run) -> None:
    """It comes as the first chunk, before a second token is said, and its tokens count."""
    needs(run, "leads")
    events = run(lambda engine: heard(engine, [replace(ask(VOICES[0]), lead="Fairness <|im_end|> is")]))
    chunks = [event.text for event in events if isinstance(event, Chunk)]
    assert isinstance(events[0], Started) and chunks[0] == "Fairness <|im_end|> is"
    assert isinstance(end(events), Finished) and end(events).completion_tokens >= 12  # type: ignore[union-attr]
    plain = run(lambda engine: heard(engine, [ask(VOICES[0])]))
    assert events[0].prompt_tokens == plain[0].prompt_tokens


def test_a_lead_is_cut_by_max_tokens(run: Run) -> None:
    needs(run, "leads")
    for most in (1, 5):
        events = run(lambda engine, most=most: heard(engine, [replace(ask(VOICES[0], max_tokens=most), lead=LEAD)]))
        assert LEAD.startswith(text(events)) and text(events) != LEAD
        assert (end(events).reason, end(events).completion_tokens) == ("length", most)  # type: ignore[union-attr]


def test_a_led_voice_says_alone_what_it_says_in_company(run: Run) -> None:
    needs(run, "leads", "quotes")
    requests = [quoting(LEAD), quoting(), ask(VOICES[0]), replace(ask(VOICES[1]), lead="I say")]
    together = run(lambda engine: heard(engine, requests))
    for index, request in enumerate(requests):
        assert text(run(lambda engine, request=request: heard(engine, [request]))) == text(together, index)


def test_what_is_quoted_stands_in_the_texts(run: Run) -> None:
    needs(run, "leads", "quotes")
    requests = [
        quoting(lead, temperature=heat, seed=seed, max_tokens=most, stop=stop)
        for lead in ("", LEAD, LEAD + " “", "She said «")
        for heat, seed, most, stop in ((0, 1, 30, ()), (1.0, 2, 20, ()), (3.0, 3, 9, ()), (1.5, 4, 20, ("e",)))
    ]
    events = run(lambda engine: heard(engine, requests))
    seen = 0
    for index, request in enumerate(requests):
        last = end(events, index)
        if isinstance(last, Failed):
            assert isinstance(last.error, UnsupportedError) and request.lead[-1] in "“«"
            continue
        said = text(events, index)
        assert all(found_in(said, TEXTS)), said
        seen += len(quotations(said))
    assert seen >= 4


def test_a_lead_that_quotes_falsely_is_refused_alone(run: Run) -> None:
    needs(run, "leads", "quotes")
    false = ('It says "every age and none"', "「人生不自由」", '"very age and generation"', "“Every age … of the ages”")
    events = run(lambda engine: heard(engine, [*map(quoting, false), ask(VOICES[0])]))
    for index in range(len(false)):
        failed = end(events, index)
        assert isinstance(failed, Failed) and isinstance(failed.error, UsageError) and failed.error.hint
    assert isinstance(end(events, len(false)), Finished)


def test_a_grammar_beside_texts_is_refused(run: Run) -> None:
    needs(run, "quotes")
    failed = end(run(lambda engine: heard(engine, [quoting(grammar='root ::= "yes"')])))
    assert isinstance(failed, Failed) and isinstance(failed.error, UsageError | UnsupportedError)
