"""One signature, several callables: what is made of an async method, with its words and its parameters.

Knows methods and loops; nothing of what they do.
"""

from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from functools import wraps
from inspect import signature
from types import MethodType
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar

from .loop import LoopThread

A = TypeVar("A")
P = ParamSpec("P")
T = TypeVar("T")


class Twin(Generic[A]):
    """The synchronous side of an async object: `waited`, `iterated` and `passed` make its methods."""

    def __init__(self, twin: A, loop: LoopThread) -> None:
        self._twin = twin
        self._loop = loop


def waited(
    method: Callable[Concatenate[A, P], Coroutine[Any, Any, T]],
) -> Callable[Concatenate[Twin[A], P], T]:
    """The method without `await`."""

    @wraps(method)
    def call(self: Twin[A], /, *args: P.args, **kwargs: P.kwargs) -> T:
        return self._loop.run(method(self._twin, *args, **kwargs))

    return call


def iterated(
    method: Callable[Concatenate[A, P], AsyncIterator[T]],
) -> Callable[Concatenate[Twin[A], P], Iterator[T]]:
    """The method with `for` in place of `async for`. Leaving the loop half way closes the stream."""

    @wraps(method)
    def call(self: Twin[A], /, *args: P.args, **kwargs: P.kwargs) -> Iterator[T]:
        return self._loop.iterate(method(self._twin, *args, **kwargs))

    _show(call, signature(method).replace(return_annotation=Iterator))
    return call


def passed(method: Callable[Concatenate[A, P], T]) -> Callable[Concatenate[Twin[A], P], T]:
    """A method that is not async, as it is."""

    @wraps(method)
    def call(self: Twin[A], /, *args: P.args, **kwargs: P.kwargs) -> T:
        return method(self._twin, *args, **kwargs)

    return call


def function_of(method: Callable[..., Any]) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Decorates a function that calls `method` of an object of its own: its words and parameters, without `self`."""

    def made(function: Callable[P, T]) -> Callable[P, T]:
        function.__name__ = function.__qualname__ = method.__name__
        function.__doc__ = method.__doc__
        _show(function, signature(MethodType(method, object())))
        return function

    return made


def _show(function: Callable[..., Any], parameters: Any) -> None:
    vars(function)["__signature__"] = parameters  # what `help` and notebooks show
