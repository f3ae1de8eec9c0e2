"""Entries of the catalogue as a terminal shows them: the table, one entry in full, lineages as trees.

Knows entries and widths; reads no files.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ...catalogue.entry import TASKS, V1
from ...catalogue.fit import Machine, fits, memory_of, size_of
from ...catalogue.licences import licence
from ...catalogue.openness import CLASSES, SOURCE, openness
from ...catalogue.words import countries
from .output import Output, bold, dim
from .text import one_line, size, wrap

if TYPE_CHECKING:
    from ...catalogue import Entry
    from ...catalogue.entry import Score
    from ...catalogue.lineage import Family

_BY = {
    "board": "measured by the board",
    "maker": "self-reported: its maker says so",
    "others": "said by others, not by its maker",
}
_FLAGS = {
    "trained-on-benchmark": "trained on tasks of this board, so that it says less than the same number of another"
}


def document_of(entry: "Entry", family: "Family", machine: Machine) -> dict[str, Any]:
    """All that is known of an entry, and what follows from it."""
    terms = licence(entry.licence)
    return {
        **entry.as_dict(),
        "terms": terms.as_dict() if terms else None,
        "openness": openness(entry).as_dict(),
        "ancestors": family.ancestors(entry.id),
        "descendants": family.descendants(entry.id),
        "can_be_pulled": entry.can_be_pulled,
        "about_bytes": size_of(entry),
        "memory_needed": memory_of(entry),
        "fits": fits(entry, machine),
    }


def show_table(entries: "Sequence[Entry]", machine: Machine, out: Output) -> None:
    rows = [
        (each.id, _size(each), _fits(each, machine), each.licence or "", each.languages, each.maker) for each in entries
    ]
    out.table(("ID", "SIZE", "FITS", "LICENCE", "LANGUAGES", "MAKER"), rows, spare=("MAKER", "LANGUAGES", "SIZE"))


def _size(entry: "Entry") -> str:
    count = size_of(entry)
    return size(count) if count and not entry.closed else ""


def _fits(entry: "Entry", machine: Machine) -> str:
    if entry.closed:
        return "closed"
    if not entry.can_be_pulled:
        return "no file"
    return {True: "yes", False: "no", None: "?"}[fits(entry, machine)]


def show_entry(entry: "Entry", family: "Family", machine: Machine, out: Output) -> None:
    sources = list(dict.fromkeys((*entry.sources, *entry.source_of.values(), *(s.source for s in entry.published))))
    numbers = {source: number for number, source in enumerate(sources, 1)}
    out.line(bold(entry.id), f"  {entry.name}")
    out.line(f"{entry.kind} by {entry.maker}, {countries(entry)}")
    out.line()
    _fields([(name, _marked(name, value, entry, numbers)) for name, value in _facts(entry, machine)], out)
    _licence(entry, numbers, out)
    _openness(entry, out)
    _lineage(entry, family, out)
    if entry.published:
        out.line()
        out.line(bold("Published scores"))
    for score in entry.published:
        _score(score, numbers, out)
    if entry.notes:
        out.line()
        out.paragraph(f"Note: {entry.notes}")
    out.line()
    out.line(bold("Sources"))
    out.paragraph("Facts without a number are from these together; the country is the maker's seat.")
    for source, number in numbers.items():
        out.line(f"[{number}] ", dim(source))


def _fields(pairs: Sequence[tuple[str, str | None]], out: Output) -> None:
    """As `Output.fields`, with long values on several lines."""
    known = [(name, value) for name, value in pairs if value]
    longest = max(len(name) for name, _ in known)
    for name, value in known:
        room = max(out.width - longest - 2, 20)
        first, *more = wrap(one_line(value), room) if out.terminal and "://" not in value else [one_line(value)]
        out.line(dim(f"{name:<{longest}}"), "  ", first)
        for line in more:
            out.line(" " * (longest + 2), line)


_NAMES = ("llama_cpp", "class", "llama_cpp_basis")


def _architecture(entry: "Entry") -> str | None:
    """As llama.cpp calls it, then as transformers does, as far as known."""
    names = [str(entry.architecture[name]) for name in _NAMES[:2] if name in entry.architecture]
    return " (".join(names) + (")" if len(names) > 1 else "") or None


def _facts(entry: "Entry", machine: Machine) -> list[tuple[str, str | None]]:
    count, memory = size_of(entry), memory_of(entry)
    about = "" if entry.size is not None else "about "
    needs = f"{about}{size(count)} of disk, about {size(memory)} of memory in Q4_K_M" if count and memory else None
    if entry.size is not None and needs:
        needs = needs.replace(" in Q4_K_M", "")
    fit = {"yes": "it fits", "no": "it does not fit", "?": "nobody said how large it is"}.get(_fits(entry, machine))
    shape = {name.replace("_", " "): value for name, value in entry.architecture.items() if name not in _NAMES}
    experts = f", {entry.active_params_b:g} at a time" if entry.active_params_b else ""
    languages = ", ".join(entry.languages) or (f"{entry.languages_count} of them" if entry.languages_count else None)
    return [
        ("parameters", f"{entry.params_b:g} thousand million{experts}" if entry.params_b else None),
        ("needs", None if entry.closed else needs),
        ("this machine", fit),
        ("architecture", _architecture(entry)),
        ("its numbers", ", ".join(f"{name} {value}" for name, value in shape.items()) or None),
        ("context", f"{entry.context_length:,} tokens" if entry.context_length else None),
        ("languages", languages),
        ("modalities", ", ".join(entry.modalities) or None),
        ("chat template", entry.chat_template),
        ("released", entry.released or (f"{entry.uploaded} (on the hub)" if entry.uploaded else None)),
        ("trained on", f"{entry.training_tokens} tokens" if entry.training_tokens else None),
        ("knowledge until", entry.knowledge_cutoff),
        ("weights", f"https://huggingface.co/{entry.repository}" if entry.repository else None),
        ("fetched from", f"hf:{entry.hub}" if entry.hub else entry.url),
        ("digest", entry.digest),
        ("file", entry.file),
    ]


_FACTS = {
    "parameters": "params_b", "chat template": "chat_template", "weights": "repository", "languages": "languages",
    "architecture": "architecture",
}  # fmt: skip


def _marked(name: str, value: str | None, entry: "Entry", numbers: dict[str, int]) -> str | None:
    """A fact with the number of its own source, and whether it was inferred."""
    if value is None:
        return None
    fact = _FACTS.get(name, name)
    own = [
        number for key, source in entry.source_of.items() if key.split(".")[0] == fact and (number := numbers[source])
    ]
    inferred = any(key.split(".")[0] == fact for key in entry.inferred)
    return value + (" (inferred)" if inferred else "") + "".join(f" [{number}]" for number in own)


def _licence(entry: "Entry", numbers: dict[str, int], out: Output) -> None:
    out.line()
    out.line(bold("Licence"), f"  {_marked('licence', entry.licence, entry, numbers) or 'not known'}")
    if entry.licence_note:
        out.paragraph(f"Note: {entry.licence_note}.", indent=2)
    terms = licence(entry.licence)
    if terms is None:
        if entry.licence and not entry.closed:
            out.paragraph("Its text has not been read for this catalogue: read it before you rely on it.", indent=2)
        return
    commercial = {"yes": "yes", "conditions": "with conditions", "no": "no"}[terms.commercial]
    may = [("change it", terms.change), ("pass it on", terms.share)]
    told = "; ".join(f"{what}: {'yes' if allowed else 'no'}" for what, allowed in may)
    out.paragraph(f"Commercial use: {commercial}; {told}. No legal advice.", indent=2)
    for trap in terms.traps:
        out.paragraph(f"{trap.kind}: {trap.text}", indent=2)
    out.line("  ", dim(terms.source))


def _openness(entry: "Entry", out: Output) -> None:
    found = openness(entry)
    most = f"at most class {found.at_most} ({CLASSES[found.at_most]})" if found.at_most else "in none of its classes"
    out.line()
    out.line(bold("Openness"), f"  by the Model Openness Framework {most}")
    for words, components in (("open", found.open), ("not open", found.missing), ("not looked up", found.unknown)):
        if components:
            out.paragraph(f"{words}: {', '.join(components)}", indent=2)
    out.line("  ", dim(SOURCE))


def _lineage(entry: "Entry", family: "Family", out: Output) -> None:
    if entry.id in family.down or family.up.get(entry.id):
        out.line()
        out.line(bold("Lineage"))
        show_trees(family, entry.id, out)


def show_trees(family: "Family", node: str | None, out: Output) -> None:
    """The lineages that a node is in, or all; of a node only what leads to it and what comes from it."""
    wanted = {node, *family.ancestors(node), *family.descendants(node)} if node else None
    branch = "└─ " if out.rule == "─" else "`- "
    for root in family.roots(node):
        for depth, each, relation in family.walk(root):
            if wanted is None or each in wanted:
                maker = family.entries[each].maker if each in family.entries else "not in the catalogue"
                words = f"  {', '.join(filter(None, (relation, maker)))}"
                name = bold(each) if each == node else each
                out.line("   " * (depth - 1) + (branch if depth else ""), name, dim(words))


def _score(score: "Score", numbers: dict[str, int], out: Output) -> None:
    about = f" ({score.of})" if score.of else ""
    average = f"{score.average:.2f}" if score.average is not None else ""
    how = "the mean of its six" if score.board == V1 else "its own average"
    told = f"{average}, {how}; " if average else ""
    date = score.date or "date not known"
    name = "Elsewhere" if score.board == "published" else score.board
    out.paragraph(f"{name}{about}: {told}{_BY[score.by]}; {date} [{numbers[score.source]}]")
    names = TASKS if score.board == V1 else [name for name in score.values if name != "average"]
    out.paragraph(", ".join(f"{name} {score.values[name]:g}" for name in names), indent=4)
    for flag in score.flags:
        out.paragraph(f"* {_FLAGS[flag]}", indent=4)
    for note in score.notes:
        out.paragraph(f"* {note.text} ({note.source})", indent=4)
