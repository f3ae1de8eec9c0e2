"""Folders of instruments: ours and those of other packages, by the entry points `pluriverse.instruments`.

An entry point names a package of Python (an empty `__init__.py` will do) in whose folder the files lie: one TOML file
for each instrument, and `datasets.toml` for the data that they read. Knows folders; nothing of what is in the files.
"""

from dataclasses import dataclass
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable

from ... import doors
from ...errors import PluriverseError, UsageError

DATASETS = "datasets.toml"


@dataclass(frozen=True, slots=True)
class Folder:
    """`package`: as pip calls it. `ours`: it belongs to pluriverse itself."""

    package: str
    files: tuple[Traversable, ...]
    ours: bool

    def wrong(self, file: str, why: object) -> UsageError:
        """What is told of a file that cannot be used."""
        return UsageError(
            f"{file} of the package {self.package} cannot be used: {why}", "the others can; tell its makers, or mend it"
        )


@cache
def folders() -> tuple[tuple[Folder, ...], tuple[PluriverseError, ...]]:
    """All of them, ours first, and what hinders those that cannot be read."""
    found, problems = [], []
    for name in doors.names("instruments"):
        package = doors.package_of("instruments", name)
        try:
            files = tuple(resources.files(doors.opened("instruments", name)).iterdir())
            found.append(Folder(package, files, package == "pluriverse"))
        except PluriverseError as error:
            problems.append(error)
        except (TypeError, OSError) as error:  # no package of Python, or no folder
            hint = "its entry point must name a package that holds files of instruments"
            problems.append(PluriverseError(f"{name} of the package {package} is no folder: {error}", hint))
    return tuple(sorted(found, key=lambda each: (not each.ours, each.package))), tuple(problems)
