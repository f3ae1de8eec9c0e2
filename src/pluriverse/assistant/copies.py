"""Which copy of a model speaks where the model is named: what `optimise --use` chose. Never chosen by itself.

One JSON file in the data folder. Knows names; the copy's own name and digest stand in every record.
"""

import json
from pathlib import Path

from ..files import delete, read_json, write


class Copies:
    def __init__(self, home: Path) -> None:
        self._path = home / "copies.json"

    def all(self) -> dict[str, str]:
        """Name of a model: name of the copy that speaks for it. Empty where the file cannot be understood."""
        try:
            document = read_json(self._path)
        except (OSError, ValueError):
            return {}
        return {str(name): str(copy) for name, copy in document.items()} if isinstance(document, dict) else {}

    def use(self, name: str, copy: str | None) -> None:
        """Let `copy` speak for `name` from now on; None: the original again."""
        known = {key: value for key, value in self.all().items() if key != name}
        if copy is not None:
            known[name] = copy
        if known:
            write(self._path, json.dumps(known, indent=2) + "\n")
        elif self._path.exists():
            delete(self._path)
