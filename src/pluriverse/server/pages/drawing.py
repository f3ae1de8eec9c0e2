"""The answers of one round while they are being given, as server-sent events that a page draws.

    begin   the round with empty places      say     new words of one answer
    body    all of an answer so far, once it holds a quotation      answer  one that has ended
    note    what is being waited for         end     what stands below the round, and the page's address

Knows events and templates. HTML comes from templates, which escape; words of models go as text.
"""

from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing

from fastapi import Request

from ...chats.chat import Turn
from ...errors import PluriverseError
from ...report.markup import cleaned
from ...runtime.citing import as_dict
from ...runtime.events import (
    AskEvent,
    Fetching,
    Loading,
    ReplyChunk,
    ReplyFinished,
    ReplyQuoted,
    ReplyThought,
    ReplyWaits,
    Studying,
)
from ...store.events import Progress
from ..streaming import event
from .rendering import fragment, says
from .showing import LETTERS, Answer, Round, Showing, pieces


class Drawing:
    """Draws one round. `places`: of each one that is asked, its place among the round's answers."""

    def __init__(self, request: Request, showing: Showing, drawn: Round, places: Sequence[int], blind: bool) -> None:
        self._request, self._showing, self._round, self._blind = request, showing, drawn, blind
        self._places = places
        self._texts = dict.fromkeys(range(len(places)), "")
        self._citations: dict[int, list[dict[str, object]]] = {}
        self._says = says(request)
        self._noted = ""

    def begun(self, key: str) -> str:
        """The first frame."""
        html = fragment(
            self._request, "round.html", round=self._round, going=True, key=key, blind=self._blind, voices=()
        )
        return event({"html": html, "id": f"r{self._round.number}", "fresh": self._round.number == 0}, "begin")

    async def drawn(self, events: AsyncGenerator[AskEvent, None]) -> AsyncGenerator[str, None]:
        """The frames of the answers."""
        async with aclosing(events):
            async for each in events:
                for frame in self._frames(each):
                    yield frame

    def _frames(self, happened: AskEvent) -> Iterator[str]:
        match happened:
            case Fetching(base=base, event=Progress(done=done, total=total)):
                yield from self._note(
                    self._says("Fetching %(model)s: %(share)s"), model=base, share=_share(done, total)
                )
            case Studying(work=work, done=done, total=total):
                yield from self._note(
                    self._says("Reading %(work)s: %(share)s"), work=work.title, share=_share(done, total)
                )
            case Loading(base=base):
                yield from self._note(self._says("Making %(model)s ready"), model=base)
            case ReplyWaits():
                yield from self._note(self._says("Waiting for other work on this machine"))
            case ReplyThought(index=index):
                yield from self._note(
                    self._says("%(voice)s thinks before it answers"), voice=self._called(self._answer(index))
                )
            case ReplyQuoted(index=index, text=text, citations=citations):
                self._citations[index] = [as_dict(each) for each in citations]
                yield self._body(index, text)
            case ReplyChunk(index=index, text=text):
                yield self._said(index, text)
            case ReplyFinished(index=index, reply=reply):
                place = self._places[index]
                record = reply.as_dict()
                turn = Turn(reply.assistant, reply.text, reply.finish_reason, record)
                answer = self._showing.answer(self._round.number, place, turn, self._round.question)
                yield self._ended(answer)

    def _note(self, words: str, **facts: str) -> Iterator[str]:
        words = words % facts
        if words != self._noted:
            self._noted = words
            yield event({"text": cleaned(words)}, "note")

    def _said(self, index: int, text: str) -> str:
        before = self._texts[index]
        if self._citations.get(index) and any(mark in before[-200:] + text for mark in '“”«»„「」"'):
            return self._body(index, text)
        self._texts[index] += text
        return event({"id": self._answer(index).id, "text": cleaned(text)}, "say")

    def _body(self, index: int, text: str) -> str:
        self._texts[index] += text
        cut = pieces(self._texts[index], self._citations[index])
        answer = Answer(self._answer(index).id, 0, "", "", pieces=cut)
        html = fragment(self._request, "said.html", answer=answer, blind=self._blind)
        preview = fragment(self._request, "preview.html", answer=answer, blind=self._blind)
        return event({"id": answer.id, "html": html, "preview": preview}, "body")

    def _ended(self, answer: Answer) -> str:
        html = fragment(
            self._request, "answer.html", answer=answer, folds=self._round.folds, going=False, blind=self._blind,
            key="", voices=(), open=False,
        )  # fmt: skip
        told = self._says("%(voice)s has answered") if not answer.error else self._says("%(voice)s could not answer")
        return event({"id": answer.id, "html": html, "told": told % {"voice": self._called(answer)}}, "answer")

    def _called(self, answer: Answer) -> str:
        if self._blind:
            return self._says("Voice %(letter)s") % {"letter": LETTERS[answer.place % len(LETTERS)]}
        return cleaned(answer.title)

    def _answer(self, index: int) -> Answer:
        return self._round.answers[self._places[index]]


def trouble(request: Request, error: PluriverseError) -> str:
    """The last frame where something went wrong."""
    words = fragment(request, "trouble.html", error=error)
    return event({"html": words, "url": request.url.path, "told": cleaned(error.message)}, "end")


def _share(done: int, total: int | None) -> str:
    return f"{100 * done // total} %" if total else f"{done:,}"
