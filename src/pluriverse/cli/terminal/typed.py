"""Commands with their options, as they would be typed again. Knows words; runs nothing."""

from collections.abc import Iterable

from ...errors import command


def typed(*words: str, options: Iterable[tuple[str, object]] = ()) -> str:
    """`options`: a flag and its value; True is the flag alone, None and False leave it out."""
    found = list(words)
    for flag, value in options:
        if value is None or value is False:
            continue
        if value is True:
            found.append(flag)
        elif str(value).startswith("-"):  # else it would be read as a flag
            found.append(f"{flag}={value}")
        else:
            found += [flag, str(value)]
    return command(*found)
