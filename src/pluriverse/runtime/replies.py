"""One assistant's answer, and the answers of all that were asked together.

Values only: knows nothing of engines, disks or terminals. A `Reply` carries what is needed to get it again: the digest
of the weights, the digest of the assistant's definition, the sampling settings and the seed that was used.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, overload

from ..assistant import Opposite
from ..engines.contract import FinishReason
from ..errors import NotFoundError, PluriverseError
from ..values import Digest, Picture, Sampling
from ..works.schema import Citation
from .citing import Cited, numbered
from .grounds import source


@dataclass(frozen=True, slots=True)
class Reply:
    """What one assistant said, and how it came about.

    Seconds count from the moment of asking, fetching and loading included. A reply that was cut short ("cancelled") or
    went wrong ("error") keeps the text it had; what was never counted is None.
    `thinking` is what it wrote for itself before it answered, None where it did not; it is no part of `text`. Where it
    ended before its thinking did, `unfinished` says so, and there is no answer.
    """

    assistant: str
    base: str
    digest: Digest | None  # of the weights; None where the engine cannot know or nothing was loaded
    definition: Digest  # of the assistant as it was asked
    text: str
    finish_reason: FinishReason
    prompt_tokens: int | None
    completion_tokens: int | None
    first_token_s: float | None
    total_s: float
    seed: int | None
    sampling: Sampling
    error: PluriverseError | None = None
    guidance: Opposite | None = None  # whom it was decoded against; None: it spoke for itself
    thinking: str | None = None
    unfinished: bool = False
    adapter: Digest | None = None  # that was applied to the weights
    cited: Cited | None = None  # where it stands in the assistant's works; None: it has none

    @property
    def citations(self) -> tuple[Citation, ...]:
        """The passages that it answers from, with what it quotes of each."""
        return self.cited.citations if self.cited else ()

    @property
    def numbered(self) -> str:
        """The text, behind each quotation the number of its passage."""
        return self.text if self.declined else numbered(self.text, [each.passage.text for each in self.citations])

    @property
    def sources(self) -> tuple[str, ...]:
        """A line for each passage that is quoted: its number, work and place."""
        return tuple(f"[{each.n}] {source(each.passage)}" for each in self.citations if each.quotes)

    @property
    def declined(self) -> bool:
        """Whether it says that the assistant's works do not speak of the question."""
        return self.cited is not None and self.cited.declined

    @property
    def answered(self) -> bool:
        """Whether there is something to show: text, however little, or a whole reply that is empty."""
        return bool(self.text.strip()) or self.finish_reason not in {"error", "cancelled"}

    def as_dict(self) -> dict[str, Any]:
        """The contract's JSON form, with `guidance`, `definition`, `seed`, `sampling`, `unfinished` and, where there
        are some, `adapter`, what `cited` holds, and `error` added."""
        sampling = asdict(self.sampling)
        del sampling["seed"]
        document: dict[str, Any] = {
            "assistant": self.assistant,
            "base": self.base,
            "digest": self.digest,
            "text": self.text,
            "finish_reason": self.finish_reason,
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            "first_token_s": _rounded(self.first_token_s),
            "total_s": _rounded(self.total_s),
            "thinking": self.thinking,
            "unfinished": self.unfinished,
            "seed": self.seed,
            "definition": self.definition,
            "guidance": None if self.guidance is None else self.guidance.as_dict(),
            "sampling": sampling,
        }
        if self.adapter is not None:
            document["adapter"] = self.adapter
        if self.cited is not None:
            document |= self.cited.as_dict()
        if self.error is not None:
            document["error"] = self.error.as_dict()
        return document

    def __str__(self) -> str:
        return self.text

    def _repr_markdown_(self) -> str:
        """How a notebook shows it."""
        note = (
            "*(ended before its thinking did: no answer)*"
            if self.unfinished
            else {
                "length": "*(cut: the token limit was reached)*",
                "context": "*(cut: the conversation is full)*",
                "cancelled": "*(stopped)*",
                "error": f"*(error: {self.error.message if self.error else 'unknown'})*",
            }.get(self.finish_reason)
        )
        beyond = "beyond its works" if self.cited and self.cited.beyond else ""
        how = ", ".join(filter(None, (self.guidance.words if self.guidance else "", beyond)))
        sources = "  \n".join(self.sources)
        return "\n\n".join(
            part
            for part in (f"**{self.assistant}**{how and f' ({how})'}", self.numbered.strip(), sources, note)
            if part
        )


