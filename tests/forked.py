"""Programs in a process of their own that start at once: forked from one that has imported what all of them need.

What depends on the environment is not imported there: it reads it at its first use, in the program's own process.
"""

import atexit
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from .patience import PATIENCE_S

_SERVER = """
import asyncio, importlib, json, os, pkgutil, runpy, signal, sys, tempfile, zipfile
import httpx2, numpy, rich.console
import pluriverse.cli.commands, pluriverse.measure.measuring, pluriverse.measure.metrics, pluriverse.store.pulling
for package in (pluriverse.cli.commands, pluriverse.cli.terminal, pluriverse.measure.metrics):
    for module in pkgutil.iter_modules(package.__path__, package.__name__ + "."):
        importlib.import_module(module.name)
for line in sys.stdin:
    job = json.loads(line)
    if pid := os.fork():
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        os.write(1, f"{code}\\n".encode())
        continue
    for number, name in enumerate(("in", "out", "err")):
        place = os.open(job[name], os.O_RDONLY if number == 0 else os.O_WRONLY)
        os.dup2(place, number)
        os.close(place)
    signal.alarm(job["patience"])
    os.environ.clear()
    os.environ.update(job["environment"])
    os.chdir(job["folder"])
    tempfile.tempdir = None
    sys.stdin = open(0, encoding="utf-8", closefd=False)
    sys.path[:0] = filter(None, job["environment"].get("PYTHONPATH", "").split(os.pathsep))
    sys.argv[1:] = job["words"]
    break
else:
    sys.exit()
if job["module"]:
    runpy.run_module(job["module"], run_name="__main__", alter_sys=True)
else:
    exec(job["code"])
"""


@cache
def _server() -> "subprocess.Popen[str]":
    pipe = subprocess.PIPE
    process = subprocess.Popen([sys.executable, "-c", _SERVER], stdin=pipe, stdout=pipe, text=True)
    atexit.register(process.kill)
    return process


def run(
    *words: str,
    module: str | None = None,
    code: str | None = None,
    environment: Mapping[str, str] | None = None,
    stdin: str = "",
) -> "subprocess.CompletedProcess[str]":
    """As `python -m module words` or `python -c code words`, with this process's environment if none is given."""
    given = dict(os.environ if environment is None else environment)
    with tempfile.TemporaryDirectory() as folder:
        files = {name: Path(folder, name) for name in ("in", "out", "err")}
        for name, path in files.items():
            path.write_text(stdin if name == "in" else "", "utf-8")
        job = {"words": words, "module": module, "code": code, "environment": given, "folder": str(Path.cwd())}
        job["patience"] = int(PATIENCE_S)
        process = _server()
        assert process.stdin and process.stdout
        process.stdin.write(json.dumps(job | {name: str(path) for name, path in files.items()}) + "\n")
        process.stdin.flush()
        ended = int(process.stdout.readline())
        said = {name: path.read_text("utf-8") for name, path in files.items()}
        return subprocess.CompletedProcess(words, ended, said["out"], said["err"])
