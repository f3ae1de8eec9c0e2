"""Simple tasks of the lm-evaluation-harness (YAML with Jinja templates and a local data file) as instrument and items.

Prompts are those of release 0.4.13 without a chat template, letter for letter. Knows that format; runs no code of a
task: templates stay in Jinja's immutable sandbox, and whatever needs Python or filters is refused in words.
"""

import ast
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
import yaml  # type: ignore[import-untyped]
from jinja2.sandbox import ImmutableSandboxedEnvironment

from ...errors import NotFoundError, UsageError
from ..schema.instrument import DIMENSIONS, Instrument, Norm
from ..schema.items import Item
from .harness_data import Documents, documents

_UNUSED = {"task_alias", "tag", "dataset_name", "should_decontaminate", "doc_to_decontamination_query"}
_TEMPLATES = {"doc_to_text", "doc_to_target", "doc_to_choice", "description"}
_KNOWN = {
    *_UNUSED, *_TEMPLATES, "task", "dataset_path", "dataset_kwargs", "training_split", "validation_split", "test_split",
    "fewshot_split", "fewshot_config", "fewshot_delimiter", "target_delimiter", "num_fewshot", "output_type",
    "generation_kwargs", "metric_list", "repeats", "metadata",
}  # fmt: skip
_SIMPLE = "import tasks of templates, a local data file and acc, acc_norm or exact_match; docs/exchange.md says more"
_GENERATION = {"until", "max_gen_toks", "do_sample", "temperature"}
_GAP = "\n\n"
_MATCHING = ("ignore_case", "ignore_punctuation", "ignore_numbers", "regexes_to_ignore")


def imported(path: Path) -> tuple[Instrument, list[Item]]:
    """The task of a file. UsageError says what in it is not simple or does not fit; NotFoundError: there is no file."""
    if not path.is_file():
        raise NotFoundError(f"there is no file {path}")
    config = _config(path)
    found = documents(config, path)
    task = _Task(path, config, found, _environment())
    items = [task.item(place) for place in range(len(found.asked))]
    return _instrument(path, config, found, items), items


class _Loader(yaml.SafeLoader):  # type: ignore[misc]
    """YAML that names no code."""


def _refuse(loader: Any, node: Any) -> None:
    raise UsageError(f"the task needs the Python code {node.value!r}, which is not run", _SIMPLE)


_Loader.add_constructor("!function", _refuse)


def _config(path: Path) -> dict[str, Any]:
    try:
        config = yaml.load(path.read_text("utf-8"), Loader=_Loader)  # noqa: S506 (a safe loader)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"{path.name} is not YAML that can be read: {error}") from error
    if not isinstance(config, dict):
        raise UsageError(f"{path.name} is no task", _SIMPLE)
    config = {name: value for name, value in config.items() if value is not None}
    if strange := sorted(str(name) for name in set(config) - _KNOWN):
        raise UsageError(f"{path.name} has {', '.join(strange)}, which is not simple", _SIMPLE)
    if not isinstance(config.get("task"), str):
        raise UsageError(f"{path.name} is no single task: it gives itself no name", "write task: NAME")
    kind = config.setdefault("output_type", "generate_until")
    if kind not in {"multiple_choice", "generate_until"}:
        raise UsageError(f"{path.name} wants {kind}, which is not simple", _SIMPLE)
    wanted = {"doc_to_text", "doc_to_target"} | ({"doc_to_choice"} if kind == "multiple_choice" else set())
    if missing := sorted(wanted - set(config)):
        raise UsageError(f"{path.name} lacks {', '.join(missing)}")
    if config.get("repeats", 1) != 1:
        raise UsageError(f"{path.name} asks {config['repeats']} times, which is not simple", _SIMPLE)
    if wrong := _misshapen(config):
        raise UsageError(f"{path.name}: {wrong} is not what it must be", _SIMPLE)
    return config


def _misshapen(config: Mapping[str, Any]) -> str:
    """The first field whose value is of another kind than the harness has it."""
    for name in ("dataset_kwargs", "fewshot_config", "generation_kwargs", "metadata"):
        if not isinstance(config.get(name, {}), dict):
            return name
    metrics = config.get("metric_list", [])
    if not isinstance(metrics, list) or not all(isinstance(each, dict) and "metric" in each for each in metrics):
        return "metric_list"
    given = config.get("generation_kwargs", {})
    numbers = {"num_fewshot": config.get("num_fewshot", 0), "max_gen_toks": given.get("max_gen_toks", 1)}
    numbers["temperature"] = given.get("temperature", 0)
    return next((name for name, value in numbers.items() if not isinstance(value, int | float)), "")


