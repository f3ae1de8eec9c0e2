"""Respondents against each other on the same questions: differences, their tests, and who cannot be told from whom.

Knows one figure per respondent and question; nothing of what it measures. Respondents are numbered as they were given.
"""

from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from .intervals import LEVEL, Interval
from .rates import holm, mcnemar, wilson
from .resampling import FLIPS, ROUNDS, SEED, flips, of_means


@dataclass(frozen=True, slots=True)
class Paired:
    """One respondent less another, on the questions both have."""

    difference: Interval
    p: float  # sign flips by question, or McNemar for yes and no
    adjusted: float  # by Holm over all pairs that were looked at; `p` for a pair alone

    @property
    def separated(self) -> bool:
        """Told apart: the interval does not hold 0, and the adjusted p is at most 1 - LEVEL. Else: no rank."""
        return self.adjusted <= 1 - LEVEL + 1e-12 and not self.difference.low <= 0 <= self.difference.high


def paired(a: np.ndarray, b: np.ndarray, rounds: int = ROUNDS, signs: int = FLIPS) -> Paired:
    """`a` less `b`, means over questions, drawn anew together; float64 [questions] each, NaN where one has none.

    p is by sign flips of the questions' differences (`flips`). The difference has the unit of what is given.
    """
    differences = (a - b)[~np.isnan(a - b)]
    value = of_means(differences, rounds=rounds)
    p = flips(differences, signs, SEED)
    return Paired(value, p, p)


def paired_rates(a: np.ndarray, b: np.ndarray) -> Paired:
    """r(a) less r(b) over matched pairs, with McNemar's exact p; bool [pairs] each.

    Refusal asymmetry: `a` are refusals on one target's questions, `b` on the matched target's.
    Pairs needed for a gap d at discordance q with 80 % power: 7.84 q / d^2.
    """
    yes, other = np.asarray(a, bool), np.asarray(b, bool)
    p = mcnemar(int((yes & ~other).sum()), int((other & ~yes).sum()))
    if (yes == other).all():  # no pair differs: as many may as Wilson's interval of none allows, either way
        most = wilson(0, len(yes)).high
        return Paired(Interval(0.0, -most, most, len(yes)), p, p)
    difference = of_means(yes.astype(float) - other, bounds=(-1.0, 1.0))
    return Paired(difference, p, p)


def all_pairs(scores: np.ndarray, least: int = 2, rounds: int = ROUNDS) -> dict[tuple[int, int], Paired]:
    """Every two respondents compared that have `least` questions in common, p-values adjusted by Holm over all of them;
    keys (i, j) with i < j.

    `scores` is float64 [respondents, questions], NaN where one has no figure. The more pairs, the more signs are drawn:
    with 9,999 the smallest p would be too large for Holm from 33 respondents on.
    """
    there = (~np.isnan(scores)).astype(int)
    common = there @ there.T
    keys = [(i, j) for i, j in combinations(range(len(scores)), 2) if common[i, j] >= least]
    signs = max(FLIPS, 400 * len(keys))
    found = [paired(scores[i], scores[j], rounds, signs) for i, j in keys]
    adjusted = holm(np.array([each.p for each in found]))
    return {key: replace(each, adjusted=float(p)) for key, each, p in zip(keys, found, adjusted, strict=True)}


def clusters(respondents: int, pairs: dict[tuple[int, int], Paired]) -> tuple[tuple[int, ...], ...]:
    """Groups of respondents that cannot be told apart, as in a letter display.

    The rule: two respondents share a group exactly when they are not separated, and no group holds a separated pair.
    Being alike does not carry over, so that a respondent may stand in several groups (A like B, B like C, A unlike C:
    {A, B} and {B, C}). By inserting each separated pair and absorbing what lies within another group (Gramm et al.,
    Comput. Stat. Data Anal. 2007, doi 10.1016/j.csda.2006.09.035). No group lies within another; in order of members.
    """
    groups = {frozenset(range(respondents))}
    for (i, j), pair in pairs.items():
        if pair.separated:
            split = {group for group in groups if i in group and j in group}
            whole = groups - split
            parts = {group - {one} for group in split for one in (i, j)}
            groups = whole | {part for part in parts if not any(part < other for other in whole | parts)}
    return tuple(sorted(tuple(sorted(group)) for group in groups))
