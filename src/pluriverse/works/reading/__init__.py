"""Files as people have them, read into documents: text, Markdown, HTML, EPUB, PDF, DOCX, and folders of them.

schema      documents, and the reasons why a file gave no text
"""

from .schema import Document, Problem, Reason

__all__ = ["Document", "Problem", "Reason"]
