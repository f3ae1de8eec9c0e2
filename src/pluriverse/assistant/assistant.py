"""One assistant: who it says it is, the base it speaks through, what it is told, how it chooses words.

Knows the definition and its file's text; nothing of where files lie, of the store or of engines. An `Assistant` that
exists is valid: whoever makes one, from a file or in Python, meets the same checks.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import UsageError
from ..values import Digest, Work
from . import generation, layout, names, works
from .checks import LANGUAGE, one_line, several_lines
from .generation import Setting
from .guidance import COUNTERPART, PLAIN, Guidance
from .layout import Line, Section
from .names import shortened
from .reading import Table, located

DIMENSIONS = ("expertise", "language", "culture", "values", "politics", "history")
"""In what assistants differ. `values`: value systems; `history`: readings of history."""

KEYS = (
    "title",
    "description",
    "base",
    "adapter",
    "languages",
    "counterpart",
    "system",
    "outlook",
    "guidance",
    "generation",
    "works",
)
MOST_LANGUAGES = 200
_HEADING = """\
An assistant of pluriverse. Edit it freely: what is written here is what is used.
Ask it: pluriverse ask "What makes a society fair?" --with {name}"""


@dataclass(frozen=True, slots=True)
class Outlook:
    """From where an assistant speaks, as it declares it itself. Empty texts: it declares nothing."""

    dimension: str = ""  # one of DIMENSIONS
    position: str = ""  # its side in a few words: "conservative"
    summary: str = ""  # one sentence


@dataclass(frozen=True, slots=True)
class Assistant:
    """A definition. Two are equal when they say the same, wherever their files lie.

    Raises UsageError, naming the key, for a value that does not fit.
    """

    name: str
    title: str = ""
    base: str = "default"  # a model's name, digest or reference, or "scripted[:SCRIPT]"
    system: str = ""  # the system prompt; empty: none is sent
    outlook: Outlook = Outlook()
    languages: tuple[str, ...] = ()  # BCP 47 tags, the first is the one it answers in by itself
    counterpart: str | None = None  # the name of the assistant on the other side
    guidance: Guidance | None = None  # decoded in contrast to another reading; None: as it is
    sampling: Mapping[str, Setting] = field(default_factory=dict, hash=False)  # changes to `values.Sampling`
    description: str = ""
    adapter: Digest | None = None  # applied to the base whenever it is asked
    works: tuple[Work, ...] = ()  # what it answers from; empty: from the model alone
    path: Path | None = field(default=None, compare=False)  # its file
    builtin: bool = field(default=False, compare=False)  # of the starter set
    shadows: bool = field(default=False, compare=False)  # the user's own, and hides one of the starter set

    def __post_init__(self) -> None:
        names.checked(self.name, "assistant")
        if self.counterpart is not None:
            names.checked(self.counterpart, "counterpart")
            if self.counterpart == self.name:
                raise UsageError("counterpart is the assistant itself", "name the one on the other side")
        settled: dict[str, object] = {
            "title": one_line("title", self.title),
            "base": one_line("base", self.base),
            "system": several_lines("system", self.system),
            "description": several_lines("description", self.description),
            "outlook": _outlook(self.outlook),
            "languages": _languages(self.languages),
            "sampling": generation.checked(self.sampling),
            "works": works.checked(self.works),
        }
        self._check_guidance()
        if not settled["base"]:
            raise UsageError("base is empty", 'write base = "default" for the default model')
        for name, value in settled.items():
            object.__setattr__(self, name, value)

    def _check_guidance(self) -> None:
        if self.guidance is None:
            return
        several_lines("[guidance] against", self.guidance.against)
        if self.guidance.against == COUNTERPART and self.counterpart is None:
            raise UsageError(
                '[guidance] against = "counterpart", but no counterpart is named', 'write counterpart = "NAME"'
            )
        if self.guidance.against == PLAIN and not self.system.strip():
            raise UsageError(
                '[guidance] against = "plain" needs a system prompt', 'write system = "You are an old gardener."'
            )

    @property
    def digest(self) -> Digest:
        """What shapes its replies, as one digest: two with the same digest are told the same in the same way.

        The sha256 of this JSON in UTF-8, keys sorted, no spaces, no escapes beyond JSON's own:
        `{"base": ..., "generation": {...}, "languages": [...], "system": ...}`. Title, outlook and counterpart only
        describe it and are left out; so is what `base` stands for on this machine: a reply names its weights itself.
        A guided one has `"guidance": {"against": ..., "strength": ...}` too, and `"counterpart"` where that is against;
        one with an adapter has `"adapter"`; one with works has `"works"`, the digests of their texts, sorted.
        """
        shaping: dict[str, object] = {
            "base": self.base,
            "generation": dict(self.sampling),
            "languages": self.languages,
            "system": self.system,
        }
        if self.guidance is not None:
            shaping["guidance"] = {"against": self.guidance.against, "strength": self.guidance.strength}
            if self.guidance.against == COUNTERPART:
                shaping["counterpart"] = self.counterpart
        if self.adapter is not None:
            shaping["adapter"] = self.adapter
        if self.works:
            shaping["works"] = sorted(work.digest for work in self.works)
        text = json.dumps(shaping, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        return Digest(f"sha256:{hashlib.sha256(text.encode()).hexdigest()}")

    @classmethod
    def from_toml(cls, text: str, name: str, where: str | None = None) -> "Assistant":
        """Read the text of an assistant's file; `where` is what errors call the file (default: its name).

        Raises UsageError that names the file, the key and what would fit.
        """
        top = Table.parse(text, where or f"{name}.toml")
        top.only(*KEYS)
        outlook = top.table("outlook")
        outlook.only("dimension", "position", "summary")
        try:
            return cls(
                name=name,
                title=top.text("title"),
                base=top.text("base", "default"),
                system=top.text("system"),
                outlook=Outlook(outlook.text("dimension"), outlook.text("position"), outlook.text("summary")),
                languages=top.texts("languages", ("en", "fr")),
                counterpart=top.text("counterpart") or None,
                guidance=_guidance(top),
                sampling=generation.checked(top.table("generation").values),
                description=top.text("description"),
                adapter=_adapter(top),
                works=works.read(top),
            )
        except UsageError as error:
            raise error if error.message.startswith(top.where) else located(error, top.where) from error

    def to_toml(self) -> str:
        """The text of its file, for a person to read and edit; `from_toml` reads it back as an equal assistant."""
        return layout.file(_HEADING.format(name=self.name), _lines(self), _sections(self))


def _outlook(outlook: Outlook) -> Outlook:
    if outlook.dimension and outlook.dimension not in DIMENSIONS:
        close = names.near(outlook.dimension, DIMENSIONS)
        meant = f"; did you mean {close}?" if close else ""
        raise UsageError(
            f"outlook.dimension {shortened(outlook.dimension)!r} is not known{meant}",
            f"known are: {', '.join(DIMENSIONS)}",
        )
    return Outlook(
        outlook.dimension,
        one_line("outlook.position", outlook.position),
        one_line("outlook.summary", outlook.summary),
    )


def _guidance(top: Table) -> Guidance | None:
    table = top.table("guidance")
    table.only("against", "strength")
    if not table.values:  # the heading alone, as a file without guidance has it
        return None
    return Guidance(table.text("against", COUNTERPART).strip(), table.number("strength", Guidance().strength))


def _adapter(top: Table) -> Digest | None:
    text = top.text("adapter")
    try:
        return Digest(text) if text else None
    except UsageError as error:
        raise UsageError(f"adapter: {error.message}", error.hint) from error


def _languages(tags: tuple[str, ...]) -> tuple[str, ...]:
    if len(tags) > MOST_LANGUAGES:
        raise UsageError(f"languages: {len(tags):,} are named", f"{MOST_LANGUAGES} are the most")
    seen = set()
    for tag in tags:
        if not LANGUAGE.fullmatch(tag):
            raise UsageError(
                f"languages: {shortened(tag)!r} is no language tag",
                'write tags like "en", "fr", "pt-BR" or "zh-Hant"',
            )
        if tag in seen:
            raise UsageError(f"languages: {tag!r} is there twice", "name each language once")
        seen.add(tag)
    return tuple(tags)


def _lines(assistant: Assistant) -> list[Line]:
    return [
        Line("title", assistant.title or None, "Shown above its replies.", '""'),
        Line("description", assistant.description or None, "More about it, for people.", '""'),
        Line("base", assistant.base, 'The model it speaks through: "default", or a name that `pluriverse ls` shows.'),
        Line("adapter", assistant.adapter, "What was trained on top of that model, by its digest."),
        Line("languages", assistant.languages or None, "What it answers in; its own language first.", '["en"]'),
        Line("counterpart", assistant.counterpart, "Who stands on the other side, and names this one.", '""'),
        Line("system", assistant.system or None, "What it is told before every conversation.", '"""..."""'),
    ]


def _sections(assistant: Assistant) -> list[Section]:
    outlook = assistant.outlook
    return [
        Section(
            "outlook",
            "From where it speaks, so that nobody has to guess.",
            [
                Line("dimension", outlook.dimension or None, f"one of: {', '.join(DIMENSIONS)}", '""'),
                Line("position", outlook.position or None, "its side, in a few words", '""'),
                Line("summary", outlook.summary or None, "one sentence", '""'),
            ],
        ),
        _guidance_section(assistant),
        Section(
            "generation",
            "How it chooses its words; what is not set here keeps its default.",
            [Line(name, value, "") for name, value in assistant.sampling.items()],
            () if assistant.sampling else ("temperature = 0.7", "max_tokens = 256"),
        ),
        *works.sections(assistant.works),
    ]


def _guidance_section(assistant: Assistant) -> Section:
    comment = 'Decoded in contrast to "counterpart", "plain" (the base without a prompt) or a text; strength 1 to 3.'
    guidance = assistant.guidance
    if guidance is None:
        return Section("guidance", comment, [], ('against = "counterpart"', "strength = 2.0"))
    return Section(
        "guidance", comment, [Line("against", guidance.against, ""), Line("strength", guidance.strength, "")]
    )
