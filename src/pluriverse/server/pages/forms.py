"""What the forms of a conversation say: the question, who is asked, and how. Knows forms, not who answers them."""

from dataclasses import dataclass

from fastapi import Request
from starlette.datastructures import FormData

from ...assistant import Assistant
from ...errors import NotFoundError, UsageError
from ...runtime.requests import AskOptions
from ...runtime.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Said:
    """What a form says."""

    text: str
    voices: list[Assistant]
    options: AskOptions
    keep: bool
    blind: bool
    out: str  # who leaves the panel

    @classmethod
    async def by(cls, request: Request, workspace: Workspace, *, asks: bool = True) -> "Said":
        """Read a request's form. UsageError for what does not fit, and where it `asks`, for an empty question;
        NotFoundError for a voice or a panel that is not there."""
        form = await form_of(request)
        said = _said(form, workspace)
        if asks and not said.text.strip():
            raise UsageError("the question is empty", "write one into the box")
        return said


async def form_of(request: Request) -> FormData:
    """What a form says, as text. UsageError for what is none: files, and letters that are no Unicode."""
    try:
        form = await request.form()
        for name, text in form.multi_items():
            if not isinstance(text, str):
                raise UsageError("the form holds a file", "send text")
            (name + text).encode()
    except UnicodeError as error:  # a request may name any codec, also those that lone surrogates come from
        raise UsageError("the form holds letters that cannot be read", "send it in UTF-8") from error
    return form


def _said(form: FormData, workspace: Workspace) -> Said:
    names = list(dict.fromkeys(str(each) for each in form.getlist("voice") if each))
    panel = str(form.get("panel") or "") or None
    voices = workspace.choose(names) if names else workspace.choose(panel=panel)
    if not voices:
        raise NotFoundError("nobody is asked", "choose a panel or tick some voices")
    options = AskOptions(
        max_tokens=_whole(form, "max_tokens", 1, 100_000),
        temperature=_number(form, "temperature"),
        seed=_whole(form, "seed", 0, 2**32 - 1),
        guidance=_number(form, "guidance"),
    )
    return Said(
        text=str(form.get("text") or ""),
        voices=voices,
        options=options,
        keep=not form.get("forget"),
        blind=bool(form.get("blind")),
        out=str(form.get("out") or ""),
    )


def _whole(form: FormData, name: str, least: int, most: int) -> int | None:
    given = str(form.get(name) or "").strip()
    if not given:
        return None
    if not (given.isascii() and given.isdecimal() and len(given) < 12 and least <= int(given) <= most):
        raise UsageError(f"{name} is a whole number from {least:,} to {most:,}", "write one, or leave it empty")
    return int(given)


def _number(form: FormData, name: str) -> float | None:
    given = str(form.get(name) or "").strip().replace(",", ".")
    if not given:
        return None
    try:
        return float(given)
    except ValueError:
        raise UsageError(f"{name} is a number", "write one, or leave it empty") from None
