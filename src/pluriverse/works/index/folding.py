"""Which words are the same in a search: letters without accents and points, old spellings, stems; pairs of characters
where a script has no spaces.

Knows text and languages; nothing of works or of how found passages are ranked. Whatever changes here what a text's
terms are makes every index old: raise `words.VERSION`.
"""

import re
import unicodedata
from collections.abc import Callable, Collection, Iterator
from functools import cache
from importlib.resources import files
from itertools import pairwise

from ... import toml

# Marks that readers leave out: of Latin, Greek and Cyrillic letters, of Hebrew, of Arabic (with the long stroke).
# Those of other scripts, such as the vowels of Hindi, are letters.
_MARKS = re.compile(
    "[\u0300-\u036f\u0591-\u05bd\u05bf\u05c1-\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06ed]"
)
_WORD = re.compile(r"(?:[^\W_]|[\u0900-\u0dff])+(?:[\u0900-\u0dff\u3099\u309a]|[^\W_])*")
# Scripts without spaces between words (Thai, Lao, Burmese, Khmer, kana, Han), and Korean, for its many endings.
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3\uf900-\ufaff\U00020000-\U0003ffff"
)
_RUN = re.compile(f"[{_UNSPACED}]+|[^{_UNSPACED}]+")
_IS_UNSPACED = re.compile(f"[{_UNSPACED}]")
_SCRIPTS = [
    (language, re.compile(f"[{letters}]"))
    for language, letters in (
        ("ja", "\u3040-\u30ff"),
        ("zh", "\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"),
        ("ko", "\u1100-\u11ff\uac00-\ud7a3"),
        ("ar", "\u0600-\u06ff\u0750-\u077f"),
        ("he", "\u0590-\u05ff"),
        ("ru", "\u0400-\u052f"),
        ("el", "\u0370-\u03ff\u1f00-\u1fff"),
        ("hi", "\u0900-\u097f"),
        ("th", "\u0e00-\u0e7f"),
    )
]
_OTHER_LETTERS = str.maketrans({"æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i",
                                "ٱ": "ا", "ک": "ك", "ی": "ي"})  # fmt: skip
_STEMMERS = {
    "ar": "arabic", "da": "danish", "de": "german", "en": "english", "es": "spanish", "fi": "finnish", "fr": "french",
    "hu": "hungarian", "it": "italian", "nb": "norwegian", "nl": "dutch", "nn": "norwegian", "no": "norwegian",
    "pt": "portuguese", "ro": "romanian", "ru": "russian", "sv": "swedish", "tr": "turkish",
}  # fmt: skip
_LONGEST = 64  # characters of a word; what is longer is none, and is kept by its beginning

# How words were spelt, and are now; nothing is lost where a word of today is changed too, for all are.
_OLD: dict[str, list[tuple["re.Pattern[str]", str]]] = {
    "en": [
        (re.compile(r"(?<=[aeio])u(?=[aeiy])"), "v"),  # haue, loue, giue
        (re.compile(r"^v(?=[^aeiouy])"), "u"),  # vpon, vnto
        (re.compile(r"^i(?=[aou]\w)"), "j"),  # iust, ioy, iudge
        (re.compile(r"([bdfglmnprt])\1e$"), r"\1"),  # warre, sinne
        (re.compile(r"sse$"), "ss"),  # happinesse
        (re.compile(r"(?<=\w{3}i)(?:ck|que)$"), "c"),  # musick, publick, publique
        (re.compile(r"(?<=\w{4}[crntu])all$"), "al"),  # politicall, mortall
        (re.compile(r"(?<=\w{3})eth$"), "ed"),  # speaketh, giveth: as the form that the stemmer knows
        (re.compile(r"our(?=$|s$|ed$|ing$|able$)"), "or"),  # honour, honor
    ],
    "fr": [
        (re.compile(r"(?<=\w{2})oi(?=(?:s|t|ent)$)"), "ai"),  # étoit, disoient
        (re.compile(r"(?<=nn)oi(?=[sten])|(?<=ar)oi(?=[st])|(?<=f)oi(?=bl)|(?<=r)oi(?=d)"), "ai"),  # connoître, foible
        (re.compile(r"^tems$"), "temps"),
    ],
    "es": [
        (re.compile(r"^(?:b)(?=oluntad|ida$|erdad|irtud)"), "v"),
        (re.compile(r"x(?=[aeiou])"), "j"),
    ],  # dixo, Quixote
}
_AFTER: dict[str, list[tuple["re.Pattern[str]", str]]] = {
    "ar": [(re.compile("ة$"), "ه"), (re.compile("ى$"), "ي")],
    "fr": [(re.compile(r"(?<=\w{2}[ae]n)t$"), "")],  # enfans
}


