"""One engine per base; idle ones make room; busy ones never do."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pluriverse.assistant.bases import Base
from pluriverse.engines.contract import Request
from pluriverse.engines.pool import EnginePool, PooledEngine
from pluriverse.engines.scripted import ScriptedEngine
from pluriverse.errors import EngineError
from pluriverse.settings import Settings
from pluriverse.values import Message


class Heavy(ScriptedEngine):
    """A scripted engine that claims to hold memory, and remembers whether it was closed."""

    closed = False
    refuses = False

    @property
    def memory(self) -> int:
        return 100

    async def start(self) -> None:
        if self.refuses:
            raise EngineError("no")
        await asyncio.sleep(0)

    async def aclose(self) -> None:
        self.closed = True
        await super().aclose()


@pytest.fixture
def pool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> EnginePool:
    monkeypatch.setattr(EnginePool, "_create", lambda self, base: Heavy(base.name))
    return EnginePool(Settings(home=tmp_path, memory=250))


def base(tmp_path: Path, name: str) -> Base:
    path = tmp_path / name
    path.write_bytes(b"x" * 80)  # expected to need 100
    return (
        Base(f"scripted:{'plain'}", None, path, "scripted")
        if not name
        else replace(Base("scripted", None, path, "scripted"), name=f"scripted:{name}")
    )


@pytest.fixture(autouse=True)
def _scripts(monkeypatch: pytest.MonkeyPatch) -> None:
    from pluriverse.engines.script import Script

    monkeypatch.setattr(
        Script, "load", classmethod(lambda cls, name: cls.parse("pace = 0.01\n[[rule]]\nreplies=['a b c']"))
    )


def inner(engine: Any) -> Heavy:
    assert isinstance(engine, PooledEngine) and isinstance(engine.inner, Heavy)
    return engine.inner


def test_one_engine_per_base_even_when_asked_at_once(pool: EnginePool, tmp_path: Path) -> None:
    async def work() -> None:
        first, second = await asyncio.gather(*(pool.engine(base(tmp_path, "a")) for _ in range(2)))
        assert first is second

    asyncio.run(work())


def test_the_least_recently_used_idle_engine_makes_room(pool: EnginePool, tmp_path: Path) -> None:
    async def work() -> None:
        a, b = [inner(await pool.engine(base(tmp_path, name))) for name in "ab"]
        await pool.engine(base(tmp_path, "a"))
        await pool.engine(base(tmp_path, "c"))
        assert (a.closed, b.closed) == (False, True)
        await pool.aclose()
        assert a.closed

    asyncio.run(work())


def test_a_busy_engine_stays(pool: EnginePool, tmp_path: Path) -> None:
    async def work() -> None:
        a = await pool.engine(base(tmp_path, "a"))
        stream = a.generate([Request((Message("user", "x"),))])
        await anext(stream)
        for name in "bcd":
            await pool.engine(base(tmp_path, name))
        assert not inner(a).closed
        await stream.aclose()  # type: ignore[attr-defined]
        await pool.engine(base(tmp_path, "e"))
        await pool.engine(base(tmp_path, "f"))
        assert inner(a).closed
        await pool.aclose()

    asyncio.run(work())


def test_an_engine_that_does_not_start_is_forgotten(
    pool: EnginePool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work() -> None:
        monkeypatch.setattr(Heavy, "refuses", True)
        with pytest.raises(EngineError):
            await pool.engine(base(tmp_path, "a"))
        monkeypatch.setattr(Heavy, "refuses", False)
        await pool.engine(base(tmp_path, "a"))

    asyncio.run(work())
