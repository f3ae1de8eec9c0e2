"""Who answers, named by all that decides what is answered: weights, template, definition, sampler, guidance, library.

Knows workspaces and voices; no items, runs or figures.
"""

import hashlib
from dataclasses import replace

from ..ask import Workspace
from ..assistants import Assistant
from ..engines.local.layouts import WHEEL
from ..engines.local.libraries import Kept
from ..store.gguf import read_header
from ..values import Digest
from .answering import Voice
from .asking_items import Asker
from .record import key_of
from .responses import Respondent


async def asker_of(workspace: Workspace, assistant: Assistant, base: str | None, seed: int) -> Asker:
    """The assistant on its engine, under its name in rows. Another `base` replaces the assistant's."""
    voice = await Voice.of(workspace, assistant, base)
    return Asker(voice, _respondent(workspace, voice), seed)


def _respondent(workspace: Workspace, voice: Voice) -> Respondent:
    assistant, opposite = voice.assistant, voice.opposite()
    path = voice.place.path
    template = read_header(path).metadata.get("tokenizer.chat_template") if path else None
    library = Kept(workspace.settings.home).used()
    engine = "scripted" if path is None else f"{library.source} {library.key}" if library else WHEEL.name
    guidance = {"against": opposite.against, "strength": opposite.strength} if opposite else None
    sampler = dict(assistant.sampling)
    known = Respondent(
        key="",
        assistant=assistant.name,
        base=voice.model,
        weights=str(voice.digest) if voice.digest else None,
        adapter=None,
        template=str(_digest(template)) if isinstance(template, str) else None,
        definition=str(assistant.digest),
        system=assistant.system,
        sampler=sampler,
        guidance=guidance,
        engine=engine,
    )
    other = opposite.system if opposite else None  # whom it is guided against decides what it says
    return replace(known, key=key_of(known=known, other=other))


def _digest(text: str) -> Digest:
    return Digest(f"sha256:{hashlib.sha256(text.encode()).hexdigest()}")
