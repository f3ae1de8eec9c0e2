"""One place of a cluster where shards are asked: a workspace of that machine, with the voices of the measuring one.

Definitions travel as the text of their files; weights and libraries are that machine's own, and are compared before
anything is asked. Knows no Ray: any process can be such a place. Failures leave it as documents.
"""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from importlib import metadata
from pathlib import Path
from typing import Any

from ...assistant import Assistant, Shelf
from ...assistant.guidance import COUNTERPART
from ...assistant.strengths import Strengths
from ...errors import EngineError, PluriverseError
from ...files import write
from ...runtime.workspace import Workspace
from ...settings import Settings, load
from ..schema.instrument import Instrument
from ..schema.responses import Respondent, Response
from .asking import Cell, Participant
from .respondents import participant_of

Failure = dict[str, Any]  # a PluriverseError's document

_HINTS = {
    "base": "let every machine have the same model, and its name: pluriverse ls",
    "weights": "let every machine have the same file, and its name: pluriverse ls",
    "template": "let every machine have the same file, and its name: pluriverse ls",
    "engine": "use the same library on every machine: pluriverse engine use wheel",
}
_SAME_VERSION = "install the same version of pluriverse on every machine"


@dataclass(frozen=True, slots=True)
class Shard:
    """Cells that one respondent is asked in one go: a batch exactly as a run on one machine cuts it."""

    instrument: Instrument
    respondent: str  # key
    cells: tuple[Cell, ...]

    @property
    def name(self) -> tuple[str, ...]:
        item, draw = self.cells[0]
        return self.instrument.name, self.respondent, item.cell(draw)


@dataclass(frozen=True, slots=True)
class Order:
    """What a worker must know before its first shard. `settings`: None where the machine has its own."""

    version: str
    respondents: tuple[Respondent, ...]
    definitions: tuple[tuple[str, str], ...]  # name and text of the file: those asked, and their counterparts
    strengths: str  # what was found too high, as the file has it
    base: str | None
    default_base: str
    flash_attention: bool | None
    seed: int
    settings: Settings | None


def order_of(
    workspace: Workspace, participants: Sequence[Participant], base: str | None, seed: int, *, same_machine: bool
) -> Order:
    """What these voices are, for another machine. Raises what the shelf raises for a counterpart."""
    settings = workspace.settings
    found = {each.voice.assistant.name: each.voice.assistant for each in participants}
    for each in list(found.values()):
        guided = each.guidance is not None and each.guidance.against == COUNTERPART
        if guided and each.counterpart and each.counterpart not in found:
            found[each.counterpart] = workspace.shelf.assistant(each.counterpart)
    strengths = settings.home / "strengths.json"
    return Order(
        version=_version(),
        respondents=tuple(each.respondent for each in participants),
        definitions=tuple((name, each.to_toml()) for name, each in found.items()),
        strengths=strengths.read_text("utf-8") if strengths.is_file() else "",
        base=base,
        default_base=settings.base,
        flash_attention=settings.flash_attention,
        seed=seed,
        settings=settings if same_machine else None,
    )


class Worker:
    """Call `hello`, then `open`, then `ask` as often as there are shards, then `close`."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._scratch = tempfile.TemporaryDirectory(prefix="pluriverse-worker-")
        self._workspace: Workspace | None = None
        self._participants: dict[str, Participant] = {}

    async def hello(self) -> None:
        """It is here."""

    async def open(self) -> Failure | None:
        """Get ready to ask: engines started, and everybody the same as on the machine that measures."""
        try:
            await self._open()
        except PluriverseError as error:
            return error.as_dict()
        return None

    async def ask(self, shard: Shard) -> list[Response] | Failure:
        try:
            participant = self._participants[shard.respondent]
            return [row async for rows in participant.ask(shard.instrument, shard.cells) for row in rows]
        except PluriverseError as error:
            return error.as_dict()

    async def close(self) -> None:
        """End its engines and leave nothing behind."""
        if self._workspace is not None:
            await self._workspace.aclose()
        self._scratch.cleanup()

    async def _open(self) -> None:
        order = self._order
        if order.version != _version():
            raise EngineError(f"pluriverse is {_version()} there and {order.version} here", _SAME_VERSION)
        settings = replace(
            order.settings or load(), base=order.default_base, history=False, flash_attention=order.flash_attention
        )
        self._workspace = workspace = Workspace(settings)
        own = Path(self._scratch.name)  # what travelled; the machine's own assistants are not heard
        workspace.shelf = Shelf(replace(settings, home=own))
        if order.strengths:
            write(own / "strengths.json", order.strengths)
        workspace.strengths = Strengths(own / "strengths.json")
        for name, text in order.definitions:
            workspace.shelf.write(Assistant.from_toml(text, name), overwrite=True)
        for respondent in order.respondents:
            assistant = workspace.shelf.assistant(respondent.assistant)
            participant = await participant_of(workspace, assistant, order.base, order.seed)
            if participant.respondent.key != respondent.key:
                raise _another(respondent, participant.respondent)
            self._participants[respondent.key] = participant


def _another(here: Respondent, there: Respondent) -> EngineError:
    """What differs between two that should be one."""
    for name in (each.name for each in fields(Respondent) if each.name != "key"):
        ours, theirs = getattr(here, name), getattr(there, name)
        if ours != theirs:
            message = f"{here.assistant} would be somebody else there: its {name} is {theirs}, and {ours} here"
            return EngineError(message, _HINTS.get(name, _SAME_VERSION))
    return EngineError(f"{here.assistant} would be somebody else there: its other side differs", _SAME_VERSION)


def _version() -> str:
    return metadata.version("pluriverse")
