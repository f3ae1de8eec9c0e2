"""What people call the languages and countries that entries name by code, and search by such words.

The codes are ISO 639 and ISO 3166. Knows no models.
"""

import unicodedata
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from . import Entry

# English name, then the language's own.
LANGUAGES = {
    "ar": "Arabic العربية", "bg": "Bulgarian български", "bn": "Bengali Bangla বাংলা",
    "ca": "Catalan català", "ceb": "Cebuano", "cs": "Czech čeština", "da": "Danish dansk",
    "de": "German Deutsch", "el": "Greek ελληνικά", "en": "English",
    "es": "Spanish Castilian español", "et": "Estonian eesti", "fa": "Persian Farsi فارسی",
    "fi": "Finnish suomi", "fr": "French français", "ga": "Irish Gaeilge", "gl": "Galician galego",
    "he": "Hebrew עברית", "hi": "Hindi हिन्दी", "hr": "Croatian hrvatski", "hu": "Hungarian magyar",
    "id": "Indonesian Bahasa Indonesia", "it": "Italian italiano", "ja": "Japanese 日本語",
    "kk": "Kazakh қазақ", "km": "Khmer ខ្មែរ", "ko": "Korean 한국어", "lo": "Lao ລາວ",
    "lt": "Lithuanian lietuvių", "lv": "Latvian latviešu", "ms": "Malay Bahasa Melayu",
    "mt": "Maltese Malti", "my": "Burmese Myanmar မြန်မာ", "nl": "Dutch Nederlands",
    "no": "Norwegian norsk", "pl": "Polish polski", "pt": "Portuguese português",
    "ro": "Romanian română", "ru": "Russian русский", "sk": "Slovak slovenčina",
    "sl": "Slovenian Slovene slovenščina", "sv": "Swedish svenska", "ta": "Tamil தமிழ்",
    "th": "Thai ไทย", "tl": "Tagalog Filipino", "tr": "Turkish Türkçe",
    "uk": "Ukrainian українська", "ur": "Urdu اردو", "vi": "Vietnamese Tiếng Việt",
    "zh": "Chinese Mandarin 中文",
}  # fmt: skip
COUNTRIES = {
    "AE": "United Arab Emirates", "CN": "China", "DE": "Germany Deutschland", "EU": "European Union Europe",
    "FR": "France", "IT": "Italy Italia", "KZ": "Kazakhstan", "PL": "Poland Polska", "SG": "Singapore",
    "TR": "Turkey Türkiye", "US": "United States USA America",
}  # fmt: skip


def search(words: Sequence[str], entries: "Iterable[Entry]") -> "list[Entry]":
    """The entries that have every word: in a name, the maker, the licence, a parent, or as a language or a country, by
    code or by name. Case and accents do not matter; a word of one or two letters is taken as a whole one only."""
    wanted = [fold(word) for text in words for word in text.split()]
    return [entry for entry in entries if _has(_text(entry), wanted)]


def fold(text: str) -> str:
    """Without case and accents."""
    plain = unicodedata.normalize("NFKD", text).casefold()
    return "".join(letter for letter in plain if not unicodedata.combining(letter))


def _has(text: str, wanted: Sequence[str]) -> bool:
    return all(word in text if len(word) > 2 else f" {word} " in text for word in wanted)


def _text(entry: "Entry") -> str:
    countries = entry.country.split("/")
    named = [LANGUAGES.get(code, "") for code in entry.languages] + [COUNTRIES.get(code, "") for code in countries]
    parts = (entry.id, entry.name, entry.maker, entry.licence, *entry.parents, entry.hub)
    return fold(" ".join(("", *parts, *entry.languages, *countries, *named, "")))
