"""Without any extra every module can be imported: what an extra brings is asked for only where it is used."""

import subprocess
import sys

EXTRAS = ("pyarrow", "ray", "torch", "transformers", "pytest", "hypothesis")

PROBE = f"""
import importlib, pkgutil, sys
for name in {EXTRAS}:
    sys.modules[name] = None  # as if it were not installed
import pluriverse
for module in pkgutil.walk_packages(pluriverse.__path__, "pluriverse."):
    if module.name != "pluriverse.__main__":
        importlib.import_module(module.name)
        print(module.name)
"""


def test_every_module_is_imported_without_extras() -> None:
    done = subprocess.run([sys.executable, "-c", PROBE], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.split()) > 250
