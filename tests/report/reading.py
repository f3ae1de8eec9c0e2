"""Reads a page as strictly as tests need: tags balance, every plot is XML, and the table after it has its numbers."""

import re
from html.parser import HTMLParser
from xml.etree import ElementTree

VOID = {"meta", "br", "hr", "col", "link", "img", "input"}
NUMBER = re.compile(r"[−-]?\d[\d,]*(?:\.\d+)?%?")


class Page(HTMLParser):
    """`tags`: (name, attributes) in order; `ids`; `words`: all text outside of the style sheet."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.links: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert not self._open, f"never closed: {self._open}"
        self.ids = [given["id"] for _, given in self.tags if "id" in given]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open and self._open[-1] == tag, f"</{tag}> closes {self._open[-3:]}"
        self._open.pop()

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] != "style":
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(self.words)


def plots(text: str) -> list[tuple[ElementTree.Element, str]]:
    """Each plot with what follows it, as text, up to the end of its figure."""
    found = []
    for block in re.findall(r"<figure.*?</figure>", text, re.DOTALL):
        drawn = block[block.index('<svg xmlns="') : block.rindex("</svg>") + 6]
        after = block[block.rindex("</svg>") :]
        assert "<table>" in after
        found.append((ElementTree.fromstring(drawn), Page(f"<figure><div>{after[6:]}").text))
    return found


def numbers_in(plot: ElementTree.Element) -> list[str]:
    """Numbers that the plot shows of rows: their values, and shares on bars; ticks and names are not meant."""
    shown = [each for each in plot.iter() if each.get("class") in {"value", "on-part"}]
    return [found for each in shown for found in NUMBER.findall(each.text or "")]
