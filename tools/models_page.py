"""docs/models.md, from the catalogue: what is known of the systems people speak of, and all models in short."""

import tomllib
from collections.abc import Iterable
from importlib.resources import files
from typing import Any

from templates import PEOPLE_SPEAK_OF, TABLE

from pluriverse.catalogue import Entry, entries
from pluriverse.catalogue.entry import V1
from pluriverse.catalogue.fit import memory_of, size_of
from pluriverse.catalogue.licences import licence
from pluriverse.catalogue.lineage import Family
from pluriverse.catalogue.words import countries

SYSTEMS = {
    "Qwen-72B": ("qwen-72b", "qwen-72b-chat"),
    "Qwen1.5-72B": ("qwen1.5-72b", "qwen1.5-72b-chat"),
    "Qwen-VL": ("qwen-vl", "qwen-vl-chat"),
    "Hunyuan": ("hunyuan-large", "hunyuan-a13b-instruct", "hunyuan-7b-instruct"),
    "DeepSeek LLM 67B": ("deepseek-llm-67b-base", "deepseek-llm-67b-chat"),
    "Yi-34B": ("yi-34b", "yi-34b-chat"),
    "Llama 2": ("llama-2-70b", "llama-2-70b-chat", "llama-2-7b-chat"),
    "Mistral": ("mistral-7b-v0.1", "mistral-7b-instruct-v0.2", "mixtral-8x7b-v0.1", "mixtral-8x7b-instruct-v0.1"),
    "Grok-1": ("grok-1",),
    "Smaug-72B": ("smaug-72b-v0.1",),
    "Claude 2.1": ("claude-2.1",),
    "GPT-3.5 Turbo": ("gpt-3.5-turbo",),
}
_ABOUT = """# Models

Made from the catalogue by `python tools/catalogue.py --docs`; do not change it by hand. Every fact has its sources in
`pluriverse catalogue show ID`. What nobody said is not known, and says so.

Of the systems people speak of, a cell with \u2713 is known or shown; any other says what is not, and why.

- **Fits where**: memory for one assistant and 4,096 tokens, and disk, in the usual format, Q4_K_M, worked out of its
  parameters and shape. `pluriverse fit ID` says whether that fits your machine, and how fast it would be.
- **Runs**: whether models of its architecture have been run here, and how that was shown.
- **Template**: whether its chat template is filled here, byte for byte, as transformers fills it
  ([templates.md](templates.md)).
- **Scores**: of the Open LLM Leaderboard v1 where it was there: the mean of its six, computed anew, in percent. Else
  another board or what somebody said, with its name. No score was measured here. \\* trained on tasks of that board, so
  that it says less than the same number of another.
"""
_OK = "\u2713 "
_CHECKS = ("decodes", "scores", "batches", "guides", "keeps state")
_CLOSE = 0.02  # most that two logits may be apart and count as the same
_BY = {"board": "", "maker": "self-reported, ", "others": "said by others, "}


def page() -> str:
    found = entries()
    by_id, family, runs = {entry.id: entry for entry in found}, Family(found), _runs()
    templates = {row["model"]: row for row in tomllib.loads(TABLE.read_text("utf-8"))["template"]}
    rows = [
        (
            system if entry is by_id[ids[0]] else "",
            f"`{entry.id}`",
            _licence(entry),
            _needs(entry),
            _runs_of(entry, runs),
            _template(entry, templates),
            _score(entry),
            _lineage(entry, family),
        )
        for system, ids in SYSTEMS.items()
        for entry in (by_id[each] for each in ids)
    ]
    every = [
        (f"`{each.id}`", each.maker, countries(each), each.licence or "not known", _size(each), _pulled(each))
        for each in found
    ]
    return "\n".join(
        (
            _ABOUT,
            "## The systems people speak of\n",
            _table(("System", "Known as", "Licence", "Fits where", "Runs", "Template", "Scores", "Lineage"), rows),
            "## All models\n",
            _table(("ID", "Maker", "Seat", "Licence", "About", "To be had"), every),
            "## Licences and their traps\n",
            "No legal advice: read the text itself before you rely on it.\n",
            _table(("Licence", "Commercial use", "Traps"), _licences(found)),
        )
    )


