"""Rows go into a table and come back as they were."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pluriverse.errors import IntegrityError, NotFoundError, PluriverseError
from pluriverse.measure.exchange import parquet
from pluriverse.measure.schema.responses import Response

from .rows import recorded


def test_rows_and_respondents_come_back(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    run = recorded()
    path = parquet.write(run.responses, run.respondents, tmp_path / "new" / "rows.parquet")
    rows, respondents = parquet.read(path)
    assert rows == list(run.responses)
    assert respondents == {key: replace(who, sampler=dict(who.sampler)) for key, who in run.respondents.items()}
    assert [each.name for each in path.parent.iterdir()] == ["rows.parquet"]


def test_the_table_is_flat_and_has_the_respondent_beside_each_row(tmp_path: Path) -> None:
    table = pytest.importorskip("pyarrow.parquet")
    run = recorded()
    found = table.read_table(parquet.write(run.responses, run.respondents, tmp_path / "rows.parquet"))
    assert {"assistant", "item", "logprobs", "weights", "template", "system", "engine"} <= set(found.column_names)
    assert found.num_rows == 10 and set(found["base"].to_pylist()) == {"smollm2-135m-instruct"}
    assert (
        str(found.schema.field("logprobs").type).startswith("list<") and str(found.schema.field("seed").type) == "int64"
    )


def test_no_rows_are_a_table_too(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    assert parquet.read(parquet.write([], {}, tmp_path / "none.parquet")) == ([], {})


def test_what_is_not_such_a_table_is_said(tmp_path: Path) -> None:
    arrow, table = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    with pytest.raises(NotFoundError):
        parquet.read(tmp_path / "away.parquet")
    (tmp_path / "text").write_text("no table")
    with pytest.raises(IntegrityError, match="no Parquet"):
        parquet.read(tmp_path / "text")
    table.write_table(arrow.table({"a": [1]}), tmp_path / "other")
    with pytest.raises(IntegrityError, match="not of pluriverse"):
        parquet.read(tmp_path / "other")


def test_rows_of_nobody_are_said(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    with pytest.raises(IntegrityError, match="does not describe"):
        parquet.write(recorded().responses, {}, tmp_path / "rows.parquet")


def test_without_pyarrow_the_next_step_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == "pyarrow"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [_Without(), *sys.meta_path])
    with pytest.raises(PluriverseError, match="needs pyarrow") as raised:
        parquet.write([Response("k", "a", "i", "1", "x", "", 0, "en", 0)], {}, tmp_path / "rows.parquet")
    assert raised.value.hint == "pip install 'pluriverse[parquet]'"


class _Without:
    def find_spec(self, name: str, *_: Any) -> None:
        if name.split(".")[0] == "pyarrow":
            raise ImportError(name)
