"""Whether a reply can be held to a grammar: tried, where that is not plain, in a process that may die of it.

The library follows a grammar in native code, where one that nests too deeply, or that can be read in too many ways,
ends the process or never comes back, and with it all replies. So a grammar that is more than a list of choices is
followed for a few tokens by `python -m pluriverse.engines.local.grammars MODEL [LIBRARY]` first, within SECONDS of
processor time: the text on stdin, what is wrong with it on stdout.

Knows GBNF texts and processes. Does not know requests.
"""

import contextlib
import re
import sys
import time
from pathlib import Path

from ... import children
from ...errors import EngineError, PluriverseError, UsageError
from ...values import Sampling
from .layouts import NATIVE
from .library import open_library
from .model import Model
from .sampling import Sampler
from .template_process import clock, die_with_parent

LONGEST = 64 * 1024  # characters
SECONDS = 2.0
PATIENCE = 60.0  # seconds on the clock, on a machine that is busy
SLOWEST = 0.5  # seconds of processor time that one token may take
STEPS = 16
MOST_STEPS = 512  # that are followed as long as they take less than FOLLOWED together
FOLLOWED = 0.5  # seconds of processor time
MEMORY = 1024**3
HINT = 'it must be GBNF with a rule named root, e.g. root ::= "yes" | "no"'
_PLAIN = re.compile(r'\s*root\s*::=(\s|\||"([^"\\]|\\.)*"|\[([^\]\\]|\\.)+\])*[?*+]?\s*')
_UNREADABLE = re.compile("[\\0\ud800-\udfff]")
_PLAIN_LONGEST = 1000  # characters


class Grammars:
    """The grammars that were tried for one model."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._tried: dict[str, UsageError | None] = {}

    def check(self, grammar: str | None) -> None:
        """Raises UsageError for a grammar that no reply can be held to."""
        if grammar is None:
            return
        if _UNREADABLE.search(grammar):
            raise UsageError("the grammar has a character that no text has", HINT)
        if len(grammar) <= _PLAIN_LONGEST and _PLAIN.fullmatch(grammar):
            return
        if grammar not in self._tried:
            self._tried[grammar] = self._try(grammar)
        if error := self._tried[grammar]:
            raise error

    def _try(self, grammar: str) -> UsageError | None:
        if len(grammar) > LONGEST:
            return UsageError(f"the grammar has {len(grammar):,} characters; at most {LONGEST:,} are read", HINT)
        library = self._model.library
        native = [str(library.path)] if library.build is NATIVE else []
        try:
            command = children.python("pluriverse.engines.local.grammars", str(self._model.path), *native)
            done = children.run(command, said=grammar, within=PATIENCE)
        except TimeoutError:
            return UsageError("the grammar takes too long to follow", HINT)
        words = done.stdout.strip()
        if done.returncode == 0 and not words:
            return None
        return UsageError(words or "the grammar takes too long to follow, or nests too deeply", HINT)


def main() -> None:
    die_with_parent()
    text = sys.stdin.buffer.read().decode()
    model = Model(open_library(Path(sys.argv[2]) if sys.argv[2:] else None), Path(sys.argv[1]), vocabulary_only=True)
    _limit()
    clock(SECONDS)
    try:
        _follow(model, text)
    except PluriverseError as error:
        print(error.message)


def _follow(model: Model, grammar: str) -> None:
    """Some tokens, by chance and always the same."""
    import numpy as np

    sampler = Sampler(model, Sampling(temperature=0.0, grammar=grammar), 0)
    chance = np.random.default_rng(0)
    start = time.process_time()
    for step in range(MOST_STEPS):
        began = time.process_time()
        if step >= STEPS and began - start > FOLLOWED:
            return
        token = sampler.choose([chance.standard_normal(model.vocabulary_size).astype(np.float32)])
        if time.process_time() - began > SLOWEST:
            raise EngineError("the grammar takes too long to follow: it can be read in too many ways")
        if model.is_end(token):
            return


def _limit() -> None:
    if sys.platform != "win32":
        import resource

        for kind, most in ((resource.RLIMIT_DATA, MEMORY), (resource.RLIMIT_CORE, 0)):
            with contextlib.suppress(ValueError, OSError):
                resource.setrlimit(kind, (most, most))


if __name__ == "__main__":
    main()
