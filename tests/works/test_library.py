"""The library that ships: what may ship does, each text is what its digest says, and the index has all works."""

import lzma
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pluriverse.errors import IntegrityError
from pluriverse.values import Digest
from pluriverse.works import library
from pluriverse.works.library import entries, text_of
from pluriverse.works.schema import Work

ROOT = Path(__file__).parents[2]
DATA = os.environ.get("PLURIVERSE_DATA")


def test_the_index_has_all_works_and_ships_most() -> None:
    found = entries()
    assert len(found) == 107
    assert {each.work.language for each in found.values()} == {"en", "es", "fr", "ar", "zh", "sv"}
    assert all(each.work.title and each.public_domain and each.origin.commit for each in found.values())
    shipped = {name for name, each in found.items() if each.shipped}
    assert len(shipped) >= 50
    assert {"burke-reflections", "paine-rights-of-man", "udhr-zh"} <= shipped
    assert "dubois-souls-of-black-folk" not in shipped, "not free where copyright ends 70 years after death"
    assert all(found[name].life70 == "yes" for name in shipped)
    assert found["kant-groundwork"].work.edition.startswith("translated by Thomas Kingsmill Abbott, 1785")


@pytest.mark.parametrize("name", ["burke-reflections", "udhr-ar", "analects-legge"])
def test_a_shipped_text_is_what_its_digest_says(name: str) -> None:
    entry = entries()[name]
    text = text_of(entry.work)
    assert text is not None
    assert len(text) == entry.size
    assert text.decode("utf-8").strip()


def test_a_text_is_asked_for_by_digest_and_never_by_a_path() -> None:
    burke = entries()["burke-reflections"].work
    assert text_of(replace(burke, digest=Digest("sha256:" + "0" * 64))) is None
    assert text_of(entries()["quran-ar"].work) is None
    assert text_of(replace(burke, id="../texts/burke-reflections")) is None
    assert text_of(Work("mine", "Mine", burke.digest)) is None


@pytest.mark.parametrize("packed", [lzma.compress(b"another text"), b"no archive", b""])
def test_an_installed_text_that_was_changed_is_not_used(
    packed: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    burke = entries()["burke-reflections"].work
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "burke-reflections.txt.xz").write_bytes(packed)
    monkeypatch.setattr(library, "files", lambda _: tmp_path)
    with pytest.raises(IntegrityError, match="burke-reflections"):
        text_of(burke)


def test_the_library_stays_small() -> None:
    texts = ROOT / "src/pluriverse/works/library/texts"
    assert sum(path.stat().st_size for path in texts.glob("*.xz")) <= 4_000_000


@pytest.mark.skipif(not DATA or not (Path(DATA) / "works/works.toml").is_file(), reason="needs PLURIVERSE_DATA")
def test_the_library_is_what_the_tool_makes_of_the_folder() -> None:
    command: list[Any] = [sys.executable, ROOT / "tools/library.py", Path(str(DATA)) / "works", "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
