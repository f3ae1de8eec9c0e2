"""The process in which files of strangers are read: `python -m pluriverse.works.reading.process`.

It may take SECONDS of processor time a file and MEMORY bytes, and writes nothing. What a file does to a parser, it does
here: the process ends, and the reading goes on with another.

    in   {"path"}                                                        one JSON document a line
    out  {"title", ..., "bytes"} and so many bytes of text in UTF-8, or {"error": {"reason", "message", "hint"}}
"""

import json
import re
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from ...engines.local.template_process import clock
from ...files import read
from .cleaning import REPLACED, clean, flat
from .decoding import decode
from .parts import Part, Raw, Unreadable

SECONDS = 120.0
MEMORY = 3 * 1024**3
MOST = {"text": 128 * 2**20, "html": 64 * 2**20, "markdown": 64 * 2**20}  # bytes of a file
MOST_PACKED = 512 * 2**20
MOST_PDF = 2 * 2**30
_HEAD = 1024
_OTHER = "give a text, Markdown, HTML, EPUB, PDF or DOCX file"
_MARKDOWN = {".md", ".markdown", ".mdown", ".mkd"}
_HTML = {".html", ".htm", ".xhtml"}
_LOST = 0.05  # share of letters without which a text is not worth reading
_ENOUGH_TO_TELL = 60  # letters from which a language is told
_SAMPLES, _SAMPLE = 5, 2000  # places, and characters at each


def limit() -> None:
    """No more memory than MEMORY, no core, no file written; what the system lacks is left out."""
    if sys.platform != "win32":
        import resource
        import signal

        signal.signal(signal.SIGPROF, signal.SIG_DFL)
        for kind, most in ((resource.RLIMIT_AS, MEMORY), (resource.RLIMIT_CORE, 0), (resource.RLIMIT_FSIZE, 0)):
            with suppress(ValueError, OSError):
                resource.setrlimit(kind, (most, most))


def document(path: Path) -> dict[str, Any]:
    """What the file says, as the header has it, and its `text`. Unreadable."""
    raw = _raw(path)
    title, blocks = raw.text()
    text = "\n\n".join(filter(None, (clean(block).strip() for block in blocks)))
    letters = sum(map(str.isalnum, text[:100_000]))
    if not letters:
        raise Unreadable("empty", "has no text")
    lost = sum(block.count(REPLACED) for block in blocks)
    if lost > _LOST * len(text):
        raise Unreadable("undecodable", "has letters that cannot be read", "get another copy, or save it as UTF-8")
    if lost and not any(part.reason == "undecodable" for part in raw.parts):
        raw.parts.append(Part("undecodable", f"has {lost:,} letters that cannot be read", None, lost))
    return {
        "title": flat(title) or flat(re.sub(r"[\s_-]+", " ", path.stem)) or "untitled",
        "author": flat(raw.author),
        "language": _language(text, flat(raw.language, 20)),
        "edition": flat(raw.edition),
        "headings": [line[1:].strip() for line in re.findall(r"^#[^\S\n][^\n]*", text, re.MULTILINE)],
        "problems": [
            {"reason": each.reason, "message": each.message, "hint": each.hint, "count": each.count}
            for each in raw.parts
        ],
        "text": text + "\n",
    }


def _raw(path: Path) -> Raw:
    with path.open("rb") as file:
        head = file.read(_HEAD)
    size = path.stat().st_size
    if b"%PDF-" in head:
        from .pdf import read_pdf

        _check_size(size, MOST_PDF)
        return read_pdf(path)
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")):
        _check_size(size, MOST_PACKED)
        return _packed(path)
    if head.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        raise _old_office(path)
    return _written(path, head, size)


