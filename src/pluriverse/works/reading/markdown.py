"""Markdown into blocks: its headings, and paragraphs without the marks of emphasis, links and lists."""

import re
from typing import Any

from .markup import read_chapter
from .parts import Raw, Unreadable

_FRONT = re.compile(r"---[^\S\n]*\n(.{0,20000}?)\n(?:---|\.\.\.)[^\S\n]*(?:\n|$)", re.DOTALL)
_FIELD = re.compile(r"^(title|author|lang|language):[^\S\n]*(\S[^\n]*)$", re.MULTILINE | re.IGNORECASE)
_MOST_DEPTH = 40


def read_markdown(text: str) -> Raw:
    try:
        from markdown_it import MarkdownIt
    except ImportError:
        raise Unreadable("no_reader", "is Markdown", "pip install 'pluriverse[works]'") from None
    raw = Raw()
    if front := _FRONT.match(text):
        said = {key.lower(): value.strip().strip("\"'") for key, value in _FIELD.findall(front[1])}
        raw.title, raw.author = said.get("title", ""), said.get("author", "")
        raw.language = said.get("lang") or said.get("language", "")
        text = text[front.end() :]
    parser = MarkdownIt("commonmark", {"maxNesting": _MOST_DEPTH}).enable("table")
    level = 0
    for token in parser.parse(text):
        if token.type == "heading_open":
            level = int(token.tag[1:])
        elif token.type == "inline":
            said_here = _inline(token.children or [])
            if level:
                raw.heading(level, said_here)
            else:
                raw.block(said_here)
            level = 0
        elif token.type in {"code_block", "fence"}:
            raw.block(token.content)
        elif token.type == "html_block":
            read_chapter(token.content.encode("utf-8", "replace"), raw)
    return raw


def _inline(tokens: list[Any]) -> str:
    """Text and code; a hard break ends a line of verse, a soft one is a space."""
    said = {"softbreak": " ", "hardbreak": "\n"}
    return "".join(
        said.get(token.type, token.content if token.type in {"text", "code_inline", "text_special"} else "")
        for token in tokens
    )
