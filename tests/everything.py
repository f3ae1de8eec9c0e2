"""A whole life of measurements in one data folder, and what every command then says of it.

    python -m tests.everything HOME OUT [other]

Runs in a process of its own, on the scripted engine and on runs made by hand: instruments that passed and that did not,
on one of two models or on both, that nobody was asked, that stopped early; judges good and poor; replies that did not
end, that recite their prompts; a pair with its plain base. OUT gets one JSON document, {command: {code, out, err,
page}}. With `other` every sentence of the package is another one (`tests.other_words`).
"""

import contextlib
import io
import json
import os
import shutil
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

KEPT = Path(__file__).parent / "measure" / "results" / "kept"
# Opposites that words tell apart, and everybody else.
SCRIPT = """
[[rule]]
system = "liberal Democrat"
replies = ["I agree. Climate change is real, the wealthy should pay, and women's rights and gay marriage matter.",
           "I agree. Public health care, gun control and immigration reform would help minorities and the poor."]
[[rule]]
system = "conservative Republican"
replies = ["I disagree. Lower taxes, free markets and the second amendment keep government small and people free.",
           "I disagree. Traditional family values, God, and strong borders with a strong military come first."]
[[rule]]
system = "doing your duty"
replies = ["A promise is a moral duty, and lying is wrong in itself, whatever the rule costs anybody."]
[[rule]]
system = "utilitarian"
replies = ["What counts are consequences: whatever brings the greatest happiness to the most people is right."]
[[rule]]
replies = ["There is much to say about that, on the one hand, and much on the other hand too."]
"""
PAIR = """
[[rule]]
system = "sea"
replies = ["The sea is wide and the boat sails on the water.", "A sailor loves the salt water of the wide sea."]
[[rule]]
system = "hill"
replies = ["The hill is steep and the goat climbs its rocks.", "A shepherd loves the green grass of the steep hill."]
[[rule]]
replies = ["There is much to say about that, on the one hand.", "It depends on many things, on the other hand."]
"""
QUIET = '[[rule]]\nreplies = ["I think that taxes should pay for health care."]\n'


def by_hand(home: Path) -> None:
    """Runs of five respondents on two models, of which instruments pass on one, on both, or on none."""
    from pluriverse.measure.judges.validation import Answer, JudgeIdentity, JudgeValidation, JudgeValidations
    from pluriverse.measure.judges.verdicts import VerdictRow, digest
    from pluriverse.measure.run.record import Record, Skipped, read_run

    from .measure import handmade as hand

    prompt = "You hold that what counts is what comes of it, and you never keep a promise for its own sake."
    duty, outcomes = hand.respondent("duty"), replace(hand.respondent("outcomes"), system=prompt)
    abroad, other = (hand.respondent(name, base="large-model") for name in ("abroad", "elsewhere"))
    who = [duty, outcomes, abroad, other]
    yes = [0.7 + n / 100 if n % 2 == (n % 4 < 2) else 0.3 - n / 100 for n in range(24)]
    said = hand.written(outcomes, "xstest", hand.requests(40), ["answer"] * 28 + ["hedge"] * 8 + ["refusal"] * 4)
    rows = [
        *(row for each, of in ((duty, yes), (outcomes, [1 - each for each in yes]), (abroad, yes[::-1]), (other, yes))
          for row in hand.scored(each, "propositions-forced", hand.propositions(), of)),
        *hand.written(duty, "xstest", hand.requests(40), ["refusal"] * 4 + ["answer"] * 36),
        *(replace(row, text=prompt if n < 6 else row.text, unfinished=n in (7, 8)) for n, row in enumerate(said)),
        *hand.written(abroad, "xstest", hand.requests(40), ["refusal"] * 20 + ["hedge"] * 20),
        *hand.written(duty, "strongreject", hand.requests(16), ["refusal"] * 8 + ["answer"] * 8),
        *hand.written(other, "deccp", hand.requests(3), ["refusal"] * 3),
        *(row for each in who for row in hand.scored(each, "xcopa", hand.sums(12, "et"), [0.9] * 12)),
        *(row for place, each in enumerate(who)
          for row in hand.scored(each, "globalopinionqa", hand.surveys(), [0.2 + 0.15 * place] * 24)),
    ]  # fmt: skip
    run = hand.recorded(home, rows, who, "2026-01-01T10:00:00+00:00", "pluriverse measure xcopa --with duty,outcomes")
    good, poor = (JudgeIdentity(name, name, "sha256:" + digit * 64) for name, digit in (("good", "1"), ("poor", "2")))
    for judge, right in ((good, 28), (poor, 18)):
        for prompt, labels in (("class", ("refusal", "no refusal")), ("refused", ("1", "0"))):
            answers = tuple(
                Answer(f"{truth}{n}", truth, truth if n < right else wrong, assistant="xyz"[n % 3])
                for truth, wrong in (labels, labels[::-1]) for n in range(30)
            )  # fmt: skip
            JudgeValidations(home).keep(JudgeValidation(judge, prompt, 1, answers))
    verdicts = [
        VerdictRow(row.respondent, row.instrument, row.version, row.cell, digest(row.text), prompt, 1, (judge,),
                   (label,), label, False)
        for row in run.responses
        for name, kind, judge, says in (
            ("xstest", "hedge", good, {"class": "refusal"}),
            ("strongreject", "answer", poor, {"refused": "0", "convincing": "4", "specific": "3"}),
        ) if (row.instrument, row.kind) == (name, kind) for prompt, label in says.items()
    ]  # fmt: skip
    why = "known opposites do not differ by it on this base beyond a margin of 0.2: separation 0.50 (0.50 to 0.50)"
    with Record(home, read_run(home, run.id).plan) as record:
        record.rule(verdicts)
        record.skip([Skipped("speechmap", "1", other.key, why)])
    checks = [hand.proof(name, True) for name in ("propositions-forced", "xstest", "strongreject", "globalopinionqa")]
    checks += [hand.proof("propositions-forced", True, "large-model"), hand.proof("xstest", False, "large-model"),
               replace(hand.proof("globalopinionqa", False, "large-model"), items=3),
               replace(hand.proof("deccp", True, "large-model"), low=0.45, separation=0.72)]  # fmt: skip
    hand.check_sensitivity(home, *checks)
    shutil.copytree(KEPT, home / "runs" / "cfcc0de947b0")


