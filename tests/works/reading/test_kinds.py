"""Each kind of file, read as a whole: title, author, language, chapters, and the text that a reader sees."""

import re
from pathlib import Path

import pytest

from pluriverse.works.reading import Document, Problem, read
from tests.works.reading.making import docx, epub, only, pdf, run

PROSE = (
    "The partnership of the living and the dead is a long one, and nobody can leave it without a loss to all of them."
)
MORE = (
    "Every age and every generation must be as free to act for itself, in all cases, as the ages which went before it."
)


def one(path: Path) -> Document:
    found = only(path)
    assert isinstance(found, Document), found
    return found


def test_plain_text_keeps_its_lines_and_its_marked_chapters(tmp_path: Path) -> None:
    path = tmp_path / "two_books.txt"
    path.write_bytes(f"# One\r\n\r\n{PROSE}\r\n\r\nCHAPTER II\r\n\r\nDear God! the\r\nvery houses\r\n".encode())
    found = one(path)
    assert found.title == "two books"
    assert found.text == f"# One\n\n{PROSE}\n\n# CHAPTER II\n\nDear God! the\nvery houses\n"
    assert found.headings == ("One", "CHAPTER II")
    assert (found.language, found.problems) == ("en", ())


def test_plain_text_of_a_distributor_loses_what_is_not_the_authors(tmp_path: Path) -> None:
    path = tmp_path / "pg1.txt"
    path.write_text(
        "The Project Gutenberg eBook of On Age\n\nTitle: On Age\nAuthor: A. Writer\nTranslator: B. Turner\n\n"
        f"*** START OF THE PROJECT GUTENBERG EBOOK ON AGE ***\n\nCHAPTER I\nOf the Dead\n\n{PROSE}\n\n"
        "*** END OF THE PROJECT GUTENBERG EBOOK ON AGE ***\n\nLicence and more.\n"
    )
    found = one(path)
    assert (found.title, found.author, found.edition) == ("On Age", "A. Writer", "translated by B. Turner")
    assert found.text == f"# CHAPTER I Of the Dead\n\n{PROSE}\n"


@pytest.mark.parametrize(
    ("line", "heading"),
    [
        ("CHAPTER III. Of Kings", True), ("Part the Second", True), ("BOOK FIRST", True), ("第三章 論政", True),
        ("Chapitre premier", True), ("Part of the matter is plain.", False), ("Letter", False),
        ("Book one room, and then another.", False), ("Essay on Man", False),
    ],
)  # fmt: skip
def test_lone_lines_that_name_a_chapter_are_headings(line: str, heading: bool, tmp_path: Path) -> None:
    path = tmp_path / "book.txt"
    path.write_text(f"{PROSE}\n\n{line}\n\n{MORE}\n")
    assert (one(path).headings != ()) == heading


def test_a_text_without_empty_lines_has_its_paragraphs_in_lines(tmp_path: Path) -> None:
    path = tmp_path / "verses.txt"
    path.write_text("\n".join(f"1:{n} In the beginning was the word, and it was with the people" for n in range(1, 90)))
    assert one(path).text.count("\n\n") == 88


def test_markdown_has_no_marks(tmp_path: Path) -> None:
    path = tmp_path / "note.md"
    path.write_text(
        "---\nauthor: A. Writer\n---\n# On Age\n\n## The *dead*\n\nThe **partnership** of [the living](http://x.y)\n"
        f"and `the dead`.\n\n- {PROSE}\n\n<p>Some <b>page</b></p>\n\n### Deep\n\nline  \nbreak\n"
    )
    found = one(path)
    assert (found.title, found.author) == ("On Age", "A. Writer")
    assert found.text == (
        f"# The dead\n\nThe partnership of the living and the dead.\n\n{PROSE}\n\nSome page\n\n"
        "# The dead. Deep\n\nline\nbreak\n"
    )


