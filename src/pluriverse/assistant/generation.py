"""An assistant's generation defaults: any of the fields of `values.Sampling`, each with its type and range.

Knows the fields and how they are written; the ranges are `Sampling`'s own.
"""

from collections.abc import Mapping
from dataclasses import fields

from ..errors import UsageError
from ..values import Sampling
from .names import near

Setting = float | int | str | tuple[str, ...]

FIELDS = tuple(field.name for field in fields(Sampling))
_WHOLE = frozenset({"top_k", "repeat_last_n", "max_tokens", "thinking_tokens", "seed"})


def checked(settings: Mapping[str, object]) -> dict[str, Setting]:
    """The settings in their fields' own types and order (1 for a temperature becomes 1.0, a list a tuple).

    UsageError for a field that does not exist, a wrong type, or a value out of range.
    """
    for name in settings:
        if name not in FIELDS:
            close = near(name, FIELDS)
            meant = f"; did you mean {close}?" if close else ""
            raise UsageError(f"[generation] {name!r} is not known{meant}", f"known are: {', '.join(FIELDS)}")
    typed = {name: _typed(name, settings[name]) for name in FIELDS if name in settings}
    if not typed:
        return typed
    try:
        Sampling().changed(**typed)
    except UsageError as error:
        raise UsageError(f"[generation] {error.message}", error.hint) from error
    return typed


def _typed(name: str, value: object) -> Setting:
    if name == "stop":
        if isinstance(value, list | tuple) and all(isinstance(text, str) for text in value):
            return tuple(value)
        raise _wrong(name, "a list of texts", 'stop = ["END"]')
    if name == "grammar":
        if isinstance(value, str):
            return value
        raise _wrong(name, "a text in quotation marks", 'grammar = \'root ::= "yes" | "no"\'')
    if name == "think":
        if isinstance(value, bool):
            return value
        raise _wrong(name, "true or false", "think = false")
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _wrong(name, "a number", f"{name} = {getattr(Sampling(), name) or 1}")
    if name not in _WHOLE:
        return _as_float(name, value)
    if isinstance(value, int):
        return value
    raise _wrong(name, "a whole number", f"{name} = {getattr(Sampling(), name) or 1}")


def _as_float(name: str, value: float) -> float:
    try:
        return float(value) + 0.0  # -0.0 becomes 0.0: one value, one digest
    except OverflowError as error:
        raise UsageError(f"[generation] {name} is out of range") from error


def _wrong(name: str, kind: str, example: str) -> UsageError:
    return UsageError(f"[generation] {name} must be {kind}", f"write it like this: {example}")
