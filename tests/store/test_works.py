"""Works in a store: known with their first part, found where any store has them, forgotten when nobody uses them."""

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from pluriverse.errors import IntegrityError
from pluriverse.settings import Settings
from pluriverse.store import Store, works
from pluriverse.store.layout import Layout
from pluriverse.values import Digest, Work

from .conftest import gguf


def layout(path: Path) -> Layout:
    return Store.at(Settings(home=path)).home


def work(text: bytes = b"All is one.", title: str = "On unity") -> Work:
    return Work("on-unity", title, Digest("sha256:" + hashlib.sha256(text).hexdigest()))


def test_parts_come_one_by_one_and_the_first_description_stays(tmp_path: Path) -> None:
    here, one = layout(tmp_path), work()
    path = tmp_path / "unity.txt"
    path.write_bytes(b"All is one.")
    origin = works.origin_of(path)
    works.add(here, one, {"text": b"All is one."}, origin)
    again = works.add(here, replace(one, title="Another"), {"words": b"index"})
    assert again.work == one and again.origin == origin and set(again.parts) == {"text", "words"}
    found = works.find([here], {one.digest})[one.digest]
    assert found.work == one and found.origin == origin
    text = found.path("text")
    assert text and works.checked(text, found.parts["text"][0]) == b"All is one."
    assert found.path("vectors") is None
    text.unlink()
    assert found.path("text") is None


def test_what_any_store_has_is_found(tmp_path: Path) -> None:
    first, second, one = layout(tmp_path / "1"), layout(tmp_path / "2"), work()
    works.add(first, one, {"text": b"All is one."})
    works.add(second, replace(one, title="Another"), {"text": b"All is one.", "words": b"index"})
    found = works.find([first, second], {one.digest})[one.digest]
    assert found.work.title == "On unity" and set(found.parts) == {"text", "words"} and found.path("words")
    assert found.origin is None and works.find([first, second], {work(b"x").digest}) == {}


def test_a_work_that_is_not_as_it_says_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(works, "_known", {})
    here, one, other = layout(tmp_path), work(), work(b"x")
    for each in (one, other):
        works.add(here, each, {"text": b"y"})
    entry = next(each for each in here.index() if one.digest in each["annotations"].values())
    here.blob(Digest(entry["digest"])).unlink()
    works._known.clear()
    monkeypatch.setattr(works, "_MOST_KNOWN", 0)  # no more is remembered
    assert set(works.find([here], {one.digest, other.digest})) == {other.digest}


def test_a_changed_part_is_told(tmp_path: Path) -> None:
    here, one = layout(tmp_path), work()
    stored = works.add(here, one, {"text": b"All is one."})
    path = stored.path("text")
    assert path
    path.chmod(0o600)
    path.write_bytes(b"All is two.")
    with pytest.raises(IntegrityError, match="has been changed") as error:
        works.checked(path, stored.parts["text"][0])
    assert error.value.hint == "pluriverse verify"


def test_what_nobody_uses_is_forgotten_but_not_while_somebody_adds(tmp_path: Path) -> None:
    here, one, other = layout(tmp_path), work(), work(b"x")
    for each in (one, other):
        works.add(here, each, {"text": b"y"})
    with works.holding(here), works.holding(here):
        assert works.forget_unused(here, {one.digest}) == 0
    assert works.forget_unused(here, {one.digest}) == 1 and works.forget_unused(here, {one.digest}) == 0
    assert set(works.find([here], {one.digest, other.digest})) == {one.digest}


def test_models_beside_them_stay(tmp_path: Path) -> None:
    here = layout(tmp_path)
    works.add(here, work(), {"text": b"y"})
    before = len(here.index())
    blob = here.add_bytes(gguf(64))
    here.point("tiny", *here.add_document({"config": {"digest": blob}}), "application/x", {})
    assert works.forget_unused(here, ()) == 1 and len(here.index()) == before