def _runs() -> dict[str, str]:
    """How it was shown that models of an architecture run here, by its name; and which the library does not have."""
    table = tomllib.loads((files("pluriverse.catalogue") / "data" / "architectures.toml").read_text("utf-8"))
    found = {name: f"not here: {why}" for name, why in table["refused"].items()}
    found |= dict.fromkeys(table["known"], "the library has it; not tried")
    for row in reversed(table["run"].values()):  # where an architecture has several, the first is the plain one
        failed = [check for check in _CHECKS if row[check]]
        shown = f"does not hold: {', '.join(failed)}" if failed else f"{_OK}a tiny random model does all that is asked"
        if "difference" in row:
            alike = "as in" if row["difference"] <= _CLOSE else "**not** as in"
            shown += f", logits {alike} transformers (at most {_plain(row['difference'])} apart)"
        found[row["architecture"]] = f"{shown}, {table['date']}"
    return found


def _plain(number: float) -> str:
    return f"{number:.5f}".rstrip("0")


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [heads, tuple("---" for _ in heads), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines) + "\n"


def _licence(entry: Entry) -> str:
    terms = licence(entry.licence)
    kinds = [trap.kind for trap in terms.traps if trap.kind != "notice"] if terms else []
    traps = f" (traps: {', '.join(kinds)})" if kinds else ""
    note = f"; {entry.licence_note}" if entry.licence_note else ""
    return f"{_OK}{entry.licence}{traps}{note}" if entry.licence else "not known: no source of it names one"


def _needs(entry: Entry) -> str:
    if entry.closed:
        return "nowhere: closed"
    size, memory = size_of(entry), memory_of(entry)
    if size and memory:
        return f"{_OK}{_gb(memory)} of memory, {_gb(size)} of disk"
    return "not known: no source of it tells how many parameters it has"


def _runs_of(entry: Entry, runs: dict[str, str]) -> str:
    if entry.closed:
        return "not here: its weights are not published"
    architecture = str(entry.architecture.get("llama_cpp", ""))
    if not architecture:
        return "not known: no source names an architecture of llama.cpp for it"
    shown = runs.get(architecture, "the library does not have it")
    mark, shown = (_OK, shown.removeprefix(_OK)) if shown.startswith(_OK) else ("", shown)
    return f"{mark}{architecture}: {shown}" + ("" if entry.can_be_pulled else "; no GGUF file known")


def _template(entry: Entry, templates: dict[str, Any]) -> str:
    """Of the file in templates.md that stands for it."""
    if entry.closed:
        return "none: it is asked elsewhere"
    if entry.id not in PEOPLE_SPEAK_OF:
        return "none needed: a base model"
    model, words = PEOPLE_SPEAK_OF[entry.id]
    if not model:
        return f"none needed: {words}" if words == "a base model" else f"not had: {words}"
    row = templates[model]
    return f"{_OK}{row['equal']} of 20 conversations alike; {words}"


def _score(entry: Entry) -> str:
    for score in entry.published:
        if score.board == V1:
            return f"{_OK}{score.average:.2f} ({V1}, {score.date})" + (" \\*" if score.flags else "")
    for score in entry.published:
        figure = next(iter(score.values.items()), None)
        if figure:
            board = "" if score.board == "published" else f"{score.board}: "
            of = f", of {score.of}" if score.of else ""
            return f"{_OK}{_BY[score.by]}{board}{figure[0].replace('_', ' ')} {figure[1]:g}{of}"
    return "none known: no source of it has one"


def _lineage(entry: Entry, family: Family) -> str:
    up = [f"{family.name(parent)} ({relation})" for parent, relation in family.up.get(entry.id, {}).items()]
    down = [f"`{child}`" for child in family.descendants(entry.id)]
    told = ([f"from {', '.join(up)}"] if up else []) + ([f"to {', '.join(down)}"] if down else [])
    return _OK + "; ".join(told) if told else "none known: no source names what it was made from, or made of it"


def _size(entry: Entry) -> str:
    size = size_of(entry)
    return _gb(size) if size and not entry.closed else ""


def _pulled(entry: Entry) -> str:
    return "closed" if entry.closed else "yes" if entry.can_be_pulled else "no GGUF file known"


def _licences(found: list[Entry]) -> list[tuple[str, ...]]:
    known = {terms.title: terms for entry in found if (terms := licence(entry.licence))}
    return [
        (f"[{terms.title}]({terms.source})", terms.commercial, " ".join(trap.text for trap in terms.traps))
        for terms in sorted(known.values(), key=lambda terms: terms.title)
    ]


def _gb(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e8 else f"{count / 1e9:.2f} GB"
