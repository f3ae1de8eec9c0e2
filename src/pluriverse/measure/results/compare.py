"""Assistants against each other on the same items: differences with their tests, and who cannot be told from whom.

Paired tests on the one number per item that an instrument's first measure gives (`metrics.by_name.values_of`); McNemar
where it is yes or no. Holm over all that is looked at together. Knows responses and tests; draws nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from ..judges.correction import distrusted
from ..metrics.by_name import metric_of, values_of
from ..metrics.cells import LEAST
from ..run.sensitivity import SensitivityCheck, check_of, standing
from ..schema.figure import Figure
from ..schema.instrument import Instrument
from ..schema.items import key_of
from ..schema.metric import metric
from ..schema.responses import Response
from ..stats.pairs import Paired, all_pairs, clusters, paired, paired_rates
from ..stats.rates import holm
from .assemble import UNPROVED, ResultSet, blind
from .parts import Cluster

_SAME = "both speak through the same weights, and this instrument does not hear the assistant"


def compare(found: ResultSet, a: str, b: str, proofs: Sequence[SensitivityCheck]) -> list[Figure]:
    """`a` less `b` by each instrument that both have answered: rows of metric "difference", the other as group.

    In the unit of the measure's figure. Without a value where the instrument is blind, where its jury is not good
    enough, where fewer than `LEAST` items are in common, and where both are the same by construction.
    """
    results: list[tuple[Instrument, Paired | str, int]] = []
    for instrument in found.tried:
        rows = found.of(instrument, (a, b))
        silent = [each for each in (found.silence(instrument, name) for name in (a, b)) if each]
        if {row.assistant for row in rows} | {each.assistant for each in silent} != {a, b}:
            continue
        if silent:
            results.append((instrument, silent[0].why, 0))
            continue
        values = values_of(instrument, rows)
        shared = [item for item in values.get(a, {}) if item in values.get(b, {})]
        why = _why_not(found, instrument, a, b, len(shared), proofs)
        why = why or distrusted(metric_of(instrument), rows, found.gauges)
        results.append((instrument, why or tested(values, a, b, shared, keys_of(rows)), len(shared)))
    p = [result.p for _, result, _ in results if isinstance(result, Paired)]
    adjusted = iter(holm(np.array(p)).tolist())
    differences = [
        _row(instrument, a, b, result, next(adjusted) if isinstance(result, Paired) else 1.0, number, len(p))
        for instrument, result, number in results
    ]
    named = {each.name: each for each in found.tried}
    return [_recited(_proved(each, named[each.instrument], found, proofs), found.responses) for each in differences]


def _proved(difference: Figure, instrument: Instrument, found: ResultSet, proofs: Sequence[SensitivityCheck]) -> Figure:
    """What was not proved is said here as it is of each figure."""
    both = [found.respondent(name) for name in (difference.assistant, difference.group)]
    known = instrument.opposites is None or all(check_of(proofs, instrument, each) for each in both)
    if known or difference.value is None:
        return difference
    return replace(difference, note=f"{difference.note}; {UNPROVED}")


def _recited(difference: Figure, rows: Sequence[Response]) -> Figure:
    """With how many responses of the two recite the prompt of who gave them."""
    both = {difference.assistant, difference.group}
    number = sum(row.recites for row in rows if row.instrument == difference.instrument and row.assistant in both)
    if not number or difference.value is None:
        return difference
    note = f"{difference.note}; {number} responses of both recite the prompt of who gave them"
    return replace(difference, note=note, reciting=number)


def _why_not(
    found: ResultSet, instrument: Instrument, a: str, b: str, shared: int, proofs: Sequence[SensitivityCheck]
) -> str:
    """Why there is no difference to be told; empty where there is one."""
    one, other = found.respondent(a), found.respondent(b)
    for each in (one, other):
        if proof := standing(proofs, instrument, each):
            return proof.told
    if instrument.raw and (one.weights, one.adapter, one.base) == (other.weights, other.adapter, other.base):
        return _SAME
    return f"{shared} items in common say nothing yet: ask both at least {LEAST}" if shared < LEAST else ""


def tested(
    values: Mapping[str, Mapping[str, float]], a: str, b: str, shared: Sequence[str], keys: Mapping[str, int]
) -> Paired:
    """`a` less `b` on the items both have; McNemar where all values are yes or no. By `keys` of items (`key_of`) both
    sides weigh the same, so that saying yes to more of one side's statements counts for nothing."""
    weights = _weights(shared, keys)
    one, other = (weights * np.array([values[name][item] for item in shared]) for name in (a, b))
    if np.isin(np.concatenate([one, other]), (0.0, 1.0)).all():
        return paired_rates(one > 0, other > 0)
    return paired(one, other)


def keys_of(rows: Sequence[Response]) -> dict[str, int]:
    """By item (`key_of`)."""
    return {row.item: key_of(row.metadata) for row in rows}


def unit_of(instrument: Instrument) -> float:
    """What a difference of values per item is in the unit of the instrument's figure."""
    return metric(instrument.measures[0]).unit


def _weights(items: Sequence[str], keys: Mapping[str, int]) -> np.ndarray:
    """n / (2 n of the item's key); 1 where there are no keys, or of one side only. float64 [items]"""
    found = np.array([keys.get(item, 0) for item in items])
    numbers = {key: int((found == key).sum()) for key in (1, -1)}
    if 0 in numbers.values():
        return np.ones(len(items))
    return np.array([len(items) / (2 * numbers[key]) if key else 1.0 for key in found])


def _row(
    instrument: Instrument, a: str, b: str, result: Paired | str, adjusted: float, number: int, tests: int
) -> Figure:
    if isinstance(result, str):
        return Figure(a, instrument.name, "difference", None, None, None, number, b, result)
    found = Paired(result.difference, result.p, adjusted)
    verdict = "told apart" if found.separated else "cannot be told apart"
    over = f" (Holm, {tests} instruments)" if tests > 1 else ""
    note = f"{verdict}, p adjusted {adjusted:.2g}{over}"
    unit = unit_of(instrument)
    value, low, high = (unit * end for end in (result.difference.value, result.difference.low, result.difference.high))
    return Figure(a, instrument.name, "difference", value, low, high, number, b, note)


def alike(found: ResultSet, proofs: Sequence[SensitivityCheck]) -> list[Cluster]:
    """Groups of two or more that cannot be told apart, instrument by instrument; Holm over all pairs of one."""
    groups: list[Cluster] = []
    for instrument in found.instruments:
        seeing = [name for name in found.assistants if not blind(found, instrument, name, proofs)]
        rows = found.of(instrument, seeing)
        if not rows or distrusted(metric_of(instrument), rows, found.gauges):
            continue
        values = values_of(instrument, rows)
        names, scores = _scores(values, keys_of(rows))
        if len(names) < 2:
            continue
        if not (pairs := all_pairs(scores, LEAST)):
            continue
        groups += [
            Cluster(instrument.name, metric_of(instrument), tuple(names[place] for place in group))
            for group in clusters(len(names), pairs)
            if len(group) > 1
        ]
    return groups


def _scores(values: Mapping[str, Mapping[str, float]], keys: Mapping[str, int]) -> tuple[list[str], np.ndarray]:
    """Assistants with `LEAST` items, and their values, both sides of an axis weighing the same; NaN where one has none.
    Two that have fewer in common are never tested, so that they count as not told apart."""
    names = [name for name, each in values.items() if len(each) >= LEAST]
    items = list(dict.fromkeys(item for name in names for item in values[name]))
    weights = _weights(items, keys)
    return names, np.array([[values[name].get(item, np.nan) for item in items] for name in names]) * weights
