"""Assistants against each other on the same items: differences with their tests, and who cannot be told from whom.

Paired tests on the one number per item that an instrument's first measure gives (`metrics.by_name.values_of`); McNemar
where it is yes or no. Holm over all that is looked at together. Knows responses and tests; draws nothing.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from ..judges.correction import distrusted
from ..metrics.by_name import metric_of, values_of
from ..metrics.cells import LEAST
from ..run.sensitivity import SensitivityCheck
from ..schema.figure import Figure
from ..schema.instrument import Instrument
from ..schema.items import key_of
from ..schema.metric import metric
from ..schema.reasons import Reason, Recites, SameWeights, Tested, TooFew
from ..schema.responses import Response
from ..stats.pairs import Paired, all_pairs, clusters, paired, paired_rates
from ..stats.rates import holm
from .parts import Cluster
from .result_set import ResultSet
from .visibility import failed_of_either, passing, shown, standing


def compare(found: ResultSet, a: str, b: str, checks: Sequence[SensitivityCheck]) -> list[Figure]:
    """`a` less `b` by each instrument that both have answered: rows of metric "difference", the other as group.

    In the unit of the measure's figure. Without a value where the instrument did not pass, where its judge panel is not
    good enough, where fewer than `LEAST` items are in common, and where both are the same by construction.
    """
    results: list[tuple[Instrument, Paired | Reason, int]] = []
    for instrument in found.tried:
        rows = found.of(instrument, (a, b))
        silent = [each for each in (found.silence(instrument, name) for name in (a, b)) if each]
        if {row.assistant for row in rows} | {each.assistant for each in silent} != {a, b}:
            continue
        if silent:
            results.append((instrument, silent[0].reason, 0))
            continue
        values = values_of(instrument, rows)
        shared = [item for item in values.get(a, {}) if item in values.get(b, {})]
        why = _why_not(found, instrument, a, b, len(shared), checks)
        why = why or distrusted(metric_of(instrument), rows, found.validations)
        results.append((instrument, why or tested(values, a, b, shared, keys_of(rows)), len(shared)))
    p = [result.p for _, result, _ in results if isinstance(result, Paired)]
    adjusted = iter(holm(np.array(p)).tolist())
    differences = [
        _row(instrument, a, b, result, next(adjusted) if isinstance(result, Paired) else 1.0, number, len(p))
        for instrument, result, number in results
    ]
    named = {each.name: each for each in found.tried}
    return [_recited(_checked(each, named[each.instrument], found, checks), found.responses) for each in differences]


def _checked(
    difference: Figure, instrument: Instrument, found: ResultSet, checks: Sequence[SensitivityCheck]
) -> Figure:
    """What was not checked is said here as it is of each figure."""
    if difference.value is None:
        return difference
    both = [found.respondent(name) for name in (difference.assistant, difference.group)]
    return shown(difference, [standing(checks, instrument, each) for each in both])


def _recited(difference: Figure, rows: Sequence[Response]) -> Figure:
    """With how many responses of the two recite the prompt of who gave them."""
    both = {difference.assistant, difference.group}
    number = sum(row.recites for row in rows if row.instrument == difference.instrument and row.assistant in both)
    if not number or difference.value is None:
        return difference
    return difference.with_remark(Recites(number))


def _why_not(
    found: ResultSet, instrument: Instrument, a: str, b: str, shared: int, checks: Sequence[SensitivityCheck]
) -> Reason | None:
    """Why there is no difference to be told; None where there is one."""
    one, other = found.respondent(a), found.respondent(b)
    if failed := failed_of_either(checks, instrument, (one, other)):
        return failed
    if instrument.raw and (one.weights, one.adapter, one.base) == (other.weights, other.adapter, other.base):
        return SameWeights()
    return TooFew(shared, LEAST, common=True) if shared < LEAST else None


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
    instrument: Instrument, a: str, b: str, result: Paired | Reason, adjusted: float, number: int, tests: int
) -> Figure:
    if not isinstance(result, Paired):
        return Figure(a, instrument.name, "difference", None, None, None, number, b, withheld=result)
    found = Paired(result.difference, result.p, adjusted)
    unit = unit_of(instrument)
    value, low, high = (unit * end for end in (result.difference.value, result.difference.low, result.difference.high))
    test = Tested(found.separated, adjusted, tests)
    return Figure(a, instrument.name, "difference", value, low, high, number, b, remarks=(test,))


def alike(found: ResultSet, checks: Sequence[SensitivityCheck]) -> list[Cluster]:
    """Groups of two or more that cannot be told apart, instrument by instrument; Holm over all pairs of one."""
    groups: list[Cluster] = []
    for instrument in found.instruments:
        rows = passing(found, instrument, checks)
        if not rows or distrusted(metric_of(instrument), rows, found.validations):
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
