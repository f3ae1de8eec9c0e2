"""Plain text into blocks: empty lines between paragraphs, `# ` lines and lone lines such as "CHAPTER III" as headings.

A file of Project Gutenberg loses what its distributor put around it, and tells title and author there.
"""

import re

from .parts import Raw

_START = re.compile(r"^\*\*\* ?START OF TH(?:E|IS) PROJECT GUTENBERG EBOOK[^\n]*$", re.MULTILINE | re.IGNORECASE)
_END = re.compile(r"^\*\*\* ?END OF TH(?:E|IS) PROJECT GUTENBERG EBOOK", re.MULTILINE | re.IGNORECASE)
_FIELD = re.compile(r"^(Title|Author|Translator|Language|Release Date):[^\S\n]*(\S[^\n]*)$", re.MULTILINE)
_WORDS = (
    "chapter|book|part|section|canto|letter|lecture|essay|act|sura|cap[ií]tulo|libro|parte|chapitre|livre|partie|"
    "kapitel|buch|teil|kapitlet|hoofdstuk|capitolo|глава|часть"
)
_COUNTS = (
    "[ivxlc]{1,8}|\\d{1,4}|one|two|three|four|five|six|seven|eight|nine|ten|first|second|third|fourth|fifth|sixth|"
    "seventh|eighth|ninth|tenth|primer[oa]?|segund[oa]|tercer[oa]?|premi[eè]re?|deuxi[eè]me|second[eo]?|prim[oa]"
)
_CHAPTER = re.compile(
    rf"(?:{_WORDS})\s+(?:the\s+)?(?:{_COUNTS})(?:\W{{0,3}}$|\W{{0,3}}\s(?-i:[^a-zà-ÿ])[^\n]{{0,90}}|[.:—–][^\n]{{0,90}})|(?:the\s+)?(?:{_COUNTS})\s+(?:{_WORDS})\.?"
    r"|(?:الفصل|الباب|المقالة)\s[^\n]{0,90}|第[0-9一二三四五六七八九十百千〇零]{1,8}[章回卷篇节節部][^\n]{0,60}",
    re.IGNORECASE,
)
_BREAK = re.compile(r"\n(?:[^\S\n]*+\n)++")
_NUMBERED = re.compile(r"[(\[]?\d{1,4}(?::\d{1,4})?[.)\]]?\s")
_ENDED = re.compile(r"[.!?…。！？؟।:;\"'”’»」』)\]]\s*$")
_LONG_BLOCK = 3000  # characters
_HEAD = 20_000  # characters in which a distributor's fields are looked for


def read_plain(text: str) -> Raw:
    raw = Raw()
    start, end = _START.search(text), _END.search(text)
    if start:
        fields = dict(_FIELD.findall(text[: min(start.start(), _HEAD)]))
        raw.title, raw.author = fields.get("Title", "").strip(), fields.get("Author", "").strip()
        translator = fields.get("Translator", "").strip()
        raw.edition = f"translated by {translator}" if translator else ""
        text = text[start.end() : end.start() if end and end.start() > start.end() else None]
    for block in _blocks(text):
        raw.plain(block)
    return raw


def _blocks(text: str) -> list[str]:
    found = []
    for part in _BREAK.split(text.strip("\n")):
        block = part.strip()
        if not block:
            continue
        if _is_heading(block):
            found.append(f"# {' '.join(block.split())}")
        elif len(block) > _LONG_BLOCK and _a_line_is_a_block(lines := block.split("\n")):
            found += [line.strip() for line in lines if line.strip()]
        else:
            found.append(block)
    return found


def _is_heading(block: str) -> bool:
    """A line, or two of which the second is the title, such as "CHAPTER III", "Of the Sky"."""
    if len(block) > 160 or block.startswith("#") or block.count("\n") > 2:
        return False
    first, _, rest = block.partition("\n")
    if not _CHAPTER.fullmatch(first.strip()):
        return False
    return not _ENDED.search((rest or first).rstrip(".")) and (not rest or not rest.rstrip().endswith("."))


def _a_line_is_a_block(lines: list[str]) -> bool:
    """Whether lines of a block without empty lines are paragraphs or numbered verses, and not wrapped ones."""
    filled = [line for line in lines if line.strip()]
    numbered = sum(bool(_NUMBERED.match(line.lstrip())) for line in filled)
    ended = sum(bool(_ENDED.search(line[-8:])) for line in filled)
    return numbered > 0.6 * len(filled) or ended > 0.7 * len(filled)
