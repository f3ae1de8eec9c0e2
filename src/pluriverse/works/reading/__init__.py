"""Files as people have them, read into documents: text, Markdown, HTML, EPUB, PDF, DOCX, and folders of them.

    reading     files and folders into documents, one after the other; the process with limits in which each is read
    walking     which files are meant; links, folders
    process     that process: which kind a file is, what it says, its language
    plain, markdown, markup (HTML), epub, docx, pdf     one module a kind; archive: zip with limits
    decoding    bytes into text; cleaning: text without what nobody sees
    parts       what readers make documents of
    schema      documents, and the reasons why a file gave no text

Another kind is a function from a file to `Raw` in a module of its own, chosen in `process._raw`.
"""

from .reading import read
from .schema import Document, Problem, Reason

__all__ = ["Document", "Problem", "Reason", "read"]
