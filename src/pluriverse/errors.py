"""The one error tree.

Every failure that a user can meet is one of these. Each carries a sentence that says what happened and, where there is
one, the next thing to type. Surfaces (CLI, server) turn them into words in one place; nothing below a surface prints.

    PluriverseError          exit code 1
    ├── UsageError           2  the words of a command, or of a file the user wrote, do not fit
    ├── IntegrityError       3  bytes are not what their digest, header or signature says
    ├── NotFoundError           no such assistant, panel, model, conversation
    ├── UnreachableError        no source of a digest could be reached
    ├── NoSpaceError            the disk has no room for what was asked
    └── EngineError             an engine could not do it
        ├── EngineCrashedError      its process ended
        ├── ContextOverflowError    the prompt is longer than the model can read
        └── UnsupportedError        this engine does not offer that capability
"""

from typing import Any


class PluriverseError(Exception):
    """A failure in words. `kind` is stable and machine-readable; `hint` is the next command or step, or None."""

    kind = "error"
    exit_code = 1

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def as_dict(self) -> dict[str, Any]:
        """The contract's JSON form, without the outer `{"error": ...}`."""
        return {"kind": self.kind, "message": self.message, "hint": self.hint}


class UsageError(PluriverseError):
    kind = "usage"
    exit_code = 2


class IntegrityError(PluriverseError):
    kind = "integrity"
    exit_code = 3


class NotFoundError(PluriverseError):
    kind = "not_found"


class UnreachableError(PluriverseError):
    kind = "unreachable"


class NoSpaceError(PluriverseError):
    kind = "no_space"


class EngineError(PluriverseError):
    kind = "engine"


class EngineCrashedError(EngineError):
    kind = "engine_crashed"


class ContextOverflowError(EngineError):
    kind = "context_overflow"


class UnsupportedError(EngineError):
    kind = "unsupported"


def command(*words: str) -> str:
    """A command of ours as a hint tells it: words that a shell would take apart or read are quoted."""
    import shlex

    return shlex.join(("pluriverse", *words))


def _tree(root: type[PluriverseError]) -> dict[str, type[PluriverseError]]:
    found = {root.kind: root} if "kind" in vars(root) else {}  # a class without a kind of its own takes other words
    for child in root.__subclasses__():
        found |= _tree(child)
    return found


def from_dict(document: dict[str, Any]) -> PluriverseError:
    """Rebuild an error that crossed a process border as `as_dict()`; an unknown kind becomes the root class."""
    cls = _tree(PluriverseError).get(document.get("kind", ""), PluriverseError)
    return cls(document.get("message", "unknown error"), document.get("hint"))
