"""Who answers, named by all that decides what is answered: weights, template, definition, sampler, guidance, library.

Knows workspaces and voices; no items, runs or figures.
"""

import hashlib
from dataclasses import asdict, replace

from ...assistant import Assistant
from ...assistant.bases import LOCAL, SCRIPTED
from ...engines.contract import Identity
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
    return Participant(voice, _respondent(voice), seed)


def _respondent(voice: AssistantSession) -> Respondent:
    assistant = voice.assistant
    opposite, sampling = voice.asked(AskOptions(temperature=0))
    path = voice.place.path
    template = read_header(path).metadata.get("tokenizer.chat_template") if path else None
    identity = voice.engine.identity
    guidance = {"against": opposite.against, "strength": opposite.strength} if opposite else None
    # Temperature, length, seed and stop are the item's; every other setting is the assistant's or the default.
    sampler = {name: value for name, value in asdict(sampling).items() if name not in _OF_ITEMS}
    sampler = {name: value for name, value in sampler.items() if name not in _ADDED or value != _ADDED[name]}
    known = Respondent(
        key="",
        assistant=assistant.name,
        base=voice.model,
        weights=str(identity.weights) if identity.weights else None,
        adapter=str(assistant.adapter) if assistant.adapter else None,
        template=str(_digest(template)) if isinstance(template, str) else None,
        definition=str(assistant.digest),
        system=assistant.system,
        sampler=sampler,
        guidance=guidance,
        engine=_named(identity),
        identity={**asdict(identity), "may_change": identity.may_change},
    )
    other = opposite.system if opposite else None  # whom it is guided against decides what it says
    applied = {"other_adapter": opposite.adapter} if opposite and opposite.adapter else {}
    return replace(known, key=key_of(known=known, other=other, **applied))


def _named(identity: Identity) -> str:
    """What rows call the engine, and what keys are made of: all of its identity but the weights. The local and the
    scripted one are called as they were before there were others, so that kept rows stay somebody's."""
    if identity.kind in {LOCAL, SCRIPTED}:
        return identity.library or identity.kind
    settings = (f"{name}={value}" for name, value in sorted(identity.settings.items()))
    return " ".join(filter(None, (identity.kind, identity.library, *settings, identity.script)))


def _digest(text: str) -> Digest:
    return Digest(f"sha256:{hashlib.sha256(text.encode()).hexdigest()}")
