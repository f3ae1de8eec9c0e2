"""pip in a process of its own that fetches one wheel after the other: starting pip takes longer than a small wheel.

    in   {"words": [...], "temporary": FOLDER}    words of pip's command line; where it puts aside what it fetches
    out  {"code": N, "said": "..."}               its exit code, and what it told

pip copies a finished wheel from where it puts things aside to where it is told. Here that copy is a link wherever the
disk has links, so that a wheel never lies there twice. Knows nothing of the project, and imports nothing of it.
"""

import contextlib
import io
import json
import runpy
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

_copy = shutil.copy


def _linked(source: str, target: str, **how: Any) -> str:
    """Stands in for the copying of `shutil`. `target`: a file, or the folder that it shall lie in."""
    place = Path(target, Path(source).name) if Path(target).is_dir() else Path(target)
    try:
        place.hardlink_to(source)
        return str(place)
    except OSError:
        return _copy(source, target, **how)


def _run(words: list[str]) -> tuple[int, str]:
    said, code = io.StringIO(), 0
    sys.argv = ["pip", *words]
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        try:
            runpy.run_module("pip", run_name="__main__", alter_sys=False)
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
        except Exception as error:  # also where there is no pip
            code = 1
            said.write(f"{error}\n")
    return code, said.getvalue()


def main() -> None:
    shutil.copy = _linked  # type: ignore[assignment]
    out = sys.stdout
    for line in sys.stdin:
        asked = json.loads(line)
        tempfile.tempdir = asked["temporary"]
        code, said = _run(asked["words"])
        out.write(json.dumps({"code": code, "said": said}) + "\n")
        out.flush()


if __name__ == "__main__":
    main()
