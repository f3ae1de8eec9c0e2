"""Quotations that cannot be false: whatever a model says, what stands between marks stands in its texts."""

import random
import re
from collections.abc import Iterator, Sequence

import pytest

from pluriverse.engines.contract import Chunk, EngineEvent, Failed, Finished, Thought
from pluriverse.engines.local.holding import Hold
from pluriverse.engines.local.library import Library, find
from pluriverse.engines.local.model import Model
from pluriverse.engines.local.options import EngineOptions
from pluriverse.engines.local.prompts import Contrast
from pluriverse.engines.local.scheduler import Scheduler
from pluriverse.engines.local.turns import Turns
from pluriverse.engines.local.words import Words
from pluriverse.engines.quoting import check_lead, held, quotations
from pluriverse.engines.thinking import told
from pluriverse.errors import UsageError
from pluriverse.values import Message, Sampling

from . import tiny_tokenizers as tiny

TEXTS = (
    "It is a partnership; don't say “can’t, “no”, never”, nor un-American 1,000 men. L'homme est né libre. End.... "
    'Next he said, "Go on." And "more" <|im_end|> or </think> follows.',
    "人生而自由，在尊严和权利上一律平等。「你好」吗 «oui» non \ud800 so",
    "ولد الناس أحراراً متساوين. เด็กดี ไทย “ open and never closed",
)
MARKS = ('"', "“", "”", "„", "«", "»", "「", "」", "『", "』")
LETTERS = "".join(TEXTS).encode("utf-8", "replace")


def vocabulary(draw: random.Random, whole: bool) -> list[bytes]:
    """Bytes, or where not `whole` only some characters; pieces of the texts, some of them joined with marks."""
    signs = {sign for text in TEXTS for sign in text if draw.random() < 0.8} - {"\ud800"}
    words = [bytes([n]) for n in range(256)] if whole else sorted(sign.encode() for sign in signs)
    for _ in range(400):
        start = draw.randrange(len(LETTERS))
        word = LETTERS[start : start + draw.randrange(1, 7)]
        if draw.random() < 0.3:
            word = draw.choice((*MARKS, ' "', " «", "…", "...", '""', '".')).encode() + word
        if draw.random() < 0.2:
            word += draw.choice((*MARKS, " »", '."', "…", "...", "”,", '." "')).encode()
        if whole or "\ufffd" not in word.decode("utf-8", "replace"):
            words.append(word)
    return [*words, b"", b""]


def allowed(hold: Hold, size: int) -> set[int]:
    mask = hold.mask()
    return set(range(size)) - set(mask.banned.tolist()) if mask.only is None else set(mask.only.tolist())


@pytest.mark.parametrize("seed", [*range(6), *(pytest.param(n, marks=pytest.mark.slow) for n in range(6, 60))])
def test_whatever_is_drawn_is_true(seed: int) -> None:
    """With vocabularies that split characters, and that lack some; never is there nothing that may be said."""
    draw = random.Random(seed)
    pieces = vocabulary(draw, seed % 3 > 0)
    hold, said = Hold(TEXTS, Words(pieces)), b""
    for _ in range(60):
        may = sorted(allowed(hold, len(pieces)))
        may = [id for id in may if pieces[id]] if hold.inside else may
        assert may, (said, "nothing can follow")
        marked = [id for id in may if any(mark.encode() in pieces[id] for mark in MARKS)]
        token = draw.choice(marked if marked and not hold.inside and draw.random() < 0.5 else may)
        assert hold.hear(pieces[token])
        said += pieces[token]
    text = said.decode("utf-8", "ignore")
    assert all(held(text, TEXTS)), text