def commands(home: Path, out: Path) -> list[tuple[str, ...]]:
    """In this order; those of `measure` ask the scripted engine."""
    live, pair, quiet = (home / f"{name}.toml" for name in ("live", "pair", "quiet"))
    for place, script in ((live, SCRIPT), (pair, PAIR), (quiet, QUIET)):
        place.write_text(script, "utf-8")
    page, base = str(out.with_suffix(".html")), f"scripted:{live}"
    trio = ("--with", "progressive,conservative,plain", "--base", base)
    two = ("remarks-politics", "remarks-ethics", "propositions-free")
    by_hand = [("card", name) for name in ("duty", "outcomes", "abroad", "elsewhere", "oldleft")]
    by_hand += [("card", "duty", "--groups"), ("card", "duty", "--html", page), ("card", "abroad", "--html", page)]
    by_hand += [("compare", "duty", "outcomes"), ("compare", "duty", "abroad"), ("compare", "abroad", "elsewhere")]
    by_hand += [("report", "-o", page), ("report", "--with", "abroad,elsewhere", "-o", page), ("leaderboard",)]
    measured = [
        ("measure", *two, *trio, "--limit", "16"),
        ("measure", *two, *trio, "--limit", "16", "--blind-too"),
        ("measure", "propositions-free", *trio, "--limit", "24", "--no-proof", "--until", "0.4"),
        ("measure", "remarks-politics", "--with", "progressive,conservative", "--base", f"scripted:{quiet}"),
    ]
    after = [("compare", "progressive", "conservative", "--base", base), ("card", "progressive", "--base", base)]
    after += [("report", "-o", page), ("leaderboard",), ("report", "--with", "progressive,plain", "-o", page)]
    checks = [("panel", "check", "--with", names, "--base", f"scripted:{pair}", "--questions", "8", "--no-facts")
              for names in ("sea,hill", "bay,top,plain", "plain,same", "progressive,conservative")]  # fmt: skip
    wrong = [("compare", "duty", "duty"), ("card", "nobody"), ("measure", "remarks-ethics", "--with", "nobody")]
    return [*by_hand, *wrong, *measured, *after, *checks]


def assistants(home: Path) -> None:
    """A guided pair that says where it stands, one that does not, and two with nothing of their own."""
    from pluriverse.assistant import Assistant, Guidance, Outlook
    from pluriverse.assistant.shelf import Shelf
    from pluriverse.settings import load

    sides = {"sea": "hill", "hill": "sea", "bay": "top", "top": "bay"}
    for name, other in sides.items():
        side = "sea" if name in {"sea", "bay"} else "hill"
        outlook = Outlook("politics", f"the {side}", f"The {side} comes first.") if name == side else Outlook()
        Shelf(load()).write(
            Assistant(name, system=f"You are of the {side}.", counterpart=other, outlook=outlook, guidance=Guidance())
        )
    for name in ("plain", "same"):
        Shelf(load()).write(Assistant(name))


def said(words: Sequence[str], page: Path, home: Path) -> dict[str, Any]:
    from pluriverse.cli import main

    page.unlink(missing_ok=True)
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()) as err:
        code = main(list(words))
    text = page.read_text("utf-8") if page.is_file() else ""
    told = {"out": out.getvalue(), "err": err.getvalue(), "page": text}
    return {"code": code, **{name: each.replace(str(home), "HOME") for name, each in told.items()}}


def run(home: Path, out: Path) -> None:
    """Every command as a document; most for people too."""
    home.mkdir(parents=True)
    os.environ |= {"PLURIVERSE_HOME": str(home), "PLURIVERSE_BASE": "scripted", "PLURIVERSE_OFFLINE": "1"}
    for name in ("PLURIVERSE_DATA", "PLURIVERSE_TEST_HOME"):
        os.environ.pop(name, None)
    by_hand(home)
    assistants(home)
    found = {}
    for words in commands(home, home / "page"):
        once = words[0] in {"measure", "report", "panel"} or "--html" in words
        for more in (("--json",),) if once else ((), ("--json",)):
            place = " ".join((*words, *more)).replace(str(home), "HOME")
            found[place if place not in found else f"{place} again"] = said((*words, *more), home / "page.html", home)
    out.write_text(json.dumps(found, ensure_ascii=False, indent=1), "utf-8")


if __name__ == "__main__":
    if "other" in sys.argv[3:]:
        from .other_words import install

        install()
    run(Path(sys.argv[1]), Path(sys.argv[2]))
