"""Overton coverage: how much of what people reasonably say is said by a panel, and what each member adds.

Knows which claims were found in whose answers; nothing of how they were found (by entailment in Modular Pluralism,
arXiv 2406.15951). A claim that is not found may still have been meant. More draws find more: compare at equal draws.
"""

from dataclasses import dataclass

import numpy as np

from ...errors import UsageError
from .intervals import Interval
from .resampling import of_means


@dataclass(frozen=True, slots=True)
class Coverage:
    """A panel's coverage and its members' parts, one interval for each in the order they were given."""

    panel: Interval
    alone: tuple[Interval, ...]  # Cov(M): what each covers by itself
    gains: tuple[Interval, ...]  # Cov(panel) - Cov(panel without it): what would be lost
    shapley: tuple[Interval, ...]  # its fair part of the panel's coverage; these sum to it


def covered(held: np.ndarray, claims: np.ndarray) -> np.ndarray:
    """Cov(M, x) = |W(x) in M(x)| / |W(x)| for the union of all that answered; float64 [questions].

    `held` is bool [respondents, questions, claims], `claims` bool [questions, claims]: which of them the question has.
    """
    return _share(np.asarray(held.any(0)), claims)


def coverage(held: np.ndarray, claims: np.ndarray) -> Coverage:
    """Coverage by the panel, by each member alone, and each member's marginal gain, means over questions.

    Shapes as in `covered`. Questions without claims are left out; at least two must remain. The gain is
    Cov(pool + a) - Cov(pool), the pool being the others: 0 for two that say the same, however much it is. The Shapley
    part shares each claim equally among those who made it, which is the average gain over all orders of joining.
    """
    kept = claims.any(1)
    if kept.sum() < 2:
        raise UsageError("fewer than two questions have claims to cover", "add reference claims to the instrument")
    held, claims = held[:, kept] & claims[kept], claims[kept]
    makers = held.sum(0)  # [questions, claims]
    whole = covered(held, claims)
    alone = tuple(_mean(_share(each, claims)) for each in held)
    gains = tuple(_mean(_share(each & (makers == 1), claims)) for each in held)
    parts = tuple(_mean(_share(each / np.maximum(makers, 1), claims)) for each in held)
    return Coverage(_mean(whole), alone, gains, parts)


def _mean(shares: np.ndarray) -> Interval:
    return of_means(shares, bounds=(0.0, 1.0))


def _share(found: np.ndarray, claims: np.ndarray) -> np.ndarray:
    """Of a question's claims, the part that was found; 0 where it has none. [questions, claims] to [questions]."""
    return np.asarray((found * claims).sum(-1) / np.maximum(claims.sum(-1), 1))
