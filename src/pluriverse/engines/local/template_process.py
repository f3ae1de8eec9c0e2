"""The process in which a model's chat template is read and filled: `python -I -S template_process.py FOLDER`.

A template comes with weights that a stranger made. Whatever it does, it does here and not in the engine: it may take
SECONDS of processor time a job and MEMORY bytes, opens no file, and ends when the engine's process does.

    in   {"template": source}                                        -> {} or {"error", "why"}
         {"values": {...}, "now": seconds since 1970}                    -> {"text"} or {"error", "why"}

One JSON document a line, in ASCII. Knows Jinja as transformers 5.24 sets it up (its utils/chat_template_utils.py).
Does not know messages, tokens or models. It is started by its path and imports nothing of pluriverse, so that it needs
only Jinja, which lies in FOLDER, and starts while the engine loads its weights.
"""

import contextlib
import datetime
import json
import signal
import sys
from typing import Any, NoReturn

SECONDS = 2.0
MEMORY = 512 * 1024**2
LONGEST = 16 * 1024**2  # characters of a prompt
# What Python and Jinja read from files at their first use is read before none can be opened any more.
WARM: tuple[dict[str, Any], ...] = (
    {"template": "{% for m in messages %}{{ '\\n' + m | tojson }}{{ strftime_now('%d %b %Y') }}{% endfor %}{{ x.y }}"},
    {"values": {"messages": ["é"]}, "now": 0.0},
)
_WORDS = 200  # characters of an error that are passed on


def die_with_parent() -> None:
    """Where the system can: end this process when the thread that started it ends, whatever this one is doing."""
    if sys.platform == "linux":
        import ctypes

        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def _limit() -> None:
    """No more memory than MEMORY, no core, no file that is not open yet; what the system lacks is left out."""
    if sys.platform != "win32":
        import resource

        signal.signal(signal.SIGPROF, signal.SIG_DFL)
        for kind, most in ((resource.RLIMIT_AS, MEMORY), (resource.RLIMIT_CORE, 0), (resource.RLIMIT_NOFILE, 3)):
            with contextlib.suppress(ValueError, OSError):
                resource.setrlimit(kind, (most, most))


def clock(seconds: float) -> None:
    """End this process after so much processor time, also in the middle of one long operation; 0: take that back."""
    if sys.platform != "win32":
        signal.setitimer(signal.ITIMER_PROF, seconds)


class _Templates:
    """One environment and the template that was read last."""

    def __init__(self) -> None:
        # The first three and `debug` are otherwise imported at their first use, when no file can be opened any more.
        import pprint  # noqa: F401
        import textwrap  # noqa: F401
        import unicodedata  # noqa: F401

        import jinja2
        import jinja2.debug
        from jinja2 import nodes
        from jinja2.exceptions import SecurityError
        from jinja2.ext import Extension
        from jinja2.sandbox import ImmutableSandboxedEnvironment

        class Generation(Extension):
            """`{% generation %}` marks what the model said, for training; here it only shows it."""

            tags = {"generation"}  # noqa: RUF012 (Jinja declares it so)

            def parse(self, parser: Any) -> nodes.Node:
                line = next(parser.stream).lineno
                body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
                return nodes.CallBlock(self.call_method("_said"), [], [], body).set_lineno(line)

            def _said(self, caller: Any) -> Any:
                return caller()

        class Namespace(jinja2.utils.Namespace):
            """Without names that begin with an underscore, which could be of Python's own."""

            def __init__(self, *given: Any, **more: Any) -> None:
                named = dict(*given, **more)
                for name in named:
                    allow(name)
                super().__init__(named)

            def __setitem__(self, name: str, value: Any) -> None:
                allow(name)
                super().__setitem__(name, value)

        def allow(name: Any) -> None:
            if isinstance(name, str) and name.startswith("_"):
                raise SecurityError(f"a namespace cannot hold the name {name}")

        def refuse(message: Any) -> NoReturn:
            raise jinja2.TemplateError(str(message))

        # Not optimised: whatever can be computed is computed when it is needed, on the clock of that job.
        self._environment = ImmutableSandboxedEnvironment(
            trim_blocks=True, lstrip_blocks=True, optimized=False, extensions=[Generation, "jinja2.ext.loopcontrols"]
        )
        self._environment.filters["tojson"] = _tojson
        self._environment.globals["namespace"] = Namespace
        self._environment.globals["raise_exception"] = refuse
        self._environment.globals["strftime_now"] = self._strftime
        self._meant = jinja2.TemplateError
        self._template: Any = None
        self._now = 0.0

    def answer(self, job: dict[str, Any]) -> dict[str, Any]:
        try:
            if "template" in job:
                self._template = self._environment.from_string(job["template"])
                return {}
            self._now = job["now"]
            text = self._template.render(job["values"])
            if len(text) > LONGEST:
                return {"error": f"it makes a prompt of {len(text):,} characters", "why": "long"}
            return {"text": text}
        except MemoryError:
            return {"error": f"it takes more than {MEMORY // 1024**2} MB of memory", "why": "memory"}
        except self._meant as error:
            return {"error": _words(error) or type(error).__name__, "why": "refused"}
        except Exception as error:
            return {"error": f"{type(error).__name__}: {_words(error)}".rstrip(": "), "why": "failed"}

    def _strftime(self, pattern: str) -> str:
        return datetime.datetime.fromtimestamp(self._now).strftime(pattern)


def _words(error: Exception) -> str:
    """What an error says, in one printable line."""
    said = " ".join("".join(c if c.isprintable() or c.isspace() else "?" for c in str(error)).split())
    return said if len(said) <= _WORDS else said[:_WORDS] + " ..."


def _tojson(
    value: Any, ensure_ascii: bool = False, indent: Any = None, separators: Any = None, sort_keys: bool = False
) -> str:
    """Jinja's own filter writes `<`, `>`, `&` and `'` as escapes for HTML; models were not taught on those."""
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


def main() -> None:
    die_with_parent()
    sys.path.append(sys.argv[1])
    templates = _Templates()
    for job in WARM:
        templates.answer(job)
    _limit()
    for line in sys.stdin.buffer:
        clock(SECONDS)
        try:
            answer = json.dumps(templates.answer(json.loads(line)))
        except MemoryError:
            answer = json.dumps({"error": f"it takes more than {MEMORY // 1024**2} MB of memory", "why": "memory"})
        clock(0)
        sys.stdout.write(answer + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
