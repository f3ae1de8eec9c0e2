"""A run as logs of Inspect (github.com/UKGovernmentBEIS/inspect_ai), EvalLog version 2: `inspect view` opens them.

One log per assistant and instrument; a sample is an item in one wording, rotation and language, an epoch a draw of it.
Knows that shape and rows; does not need Inspect. What was asked stands in `input`; that it also stands as a message,
and the likeliest option as the answer, is Inspect's form. Log-probabilities of options are in the metadata.
"""

import hashlib
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import fields
from importlib import metadata
from pathlib import Path
from typing import Any

from ...files import write_out
from ..metrics.cells import place_picked
from ..schema.figure import Figure
from ..schema.items import Item
from ..schema.responses import Respondent, Response
from . import Recorded, respondent_of

_VERSION = 2
_STOPS = {"stop": "stop", "length": "max_tokens", "context": "model_length", "": "stop"}
_CONFIG = ("temperature", "top_p", "top_k", "max_tokens", "seed", "frequency_penalty", "presence_penalty")
Document = dict[str, Any]


def written(recorded: Recorded, folder: Path) -> list[Path]:
    """Write all logs of a run into a folder, under names that Inspect lists. PluriverseError where it cannot be."""
    paths = []
    for name, document in logs(recorded).items():
        text = json.dumps(_plain(document), ensure_ascii=False, indent=1, allow_nan=False)
        paths.append(folder / name)
        write_out(paths[-1], text)
    return paths


def logs(recorded: Recorded) -> dict[str, Document]:
    """File name: log, in the order in which assistants and instruments first answered."""
    parts: dict[tuple[str, str, str], list[Response]] = {}
    for response in recorded.responses:
        parts.setdefault((response.respondent, response.instrument, response.version), []).append(response)
    found = {}
    for rows in parts.values():
        document = _log(recorded, rows)
        spec = document["eval"]
        name = "_".join(_in_name(each) for each in (spec["task"], rows[0].assistant))
        found[f"{recorded.created:%Y-%m-%dT%H-%M-%S}_{name}_{spec['task_id']}.json"] = document
    return found


def _log(recorded: Recorded, rows: Sequence[Response]) -> Document:
    first = rows[0]
    who = respondent_of(first, recorded.respondents)
    items = {item.cell(): item for item in recorded.items.get(first.instrument, ())}
    samples = [_sample(recorded, row, who, items.get(_cell(row))) for row in rows]
    figures = [f for f in recorded.figures if (f.assistant, f.instrument) == (first.assistant, first.instrument)]
    model = f"pluriverse/{first.assistant}"
    return {
        "version": _VERSION,
        "status": "success",
        "eval": _spec(recorded, rows, who, model),
        "plan": {"name": "plan", "steps": [{"solver": "multiple_choice" if first.logprobs else "generate"}]},
        "results": {"total_samples": len(rows), "completed_samples": len(rows), "scores": _scores(figures)},
        "stats": {
            "started_at": recorded.created.isoformat(),
            "completed_at": recorded.created.isoformat(),
            "model_usage": {model: _usage(rows)},
        },
        "samples": samples,
    }


def _spec(recorded: Recorded, rows: Sequence[Response], who: Respondent, model: str) -> Document:
    first = rows[0]
    instrument = recorded.instruments.get(first.instrument)
    seeds = {row.seed for row in rows if row.seed is not None}
    ids = list(dict.fromkeys(_cell(row) for row in rows))
    return {
        "eval_id": _id(recorded.run, first.respondent, first.instrument),
        "run_id": recorded.run,
        "created": recorded.created.isoformat(),
        "task": first.instrument,
        "task_id": _id(first.instrument, first.version, first.respondent),
        "task_version": first.version,
        "task_attribs": {},
        "task_args": {},
        "dataset": {"name": first.instrument, "samples": len(ids), "sample_ids": ids, "shuffled": False},
        "model": model,
        "model_generate_config": {name: who.sampler[name] for name in _CONFIG if who.sampler.get(name) is not None},
        "model_args": {},
        "config": {"epochs": 1 + max(row.draw for row in rows)},
        "packages": {"pluriverse": metadata.version("pluriverse")},
        "metadata": {
            "respondent": {each.name: getattr(who, each.name) for each in fields(who)},
            "seeds": sorted(seeds),
            **({"title": instrument.title, "source": instrument.source} if instrument else {}),
            **({"licence": instrument.licence, "about": instrument.about} if instrument else {}),
        },
    }


