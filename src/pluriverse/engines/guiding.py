"""Guidance: a voice decoded in contrast to another reading of the same conversation.

    log p_g(t)  =  log p(t | voice) + strength * (log p(t | voice) - log p(t | against))  + a constant of the row
    over the tokens with  p(t | voice) >= PLAUSIBLE * max p(. | voice)

The contrast is classifier-free guidance with a counter-prompt (Sanchez et al., arXiv 2306.17806); the cut to plausible
tokens is contrastive decoding's (Li et al., arXiv 2210.15097). Knows rows of logits; nothing of prompts or streams.
"""

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Rows = NDArray[np.float32]

PLAUSIBLE = 0.1


def contrasted(voice: "Rows", against: "Rows", strength: float) -> "Rows":
    """Guided scores, without the cut. All float32 [..., vocabulary].

    They are the voice's own logits moved by the contrast, so that strength 0 gives the voice itself, bit for bit, and
    penalties meet numbers of the size they are made for. softmax of a row is p_g.
    """
    if strength == 0:
        return voice
    constant = (_log_sum(voice) - _log_sum(against)).astype(np.float32)
    return voice + np.float32(strength) * ((voice - against) - constant)


def implausible(voice: "Rows") -> "NDArray[np.bool_]":
    """Which tokens of a row the voice itself would hardly say; bool [vocabulary]."""
    return np.asarray(voice < voice.max() + np.float32(math.log(PLAUSIBLE)))


def log_softmax(rows: "Rows") -> "NDArray[np.float64]":
    """Natural log-probabilities over the last axis, summed in double precision."""
    return rows - _log_sum(rows)


def _log_sum(rows: "Rows") -> "NDArray[np.float64]":
    """log sum exp over the last axis, kept as an axis of one."""
    peak = rows.max(axis=-1, keepdims=True)
    total = np.exp(rows - peak).sum(axis=-1, keepdims=True, dtype=np.float64)
    return np.asarray(peak + np.log(total), np.float64)
