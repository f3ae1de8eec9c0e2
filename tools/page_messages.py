"""Bring the page's catalogues up to date: every message of templates and code, those that are gone left out.

python tools/page_messages.py [--check]     needs Babel; --check changes nothing and exits 1 where something is missing.
"""

import sys
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

PAGES = Path(__file__).parent.parent / "src" / "pluriverse" / "server" / "pages"
_METHODS = [("templates/*.html", "jinja2.ext:babel_extract"), ("*.py", "python")]
_KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2), "_says": None, "says": None}
_OPTIONS = {"templates/*.html": {"trim_blocks": "true", "lstrip_blocks": "true"}}


def messages() -> Catalog:
    """All that is said, in the order of the files."""
    found = Catalog()
    for file, _, message, _, context in extract_from_dir(
        PAGES, _METHODS, _OPTIONS, _KEYWORDS, directory_filter=lambda _: True
    ):
        found.add(message, locations=[(Path(file).name, None)], context=context)
    return found


def main() -> int:
    template, missing = messages(), 0
    for path in sorted((PAGES / "locale").glob("*.po")):
        with path.open("rb") as file:
            catalogue = read_po(file, locale=path.stem)
        catalogue.update(template, no_fuzzy_matching=True, keep_user_comments=False)
        catalogue.obsolete.clear()
        open_ = [
            each.id
            for each in catalogue
            if each.id and not all([each.string] if isinstance(each.string, str) else each.string)
        ]
        for each in open_:
            print(f"{path.name}: {each}")
        missing += len(open_)
        if "--check" not in sys.argv:
            with path.open("wb") as file:
                write_po(file, catalogue, width=120, omit_header=False, sort_output=False)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
