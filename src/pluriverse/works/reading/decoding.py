"""Bytes of a text file into text: Unicode with and without marks, older encodings by a detector, and mixed ones.

Knows bytes. UTF-8 is tried first, since hardly any other text is valid UTF-8 by chance.
"""

import codecs

from .parts import Part, Unreadable

_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"), (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
)  # fmt: skip
_SAMPLE = 128 * 1024  # bytes that the detector reads
# The usual first: it is taken where others speak for the bytes as well.
_OLDER = [
    "cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "koi8_r", "shift_jis", "cp932", "euc_jp",
    "gb18030", "big5", "euc_kr", "cp949", "tis_620",
]  # fmt: skip


def decode(data: bytes, declared: str = "") -> tuple[str, Part | None]:
    """The text, and what could not be read of it. `declared`: the encoding that the file itself names.

    Unreadable for what is no text, and for what is in no encoding that is known here.
    """
    for mark, name in _MARKS:
        if data.startswith(mark):
            return _lossy(data, name)
    if pairs := _pairs(data):
        return _lossy(data, pairs)
    if b"\0" in data[:_SAMPLE]:
        raise Unreadable("wrong_kind", "is no text", "give a text, Markdown, HTML, EPUB, PDF or DOCX file")
    if (text := _strict(data, "utf-8")) is not None:
        return text, None
    if declared and declared.lower().replace("_", "-") not in {"utf-8", "utf8"} and _known(declared):
        return _lossy(data, declared)
    if (mixed := _mixed(data)) is not None:
        return mixed
    return _lossy(data, _detected(data))


def _strict(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return None


def _lossy(data: bytes, encoding: str) -> tuple[str, Part | None]:
    text = data.decode(encoding, "replace")
    lost = text.count("\ufffd")
    if lost * 20 > len(text):
        raise Unreadable("undecodable", "is in no encoding that is known here", "save it as UTF-8")
    return text, _lost(lost, encoding) if lost else None


def _lost(count: int, encoding: str) -> Part:
    return Part("undecodable", f"has {count:,} letters that {encoding} does not have", "save it as UTF-8", count)


def _pairs(data: bytes) -> str:
    """UTF-16 without a mark: every second byte of Latin letters and spaces is zero."""
    sample = data[: _SAMPLE & ~1]
    if len(sample) < 4:
        return ""
    low, high = sample[0::2].count(0), sample[1::2].count(0)
    if high * 4 > len(sample) // 2 and high > 8 * low:
        return "utf-16-le"
    return "utf-16-be" if low * 4 > len(sample) // 2 and low > 8 * high else ""


def _known(encoding: str) -> bool:
    try:
        return codecs.lookup(encoding)._is_text_encoding
    except LookupError:
        return False


def _mixed(data: bytes) -> tuple[str, Part | None] | None:
    """UTF-8 with letters of Windows-1252 in it, as pasted texts have them; None where it is not mainly UTF-8."""
    wrong = 0

    def one_byte(error: UnicodeError) -> tuple[str, int]:
        nonlocal wrong
        assert isinstance(error, UnicodeDecodeError)
        wrong += 1
        return error.object[error.start : error.start + 1].decode("cp1252", "replace"), error.start + 1

    codecs.register_error("pluriverse.cp1252", one_byte)
    text = data.decode("utf-8", "pluriverse.cp1252")
    right = sum(not letter.isascii() for letter in text) - wrong
    if wrong > 3 * right:  # other encodings are valid UTF-8 in one letter of ten at most
        return None
    return text, _lost(text.count("\ufffd"), "UTF-8") if "\ufffd" in text else None


def _detected(data: bytes) -> str:
    """By the detector; where too little speaks for anything, what most old texts of the West are in."""
    try:
        from charset_normalizer import from_bytes
    except ImportError:
        raise Unreadable(
            "no_reader", "is not in UTF-8", "pip install 'pluriverse[works]', or save it as UTF-8"
        ) from None
    found = list(from_bytes(_telling(data), cp_isolation=_OLDER, steps=8, chunk_size=1024))
    if not found:
        raise Unreadable("undecodable", "is in no encoding that is known here", "save it as UTF-8")
    best = (found[0].chaos, found[0].coherence)
    alike = [str(each.encoding) for each in found if (each.chaos, each.coherence) == best]
    return min(alike, key=_OLDER.index)


def _telling(data: bytes) -> bytes:
    """A part of the bytes that has letters beyond ASCII, cut where lines end."""
    at = next((place for place in range(0, len(data), _SAMPLE) if not data[place : place + _SAMPLE].isascii()), 0)
    part = data[at : at + _SAMPLE]
    first, last = part.find(b"\n") + 1 if at else 0, part.rfind(b"\n")
    return part[first:last] if last > first + _SAMPLE // 2 else part
