"""Works for tests of what stands on them: kept as a user's own are."""

import hashlib

from pluriverse.runtime.workspace import Workspace
from pluriverse.values import Digest, Work
from pluriverse.works.texts import TEXT


def give(workspace: Workspace, name: str, text: str, language: str = "en") -> Work:
    """Keep a text in the store; the work that an assistant names."""
    data = text.encode()
    work = Work(name, name.capitalize(), Digest(f"sha256:{hashlib.sha256(data).hexdigest()}"), language)
    workspace.store.add_work(work, {TEXT: data})
    return work
