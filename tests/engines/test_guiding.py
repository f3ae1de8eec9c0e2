"""The formula of guidance on rows of numbers, against its own text."""

import numpy as np

from pluriverse.engines.guiding import PLAUSIBLE, contrasted, implausible, log_softmax

ROWS = np.random.default_rng(1).normal(0, 4, (2, 3, 50)).astype(np.float32)


def test_nothing_changes_without_strength() -> None:
    assert np.array_equal(contrasted(ROWS[0], ROWS[1], 0.0), ROWS[0])


def test_the_contrast_is_that_of_the_text() -> None:
    voice, against = (log_softmax(rows) for rows in ROWS)
    for strength in (0.5, 2.0, 5.0):
        expected = log_softmax((voice + strength * (voice - against)).astype(np.float32))
        assert np.allclose(log_softmax(contrasted(*ROWS, strength)), expected, atol=1e-4)


def test_a_voice_against_itself_stays_itself() -> None:
    assert np.allclose(log_softmax(contrasted(ROWS[0], ROWS[0], 3.0)), log_softmax(ROWS[0]), atol=1e-5)


def test_only_plausible_words_are_left() -> None:
    probabilities = np.exp(log_softmax(ROWS[0, 0]))
    assert np.array_equal(implausible(ROWS[0, 0]), probabilities < PLAUSIBLE * probabilities.max())
