"""References as users type them: the kinds of sources understand their own. Knows no entries and no kind of source."""

import re
from contextlib import suppress

from .. import doors
from ..errors import NotFoundError
from ..values import Pullable

FORMS = "a catalogue name, hf:OWNER/REPO/FILE.gguf, hf:OWNER/REPO:Q4_K_M, an https address or a path to a .gguf file"
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]+):")


def understood(ref: str) -> Pullable | None:
    """What a reference names that is no name of the catalogue; None if it is none of the forms. UsageError for one that
    is nearly right. The word before its colon names the kind of its source; without one it is a path."""
    scheme = _SCHEME.match(ref)
    for kind in (*([scheme[1]] if scheme else []), "path"):
        with suppress(NotFoundError):  # no source of that kind is installed
            found: Pullable | None = doors.opened("sources", kind)().parse(ref)
            if found:
                return found
    return None