def _environment() -> jinja2.Environment:
    environment = ImmutableSandboxedEnvironment(undefined=jinja2.StrictUndefined, keep_trailing_newline=True)
    environment.filters["regex_replace"] = lambda text, pattern, new, count=0: re.sub(pattern, new, text, count=count)
    return environment


@dataclass(frozen=True, slots=True)
class _Task:
    """From a document to its item, by the rules of the harness's `api/task.py`."""

    path: Path
    config: Mapping[str, Any]
    found: Documents
    environment: jinja2.Environment

    def item(self, place: int) -> Item:
        document = self.found.asked[place]
        prompt = self._description(document) + "".join(map(self._example, self.found.shots(place)))
        prompt += self._question(document)
        target = self._value("doc_to_target", document)
        if self.config["output_type"] == "generate_until":
            return self._written(place, prompt, target)
        return self._chosen(place, prompt, self._choices(document), target)

    def _chosen(self, place: int, prompt: str, choices: list[str], target: Any) -> Item:
        """Space at the end of a prompt belongs to the options, so that no token reaches over the border."""
        head = prompt.rstrip()
        if not head:
            raise self._wrong(place, "an empty prompt")
        delimiter = prompt[len(head) :] + self._delimiter("target_delimiter", " ")
        wanted = target if isinstance(target, list) else [target]
        numbers = [choices.index(each) if each in choices else each for each in wanted]
        if not numbers or not all(isinstance(each, int) and 0 <= each < len(choices) for each in numbers):
            raise self._wrong(place, f"the target {target!r}, which is none of its {len(choices)} choices")
        return Item(
            id=str(place),
            prompt=head,
            form="raw",
            options=tuple(delimiter + choice for choice in choices),
            target=tuple(map(int, numbers)),  # yes and no of a table are 1 and 0
            language=self._language,
            metadata={"lengths": [len(choice) for choice in choices]},
        )

    def _written(self, place: int, prompt: str, target: Any) -> Item:
        given = self.config.get("generation_kwargs") or {}
        if strange := sorted(set(given) - _GENERATION):
            raise UsageError(f"{self.path.name} has {', '.join(strange)} in generation_kwargs, which is not simple")
        until = given.get("until", [self._delimiter("fewshot_delimiter", _GAP)])
        if "doc_to_choice" in self.config and isinstance(target, int):
            target = self._choices(self.found.asked[place])[target]
        return Item(
            id=str(place),
            prompt=prompt,
            form="raw",
            target=tuple(str(each) for each in (target if isinstance(target, list) else [target])),
            max_tokens=int(given.get("max_gen_toks", 256)),
            stop=tuple(each for each in ([until] if isinstance(until, str) else until) if each),
            temperature=float(given.get("temperature", 1.0)) if given.get("do_sample") else 0.0,
            language=self._language,
        )

    def _description(self, document: Mapping[str, Any]) -> str:
        given = self.config.get("description", "")
        return str(document[given] if given in self.found.fields else self._rendered(given, document))

    def _example(self, document: Mapping[str, Any]) -> str:
        question, answer = self._question(document), self._value("doc_to_target", document)
        if isinstance(answer, int) and "doc_to_choice" in self.config:
            answer = self._choices(document)[answer]
        if isinstance(answer, list):
            answer = answer[0]
        if not isinstance(answer, str):
            raise UsageError(f"{self.path.name}: the answer {answer!r} of an example is no text")
        if not answer:
            return question
        gap, end = self._delimiter("target_delimiter", " "), self._delimiter("fewshot_delimiter", _GAP)
        return f"{question}{gap}{answer}{end}"

    def _question(self, document: Mapping[str, Any]) -> str:
        text = self._value("doc_to_text", document)
        if not isinstance(text, str):
            raise UsageError(f"{self.path.name}: doc_to_text gives {text!r}, no text", _SIMPLE)
        return text

    def _choices(self, document: Mapping[str, Any]) -> list[str]:
        given = self.config["doc_to_choice"]
        if isinstance(given, str):
            given = document[given] if given in document else _literal(self._rendered(given, document))
        choices = list(given.values()) if isinstance(given, dict) else given
        if not isinstance(choices, list) or len(choices) < 2 or not all(isinstance(each, str) for each in choices):
            raise UsageError(f"{self.path.name}: doc_to_choice gives {choices!r}, not two texts or more", _SIMPLE)
        return choices

    def _value(self, name: str, document: Mapping[str, Any]) -> Any:
        """A field's value; or a template's text, where digits are a number of a choice and [...] is a list."""
        given = self.config[name]
        if not isinstance(given, str):
            return given
        if given in document:
            return document[given]
        text = self._rendered(given, document)
        if text.isdigit() and "doc_to_choice" in self.config:
            return int(text)
        if name == "doc_to_target" and len(text) >= 2 and text[0] == "[" and text[-1] == "]":
            return _literal(text)
        return text

    def _rendered(self, template: str, document: Mapping[str, Any]) -> str:
        try:
            return self.environment.from_string(template).render(**document)
        except Exception as error:  # a template is a program: it fails in any way
            raise UsageError(f"{self.path.name}: the template {template[:60]!r} fails: {error}") from error

    def _delimiter(self, name: str, default: str) -> str:
        return str(self.config.get(name, default))

    @property
    def _language(self) -> str:
        return str((self.config.get("metadata") or {}).get("language", "en"))

    def _wrong(self, place: int, what: str) -> UsageError:
        return UsageError(f"{self.path.name}: document {place + 1} has {what}")


