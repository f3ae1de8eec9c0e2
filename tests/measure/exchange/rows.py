"""A small run as a record would have it: two assistants, scored options with rotations, and two draws of a text."""

from datetime import UTC, datetime
from types import MappingProxyType

from pluriverse.measure.exchange import Recorded
from pluriverse.measure.schema.figure import Figure
from pluriverse.measure.schema.instrument import Instrument
from pluriverse.measure.schema.items import Item, rotated
from pluriverse.measure.schema.responses import Respondent, Response, blank

CREATED = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
OPTIONS, OTHER_ORDER = (" four", " fifty-five"), rotated((" four", " fifty-five"), 1)


def respondent(name: str) -> Respondent:
    return Respondent(
        key=f"{name}-1a2b",
        assistant=name,
        base="smollm2-135m-instruct",
        weights="sha256:" + "a" * 64,
        adapter=None,
        template="sha256:" + "b" * 64,
        definition="sha256:" + "c" * 64,
        system=f"You are {name}.",
        sampler=MappingProxyType({"temperature": 0.7, "top_k": 40, "top_p": 0.95, "min_p": 0.05, "seed": None}),
        guidance={"against": "plain", "strength": 2.0} if name == "b" else None,
        engine="the pinned library",
    )


def instrument(name: str, measures: tuple[str, ...], norm: str = "sum") -> Instrument:
    return Instrument(
        name, "Sums", "expertise", "1", name, (), ("en",), "CC0-1.0", "made for tests", measures, "Two items.", norm
    )  # type: ignore[arg-type]


ITEMS = {
    "sums": [
        Item("s1", "2 + 2 =", "raw", OPTIONS, target=(0,), metadata={"subject": "sums"}),
        Item("s1", "2 + 2 =", "raw", OTHER_ORDER[0], contents=OTHER_ORDER[1], target=(0,), rotation=1),
        Item("s2", "1 + 1 =", "raw", (" 2", " two", " 3"), target=(0, 1)),
    ],
    "talk": [
        Item("t1", "What is good?\nSay it.", "chat", wording="plain", language="fr", draws=2, target=("le bien",))
    ],
}


def responses(name: str) -> list[Response]:
    who = respondent(name)
    four, again, two = ITEMS["sums"]
    talk = ITEMS["talk"][0]
    return [
        Response(**blank(four, who, "sums", "1"), logprobs=(-1.5, -2.0), prompt_tokens=6, seconds=0.25),
        Response(**blank(again, who, "sums", "1"), logprobs=(-1.0, -3.0), prompt_tokens=6),
        Response(**blank(two, who, "sums", "1"), logprobs=(-1.0, -1.0, float("-inf")), prompt_tokens=6),
        *(
            Response(
                **blank(talk, who, "talk", "2024", draw), text=f"Le bien, « {draw} ».", kind="answer", seed=7 + draw,
                finish_reason="length" if draw else "stop", completion_tokens=5, prompt_tokens=9,
            )
            for draw in range(2)
        ),
    ]  # fmt: skip


def recorded(**more: object) -> Recorded:
    rows = [row for name in ("a", "b") for row in responses(name)]
    figures = [
        Figure("a", "sums", "accuracy", 0.75, 0.3, 0.95, 2),
        Figure("a", "sums", "accuracy", 1.0, 0.4, 1.0, 1, group="sums"),
        Figure("a", "talk", "shares", None, None, None, 1, caption="too few items"),
    ]
    given = {
        "run": "run-1",
        "created": CREATED,
        "responses": rows,
        "respondents": {who.key: who for who in map(respondent, "ab")},
        "items": ITEMS,
        "instruments": {
            "sums": instrument("sums", ("accuracy",), "characters"),
            "talk": instrument("talk", ("shares",)),
        },
        "values": {"sums": {"a": {"s1": 0.5}}},
        "figures": figures,
    }
    return Recorded(**{**given, **more})  # type: ignore[arg-type]