def _packed(path: Path) -> Raw:
    from .archive import Archive
    from .docx import BODY, read_docx
    from .epub import CONTAINER, read_epub

    archive = Archive(path)
    if CONTAINER in archive or path.suffix.lower() == ".epub":
        return read_epub(path)
    if BODY in archive or path.suffix.lower() == ".docx":
        return read_docx(path)
    raise Unreadable("wrong_kind", "is an archive, and neither EPUB nor DOCX", "unpack it, and give the folder")


def _old_office(path: Path) -> Unreadable:
    if "EncryptedPackage".encode("utf-16-le") in read(path, MOST_PACKED):
        return Unreadable("encrypted", "is encrypted", "save it without a password")
    return Unreadable("wrong_kind", "is in an old format of office programs", "save it as DOCX or PDF")


def _written(path: Path, head: bytes, size: int) -> Raw:
    suffix = path.suffix.lower()
    page = re.match(rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]{0,200}>\s*)?<(?:!doctype\s+html|html)\b", head, re.IGNORECASE)
    kind = "html" if page or suffix in _HTML else "markdown" if suffix in _MARKDOWN else "text"
    _check_size(size, MOST[kind])
    data = read(path, MOST[kind])
    if not data.strip():
        raise Unreadable("empty", "is empty")
    if kind == "html":
        from .markup import read_html

        return read_html(data)
    text, lost = decode(data)
    if text.lstrip()[:5] == "{\\rtf":
        raise Unreadable("wrong_kind", "is a file of a word processor (RTF)", "save it as DOCX or PDF")
    if kind == "markdown":
        from .markdown import read_markdown

        raw = read_markdown(clean(text))
    else:
        from .plain import read_plain

        raw = read_plain(clean(text) if not lost else clean(text.replace(REPLACED, "")))
    if lost:
        raw.parts.append(lost)
    return raw


def _check_size(size: int, most: int) -> None:
    if size > most:
        raise Unreadable("too_large", f"has {size / 2**20:,.0f} MB, more than {most // 2**20:,} MB", "cut it in pieces")


def _language(text: str, declared: str) -> str:
    """The language of most of the text; the file's own word where it says more, or where there is little text."""
    declared = declared.replace("_", "-") if re.fullmatch(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{1,8})*", declared) else ""
    step = max(len(text) // _SAMPLES, 1)
    sample = " ".join(" ".join(text[at : at + _SAMPLE] for at in range(0, len(text), step)).split())
    if sum(map(str.isalpha, sample)) < _ENOUGH_TO_TELL:
        return declared
    told = _told(sample)
    return declared if declared.lower().partition("-")[0] == told else told


def _told(sample: str) -> str:
    """Loads its figures at the first call, by way of a file that it writes."""
    from py3langid import langid

    return str(langid.classify(sample)[0])


def _answer(path: Path) -> dict[str, Any]:
    try:
        return document(path)
    except Unreadable as error:
        why = error
    except MemoryError:
        why = Unreadable("bomb", f"takes more than {MEMORY // 2**30} GB of memory", "cut it in pieces")
    except ImportError:
        why = Unreadable("no_reader", "needs a package that is not here", "pip install 'pluriverse[works]'")
    except OSError as error:
        if not path.exists():
            why = Unreadable("vanished", "is not there any more")
        else:
            why = Unreadable("unreadable", f"cannot be read: {error.strerror or error}", "check who may read it")
    except Exception as error:  # whatever a parser makes of a file that is not what it says
        why = Unreadable("broken", f"is broken ({type(error).__name__})", "get it anew")
    return {"error": {"reason": why.reason, "message": why.message, "hint": why.hint}}


def main() -> None:
    _told("")
    limit()
    out = sys.stdout.buffer
    for line in sys.stdin.buffer:
        clock(SECONDS)
        answer = _answer(Path(json.loads(line)["path"]))
        text = answer.pop("text", "").encode()
        clock(0)
        out.write(json.dumps(answer | {"bytes": len(text)}).encode() + b"\n")
        out.write(text)
        out.flush()


if __name__ == "__main__":
    main()
