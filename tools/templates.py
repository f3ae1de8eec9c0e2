"""Chat templates as their makers published them: which are known to be filled here as transformers fills them.

    python tools/templates.py take FOLDER NAME=CLONE ...    the templates, out of clones of the repositories below
    python tools/templates.py prove FOLDER                  fills each here and by transformers; writes templates.toml
    python tools/templates.py docs                          docs/templates.md

`NAME` is a key of SOURCES. The templates themselves do not lie in this repository: they belong to others. The table
has the address and digest of each; with PLURIVERSE_DATA=PARENT, where PARENT/templates is FOLDER, the tests fill them.
"""

import datetime
import importlib.metadata
import json
import re
import subprocess
import sys
import tomllib
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import Any

import tomli_w

ROOT = Path(__file__).parent.parent
TABLE = Path(__file__).with_suffix(".toml")
SOURCES = {
    "huggingface.js": {
        "repository": "huggingface/huggingface.js",
        "commit": "fe42e68017ffc76d09922ea8f9b38a6964345710",
        "licence": "MIT",
    },
    "llama.cpp": {
        "repository": "Raudbjorn/ggml-llama.cpp",
        "of": "ggml-org/llama.cpp",
        "commit": "ae1a0b1c71a8b3a86ede8cb5892ed9ce967d00b2",
        "licence": "MIT",
    },
}
_JS, _CPP, _JINJA = "packages/jinja/test/e2e.test.js", "tests/test-chat-template.cpp", "models/templates"
_NAMELESS = re.compile(
    r"llama-cpp-|Llama-3$|Orca-Vicuna|TheBloke/|.*GGUF$|blenderbot|bloom|gpt|whisper|_base|.*-fixed$"
)
# The model of the catalogue: whose template stands for it, and what is to be said of that; "": none was found.
_OWN = "its own"
_NONE = "none was found in public repositories"
PEOPLE_SPEAK_OF = {
    "qwen-72b-chat": ("", _NONE),
    "qwen1.5-72b-chat": ("Qwen/Qwen1.5-72B-Chat", _OWN),
    "qwen-vl-chat": ("", _NONE),
    "hunyuan-large": ("", _NONE),
    "hunyuan-a13b-instruct": ("", _NONE),
    "hunyuan-7b-instruct": ("", _NONE),
    "deepseek-llm-67b-chat": ("deepseek-ai/deepseek-llm-7b-chat", "that of the 7B; its own was not found"),
    "yi-34b-chat": ("", _NONE),
    "llama-2-70b-chat": ("hf-internal-testing/llama-tokenizer", "that of transformers' Llama tokenizer"),
    "llama-2-7b-chat": ("hf-internal-testing/llama-tokenizer", "that of transformers' Llama tokenizer"),
    "mistral-7b-instruct-v0.2": (
        "mistralai/Mistral-7B-Instruct-v0.2",
        "its own, an early one, which refuses system prompts",
    ),
    "mixtral-8x7b-instruct-v0.1": ("mistralai/Mixtral-8x7B-Instruct-v0.1", _OWN),
    "grok-1": ("", "a base model"),
    "smaug-72b-v0.1": ("", f"{_NONE}; that of Smaug-34B was"),
    "claude-2.1": ("", "closed"),
    "gpt-3.5-turbo": ("", "closed"),
}
_ABOUT = """# Chat templates

Made by `python tools/templates.py docs`; do not change it by hand.

A chat template turns messages into the text that a model was taught on; a blank too many makes it worse. Each template
below was filled with twenty conversations, here and by transformers {transformers} (`apply_chat_template`), on {date}:
plain ones, system prompts, blanks, scripts, code, parts with a type, pictures, tools, documents, dates, switches for
thinking, and orders of roles that some templates refuse (`tests/engines/local/conversations.py`).

- **Same**: conversations that both fill with the same text, byte for byte, or both refuse.
- **Refused**: those of them that both refuse.
- **Prompts**: of the ten plain conversations, those whose prompt in the engine is that text.
"""


def take(folder: Path, clones: dict[str, Path]) -> None:
    """Every template that names its model, once each; `templates.toml` in the same words, without results."""
    folder.mkdir(parents=True, exist_ok=True)
    rows: dict[str, dict[str, Any]] = {}
    for name, clone in clones.items():
        for model, path, template in _named(clone):
            digest = sha256(template.encode()).hexdigest()
            if _NAMELESS.match(model) or digest in {row["sha256"] for row in rows.values()} or model in rows:
                continue
            file = re.sub(r"[^A-Za-z0-9._-]+", "_", model) + ".jinja"
            (folder / file).write_bytes(template.encode())
            rows[model] = {"model": model, "source": name, "path": path, "file": file, "sha256": digest}
    ordered = sorted(rows.values(), key=lambda row: row["model"].lower())
    TABLE.write_text(tomli_w.dumps({"source": SOURCES, "template": ordered}), "utf-8")


