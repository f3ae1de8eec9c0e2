"""A grammar that cannot be followed ends its own reply, in words; the others say what they say alone."""

import time
import types
from collections.abc import Callable

import pytest

from pluriverse.engines.local.grammars import Grammars
from pluriverse.engines.local.model import Model
from pluriverse.engines.local.scheduler import Scheduler
from pluriverse.errors import UsageError

pytestmark = pytest.mark.model

WAYS = "root ::= [a-z] a0\n" + "".join(f"a{i} ::= a{i + 1} a{i + 1}\n" for i in range(30)) + 'a30 ::= "x"?'


@pytest.mark.parametrize(
    "grammar",
    [
        "",
        "root ::= (",
        'root ::= root "a"',
        'root ::= "a\0b"',
        'root ::= "\ud800"',
        "root ::= <[99999999]>",
        "root ::= " + "(" * 30_000 + '"a"' + ")" * 30_000,
        "root ::= " + " | ".join(f'"{i}"' for i in range(200_000)),
        WAYS,
        WAYS.replace("[a-z] a0", "[a-z]{120} a0"),
    ],
    ids=range(10),
)
def test_what_cannot_be_followed_is_refused_in_words(model: Model, grammar: str) -> None:
    grammars = Grammars(model)
    for _ in range(2):
        began = time.process_time()
        with pytest.raises(UsageError, match="grammar") as caught:
            grammars.check(grammar)
        assert caught.value.hint
    assert time.process_time() - began < 0.5  # the second time it is known


@pytest.mark.parametrize(
    "grammar", ['root ::= "yes" | "no"', 'root ::= a+\na ::= ("b" | [0-9]) " "?', 'root ::= "政府"']
)
def test_what_can_be_followed_is_taken(model: Model, grammar: str) -> None:
    Grammars(model).check(grammar)


def test_a_bad_grammar_fails_alone(make_scheduler: Callable[..., Scheduler], play: types.SimpleNamespace) -> None:
    alone = make_scheduler()
    play.submit(alone, 1, "You love blue.", "What colour is the sky?", max_tokens=6)
    said = play.run(alone)[1].text
    company = make_scheduler()
    play.submit(company, 1, "You love blue.", "What colour is the sky?", max_tokens=6)
    play.submit(company, 2, "", "What colour is the sky?", grammar='root ::= "a" "\\x00"')  # no token has a zero byte
    with pytest.raises(UsageError, match="grammar"):
        play.submit(company, 3, "", "What colour is the sky?", grammar=WAYS)
    heard = play.run(company)
    assert heard[1].text == said and heard[1].finished
    assert heard[2].text == "a" and heard[2].failed and "no token" in heard[2].failed.error.message
