"""Who answers, named by all that decides what is answered: weights, template, definition, sampler, guidance, library.

Knows workspaces and voices; no items, runs or figures.
"""

import hashlib
from dataclasses import asdict, replace

from ...assistant import Assistant
from ...engines.local.layouts import WHEEL
from ...engines.local.libraries import Kept
from ...runtime.requests import AskOptions
from ...runtime.workspace import Workspace
from ...store.gguf import read_header
from ...values import Digest, Sampling
from ..schema.responses import Respondent
from .asking import Participant
from .record import key_of
from .session import AssistantSession

_OF_ITEMS = {"temperature", "max_tokens", "seed", "stop", "grammar"}
# Settings that older records do not name: left out as long as they are as they always were, so that keys stay.
_ADDED = {name: getattr(Sampling(), name) for name in ("think", "thinking_tokens")}


async def participant_of(workspace: Workspace, assistant: Assistant, base: str | None, seed: int) -> Participant:
    """The assistant on its engine, under its name in rows. Another `base` replaces the assistant's."""
    voice = await AssistantSession.of(workspace, assistant, base)
    return Participant(voice, _respondent(workspace, voice), seed)


def _respondent(workspace: Workspace, voice: AssistantSession) -> Respondent:
    assistant = voice.assistant
    opposite, sampling = voice.asked(AskOptions(temperature=0))
    path = voice.place.path
    template = read_header(path).metadata.get("tokenizer.chat_template") if path else None
    library = Kept(workspace.settings.home).used()
    engine = "scripted" if path is None else f"{library.source} {library.key}" if library else WHEEL.name
    guidance = {"against": opposite.against, "strength": opposite.strength} if opposite else None
    # Temperature, length, seed and stop are the item's; every other setting is the assistant's or the default.
    sampler = {name: value for name, value in asdict(sampling).items() if name not in _OF_ITEMS}
    sampler = {name: value for name, value in sampler.items() if name not in _ADDED or value != _ADDED[name]}
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
