"""Assistants against each other on the same items: differences with their tests, and who cannot be told from whom.

Paired tests on the one number per item that an instrument's first measure gives (`measures.values_of`); McNemar where
it is yes or no. Holm over all that is looked at together. Knows responses and tests; draws nothing.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from .assembling import Latest, blind, proof_of
from .correcting import distrusted
from .figure import Figure
from .instrument import Instrument
from .measured.cells import LEAST
from .measures import metric_of, values_of
from .proving import Proof
from .report.parts import Cluster
from .statistics.pairs import Paired, all_pairs, clusters, paired, paired_rates
from .statistics.rates import holm

_HALVED = {"agreement", "stance"}  # their values run from -1 to 1 per item, their figures from 0 to 1
_SAME = "both speak through the same weights, and this instrument does not hear the assistant"


def compare(found: Latest, a: str, b: str, proofs: Sequence[Proof]) -> list[Figure]:
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
        results.append((instrument, why or tested(values, a, b, shared), len(shared)))
    p = [result.p for _, result, _ in results if isinstance(result, Paired)]
    adjusted = iter(holm(np.array(p)).tolist())
    return [
        _row(instrument, a, b, result, next(adjusted) if isinstance(result, Paired) else 1.0, number, len(p))
        for instrument, result, number in results
    ]


def _why_not(found: Latest, instrument: Instrument, a: str, b: str, shared: int, proofs: Sequence[Proof]) -> str:
    """Why there is no difference to be told; empty where there is one."""
    one, other = found.respondent(a), found.respondent(b)
    for each in (one, other):
        proof = proof_of(proofs, instrument, each)
        if proof is not None and not proof.sees:
            return proof.told
    if instrument.raw and (one.weights, one.adapter, one.base) == (other.weights, other.adapter, other.base):
        return _SAME
    return f"{shared} items in common say nothing yet: ask both at least {LEAST}" if shared < LEAST else ""


def tested(values: Mapping[str, Mapping[str, float]], a: str, b: str, shared: Sequence[str]) -> Paired:
    """`a` less `b` on the items both have; McNemar where all values are yes or no."""
    one, other = (np.array([values[name][item] for item in shared]) for name in (a, b))
    if np.isin(np.concatenate([one, other]), (0.0, 1.0)).all():
        return paired_rates(one > 0, other > 0)
    return paired(one, other)


def _row(
    instrument: Instrument, a: str, b: str, result: Paired | str, adjusted: float, number: int, tests: int
) -> Figure:
    if isinstance(result, str):
        return Figure(a, instrument.name, "difference", None, None, None, number, b, result)
    found = Paired(result.difference, result.p, adjusted)
    verdict = "told apart" if found.separated else "cannot be told apart"
    over = f" (Holm, {tests} instruments)" if tests > 1 else ""
    note = f"{verdict}, p adjusted {adjusted:.2g}{over}"
    unit = 0.5 if instrument.measures[0] in _HALVED else 1.0
    value, low, high = (unit * end for end in (result.difference.value, result.difference.low, result.difference.high))
    return Figure(a, instrument.name, "difference", value, low, high, number, b, note)


def alike(found: Latest, proofs: Sequence[Proof]) -> list[Cluster]:
    """Groups of two or more that cannot be told apart, instrument by instrument; Holm over all pairs of one."""
    groups: list[Cluster] = []
    for instrument in found.instruments:
        seeing = [name for name in found.assistants if not blind(found, instrument, name, proofs)]
        rows = found.of(instrument, seeing)
        if not rows or distrusted(metric_of(instrument), rows, found.gauges):
            continue
        values = values_of(instrument, rows)
        names, scores = _scores(values)
        if len(names) < 2:
            continue
        pairs = all_pairs(scores)
        groups += [
            Cluster(instrument.name, metric_of(instrument), tuple(names[place] for place in group))
            for group in clusters(len(names), pairs)
            if len(group) > 1
        ]
    return groups


def _scores(values: Mapping[str, Mapping[str, float]]) -> tuple[list[str], np.ndarray]:
    """Assistants with `LEAST` items in common, two by two, and their values; NaN where one has none."""
    names = [name for name, each in values.items() if len(each) >= LEAST]
    items = list(dict.fromkeys(item for name in names for item in values[name]))
    scores = np.array([[values[name].get(item, np.nan) for item in items] for name in names])
    while len(names) > 1:
        there = (~np.isnan(scores)).astype(int)
        common = there @ there.T
        if common.min() >= LEAST:
            break
        lonely = int(common.sum(1).argmin())
        names.pop(lonely)
        scores = np.delete(scores, lonely, 0)
    return names, scores
