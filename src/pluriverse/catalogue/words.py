"""What people call the languages and countries that entries name by code, and search by such words and by facts.

The codes are ISO 639 and ISO 3166. Knows no models.
"""

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .licences import Permission, licence

if TYPE_CHECKING:
    from .entry import Entry

# English name, then the language's own.
LANGUAGES = {
    "ar": "Arabic العربية", "bg": "Bulgarian български", "bn": "Bengali Bangla বাংলা", "bs": "Bosnian bosanski",
    "ca": "Catalan català", "ceb": "Cebuano", "cnr": "Montenegrin crnogorski", "cs": "Czech čeština",
    "da": "Danish dansk", "de": "German Deutsch", "el": "Greek ελληνικά", "en": "English",
    "es": "Spanish Castilian español", "et": "Estonian eesti", "eu": "Basque euskara", "fa": "Persian Farsi فارسی",
    "fi": "Finnish suomi", "fr": "French français", "ga": "Irish Gaeilge", "gl": "Galician galego",
    "gu": "Gujarati ગુજરાતી", "ha": "Hausa", "he": "Hebrew עברית", "hi": "Hindi हिन्दी", "hr": "Croatian hrvatski",
    "hu": "Hungarian magyar", "id": "Indonesian Bahasa Indonesia", "ilo": "Ilocano", "is": "Icelandic íslenska",
    "it": "Italian italiano", "ja": "Japanese 日本語", "jv": "Javanese Jawa", "kk": "Kazakh қазақ",
    "km": "Khmer ខ្មែរ", "kn": "Kannada ಕನ್ನಡ", "ko": "Korean 한국어", "lo": "Lao ລາວ", "lt": "Lithuanian lietuvių",
    "ltg": "Latgalian latgalīšu", "lv": "Latvian latviešu", "mk": "Macedonian македонски", "ml": "Malayalam മലയാളം",
    "mr": "Marathi मराठी", "ms": "Malay Bahasa Melayu", "mt": "Maltese Malti", "my": "Burmese Myanmar မြန်မာ",
    "nl": "Dutch Nederlands", "no": "Norwegian norsk", "or": "Odia Oriya ଓଡ଼ିଆ", "pa": "Punjabi ਪੰਜਾਬੀ",
    "pl": "Polish polski", "pt": "Portuguese português", "ro": "Romanian română", "ru": "Russian русский",
    "sk": "Slovak slovenčina", "sl": "Slovenian Slovene slovenščina", "sq": "Albanian shqip", "sr": "Serbian српски",
    "su": "Sundanese Sunda", "sv": "Swedish svenska", "sw": "Swahili Kiswahili", "ta": "Tamil தமிழ்",
    "te": "Telugu తెలుగు", "th": "Thai ไทย", "tl": "Tagalog Filipino", "tr": "Turkish Türkçe",
    "uk": "Ukrainian українська", "ur": "Urdu اردو", "vi": "Vietnamese Tiếng Việt", "war": "Waray",
    "xh": "Xhosa isiXhosa", "yo": "Yoruba Yorùbá", "zh": "Chinese Mandarin 中文",
    "zh-TW": "Chinese Taiwan Mandarin 繁體中文", "zu": "Zulu isiZulu",
}  # fmt: skip
# English name, then, behind a comma, what else people say.
COUNTRIES = {
    "AE": "United Arab Emirates", "BG": "Bulgaria, България", "BR": "Brazil, Brasil", "CA": "Canada",
    "CH": "Switzerland, Schweiz Suisse Svizzera", "CN": "China, 中国", "DE": "Germany, Deutschland",
    "ES": "Spain, España", "EU": "European Union, Europe", "FI": "Finland, Suomi", "FR": "France",
    "GR": "Greece, Ελλάδα", "HU": "Hungary, Magyarország", "IL": "Israel", "IN": "India", "IT": "Italy, Italia",
    "JP": "Japan, 日本", "KR": "South Korea, 대한민국", "KZ": "Kazakhstan", "LV": "Latvia, Latvija",
    "PL": "Poland, Polska", "RU": "Russia, Россия", "SA": "Saudi Arabia", "SE": "Sweden, Sverige", "SG": "Singapore",
    "SI": "Slovenia, Slovenija", "TR": "Turkey, Türkiye", "TW": "Taiwan, 臺灣", "US": "United States, USA America",
    "VN": "Vietnam, Việt Nam", "ZA": "South Africa", "international": "international",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an entry must be to be found; None does not matter. `max_size`: bytes of its file in the usual format."""

    maker: str | None = None
    country: str | None = None
    language: str | None = None
    permission: Permission | None = None
    max_size: int | None = None
    architecture: str | None = None


def search(words: Sequence[str], entries: "Iterable[Entry]") -> "list[Entry]":
    """The entries that have every word: in a name, the maker, the licence, a parent, or as a language or a country, by
    code or by name. Case and accents do not matter; a word of one or two letters is taken as a whole one only."""
    wanted = [fold(word) for text in words for word in text.split()]
    return [entry for entry in entries if _has(_text(entry), wanted)]


def fitting(wanted: Wanted, entries: "Iterable[Entry]") -> "list[Entry]":
    """Those that are all of what is wanted. Of whom a fact is not known, it is not."""
    return [entry for entry in entries if _fits(wanted, entry)]


def countries(entry: "Entry") -> str:
    """The maker's seat in words."""
    names = (COUNTRIES.get(code, code).partition(",")[0] for code in entry.country.split("/"))
    return " and ".join(names)


def fold(text: str) -> str:
    """Without case and accents."""
    plain = unicodedata.normalize("NFKD", text).casefold()
    return "".join(letter for letter in plain if not unicodedata.combining(letter))


def _fits(wanted: Wanted, entry: "Entry") -> bool:
    from .fit import size_of

    terms = licence(entry.licence)
    size = size_of(entry)
    seats = {code: COUNTRIES.get(code, "") for code in entry.country.split("/")}
    architectures = {str(entry.architecture[key]) for key in ("class", "llama_cpp") if key in entry.architecture}
    return all(
        (
            wanted.maker is None or fold(wanted.maker) in fold(entry.maker),
            wanted.country is None or _named(wanted.country, seats),
            wanted.language is None
            or _named(wanted.language, {each: LANGUAGES.get(each, "") for each in entry.languages}),
            wanted.permission is None or bool(terms and terms.allows(wanted.permission)),
            wanted.max_size is None or (size is not None and size <= wanted.max_size),
            wanted.architecture is None or fold(wanted.architecture) in map(fold, architectures),
        )
    )


def _named(word: str, codes: dict[str, str]) -> bool:
    """A code as it is, or a name or the words that it begins with."""
    wanted = fold(word)
    return any(wanted == fold(code) or f" {wanted}" in f" {fold(names)}" for code, names in codes.items()) and bool(
        wanted
    )


def _has(text: str, wanted: Sequence[str]) -> bool:
    return all(word in text if len(word) > 2 else f" {word} " in text for word in wanted)


def _text(entry: "Entry") -> str:
    seats = entry.country.split("/")
    named = [LANGUAGES.get(code, "") for code in entry.languages]
    named += [COUNTRIES.get(code, "").replace(",", "") for code in seats]
    parts = (
        entry.id,
        entry.name,
        entry.maker,
        entry.licence or "",
        *entry.parents,
        entry.hub or entry.repository or "",
    )
    return fold(" ".join(("", *parts, *entry.languages, *seats, *named, "")))
