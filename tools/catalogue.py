"""Makes the catalogue's data and docs/models.md.

    python tools/catalogue.py FACTS.yaml    one file an entry, from public facts, and what catalogue.toml beside it adds
    python tools/catalogue.py               the index of the files that are there, after one was changed by hand
    python tools/catalogue.py --docs        docs/models.md

What the facts do not say stays absent. The catalogue reads the index; the files are what people read and change.
"""

import json
import re
import shutil
import sys
import tomllib
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import tomli_w
import yaml

ROOT = Path(__file__).parent.parent
DATA = ROOT / "src" / "pluriverse" / "catalogue" / "data"
# Facts by the name they have here, where it is another one.
RENAMED = {
    "developer": "maker", "license": "licence", "license_note": "licence_note", "release_date": "released",
    "hub_upload_date": "uploaded", "hub_id": "repository", "arch": "architecture",
}  # fmt: skip
ORDER = (
    "id", "name", "maker", "country", "kind", "licence", "licence_note", "released", "uploaded", "repository", "hub",
    "gguf", "wheel", "size", "digest", "params_b", "active_params_b", "context_length", "languages", "languages_count",
    "modalities", "training_tokens", "knowledge_cutoff", "chat_template", "inferred", "notes", "sources", "source_of",
    "open", "architecture", "lineage", "scores",
)  # fmt: skip
SIX = ("arc_challenge_25", "hellaswag_10", "mmlu_5", "truthfulqa_mc2_0", "winogrande_5", "gsm8k_5")
TASKS = ("arc", "hellaswag", "mmlu", "truthfulqa", "winogrande", "gsm8k")
V2 = "https://github.com/fboulnois/llm-leaderboard-csv/blob/0f4e5c6/csv/huggingface_v2.csv"
ALPACA = (
    "https://github.com/tatsu-lab/alpaca_eval/blob/cd543a149df89434d8a54582c0151c0b945c3d20/src/alpaca_eval/"
    "leaderboards/data_AlpacaEval_2/weighted_alpaca_eval_gpt4_turbo_leaderboard.csv"
)
ARENA = "https://github.com/fboulnois/llm-leaderboard-csv/blob/3792cf0/csv/lmsys.csv"
# Whose pages these are: what a maker says of its own models is marked as that.
OWNERS = {
    "QwenLM": "Alibaba Cloud (Qwen)", "qwenlm.github.io": "Alibaba Cloud (Qwen)", "Tencent": "Tencent",
    "Tencent-Hunyuan": "Tencent", "deepseek-ai": "DeepSeek", "abacusai": "Abacus.AI", "meta-llama": "Meta",
    "ola-krutrim": "Ola Krutrim", "LG-AI-EXAONE": "LG AI Research", "InternLM": "Shanghai AI Laboratory",
    "MiuLab": "Taiwan-LLM (NTU MiuLab and partners)", "baichuan-inc": "Baichuan", "MoonshotAI": "Moonshot AI",
    "MiniMax-AI": "MiniMax", "ByteDance-Seed": "ByteDance Seed", "XiaomiMiMo": "Xiaomi",
    "Nkluge-correa": "TucanoBR (Univ. Bonn, PUCRS)",
}  # fmt: skip
# Pages that say one thing only.
SAID_BY = {
    "architecture.llama_cpp": r"/convert_hf_to_gguf\.py$|/llama-arch\.cpp$",
    "chat_template": r"/fastchat/conversation\.py$|/llama-chat\.cpp$",
    "licence": r"/LICENSE|LICENSE%20",
}
# A table of several models in one model's facts: only its own figure is a score of it.
OWN_FIGURE = {"deepseek_67b_chat": "score"}
OTHERS_FIGURES = {"grok_1", "claude_2", "gpt_4", "gpt_35_turbo", "yi_34b_chat", "qwen_14b_chat"}


def main(words: list[str]) -> None:
    if words == ["--docs"]:
        from models_page import page

        (ROOT / "docs" / "models.md").write_text(page(), "utf-8")
        return
    if words:
        write_files(Path(words[0]))
    (DATA / "index.json").write_text(index(), "utf-8")


def index() -> str:
    """All files in one, by id: one line an entry, so that a change of one is a change of a line."""
    found = [tomllib.loads(path.read_text("utf-8")) for path in DATA.glob("*/*.toml")]
    lines = [json.dumps(entry, ensure_ascii=False) for entry in sorted(found, key=lambda entry: entry["id"])]
    return "[\n" + ",\n".join(lines) + "\n]\n"


def write_files(facts: Path) -> None:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    for folder in DATA.glob("*/"):
        shutil.rmtree(folder)
    for path, text in files_of(yaml.load(facts.read_text("utf-8"), Loader=loader)):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")


