"""pluriverse: ask many open AI assistants side by side, on your own machine.

    import pluriverse

    replies = pluriverse.ask("What is a fair tax?")
    print(replies)

Nothing is imported before it is used, so this import costs next to nothing. The public names stand in `__init__.pyi`,
which type checkers read too; the same verbs for async code are in `pluriverse.aio`.
"""

__version__ = "0.1.0"

_home_of: dict[str, str] = {}  # of each public name: the module that it is imported from


def _public() -> dict[str, str]:
    """`_home_of`, read when a name is asked for: every import of the stub is a line `from HOME import NAME as NAME`."""
    if not _home_of:
        stub = __loader__.get_data(__file__.rpartition(".")[0] + ".pyi").decode()
        lines = [line.split() for line in stub.splitlines() if line.startswith("from ")]
        _home_of.update({name: home for _, home, _, name, *_ in lines})
    return _home_of


def __getattr__(name: str) -> object:
    """Import a public name when it is first used (PEP 562)."""
    from importlib import import_module

    if name == "__all__":
        return __dir__()
    if name not in _public():
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = _home_of[name]
    value = import_module(f".{name}", __name__) if home == "." else getattr(import_module(home, __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*_public(), "__version__"])
