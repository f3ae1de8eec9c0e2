"""Who may ask: readers, each with a token of its own, kept in one private file of the data folder.

Knows names, tokens and that file. Does not know HTTP.
"""

import hashlib
import hmac
import json
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ..assistant.names import checked
from ..errors import UsageError
from ..files import read_json, write
from ..settings import Settings

OWNER = "owner"  # whose machine it is: asks and chats of the command line are theirs


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody with a token, and with a history that no other reader sees."""

    name: str
    token: str

    @property
    def cookie(self) -> str:
        """What a browser shows in the token's place; it tells nothing of the token."""
        return hmac.new(self.token.encode(), b"pluriverse cookie", hashlib.sha256).hexdigest()

    def settings(self, settings: Settings) -> Settings:
        """The settings under which this reader's history is kept."""
        from dataclasses import replace

        if self.name == OWNER:
            return settings
        return replace(settings, history_path=settings.home / "readers" / self.name / "history.db")


class Readers:
    """All readers. Tokens are made when they are first needed and stay until their file is removed."""

    def __init__(self, home: Path, names: Iterable[str] = ()) -> None:
        """Raises UsageError for a name or file that cannot be used, and as `files.write`."""
        self.file = home / "server" / "tokens.json"
        kept = self._kept()
        self.named = tuple(name for name in dict.fromkeys(names) if name != OWNER)
        self.made = [name for name in (OWNER, *self.named) if checked(name, "reader") not in kept]
        if self.made:
            kept |= {name: secrets.token_urlsafe(24) for name in self.made}
            write(self.file, json.dumps(kept, indent=1) + "\n")
        self._all = {name: Reader(name, token) for name, token in kept.items()}

    def __getitem__(self, name: str) -> Reader:
        return self._all[name]

    def by_token(self, token: str) -> Reader | None:
        return self._found({each.token: each for each in self._all.values()}, token)

    def by_cookie(self, cookie: str) -> Reader | None:
        return self._found({each.cookie: each for each in self._all.values()}, cookie)

    @staticmethod
    def _found(known: dict[str, Reader], shown: str) -> Reader | None:
        """Compared in a time that tells nothing of how much of it is right."""
        given = shown.encode("utf-8", "replace")
        right = [reader for secret, reader in known.items() if hmac.compare_digest(secret.encode(), given)]
        return right[0] if right else None

    def _kept(self) -> dict[str, str]:
        try:
            found = read_json(self.file)
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise UsageError(f"{self.file} cannot be read: {error}", "remove it: new tokens are made") from error
        if not isinstance(found, dict) or not all(isinstance(each, str) and len(each) > 15 for each in found.values()):
            raise UsageError(f"{self.file} holds no tokens", "remove it: new ones are made")
        return found