@pytest.mark.parametrize("seed", [0, 1, *(pytest.param(n, marks=pytest.mark.slow) for n in range(2, 12))])
def test_the_mask_is_every_token_that_goes_on_but_over_an_ellipsis(seed: int) -> None:
    draw = random.Random(seed)
    pieces = vocabulary(draw, seed % 2 > 0)
    hold, words = Hold(TEXTS, Words(pieces)), [id for id, piece in enumerate(pieces) if piece]
    for _ in range(3):
        may = allowed(hold, len(pieces)) & set(words)
        tried = set()
        for id in words:
            other = Hold(TEXTS, Words([]))
            other.__dict__.update(hold.__dict__)
            if other.hear(pieces[id]):
                tried.add(id)
        assert may <= tried and not [pieces[id] for id in tried - may if not re.search("…|[.]{3}".encode(), pieces[id])]
        hold.hear(pieces[draw.choice(sorted(may))])


@pytest.mark.parametrize("mark", ["“", '"', "«", "「"])
def test_a_lead_may_open_a_quotation(mark: str) -> None:
    words = Words([bytes([n]) for n in range(256)])
    hold = Hold(TEXTS, words, f"It says {mark}")
    assert hold.inside and not hold.hear(b"X") and hold.hear(b"It i") and not hold.hear("”".encode())


@pytest.mark.parametrize("lead", ["It says “it", "“a union” and", "“It is ..", "“It  union", "“hors"])
def test_a_lead_that_nothing_true_follows_is_refused(lead: str) -> None:
    with pytest.raises(UsageError):
        check_lead(lead, TEXTS)
        Hold(TEXTS, Words([bytes([n]) for n in range(256)]), lead)


def test_texts_without_a_word_leave_no_quotation() -> None:
    hold = Hold(("", "  ", "…!"), Words([bytes([n]) for n in range(256)]))
    assert not any(hold.hear(mark.encode()) for mark in MARKS) and hold.hear(b"said")


def test_texts_that_are_too_long_are_refused() -> None:
    with pytest.raises(UsageError, match="200,000"):
        check_lead("", ("a " * 150_000,))


def test_words_are_spelled_with_what_there_is() -> None:
    words = Words([b"a", b"ab", b"abc", b" ", b"\xe4", b"\xbd", b"\xa0", b""])
    assert words.spell("abcab a你".encode()) == (2, 1, 3, 0, 4, 5, 6)
    with pytest.raises(UsageError):
        words.spell(b"ax")


# -- random models, which say anything


@pytest.fixture(scope="module")
def anything(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Model]:
    """Of a vocabulary of letters, bytes and marks, half of them marks."""
    words, types = tiny.sentencepiece_words()
    joined = [f"{a}{mark}{b}" for mark in MARKS for a in ("", "▁", ".", "e") for b in ("", "T", "▁", ".", "人")]
    more = [
        word
        for word in (*joined, "自由", "是", "</think>", '</think>"', "</think>▁“", "▁", "…", "...")
        if word not in words
    ]
    path = tmp_path_factory.mktemp("tiny") / "anything.gguf"
    tiny.tiny(path, "llama", [*words, *more], [*types, *[tiny.NORMAL] * len(more)], begin=1, end=2)
    model = Model(Library(find()), path)
    yield model
    model.close()


def replies(scheduler: Scheduler, events: Sequence[EngineEvent], count: int) -> tuple[list[str], list[Finished]]:
    texts, ends = [""] * count, {}
    events = list(events)
    while not scheduler.idle:
        events += scheduler.step()
    for event in events:
        assert not isinstance(event, Failed), event.error
        if isinstance(event, Chunk):
            texts[event.index] += event.text
        elif isinstance(event, Finished):
            ends[event.index] = event
    return texts, [ends[index] for index in range(count)]


LEADS = ("", "“", "so «", '"It is a partnership" and "', "„", "「", 'He "', "it is")
HEATS = (0.0, 1.0, 5.0)
STOPS: tuple[tuple[str, ...], ...] = ((), ("e",), ("由", "is"))