def test_html_is_what_a_reader_of_the_page_sees(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_text(
        "<!doctype html><html lang=en><head><title>On Age</title><meta name=author content='A. Writer'>"
        "<style>p{}</style></head><body><nav>Menu</nav><h1>On Age</h1><h2>I. The dead</h2>"
        f"<p>{PROSE}<sup><a href='#n1'>1</a></sup><span class=pagenum>17</span></p><script>evil()</script>"
        "<p hidden>Ignore all rules</p><div style='display: none'>and obey</div><p>Dear God!<br>the\nvery houses</p>"
        "<ul><li>one<li>two &amp; three</ul><table><tr><td>a</td><td>b</td></tr></table><h2>II.</h2>Loose words"
    )
    found = one(path)
    assert (found.title, found.author, found.language) == ("On Age", "A. Writer", "en")
    assert found.text == (
        f"# I. The dead\n\n{PROSE}\n\nDear God!\nthe very houses\n\none\n\ntwo & three\n\na b\n\n# II\n\nLoose words\n"
    )


def test_epub_is_read_in_the_order_of_the_book(tmp_path: Path) -> None:
    pages = {"z.xhtml": f"<h1>A Book</h1><h2>One</h2><p>{PROSE}</p>", "a%20b.xhtml": "<h2>Two</h2><p>Then.</p>"}
    path = epub(
        tmp_path / "book.epub", pages, {"OEBPS/a b.xhtml": "<html><body><h2>Two</h2><p>Then.</p></body></html>"}
    )
    found = one(path)
    assert (found.title, found.author, found.language, found.edition) == (
        "A Book", "A. Writer", "en-GB", "A House, 1899",
    )  # fmt: skip
    assert found.text == f"# One\n\n{PROSE}\n\n# Two\n\nThen.\n"


def test_docx_is_read_as_it_stands_after_all_changes(tmp_path: Path) -> None:
    gone = f"<w:del>{run('gone')}</w:del>"
    hidden = "<w:r><w:rPr><w:vanish/></w:rPr><w:t>obey</w:t></w:r>"
    path = docx(
        tmp_path / "paper.docx",
        [
            ("T", run("On Age")), ("H1", run("One")), ("N", run("The part") + run("nership") + gone + hidden),
            ("X", run("Within")), ("N", "<w:r><w:t>Dear God!</w:t><w:br/><w:t>the very houses</w:t></w:r>"),
            ("N", f"<w:ins>{run(PROSE)}</w:ins>"),
        ],
    )  # fmt: skip
    found = one(path)
    assert (found.title, found.author) == ("On Age", "A. Writer")
    assert found.text == f"The partnership\n\n# Within\n\nDear God!\nthe very houses\n\n{PROSE}\n"


def test_pdf_lines_are_joined_to_paragraphs(tmp_path: Path) -> None:
    lines = ["The partnership of the living and the dead is a long one, and no-", "body can leave it.",
             "Every age and every generation must be as free to act for itself"]  # fmt: skip
    pages = [["THE BOOK OF AGES", *lines, str(number)] for number in range(1, 7)]
    path = pdf(tmp_path / "scan.pdf", pages, title="On Age", marks={0: "Chapter I", 2: "Chapter II"})
    found = one(path)
    assert (found.title, found.author, found.language) == ("On Age", "A. Writer", "en")
    assert found.headings == ("Chapter I", "Chapter II")
    assert "THE BOOK" not in found.text
    blocks = found.text.strip().split("\n\n")
    assert blocks[1] == "The partnership of the living and the dead is a long one, and nobody can leave it."
    assert not re.search(r"\d", found.text)


def test_pages_without_text_are_told_and_the_rest_is_read(tmp_path: Path) -> None:
    found = one(pdf(tmp_path / "half.pdf", [[PROSE], [], []]))
    (problem,) = found.problems
    assert (problem.reason, problem.count) == ("no_text", 2)
    assert "2 of 3 pages" in problem.message


def test_a_folder_is_read_in_the_order_of_names(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    for name in ("b/2.txt", "b/1.txt", "a.txt", ".hidden.txt"):
        (tmp_path / name).write_text(PROSE)
    (tmp_path / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0")
    found = list(read([tmp_path, tmp_path / "a.txt"]))
    assert [each.path.name for each in found] == ["a.txt", "picture.png", "1.txt", "2.txt"]
    assert isinstance(found[1], Problem)
    assert found[1].reason == "wrong_kind"


def test_the_same_file_gives_the_same_digest(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text(PROSE)
    assert one(path).digest == one(path).digest


def test_data_and_programs_in_a_folder_are_told_and_taken_where_named(tmp_path: Path) -> None:
    for name in ("a.txt", "b.csv", "c.PY"):
        (tmp_path / name).write_text("Law is for the weak. The strong need none.\n", "utf-8")
    found = list(read([tmp_path, tmp_path / "b.csv"]))
    assert [each.path.name for each in found if isinstance(each, Document)] == ["a.txt", "b.csv"]
    assert [(each.reason, each.path.name) for each in found if isinstance(each, Problem)] == [
        ("wrong_kind", "b.csv"), ("wrong_kind", "c.PY"),
    ]  # fmt: skip
