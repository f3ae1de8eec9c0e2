"""Which view suits where replies go. Knows the views; draws nothing."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .replies import Unseen, View

if TYPE_CHECKING:
    from ...assistant import Assistant
    from .output import Output


def view_for(out: "Output", assistants: Sequence["Assistant"]) -> View:
    """The view that suits where stdout goes and how much room there is."""
    if out.json:
        return Unseen(out)
    if not out.terminal:
        from .sections import Plain

        return Plain(out, assistants)
    from .columns import Columns, fits_columns

    if fits_columns(out, len(assistants)):
        return Columns(out, assistants)
    from .sections import Sections

    return Sections(out, assistants)