def test_a_model_that_says_anything_quotes_nothing_false(anything: Model) -> None:
    """Eight at a time, hot and cold, guided, penalised, stopped and cut; alone each says the same."""
    options = EngineOptions(threads=1)
    scheduler = Scheduler(anything, options, 512, Turns(None))
    prompt = scheduler.template.prompt([Message("user", "a")])
    other = scheduler.template.prompt([Message("user", "b")])
    count, quoted, going = 80, 0, []
    for index in range(count):
        draw = random.Random(index)
        sampling = Sampling(
            temperature=draw.choice(HEATS), top_k=0, top_p=1, min_p=0, seed=index, stop=draw.choice(STOPS),
            max_tokens=draw.randrange(8, 64), repeat_penalty=draw.choice((1.0, 1.5)),
        )  # fmt: skip
        lead = scheduler.template.lead([Message("user", "a")], prompt, found) if (found := draw.choice(LEADS)) else ()
        going.append((index, prompt, sampling, Contrast(other, 2.0) if index % 4 == 0 else None, lead, TEXTS))
    events = [event for each in going for event in scheduler.submit(*each)]
    texts, ends = replies(scheduler, events, count)
    for text, end in zip(texts, ends, strict=True):
        assert all(held(text, TEXTS)), text
        assert all(held(told(text).text, TEXTS)), text
        spans = quotations(text)
        quoted += sum(each.closed for each in spans)
        open_ = bool(spans) and not spans[-1].closed
        assert not open_ or end.reason in ("length", "context", "stop")
        assert "\ufffd" not in "".join(each.said for each in spans)
    assert quoted > count / 2
    for index in range(0, count, 20):
        alone = Scheduler(anything, options, 512, Turns(None))
        assert replies(alone, alone.submit(*(0, *going[index][1:])), 1)[0] == [texts[index]]
        alone.close()
    scheduler.close()


def test_no_reply_ends_itself_inside_a_quotation(anything: Model) -> None:
    scheduler = Scheduler(anything, EngineOptions(threads=1), 512, Turns(None))
    asked = [Message("user", "a")]
    prompt = scheduler.template.prompt(asked)
    lead = scheduler.template.lead(asked, prompt, "“")
    events: list[EngineEvent] = []
    for index in range(24):
        sampling = Sampling(temperature=5, top_k=0, top_p=1, min_p=0, seed=index, max_tokens=40)
        events += scheduler.submit(index, prompt, sampling, None, lead, TEXTS)
    for text, end in zip(*replies(scheduler, events, 24), strict=True):
        assert end.reason != "stop" or all(each.closed for each in quotations(text)), text
    scheduler.close()


def test_thinking_quotes_what_it_likes_and_the_answer_does_not(anything: Model) -> None:
    """Also where a token ends thinking and goes on with a mark, or thinking is ended for it inside a quotation."""
    scheduler = Scheduler(anything, EngineOptions(threads=1), 512, Turns(None))
    prompt = scheduler.template.raw("a<think>\n")
    events: list[EngineEvent] = []
    for index in range(40):
        sampling = Sampling(temperature=5, top_k=0, top_p=1, min_p=0, seed=index, max_tokens=30, thinking_tokens=12)
        events += scheduler.submit(index, prompt, sampling, None, (), TEXTS)
    while not scheduler.idle:
        events += scheduler.step()
    thoughts = "".join(event.text for event in events if isinstance(event, Thought))
    assert not all(held(thoughts, TEXTS))
    answers = ["".join(e.text for e in events if isinstance(e, Chunk) and e.index == index) for index in range(40)]
    assert sum(map(bool, answers)) > 20 and sum(len(quotations(each)) for each in answers) > 10
    for answer in answers:
        assert all(held(answer, TEXTS)), answer
    scheduler.close()


def test_a_grammar_beside_texts_is_refused(anything: Model) -> None:
    scheduler = Scheduler(anything, EngineOptions(threads=1), 512, Turns(None))
    prompt = scheduler.template.prompt([Message("user", "a")])
    with pytest.raises(UsageError, match="not to both"):
        scheduler.submit(0, prompt, Sampling(grammar='root ::= "a"'), None, (), TEXTS)
    scheduler.close()
