"""Which rung of the ladder `base = "default"` stands for on this machine, where the user's settings name no model.

The best rung that is here and fits; where none is here, the best that memory and disk allow, which is then to be
fetched. So what is here goes on working, without a network too, and nobody's disk fills unasked. It fetches nothing.
"""

import shutil
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ..catalogue.ladder import Rung, default_rungs
from ..errors import PluriverseError
from ..settings import Settings, physical_memory

if TYPE_CHECKING:
    from ..store import Store

_BESIDES = 160 * 1024**2  # bytes of disk that a pull takes or leaves free besides the file

Why = Literal["memory", "disk", "offline", "here", "failed"]


@dataclass(frozen=True, slots=True)
class BaseChosen:
    """The rung that "default" stands for, and whether it is `here` or to be fetched.

    `why` it is lower than the `wanted` one, None where it is that one: too little "memory" or "disk", no connection is
    allowed ("offline"), a lower one is "here" and the wanted one is not, fetching the one above "failed" (`error`).
    """

    rung: Rung
    wanted: Rung
    here: bool
    why: Why | None = None
    error: PluriverseError | None = None


def chosen(
    store: "Store",
    settings: Settings,
    *,
    failed: Collection[str] = (),
    error: PluriverseError | None = None,
    without: str | None = None,
) -> BaseChosen:
    """Reads the disk. `failed`: rungs that could not be fetched just now, the last of them for `error`. `without`: as
    if the model of that name were not here."""
    rungs, models = default_rungs(), [each for each in store.models() if each.name != without]
    wanted, names, digests = rungs[0], {each.name for each in models}, {each.digest for each in models}
    here = {each.name: each.model in names or each.digest in digests for each in rungs}
    against: dict[str, Why | None] = {
        each.name: "failed" if each.name in failed else _against(each, here[each.name], settings) for each in rungs
    }
    against[rungs[-1].name] = None  # the lowest always remains
    open_ = [each for each in rungs if against[each.name] is None]
    rung = next((each for each in open_ if here[each.name]), open_[0])
    why = None if rung is wanted else against[wanted.name] or "here"
    return BaseChosen(rung, wanted, here[rung.name], why, error)


def _against(rung: Rung, here: bool, settings: Settings) -> Why | None:
    """What speaks against it on this machine."""
    if rung.memory > (settings.memory or physical_memory() // 2):
        return "memory"
    if here:
        return None
    if settings.offline:
        return "offline"
    folder = next(each for each in (settings.store, *settings.store.parents) if each.exists())
    return "disk" if shutil.disk_usage(folder).free < rung.download + _BESIDES else None