def _sample(recorded: Recorded, row: Response, who: Respondent, item: Item | None) -> Document:
    picked = place_picked(row, recorded.instruments.get(row.instrument))
    output = row.text if picked is None else (item.options[picked] if item else _letter(picked))
    turns = [{"role": "user", "content": row.prompt}]
    system = who.system if item is None or item.system is None else item.system
    if item is not None and item.form == "chat" and system:
        turns.insert(0, {"role": "system", "content": system})
    answer = {"role": "assistant", "content": output, "source": "generate"}
    stop = _STOPS.get(row.finish_reason, "unknown")
    model = f"pluriverse/{row.assistant}"
    return {
        "id": _cell(row),
        "epoch": row.draw + 1,
        "input": row.prompt,
        **({"choices": list(item.options)} if item and item.options else {}),
        "target": _target(row),
        "messages": [*turns, answer],
        "output": {
            "model": model,
            "choices": [{"message": answer, "stop_reason": stop}],
            "usage": _usage([row]),
            "time": row.seconds,
        },
        "scores": _sample_scores(recorded, row, picked),
        "metadata": _metadata(row, who, item),
        "model_usage": {model: _usage([row])},
        "total_time": row.seconds,
    }


def _metadata(row: Response, who: Respondent, item: Item | None) -> Document:
    """What Inspect has no place for, under the names of our rows; the whole respondent stands in the log's metadata."""
    names = ("wording", "rotation", "language", "draw", "contents", "logprobs", "lengths", "kind", "seed")
    return {
        **{name: getattr(row, name) for name in names},
        **{name: getattr(who, name) for name in ("weights", "adapter", "template", "sampler", "guidance")},
        **({"form": item.form} if item else {}),
        **({"prompts": item.prompts} if item and item.prompts else {}),
        **({"recital": round(row.recital, 3)} if row.recites else {}),
        **({"unfinished": True, "kind": ""} if row.unfinished else {}),
        "item": row.item,
        "item_metadata": dict(row.metadata),
    }


def _target(row: Response) -> str | list[str]:
    """Letters of the places where right answers stand, as Inspect has it for choices; otherwise the reference texts."""
    found = [str(each) for each in row.target]
    if row.logprobs:
        found = [_letter(place) for place in _right(row)]
    return found[0] if len(found) == 1 else found


def _right(row: Response) -> list[int]:
    return [place for place, content in enumerate(row.contents) if content in row.target]


def _sample_scores(recorded: Recorded, row: Response, picked: int | None) -> Document:
    """`pick`: C or I; with several right answers `share`, their probability among the options; `class` of a text."""
    scores: Document = {}
    right = _right(row)
    if picked is not None and len(right) > 1:
        chances = [math.exp(each - max(row.logprobs)) for each in row.logprobs]
        value = sum(chances[place] for place in right) / sum(chances)
        scores["share"] = {"value": value, "answer": _letter(picked)}
    elif picked is not None:
        value_of = ("C" if picked in right else "I") if right else _letter(picked)
        scores["pick"] = {"value": value_of, "answer": _letter(picked)}
    if row.kind and not row.unfinished:
        scores["class"] = {"value": row.kind, "answer": row.text}
    number = recorded.values.get(row.instrument, {}).get(row.assistant, {}).get(row.item)
    if number is not None:
        instrument = recorded.instruments.get(row.instrument)
        scores[instrument.measures[0] if instrument else "value"] = {"value": number}
    return scores


def _scores(figures: Sequence[Figure]) -> list[Document]:
    """One score per metric, with its interval as metrics beside it. Withheld figures are named, without a value."""
    found: dict[str, Document] = {}
    for figure in figures:
        score = found.setdefault(
            figure.metric, {"name": figure.metric, "scorer": figure.metric, "metrics": {}, "metadata": {}}
        )
        name = figure.group or "value"
        score["metadata"][name] = {"n": figure.n, "note": figure.note}
        for end, value in (("", figure.value), (" low", figure.low), (" high", figure.high)):
            if value is not None:
                score["metrics"][name + end] = {"name": name + end, "value": value}
    return list(found.values())


def _usage(rows: Sequence[Response]) -> dict[str, int]:
    read, made = sum(row.prompt_tokens for row in rows), sum(row.completion_tokens for row in rows)
    return {"input_tokens": read, "output_tokens": made, "total_tokens": read + made}


def _cell(row: Response) -> str:
    """The name of what was asked, as `Item.cell()` has it: draws are epochs of one sample."""
    return "|".join((row.item, row.wording, str(row.rotation), row.language, "0"))


def _letter(place: int) -> str:
    return chr(ord("A") + place) if place < 26 else str(place + 1)


def _id(*parts: str) -> str:
    """The same for the same run, so that exporting twice writes the same bytes."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:22]


def _in_name(text: str) -> str:
    """Inspect parts file names at underscores."""
    return re.sub(r"[^A-Za-z0-9.]+", "-", text).strip("-") or "-"


def _plain(value: Any) -> Any:
    """JSON without NaN or infinities, which it does not have."""
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
