"""Files as people have them, made by hand: the smallest PDF, EPUB and DOCX that readers open."""

import atexit
import zipfile
from pathlib import Path

from pluriverse.works.reading import Document, Problem
from pluriverse.works.reading.reading import Reader
from pluriverse.works.reading.walking import walk

READER = Reader()  # one process for all tests, which reads as the one of `read` does
atexit.register(READER.close)


def only(path: Path) -> Document | Problem:
    """What reading this one file gives."""
    (found,) = walk([path])
    return found if isinstance(found, Problem) else READER.read(found)


PICTURE = b"q 100 0 0 100 50 500 cm BI /W 2 /H 2 /CS /G /BPC 8 ID \x00\xff\xff\x00 EI Q\n"


def pdf(path: Path, pages: list[list[str]], *, title: str = "", marks: dict[int, str] | None = None) -> Path:
    """One line of text below the other on each page; a page without lines has a picture. `marks`: page to title."""
    bodies = [PICTURE if not lines else _lines(lines) for lines in pages]
    marks = marks or {}
    first_mark = 4 + 2 * len(pages)
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R" + (b" /Outlines %d 0 R >>" % first_mark if marks else b" >>"),
        b"<< /Type /Pages /Count %d /Kids [%s] >>"
        % (len(pages), b" ".join(b"%d 0 R" % (4 + 2 * n) for n in range(len(pages)))),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    for number, body in enumerate(bodies):
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents %d 0 R"
            b" /Resources << /Font << /F1 3 0 R >> >> >>" % (5 + 2 * number)
        )
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(body), body))
    if marks:
        items = list(marks.items())
        last = first_mark + len(items)
        objects.append(
            b"<< /Type /Outlines /First %d 0 R /Last %d 0 R /Count %d >>" % (first_mark + 1, last, len(items))
        )
        for place, (page, said) in enumerate(items):
            follows = b" /Next %d 0 R" % (first_mark + 2 + place) if place + 1 < len(items) else b""
            objects.append(
                b"<< /Title (%s) /Parent %d 0 R /Dest [%d 0 R /Fit]%s >>"
                % (said.encode(), first_mark, 4 + 2 * page, follows)
            )
    info = b"<< /Title (%s) /Author (A. Writer) >>" % title.encode()
    return _written(path, [*objects, info])


def _lines(lines: list[str]) -> bytes:
    said = b"".join(
        b"(%s) Tj T*\n" % line.encode("cp1252").replace(b"(", b"\\(").replace(b")", b"\\)") for line in lines
    )
    return b"BT /F1 11 Tf 14 TL 50 740 Td\n" + said + b"ET"


def _written(path: Path, objects: list[bytes]) -> Path:
    data, places = b"%PDF-1.4\n", []
    for number, each in enumerate(objects, 1):
        places.append(len(data))
        data += b"%d 0 obj\n%s\nendobj\n" % (number, each)
    start = len(data)
    data += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    data += b"".join(b"%010d 00000 n \n" % place for place in places)
    data += b"trailer\n<< /Size %d /Root 1 0 R /Info %d 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (
        len(objects) + 1, len(objects), start,
    )  # fmt: skip
    path.write_bytes(data)
    return path


def zipped(path: Path, members: dict[str, str | bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


CONTAINER = '<container><rootfiles><rootfile full-path="OEBPS/book.opf"/></rootfiles></container>'


def epub(path: Path, pages: dict[str, str], extra: dict[str, str | bytes] | None = None) -> Path:
    """`pages`: bodies by the name that the list of the book has for them."""
    items = "".join(f'<item id="i{n}" href="{name}"/>' for n, name in enumerate(pages))
    spine = "".join(f'<itemref idref="i{n}"/>' for n in range(len(pages)))
    book = (
        '<package xmlns:dc="http://purl.org/dc/elements/1.1/"><metadata><dc:title>A Book</dc:title>'
        "<dc:creator>A. Writer</dc:creator><dc:language>en-GB</dc:language><dc:publisher>A House</dc:publisher>"
        f"<dc:date>1899-05-01</dc:date></metadata><manifest>{items}</manifest><spine>{spine}</spine></package>"
    )
    members: dict[str, str | bytes] = {"mimetype": "application/epub+zip", "META-INF/container.xml": CONTAINER}
    members |= {"OEBPS/book.opf": book}
    members |= {f"OEBPS/{name}": page(body) for name, body in pages.items() if ".." not in name}
    return zipped(path, members | (extra or {}))


def page(body: str) -> str:
    return (
        f'<?xml version="1.0" encoding="utf-8"?><html xmlns="http://www.w3.org/1999/xhtml"><body>{body}</body></html>'
    )


W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


def docx(path: Path, paragraphs: list[tuple[str, str]], head: str = "") -> Path:
    """`paragraphs`: style and XML of the runs."""
    body = "".join(f'<w:p><w:pPr><w:pStyle w:val="{style}"/></w:pPr>{runs}</w:p>' for style, runs in paragraphs)
    styles = (
        f'<w:styles {W}><w:style w:styleId="T"><w:name w:val="Title"/></w:style><w:style w:styleId="H1"><w:name '
        'w:val="heading 1"/></w:style><w:style w:styleId="X"><w:name w:val="Mine"/><w:pPr><w:outlineLvl w:val="1"/>'
        "</w:pPr></w:style></w:styles>"
    )
    core = (
        '<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:creator>A. Writer</dc:creator></cp:coreProperties>'
    )
    document = f"{head}<w:document {W}><w:body>{body}</w:body></w:document>"
    members: dict[str, str | bytes] = {"word/document.xml": document, "word/styles.xml": styles}
    return zipped(path, members | {"docProps/core.xml": core})


def run(text: str) -> str:
    return f'<w:r><w:t xml:space="preserve">{text}</w:t></w:r>'
