"""The binding proves itself: any other layout is refused before it can do harm."""

import ctypes
from typing import Any

import pytest

from pluriverse.engines.local import context, layouts, library
from pluriverse.engines.local.context import Context, Shape
from pluriverse.engines.local.model import Model
from pluriverse.engines.local.turns import Turns
from pluriverse.errors import EngineError


def test_the_installed_wheel_is_the_pinned_one() -> None:
    loaded = library.Library(library.find())
    assert "CPU" in loaded.system_info()


@pytest.mark.parametrize(
    ("name", "value"), [("n_ctx", 4096), ("kv_unified", True), ("type_v", 0), ("yarn_orig_ctx", 1)]
)
def test_a_moved_field_is_refused(monkeypatch: pytest.MonkeyPatch, name: str, value: object) -> None:
    monkeypatch.setitem(layouts.CONTEXT_DEFAULTS, name, value)
    with pytest.raises(EngineError, match=name):
        library.Library(library.find())


def test_a_struct_of_another_size_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(layouts.WHEEL.sizes, layouts.ContextParams, 160)
    with pytest.raises(EngineError, match="ContextParams"):
        library.Library(library.find())


def test_another_version_of_the_wheel_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layouts, "WHEEL_VERSION", "2020.1.1")
    with pytest.raises(EngineError, match=r"knows .* only") as error:
        library.find()
    assert error.value.hint and "pip install" in error.value.hint


def test_defaults_name_every_field() -> None:
    for struct, defaults in (
        (layouts.ModelParams, layouts.MODEL_DEFAULTS),
        (layouts.ContextParams, layouts.WHEEL.context_defaults),
        (layouts.NativeContextParams, layouts.NATIVE.context_defaults),
    ):
        assert {name for name, _ in struct._fields_} == set(defaults)


@pytest.mark.model
def test_a_context_that_reads_back_differently_is_refused(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    """As if n_threads lay where n_threads_batch does."""
    whole = Context._params

    def moved(self: Context) -> Any:
        params = whole(self)
        params.n_threads = 1
        return params

    monkeypatch.setattr(context.Context, "_params", moved)
    with pytest.raises(EngineError, match="layout"):
        Context(model, Shape(2, 256, 2, threads=2), Turns(None))


def test_the_abort_flag_reads_as_a_boolean() -> None:
    """strlen is the abort callback: its low byte must be 0 or 1."""
    strlen = ctypes.CFUNCTYPE(ctypes.c_bool, ctypes.c_char_p)(ctypes.cast(context._STRLEN, ctypes.c_void_p).value)
    assert [strlen(b"\0\0"), strlen(b"\1\0")] == [False, True]