class Replies(Sequence[Reply]):
    """All replies to one question, in the order in which the assistants were named; also found by name."""

    def __init__(
        self, question: str, replies: Sequence[Reply], total_s: float, pictures: Sequence[Picture] = ()
    ) -> None:
        self.question = question
        self.pictures = tuple(pictures)  # that were asked about
        self.total_s = total_s  # from the moment of asking to the end of the last reply
        self._replies = tuple(replies)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(reply.assistant for reply in self._replies)

    @property
    def answered(self) -> bool:
        """Whether anybody answered."""
        return any(reply.answered for reply in self._replies)

    @property
    def failure(self) -> PluriverseError | None:
        """The error that leaves nothing to show: every reply failed before its first word. None otherwise."""
        errors = [reply.error for reply in self._replies if reply.error is not None and not reply.text]
        if not errors or len(errors) < len(self._replies):
            return None
        first = errors[0]
        if all((error.kind, error.message) == (first.kind, first.message) for error in errors):
            return first
        each = "; ".join(f"{name}: {error.message}" for name, error in zip(self.names, errors, strict=True))
        return PluriverseError(f"none of the assistants could answer ({each})", first.hint)

    def as_dict(self) -> dict[str, Any]:
        """The contract's JSON document of `ask`; `images` where pictures were asked about."""
        images = {"images": [each.as_dict() for each in self.pictures]} if self.pictures else {}
        return {
            "question": self.question,
            **images,
            "replies": [reply.as_dict() for reply in self._replies],
            "total_s": _rounded(self.total_s),
        }

    @overload
    def __getitem__(self, key: int | str) -> Reply: ...
    @overload
    def __getitem__(self, key: slice) -> tuple[Reply, ...]: ...
    def __getitem__(self, key: int | str | slice) -> Reply | tuple[Reply, ...]:
        """A reply by place or by assistant's name; NotFoundError for a name that was not asked."""
        if not isinstance(key, str):
            return self._replies[key]
        for reply in self._replies:
            if reply.assistant == key:
                return reply
        raise NotFoundError(f"no reply of {key!r} is here", f"those who were asked: {', '.join(self.names)}")

    def __contains__(self, key: object) -> bool:
        return key in self.names if isinstance(key, str) else key in self._replies

    def __iter__(self) -> Iterator[Reply]:
        return iter(self._replies)

    def __len__(self) -> int:
        return len(self._replies)

    def __str__(self) -> str:
        return "\n\n".join(f"{reply.assistant}\n{_indented(reply)}" for reply in self._replies)

    def __repr__(self) -> str:
        return f"<Replies to {self.question!r}: {', '.join(self.names)}>"

    def _repr_markdown_(self) -> str:
        """How a notebook shows them."""
        return "\n\n---\n\n".join(reply._repr_markdown_() for reply in self._replies)


def _indented(reply: Reply) -> str:
    nothing = "(no answer: it ended before its thinking did)" if reply.unfinished else "(no answer)"
    text = "\n".join((reply.numbered.strip(), *reply.sources)) or (
        f"({reply.error.message})" if reply.error else nothing
    )
    return "\n".join(f"  {line}" if line else "" for line in text.splitlines())


def _rounded(seconds: float | None) -> float | None:
    """To the microsecond: what follows is noise of the clock."""
    return None if seconds is None else round(seconds, 6)
