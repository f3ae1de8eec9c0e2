"""Thinking is told apart from the answer, whatever marks it and however the text is cut into tokens."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pluriverse.engines.thinking import Piece, ReplyStream, Told, closing, joined, opens, told

A = "Put the egg into boiling water.\nThen peel it."
CHANNELS = (
    "<|channel|>analysis<|message|>I can't.<|end|><|start|>assistant<|channel|>commentary to=f <|constrain|>json"
    f"<|message|>{{}}<|call|><|start|>assistant<|channel|>final<|message|>{A}<|return|>"
)
MARKED = {
    f"<think>\nI can't.\n</think>\n\n{A}": "I can't.",
    f"<THINK>I can't.</THINK>{A}": "I can't.",
    f"  \n<thinking>I can't.</thinking> {A}": "I can't.",
    f"<thought>\nI can't.\n</thought>\n{A}": "I can't.",
    f"<reasoning>I can't.</reasoning>{A}": "I can't.",
    f"<seed:think>I can't.</seed:think>{A}": "I can't.",
    f"[THINK]I can't.[/THINK]{A}": "I can't.",
    f"<|START_THINKING|>I can't.<|END_THINKING|><|START_RESPONSE|>{A}<|END_RESPONSE|>": "I can't.",
    f"<|channel>thought\nI can't.<channel|>{A}": "I can't.",
    f"<|channel|>analysis<|message|>I can't.<|end|><|start|>assistant<|channel|>final<|message|>{A}": "I can't.",
    CHANNELS: "I can't.{}",
    f"I can't ...\n</think>\n\n{A}": "I can't ...",  # the template wrote the other mark
    f"<think> a <think> b </think> c\n</think>\n\n{A}": "a <think> b \nc",
    f"<think>a</think>{A}\n</think>": "a",
    f"<think>\n\n</think>\n\n{A}": None,
    f"<|channel|>final<|message|>{A}": None,
}
SPOKEN_OF = (
    A,
    "The `<think>` tag opens it and `</think>` closes it.",
    "Use <think> and </think> in a prompt.",
    'It ends with "</think>", says the paper.',
    "Like this:\n```\n<think>\nx\n</think>\n```\nDone.",
    "a < b, c[0] <3, <p>Hi</p>\n<thead>",
    "\n  Hello.",
)


@pytest.mark.parametrize("text", MARKED)
def test_thinking_is_no_part_of_the_text(text: str) -> None:
    assert told(text) == Told(A, MARKED[text])


@pytest.mark.parametrize("text", SPOKEN_OF)
def test_an_answer_may_speak_of_the_marks(text: str) -> None:
    assert told(text) == Told(text)


def test_blocks_in_between_are_taken_out() -> None:
    assert told("<think>a</think>One.\n<think>b</think>Two.") == Told("One.\nTwo.", "ab")


@pytest.mark.parametrize("text", ["<think>\nI'm sorry", "<|channel|>analysis<|message|>I'm sorry", "[THINK]I'm sorry"])
def test_a_block_that_never_ends_is_unfinished(text: str) -> None:
    assert told(text) == Told("", "I'm sorry", unfinished=True)


def test_a_prompt_may_open_it() -> None:
    assert told("I'm sorry", opened=True) == Told("", "I'm sorry", unfinished=True)
    assert told(f"Hm.\n</think>\n\n{A}", opened=True) == Told(A, "Hm.")
    assert told(f"<think>\nHm.\n</think>\n\n{A}", opened=True) == Told(A, "Hm.")  # it repeats the mark
    for prompt in ("<|im_start|>assistant\n<think>\n", "assistant: [THINK]", "<|channel|>analysis<|message|>"):
        assert (
            opens(prompt) and not opens(prompt + closing(prompt)) and told(closing(prompt) + A, opened=True).text == A
        )
    for prompt in ("<|im_start|>assistant\n", "<think>\n\n</think>\n\n", "What is <think> for?", ""):
        assert not opens(prompt) and not closing(prompt)


@pytest.mark.parametrize("text", [*MARKED, *SPOKEN_OF, "<think>\nI'm", "<|channel|>anal", "<think>a</think>\n\n"])
def test_any_cut_says_the_same(text: str) -> None:
    for size in (1, 2, 3, 5, 7, 11):
        stream = ReplyStream()
        parts = [stream.push(text.encode()[low : low + size]) for low in range(0, len(text), size)]
        assert joined(list(itertools.chain(*parts, stream.finish())), stream.unfinished) == told(text)


@given(st.lists(st.sampled_from(["<think>", "</think>", "a", "\n", "`", "<", " é", "<|channel|>", "final", "[THINK]"])))
def test_nothing_is_lost_and_any_cut_says_the_same(parts: list[str]) -> None:
    text = "".join(parts)
    stream = ReplyStream()
    pieces = [piece for part in parts for piece in stream.push(part.encode())] + stream.finish()
    assert joined(pieces, stream.unfinished) == told(text)
    if "<|channel|>" not in text:  # of a header that is cut nothing is said
        assert sum(each.text.count("a") for each in pieces) == text.count("a")


def test_a_stop_string_ends_the_answer_and_not_the_thinking() -> None:
    stream = ReplyStream(("\n\n",))
    pieces = stream.push(b"<think>a\n\nb</think>One.\n\nTwo.") + stream.finish()
    assert pieces == [Piece("a\n\nb", thinking=True), Piece("One.")] and stream.stopped and not stream.unfinished