def terms(text: str, language: str) -> Iterator[str]:
    """The terms of a text in their order, those of empty words too.

    `language`: a BCP 47 tag; where there is no stemmer for it, words are taken as they are written.
    """
    fold = _folding(language.split("-")[0].lower())
    for word in _WORD.findall(plain(text)):
        if word.isascii() or not _IS_UNSPACED.search(word):
            if term := fold(word):
                yield term
        else:
            yield from _of_runs(word, fold)


def asked(question: str, languages: Collection[str]) -> list[dict[str, str]]:
    """What a question is about: each word once, as the term that it is in each of `languages`.

    Words that every text of the question's own language has are left out, where others remain.
    """
    words = list(dict.fromkeys(_WORD.findall(plain(question))))
    own = max(_empty(), key=lambda language: sum(word in _empty()[language] for word in words))
    kept: list[dict[str, str]] = []
    empty: list[dict[str, str]] = []
    for word in words:
        found = {language: list(terms(word, language)) for language in languages}
        for each in range(max(map(len, found.values()), default=0)):
            unit = {language: row[each] for language, row in found.items() if each < len(row)}
            written = word if len(unit) < len(found) or not _IS_UNSPACED.search(word) else next(iter(unit.values()))
            into = empty if written in _empty()[own] or written in _empty()["zh"] else kept
            if unit not in into:
                into.append(unit)
    return kept or empty


def language_of(question: str) -> str:
    """The language that a question is in (BCP 47), by its script or its little words; "" where it may be English."""
    letters = [letter for letter in question if letter.isalpha()]
    for language, script in _SCRIPTS:
        if 2 * sum(map(bool, map(script.match, letters))) > len(letters):
            return language
    words = set(_WORD.findall(plain(question)))
    scores = {language: len(words & empty) for language, empty in _empty().items()}
    first = max(scores, key=lambda language: scores[language])
    return first if scores[first] >= (1 if first == "en" else scores["en"] + 2) else ""


def plain(text: str) -> str:
    """The letters of a text without case, accents and points; Chinese in simplified characters."""
    text = unicodedata.normalize("NFKC", text).casefold()
    if text.isascii():
        return text
    text = _MARKS.sub("", unicodedata.normalize("NFD", text).translate(_OTHER_LETTERS))
    return unicodedata.normalize("NFC", text).translate(_hanzi())


def _of_runs(word: str, fold: Callable[[str], str]) -> Iterator[str]:
    """Each character, and each pair of neighbours: in old Chinese one character is a word."""
    for run in _RUN.findall(word):
        if _IS_UNSPACED.match(run):
            yield from run
            yield from map("".join, pairwise(run))
        elif term := fold(run):
            yield term


@cache
def _folding(language: str) -> Callable[[str], str]:
    """How one word becomes its term; "" for what is none. What was folded is remembered for as long as it is used."""
    stem = _stemmer(language)
    before, after = _OLD.get(language, []), _AFTER.get(language, [])

    def fold(word: str) -> str:
        known = memory.get(word)
        if known is None:
            known = word[:_LONGEST]
            for old, new in before:
                known = old.sub(new, known)
            known = stem(known)
            for old, new in after:
                known = old.sub(new, known)
            if len(known) == 1 and known.isalpha() and known < "\u0250":  # what an apostrophe leaves
                known = ""
            if len(memory) >= 200_000:
                memory.clear()
            memory[word] = known
        return known

    memory: dict[str, str] = {}
    return fold


def _stemmer(language: str) -> Callable[[str], str]:
    name = _STEMMERS.get(language)
    if name is None:
        return str
    import Stemmer

    stem: Callable[[str], str] = Stemmer.Stemmer(name).stemWord
    return stem


@cache
def _empty() -> dict[str, frozenset[str]]:
    """Words that every text has (`empty.toml`), as `plain` has them, by language."""
    words = toml.parse((files(__package__) / "empty.toml").read_text("utf-8"))
    return {language: frozenset(plain(text).split()) for language, text in words.items()}


@cache
def _hanzi() -> dict[int, str]:
    lines = (files(__package__) / "hanzi.txt").read_text("utf-8").splitlines()
    pairs = "".join(line for line in lines if not line.startswith("#"))
    return dict(zip(map(ord, pairs[::2]), pairs[1::2], strict=True))