def _named(clone: Path) -> list[tuple[str, str, str]]:
    """(model, path, template) of all that a clone holds."""
    found = []
    for path in _git(clone, "ls-tree", "-r", "HEAD", "--name-only").splitlines():
        if path == _JS:
            found += [(model, path, template) for model, template in _of_js(_shown(clone, path))]
        elif path == _CPP:
            found += [(model, path, template) for model, template in _of_cpp(_shown(clone, path))]
        elif path.startswith(_JINJA) and path.endswith(".jinja"):
            found.append((Path(path).stem, path, _shown(clone, path)))
    return found


def _of_js(text: str) -> list[tuple[str, str]]:
    pattern = (
        r'^\t(?:"([^"]+)"|(\w+)): \{\n(?:\t\t//[^\n]*\n)*\t\tchat_template:\s*([`"])((?:[^`"\\]|\\.|(?!\3)[`"])*)\3'
    )
    found = []
    for match in re.finditer(pattern, text, re.MULTILINE | re.DOTALL):
        model = "hf-internal-testing/llama-tokenizer" if match[2] == "llama" else match[1] or match[2]
        found.append((model.partition(" (")[0], _unescaped(match[4])))
    return found


def _of_cpp(text: str) -> list[tuple[str, str]]:
    pattern = r'/\* \.name= \*/ "([^"]+)",(?:\s*//[^\n]*)*\s*/\* \.template_str=? ?\*/ (?:u8)?"((?:[^"\\]|\\.)*)"'
    return [(name.partition(" (")[0], _unescaped(template)) for name, template in re.findall(pattern, text)]


def _unescaped(text: str) -> str:
    """What a literal of C++ or JavaScript spells."""
    plain = {"n": "\n", "t": "\t", "r": "\r"}
    return re.sub(
        r"\\(?:u([0-9a-fA-F]{4})|(.))",
        lambda each: chr(int(each[1], 16)) if each[1] else plain.get(each[2], each[2]),
        text,
        flags=re.DOTALL,
    )


def _shown(clone: Path, path: str) -> str:
    return _git(clone, "show", f"HEAD:{path}")


def _git(clone: Path, *words: str) -> str:
    return subprocess.run(["git", "-C", str(clone), *words], check=True, capture_output=True).stdout.decode()


def prove(folder: Path) -> None:
    sys.path.insert(0, str(ROOT))
    from pluriverse.engines.local.renderer import Renderer
    from tests.engines.local.original_templates import compare

    table = tomllib.loads(TABLE.read_text("utf-8"))
    renderer = Renderer()
    for row in table["template"]:
        found = asdict(compare((folder / row["file"]).read_bytes().decode(), renderer))
        row |= {**found, "different": list(found["different"])}
    renderer.close()
    # Those that refuse everything want what only their own tokenizers or programs give: that shows nothing.
    table["template"] = [row for row in table["template"] if row["refused"] < row["equal"]]
    versions = {"date": datetime.date.today().isoformat(), "transformers": importlib.metadata.version("transformers")}
    TABLE.write_text(tomli_w.dumps({**versions, **table}), "utf-8")


def page() -> str:
    table = tomllib.loads(TABLE.read_text("utf-8"))
    by_model = {row["model"]: row for row in table["template"]}
    entries = json.loads((ROOT / "src" / "pluriverse" / "catalogue" / "data" / "index.json").read_text("utf-8"))
    names = {entry["id"]: entry["name"] for entry in entries}
    spoken_of = [
        f"| {names[id]} | `{id}` | {words} | {_results(by_model.get(model))} |"
        for id, (model, words) in PEOPLE_SPEAK_OF.items()
    ]
    every = [
        f"| {model} | [{row['source']}]({_address(table, row)}) | {_results(row)} |" for model, row in by_model.items()
    ]
    count = len(every)
    whole = sum(not row["different"] for row in by_model.values())
    return "\n".join(
        (
            _ABOUT.format(**table),
            f"{whole} of {count} templates: no difference.\n",
            "## The systems people speak of\n",
            "| System | Known as | Template | Same | Refused | Prompts |\n| --- | --- | --- | --- | --- | --- |",
            *spoken_of,
            "\n## All templates that were had\n",
            "Names as the places have them that carry the templates: "
            + "; ".join(map(_told, table["source"].values()))
            + ".\n",
            "| Model | From | Same | Refused | Prompts |\n| --- | --- | --- | --- | --- |",
            *every,
            "",
        )
    )


def _told(source: dict[str, str]) -> str:
    copied = f", a copy of {source['of']}" if "of" in source else ""
    return f"{source['repository']}{copied} ({source['licence']})"


def _results(row: dict[str, Any] | None) -> str:
    if row is None:
        return "not had | | "
    return f"{row['equal']} of 20 | {row['refused']} | {row['prompts']} of 10"


def _address(table: dict[str, Any], row: dict[str, Any]) -> str:
    source = table["source"][row["source"]]
    return f"https://github.com/{source['repository']}/blob/{source['commit']}/{row['path']}"


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["take", folder, *given]:
            take(Path(folder), {name: Path(clone) for name, _, clone in (each.partition("=") for each in given)})
        case ["prove", folder]:
            prove(Path(folder))
        case ["docs"]:
            (ROOT / "docs" / "templates.md").write_text(page(), "utf-8")
        case _:
            raise SystemExit(__doc__)
