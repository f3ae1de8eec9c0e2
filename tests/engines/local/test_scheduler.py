"""Continuous batching on the real default model: nobody's words depend on company, arrival or what is in memory."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from pluriverse.engines.contract import Chunk, Thought
from pluriverse.engines.local.model import Model
from pluriverse.engines.local.scheduler import Scheduler
from pluriverse.errors import ContextOverflowError, UsageError
from pluriverse.values import Message, Sampling

pytestmark = pytest.mark.model

VOICES = (
    "You value duty above outcomes.",
    "You are a historian of empires. Answer in two sentences.",
    "You are an economist who trusts markets, and you explain your reasons plainly.",
    "You are a village doctor.",
    "You speak for those who come after us. Be brief, be kind, and never lie to the one who asks you.",
    "You are a judge.",
)
QUESTION = "What do we owe to future generations?"


def alone(make: Callable[..., Scheduler], play: Any, system: str, **sampling: Any) -> str:
    scheduler = make()
    play.submit(scheduler, 0, system, QUESTION, **sampling)
    text: str = play.run(scheduler)[0].text
    return text


def test_company_changes_no_word(make_scheduler: Callable[..., Scheduler], play: Any) -> None:
    together = make_scheduler()
    for id, system in enumerate(VOICES):
        play.submit(together, id, system, QUESTION)
    heard = play.run(together)
    assert [heard[id].text for id in range(len(VOICES))] == [alone(make_scheduler, play, s) for s in VOICES]


def test_leaving_and_arriving_change_no_word(make_scheduler: Callable[..., Scheduler], play: Any) -> None:
    """Replies of different lengths leave, so streams move into gaps; others arrive half way, so the context grows."""
    scheduler = make_scheduler()
    lengths = (4, 20, 3, 15, 9, 17)
    heard: dict[int, Any] = {}
    for id in range(3):
        play.submit(scheduler, id, VOICES[id], QUESTION, max_tokens=lengths[id])
    for _ in range(6):
        play.collect(heard, scheduler.step())
    for id in range(3, 6):
        play.submit(scheduler, id, VOICES[id], QUESTION, max_tokens=lengths[id])
    play.run(scheduler, heard)
    for id, length in enumerate(lengths):
        assert heard[id].text == alone(make_scheduler, play, VOICES[id], max_tokens=length)
        assert heard[id].finished.completion_tokens == length


@pytest.mark.parametrize("stays", [0, 1])
def test_a_long_prompt_is_read_between_the_words_of_others(
    make_scheduler: Callable[..., Scheduler], play: Any, stays: int
) -> None:
    """No more than one piece of it, and whoever is already speaking goes on; streams may end and move meanwhile, also
    that of the prompt, into a gap before the others."""
    scheduler = make_scheduler(chunk=32)
    heard: dict[int, Any] = {}
    for id, length in enumerate((14, 4) if stays == 0 else (4, 14)):
        play.submit(scheduler, id, VOICES[id], QUESTION, max_tokens=length)
    while len(heard) < 2:
        play.collect(heard, scheduler.step())
    play.submit(scheduler, 2, VOICES[2], QUESTION * 60, max_tokens=3)
    said = []
    while 2 not in heard:
        events = scheduler.step()
        said.append(any(event.index == stays for event in events))
        play.collect(heard, events)
    assert sum(said) >= 2 and max(len(gap) for gap in "".join(map("01".__getitem__, said)).split("1")) <= 5
    play.run(scheduler, heard)
    for id, question, length in ((stays, QUESTION, 14), (2, QUESTION * 60, 3)):
        fresh = make_scheduler(chunk=32)
        play.submit(fresh, 0, VOICES[id], question, max_tokens=length)
        assert play.run(fresh)[0].text == heard[id].text


def test_a_prompt_of_which_nothing_is_read_yet_moves_too(make_scheduler: Callable[..., Scheduler], play: Any) -> None:
    scheduler = make_scheduler(chunk=32)
    heard: dict[int, Any] = {}
    for id in range(2):
        play.submit(scheduler, id, VOICES[id], QUESTION, max_tokens=6)
    while len(heard) < 2:
        play.collect(heard, scheduler.step())
    play.submit(scheduler, 2, VOICES[2], QUESTION, max_tokens=6)
    while len(scheduler._tracks) < 3:
        play.collect(heard, scheduler.step())
    scheduler.cancel([0])
    play.run(scheduler, heard)
    for id in (1, 2):
        assert heard[id].text == alone(make_scheduler, play, VOICES[id], max_tokens=6)


def test_a_prompt_that_is_being_read_can_be_cancelled(make_scheduler: Callable[..., Scheduler], play: Any) -> None:
    scheduler = make_scheduler(chunk=32)
    heard: dict[int, Any] = {}
    play.submit(scheduler, 0, VOICES[0], QUESTION, max_tokens=8)
    play.collect(heard, scheduler.step())
    play.submit(scheduler, 1, VOICES[1], QUESTION * 20)
    for _ in range(4):
        play.collect(heard, scheduler.step())
    scheduler.cancel([1])
    play.run(scheduler, heard)
    assert heard[1].finished.reason == "cancelled" and heard[0].finished.reason == "length"
    assert heard[0].text == alone(lambda: make_scheduler(chunk=32), play, VOICES[0], max_tokens=8)


def test_a_stream_outgrows_its_context_without_changing_a_word(
    make_scheduler: Callable[..., Scheduler], play: Any
) -> None:
    """A context made for a short reply is replaced under a running long one."""
    small = make_scheduler()
    play.submit(small, 0, VOICES[0], "Say yes.", max_tokens=2)
    play.run(small)
    play.submit(small, 1, VOICES[2], QUESTION, max_tokens=240, repeat_penalty=1.3)
    roomy = make_scheduler()
    play.submit(roomy, 1, VOICES[2], QUESTION, max_tokens=240, repeat_penalty=1.3)
    for _ in range(3):  # neighbours make the second context larger from the start
        play.submit(roomy, 9 + _, VOICES[3], QUESTION * 40, max_tokens=1)
    assert play.run(small)[1].text == play.run(roomy)[1].text


def test_prompts_seen_before_are_copied_and_say_the_same(make_scheduler: Callable[..., Scheduler], play: Any) -> None:
    scheduler = make_scheduler()
    for id, question in enumerate((QUESTION, QUESTION, "What is a good life?")):
        play.submit(scheduler, id, VOICES[4], question)
        play.run(scheduler)
    heard = {}
    for id in (3, 4):
        play.submit(scheduler, id, VOICES[4], (QUESTION, "What is a good life?")[id - 3])
    play.run(scheduler, heard)
    first, system_only = (heard[id] for id in (3, 4))
    assert first.started.cached_tokens == first.started.prompt_tokens
    assert system_only.started.cached_tokens == system_only.started.prompt_tokens
    assert first.text == alone(make_scheduler, play, VOICES[4])


def test_the_system_prompt_is_computed_once(make_scheduler: Callable[..., Scheduler], play: Any) -> None:
    scheduler = make_scheduler()
    heard = {}
    for id, question in enumerate(("What is time?", "What is rain?")):
        play.submit(scheduler, id, VOICES[4], question)
        play.run(scheduler, heard)
    system_tokens = len(scheduler.template.prompt([Message("system", VOICES[4]), Message("user", "x")]).tokens[:-9])
    assert heard[0].started.cached_tokens == 0
    assert heard[1].started.cached_tokens >= system_tokens - 4


def test_a_second_turn_costs_only_what_is_new(make_scheduler: Callable[..., Scheduler], play: Any) -> None:
    scheduler = make_scheduler()
    first = [Message("system", VOICES[5]), Message("user", QUESTION)]
    scheduler.submit(0, scheduler.template.prompt(first), Sampling(temperature=0, max_tokens=12))
    reply = play.run(scheduler)[0]
    second = scheduler.template.prompt([*first, Message("assistant", reply.text), Message("user", "Why?")])
    scheduler.submit(1, second, Sampling(temperature=0, max_tokens=12))
    heard = play.run(scheduler)
    assert heard[1].started.cached_tokens == reply.started.prompt_tokens
    fresh = make_scheduler()
    fresh.submit(1, second, Sampling(temperature=0, max_tokens=12))
    assert play.run(fresh)[1].text == heard[1].text


def test_cancel_ends_one_and_leaves_the_others(make_scheduler: Callable[..., Scheduler], play: Any) -> None:
    scheduler = make_scheduler()
    for id in range(4):
        play.submit(scheduler, id, VOICES[id], QUESTION)
    heard: dict[int, Any] = {}
    for _ in range(6):
        play.collect(heard, scheduler.step())
    scheduler.cancel([0, 2, 99])
    play.run(scheduler, heard)
    assert [heard[id].finished.reason for id in range(4)] == ["cancelled", "length", "cancelled", "length"]
    assert heard[1].text == alone(make_scheduler, play, VOICES[1])
    assert heard[3].text == alone(make_scheduler, play, VOICES[3])


def test_more_requests_than_streams_wait_their_turn(make_scheduler: Callable[..., Scheduler], play: Any) -> None:
    scheduler = make_scheduler(max_streams=2)
    for id in range(5):
        play.submit(scheduler, id, VOICES[id], QUESTION, max_tokens=8)
    heard = play.run(scheduler)
    assert [heard[id].finished.reason for id in range(5)] == ["length"] * 5
    assert heard[4].text == alone(make_scheduler, play, VOICES[4], max_tokens=8)


def test_cache_memory_bounds_how_many_decode_at_once(make_scheduler: Callable[..., Scheduler], play: Any) -> None:
    scheduler = make_scheduler(cache_memory=2 * 256 * 23_040)
    for id in range(4):
        play.submit(scheduler, id, VOICES[id], QUESTION, max_tokens=8)
    while not scheduler.idle:
        scheduler.step()
        assert scheduler.memory <= 2 * 256 * 23_040 + 64 * 1024**2


def test_seeds_decide_and_are_told(scheduler: Scheduler, play: Any) -> None:
    for id, seed in enumerate((7, 7, 8, None)):
        play.submit(scheduler, id, VOICES[0], QUESTION, temperature=1.0, seed=seed)
    heard = play.run(scheduler)
    assert heard[0].text == heard[1].text != heard[2].text
    assert [heard[id].started.seed for id in range(3)] == [7, 7, 8]
    play.submit(scheduler, 4, VOICES[0], QUESTION, temperature=1.0, seed=heard[3].started.seed)
    assert play.run(scheduler)[4].text == heard[3].text


def test_a_full_window_is_told(scheduler: Scheduler, model: Model, play: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    prompt = scheduler.template.prompt([Message("system", VOICES[0]), Message("user", QUESTION)])
    monkeypatch.setattr(model, "context_length", len(prompt.tokens) + 6)
    play.submit(scheduler, 0, VOICES[0], QUESTION, max_tokens=200)
    finished = play.run(scheduler)[0].finished
    assert finished.reason == "context"
    assert finished.prompt_tokens + finished.completion_tokens == model.context_length


def test_a_prompt_longer_than_the_window_is_refused(scheduler: Scheduler, model: Model, play: Any) -> None:
    with pytest.raises(ContextOverflowError, match="8,192"):
        play.submit(scheduler, 0, "", " word" * model.context_length)
    assert scheduler.idle


def test_grammar_binds_and_a_broken_one_is_refused(scheduler: Scheduler, play: Any) -> None:
    play.submit(scheduler, 0, VOICES[0], "Is it late?", temperature=1.0, grammar='root ::= ("ja" | "nein") "!"')
    assert play.run(scheduler)[0].text in {"ja!", "nein!"}
    with pytest.raises(UsageError, match="grammar"):
        play.submit(scheduler, 1, VOICES[0], "Is it late?", grammar="root ::= (")


def test_penalties_take_effect(scheduler: Scheduler, play: Any) -> None:
    prompt = "Repeat after me: la la la la la la la la"
    play.submit(scheduler, 0, "", prompt, repeat_penalty=1.0, max_tokens=30)
    play.submit(
        scheduler, 1, "", prompt, repeat_penalty=1.0, max_tokens=30, presence_penalty=2.0, frequency_penalty=2.0
    )
    heard = play.run(scheduler)
    assert heard[1].text.lower().split().count("la") < heard[0].text.lower().split().count("la")


def thinking(scheduler: Scheduler, id: int, **sampling: Any) -> None:
    asked = "<|im_start|>user\nTell me a long story about a fox.<|im_end|>\n<|im_start|>assistant\n<think>\n"
    prompt = scheduler.template.raw(asked)
    scheduler.submit(id, prompt, Sampling(temperature=0.0, **{"max_tokens": 6, **sampling}))


def test_thinking_is_ended_when_its_tokens_are_spent_and_an_answer_follows(scheduler: Scheduler, play: Any) -> None:
    """This model never closes a block that its prompt opened."""
    thinking(scheduler, 0, thinking_tokens=5)
    thinking(scheduler, 1, thinking_tokens=9, seed=1)
    heard = play.run(scheduler)
    for id, spent in ((0, 5), (1, 9)):
        events = heard[id].events
        kinds = [type(event) for event in events]
        assert kinds.index(Thought) < kinds.index(Chunk), "first the thinking, then the answer"
        assert Thought not in kinds[kinds.index(Chunk) :]
        assert "think" not in heard[id].text and heard[id].text.strip()
        end = heard[id].finished
        assert (end.reason, end.unfinished) == ("length", False)
        closing = len(scheduler._model.tokenize("\n</think>\n", special=True))
        assert end.completion_tokens == spent + closing + 6, "the answer has its own tokens"


def test_thinking_that_is_ended_changes_nobody_elses_word(make_scheduler: Callable[..., Scheduler], play: Any) -> None:
    scheduler = make_scheduler()
    play.submit(scheduler, 0, VOICES[0], QUESTION)
    thinking(scheduler, 1, thinking_tokens=4)
    play.submit(scheduler, 2, VOICES[1], QUESTION)
    heard = play.run(scheduler)
    assert [heard[0].text, heard[2].text] == [alone(make_scheduler, play, system) for system in VOICES[:2]]
    single = make_scheduler()
    thinking(single, 1, thinking_tokens=4)
    assert play.run(single)[1].text == heard[1].text


def test_the_words_that_a_reply_is_given_are_read_with_its_prompt_and_kept(
    scheduler: Scheduler, play: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    messages = [Message("system", VOICES[0]), Message("user", QUESTION)]
    prompt = scheduler.template.prompt(messages)
    lead = scheduler.template.lead(messages, prompt, "Fairness is")
    read = []
    compute = scheduler._compute
    monkeypatch.setattr(scheduler, "_compute", lambda *given: (read.append(given[-2:]), compute(*given))[1])
    heard: dict[int, Any] = {}
    for id in range(2):
        play.collect(heard, scheduler.submit(id, prompt, Sampling(temperature=0, max_tokens=8), lead=lead))
        play.run(scheduler, heard)
    assert read == [(0, prompt.cuts[0]), (prompt.cuts[0], len(prompt.tokens) + len(lead))]
    assert heard[0].text == heard[1].text and heard[0].text.startswith("Fairness is")
    assert [each.started.cached_tokens for each in heard.values()] == [0, len(prompt.tokens)]


def test_what_was_read_under_an_adapter_is_never_copied_for_another(scheduler: Scheduler, play: Any) -> None:
    """Keys and values depend on what changes the weights: the memory of prompts knows under which adapter."""
    prompt = scheduler.template.prompt([Message("system", VOICES[0]), Message("user", QUESTION)])
    cached = []
    for id, adapter in enumerate(("", "sha256:1", "sha256:1", "")):
        scheduler.submit(id, replace(prompt, adapter=adapter), Sampling(temperature=0, max_tokens=1))
        cached.append(play.run(scheduler)[id].started.cached_tokens)
    assert cached == [0, 0, len(prompt.tokens), len(prompt.tokens)]
