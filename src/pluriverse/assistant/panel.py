"""One panel: a named list of assistants that are asked together. Knows names, not whether they exist."""

from dataclasses import dataclass, field
from pathlib import Path

from ..errors import UsageError
from . import layout, names
from .checks import one_line, several_lines
from .layout import Line
from .reading import Table, located

KEYS = ("title", "description", "members")
_HEADING = """\
A panel of pluriverse: assistants that are asked together.
Ask it: pluriverse ask "What makes a society fair?" --panel {name}"""


@dataclass(frozen=True, slots=True)
class Panel:
    """Raises UsageError for a bad name, no members, or a member named twice."""

    name: str
    members: tuple[str, ...]
    title: str = ""
    description: str = ""
    path: Path | None = field(default=None, compare=False)
    builtin: bool = field(default=False, compare=False)
    shadows: bool = field(default=False, compare=False)  # the user's own, and hides one of the starter set

    def __post_init__(self) -> None:
        names.checked(self.name, "panel")
        if not self.members:
            raise UsageError(f"the panel {self.name} has no members", 'write members = ["NAME", "NAME"]')
        seen = set()
        for member in self.members:
            names.checked(member, "member")
            if member in seen:
                raise UsageError(f"members: {member!r} is there twice", "name each assistant once")
            seen.add(member)
        object.__setattr__(self, "members", tuple(self.members))
        object.__setattr__(self, "title", one_line("title", self.title))
        object.__setattr__(self, "description", several_lines("description", self.description))

    @classmethod
    def from_toml(cls, text: str, name: str, where: str | None = None) -> "Panel":
        """Read the text of a panel's file; UsageError names the file, the key and what would fit."""
        top = Table.parse(text, where or f"{name}.toml")
        top.only(*KEYS)
        members = top.texts("members", ("NAME", "NAME"))
        title, description = top.text("title"), top.text("description")
        try:
            return cls(name, members, title, description)
        except UsageError as error:
            raise located(error, top.where) from error

    def to_toml(self) -> str:
        """The text of its file; `from_toml` reads it back as an equal panel."""
        lines = [
            Line("title", self.title or None, "Shown where panels are listed.", '""'),
            Line("description", self.description or None, "More about it, for people.", '""'),
            Line("members", self.members, "Who is asked, in this order."),
        ]
        return layout.file(_HEADING.format(name=self.name), lines)