def files_of(facts: list[dict[str, Any]]) -> list[tuple[Path, str]]:
    added = tomllib.loads((Path(__file__).parent / "catalogue.toml").read_text("utf-8"))
    made = [(DATA / _slug(given["developer"]) / f"{given['id']}.toml", _text(given, added)) for given in facts]
    more = [(DATA / _slug(entry["maker"]) / f"{entry['id']}.toml", _dumped(entry)) for entry in added["model"]]
    return made + more


def _slug(maker: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", re.split(r"[(,/]", maker)[0].lower()).strip("-")


def _text(given: dict[str, Any], added: dict[str, Any]) -> str:
    entry = {RENAMED.get(name, name): value for name, value in given.items()}
    entry["name"] = added["names"].get(given["id"]) or given["hub_id"].split("/")[1].replace("-", " ")
    entry["open"] = {
        name.removesuffix("_open"): entry.pop(name)
        for name in ("weights_open", "data_open", "training_code_open")
        if name in entry
    }
    if files := entry.pop("gguf", None):
        entry["hub"] = f"{files[0]}:Q4_K_M"
        if files[1:]:
            entry["gguf"] = files[1:]
    entry |= added["files"].get(given["id"], {})
    if "lineage" in entry:
        entry["lineage"] = [{"parent": each["base_model"], "relation": each["relation"]} for each in entry["lineage"]]
    if "inferred" in entry:
        entry["inferred"] = [
            ".".join(RENAMED.get(part, part) for part in name.split(".")) for name in entry["inferred"]
        ]
    entry["source_of"] = {
        fact: source for fact in SAID_BY if fact.split(".")[0] in entry and (source := _said_by(fact, given))
    }
    if "scores" in entry:
        entry["scores"] = _scores(given, added)
    for name in ("params_b", "active_params_b"):
        if name in entry:
            entry[name] = float(entry[name])
    return _dumped(entry)


def _dumped(entry: dict[str, Any]) -> str:
    if unknown := entry.keys() - set(ORDER):
        raise SystemExit(f"{entry['id']}: facts without a place here: {', '.join(sorted(unknown))}")
    return tomli_w.dumps({name: entry[name] for name in ORDER if entry.get(name) not in (None, {}, [])}, indent=2)


def _said_by(fact: str, given: dict[str, Any]) -> str | None:
    """The one among an entry's sources that can only be about this fact; None where that is not plain."""
    found = [each for each in given["sources"] if re.search(SAID_BY[fact], each)]
    return found[0] if len(found) == 1 else None


def _scores(given: dict[str, Any], added: dict[str, Any]) -> list[dict[str, Any]]:
    scores, found = given["scores"], []
    if board := scores.get("open_llm_leaderboard_v1"):
        notes = [each for each in added["note"] if each["id"] == given["id"]]
        found.append(
            {
                "board": "Open LLM Leaderboard v1",
                "by": "board",
                "source": added["sources"]["archive"],
                "date": board["evaluated"],
                "precision": board["precision"],
                "revision": board["revision"],
                "printed_average": float(board["average"]),
                "flags": sorted({each["flag"] for each in notes if "flag" in each}),
                "values": {task: float(board[name]) for task, name in zip(TASKS, SIX, strict=True)},
                "notes": [{"text": each["text"], "source": added["sources"][each["source"]]} for each in notes],
            }
        )
    if board := scores.get("open_llm_leaderboard_v2"):
        found.append({"board": "Open LLM Leaderboard v2", "by": "board", "source": V2, **_rest(board)})
    if board := scores.get("alpaca_eval_2"):
        found.append({"board": "AlpacaEval 2", "by": "board", "source": ALPACA, **_rest(board)})
    if board := scores.get("chatbot_arena_2024_06"):
        found.append({"board": "Chatbot Arena", "by": "board", "source": ARENA, "date": "2024-06", **_rest(board)})
    for each in scores.get("published", []):
        own = "note" not in each and _owner(each["source"]) == given["developer"]
        by = "maker" if own else "others"
        notes = [{"text": each["note"], "source": each["source"]}] if "note" in each else []
        board = each.get("benchmark", "published")
        found.append({"board": board, "by": by, "source": each["source"], **_rest(each), "notes": notes})
    return [{name: value for name, value in each.items() if value not in (None, [], {})} for each in found]


def _rest(board: dict[str, Any]) -> dict[str, Any]:
    values = {
        OWN_FIGURE.get(name, name): float(value)
        for name, value in board.items()
        if isinstance(value, int | float) and name not in OTHERS_FIGURES
    }
    words = [str(board[name]) for name in ("model", "entry", "mode") if name in board]
    return {"of": "; ".join(words) or None, "precision": board.get("precision"), "values": values}


def _owner(address: str) -> str | None:
    parts = urlsplit(address)
    return OWNERS.get(parts.path.split("/")[1] if parts.hostname == "github.com" else parts.hostname or "")


if __name__ == "__main__":
    main(sys.argv[1:])
