"""Scripts of the scripted engine: TOML files of rules.

The first rule whose patterns are found in the system prompt and the question gives the reply. A rule with
`adapter = "sha256:..."` plays the base with that adapter applied: it answers requests that carry it, and adapters that
no rule names are refused.
"""

import hashlib
import re
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

from .. import files as user_files
from .. import toml
from ..errors import NotFoundError, UsageError
from ..values import Digest

_MOST_BYTES = 16 * 2**20  # of a script
_KEYS = {"pace", "context_length", "guidance", "embeds", "images", "rule"}
_RULE_KEYS = {"system", "question", "replies", "fail_after", "error", "hang", "thinks", "adapter"}


@dataclass(frozen=True, slots=True)
class Rule:
    """`replies` are alternatives; `{question}` and `{voice}` (the system prompt's first sentence) are filled in."""

    replies: tuple[str, ...]
    system: str = ""
    question: str = ""
    fail_after: int | None = None  # tokens after which the reply ends with `error`
    error: str = "engine"  # its kind
    hang: bool = False  # say nothing until cancelled
    thinks: bool = False  # play a model whose template opens thinking: the reply begins inside it
    adapter: str = ""  # digest: only for requests that carry it


@dataclass(frozen=True, slots=True)
class Script:
    rules: tuple[Rule, ...]
    pace: float = 0.0  # seconds a step takes in which every reply says one token
    context_length: int = 4096  # tokens
    guidance: bool = True  # False: play an engine that cannot guide
    embeds: bool = field(default=True, repr=False)  # False: play an engine that cannot embed; no reply depends on it
    images: bool = field(default=False, repr=False)  # True: play an engine that sees pictures; a rule knows how many

    @classmethod
    def load(cls, name: str) -> "Script":
        """A script by its name or path. NotFoundError, or UsageError where the file cannot be understood."""
        try:
            if name.endswith(".toml"):
                data = user_files.read(Path(name).expanduser(), _MOST_BYTES)
                if len(data) > _MOST_BYTES:
                    raise ValueError(f"it has more than {_MOST_BYTES // 2**20} MB")
                text = data.decode("utf-8-sig")
            else:
                text = (files(__package__) / "scripts" / f"{Path(name).name}.toml").read_text("utf-8")
            return cls.parse(text)
        except FileNotFoundError:
            raise NotFoundError(
                f"there is no script {name!r}", 'use "scripted" or "scripted:/path/of/a.toml"'
            ) from None
        except (ValueError, TypeError, re.error, OSError, RuntimeError) as error:  # the last: ~ of nobody
            raise UsageError(f"the script {name!r} cannot be read: {error}") from error

    @classmethod
    def parse(cls, text: str) -> "Script":
        document = toml.parse(text)
        _known(document, _KEYS)
        rules = []
        for given in document.get("rule", []):
            _known(given, _RULE_KEYS)
            rule = Rule(**{**given, "replies": tuple(given.get("replies", ()))})
            re.compile(rule.system), re.compile(rule.question)
            if rule.adapter:
                Digest(rule.adapter)
            rules.append(rule)
        settings = {
            key: document[key] for key in ("pace", "context_length", "guidance", "embeds", "images") if key in document
        }
        return cls(tuple(rules), **settings)

    @property
    def digest(self) -> Digest:
        """Of all that decides what it answers."""
        return Digest(f"sha256:{hashlib.sha256(repr(self).encode()).hexdigest()}")

    @property
    def adapters(self) -> set[str]:
        """Digests of those that it plays."""
        return {rule.adapter for rule in self.rules if rule.adapter}

    def rule(self, system: str, question: str, adapter: Digest | None) -> Rule:
        for rule in self.rules:
            applied = not rule.adapter or rule.adapter == adapter
            if applied and re.search(rule.system, system) and re.search(rule.question, question):
                return rule
        return Rule(("I have no line for this.",))


def _known(given: dict[str, Any], keys: set[str]) -> None:
    if unknown := sorted(set(given) - keys):
        raise UsageError(f"a script has the unknown key {unknown[0]!r}", f"known: {', '.join(sorted(keys))}")
