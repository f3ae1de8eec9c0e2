"""How public data become items: one function per shape of data, named by the instruments' files.

    async def load_NAME(instrument, settings) -> list[Item]

Each is an entry point `pluriverse.loaders`, ours as those of other packages.
"""

from typing import TYPE_CHECKING

from .... import doors
from ....errors import PluriverseError
from ....settings import Settings
from ...schema.items import Item

if TYPE_CHECKING:
    from ...schema.instrument import Instrument


async def load(instrument: "Instrument", settings: Settings) -> list[Item]:
    """The instrument's items; raises what reading its data raises. NotFoundError: there is no such loader.
    PluriverseError: the items are of another form than its file says."""
    items: list[Item] = await doors.opened("loaders", instrument.loader)(instrument, settings)
    if form := next((item.form for item in items if item.form != instrument.form), None):
        raise PluriverseError(
            f"items of {instrument.name} are of the form {form!r}, and its file says {instrument.form!r}",
            f"write form = {form!r} into the instrument's file, if all its items are",
        )
    return items
