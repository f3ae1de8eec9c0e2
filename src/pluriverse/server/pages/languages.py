"""The languages that the pages speak: gettext catalogues in `locale/`, read when they are first needed.

Knows tags, texts and what a browser prefers. Does not know the pages. What models, works and reports say is not
translated.
"""

import io
from functools import cache
from gettext import GNUTranslations, NullTranslations
from pathlib import Path

from babel import negotiate_locale
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

LANGUAGES = {
    "en": "English", "zh": "中文", "es": "Español", "ar": "العربية", "fr": "Français", "ru": "Русский", "de": "Deutsch",
}  # fmt: skip
RIGHT_TO_LEFT = {"ar"}
LOCALE = Path(__file__).parent / "locale"


def preferred(accepts: str) -> str:
    """The tag, of those we have, that an Accept-Language header likes best; English where it names none of them."""
    wanted: list[tuple[float, int, str]] = []
    for part in accepts[:1000].split(","):
        tag, _, rest = part.strip().partition(";")
        try:
            quality = float(rest.strip().removeprefix("q=") or 1)
        except ValueError:
            quality = 0.0
        wanted.append((-quality, len(wanted), tag.strip().partition("-")[0].lower()))
    return negotiate_locale([tag for *_, tag in sorted(wanted)], list(LANGUAGES)) or "en"


@cache
def translations(tag: str) -> NullTranslations:
    """The catalogue of one language; English stands in the pages themselves."""
    if tag not in LANGUAGES or tag == "en":
        return NullTranslations()
    compiled = io.BytesIO()
    with (LOCALE / f"{tag}.po").open("rb") as file:
        write_mo(compiled, read_po(file, locale=tag))
    compiled.seek(0)
    return GNUTranslations(compiled)