def _literal(text: str) -> Any:
    """A Python literal, never evaluated otherwise; the text itself where it is none."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return text


def _instrument(path: Path, config: Mapping[str, Any], found: Documents, items: list[Item]) -> Instrument:
    known = config.get("metadata") or {}
    measure, norm, options, left = _measure(path, config)
    about = f"Imported: {len(items)} documents, asked as plain text without a chat template or system prompt."
    if left:
        about += f" Left out of what the file asks for: {', '.join(left)}."
    dimension = known.get("dimension", "expertise")
    if dimension not in DIMENSIONS:
        raise UsageError(f"{path.name}: there is no dimension {dimension!r}", f"one of {', '.join(DIMENSIONS)}")
    chance = sum(len(item.target) / len(item.options) for item in items) / len(items) if items[0].options else None
    return Instrument(
        name=config["task"],
        title=config.get("task_alias", config["task"]),
        dimension=dimension,
        version=f"{known.get('version', 0)}+{_digest(path, *found.files)}",
        loader="harness",
        datasets=(),
        languages=(str(known.get("language", "en")),),
        licence=str(known.get("licence") or known.get("license") or "not stated"),
        source=str(known.get("source") or f"a task file for lm-evaluation-harness: {path.name}"),
        measures=(measure,),
        about=about,
        norm=norm,
        chance=chance,
        options=options,
        form="raw",
    )


def _measure(path: Path, config: Mapping[str, Any]) -> tuple[str, Norm, dict[str, Any], list[str]]:
    """The measure, how options are compared, how texts are matched, and the metrics that are left out."""
    chosen = config["output_type"] == "multiple_choice"
    fitting = ("acc_norm", "acc") if chosen else ("exact_match",)
    metrics = {each["metric"]: each for each in config.get("metric_list") or [{"metric": name} for name in fitting]}
    if any(each.get("aggregation", "mean") != "mean" for name, each in metrics.items() if name in fitting):
        raise UsageError(f"{path.name} aggregates by something else than the mean, which is not simple", _SIMPLE)
    name = next((name for name in fitting if name in metrics), None)
    if name is None:
        raise UsageError(f"{path.name} measures {', '.join(map(str, metrics))}, not {' or '.join(fitting)}", _SIMPLE)
    left = [str(other) for other in metrics if other != name]
    if chosen:
        return "accuracy", "characters" if name == "acc_norm" else "sum", {}, left
    return "exact_match", "sum", {each: metrics[name][each] for each in _MATCHING if each in metrics[name]}, left


def _digest(*paths: Path) -> str:
    """Of the task and its data: another byte is another version."""
    whole = hashlib.sha256()
    for path in paths:
        whole.update(hashlib.sha256(path.read_bytes()).digest())
    return whole.hexdigest()[:12]
