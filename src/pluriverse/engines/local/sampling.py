"""Choosing the next token from one row of logits.

Knows one request's sampling settings and what it has said so far. Does not know batches or text.
"""

import ctypes as c
from collections import deque
from collections.abc import Sequence

import numpy as np

from ...errors import EngineError, UsageError
from ...values import Sampling
from ..contract import Token
from ..guiding import contrasted, implausible, log_softmax
from .context import Logits
from .holding import Mask
from .layouts import Candidate, Candidates
from .model import Model

_ROW = np.dtype([("id", np.int32), ("logit", np.float32), ("p", np.float32)])


class Sampler:
    """Penalties, grammar, top-k, top-p, min-p, temperature, draw; at temperature 0 the likeliest token.

    A guided reply's scores come first, cut to the tokens that the voice itself finds plausible; among those that may be
    said at all, where it is held to texts.
    Penalties see what was generated, not the prompt, so that a question's own words stay free. They are computed here:
    the library's sampler looks every token of the vocabulary up in a hash map, which costs as much as a decoding step.
    """

    def __init__(self, model: Model, sampling: Sampling, seed: int, strength: float = 0.0) -> None:
        self._model = model
        self._strength = strength
        self._sampling = sampling
        self._said: deque[int] = deque(maxlen=sampling.repeat_last_n)
        self._penalises = sampling.repeat_last_n > 0 and (
            sampling.repeat_penalty != 1 or sampling.frequency_penalty != 0 or sampling.presence_penalty != 0
        )
        self._grammar = self._make_grammar()
        self._chain = self._make_chain(seed) if sampling.temperature > 0 else None

    def choose(self, rows: Sequence[Logits], mask: Mask | None = None) -> int:
        """The next token, of those that `mask` leaves.

        `rows`: logits, and the other side's of a guided reply; float32 [vocabulary] each, not changed.
        """
        logits, guided = rows[0], len(rows) > 1 and self._strength > 0
        scores = contrasted(logits, rows[1], self._strength) if guided else logits
        if self._penalises and self._said:
            scores = self._penalised(scores)
        if mask is not None:
            scores = mask.apply(scores)
            logits = mask.apply(logits) if guided else logits
        token = self._pick(_cut(scores, logits) if guided else scores)
        if self._grammar and not self._allowed(token):
            allowed = self._masked(scores)
            if not np.isfinite(allowed).any():  # the library would end the process at the next token
                raise EngineError("the grammar allows no token of this model here, so the reply cannot go on")
            plausible = _cut(allowed, logits) if guided else allowed
            token = self._pick(plausible if np.isfinite(plausible).any() else allowed)
        if self._grammar:
            self._model.library.llama_sampler_accept(self._grammar, token)
        self.hear(token)
        return token

    def told(self, rows: Sequence[Logits], token: int, likeliest: int) -> Token:
        """A chosen token with its log-probability before penalties and what follows, and the likeliest beside it."""
        guided = len(rows) > 1 and self._strength > 0
        scores = contrasted(rows[0], rows[1], self._strength) if guided else rows[0]
        return token_told(self._model, scores, token, likeliest)

    def hear(self, token: int) -> None:
        """A token that others chose is said too: penalties count it."""
        self._said.append(token)

    def close(self) -> None:
        for sampler in (self._chain, self._grammar):
            if sampler:
                self._model.library.llama_sampler_free(sampler)
        self._chain = self._grammar = None

    def _pick(self, scores: Logits) -> int:
        if self._chain is None:
            return int(scores.argmax())
        ids = np.flatnonzero(scores > -np.inf)
        rows = np.empty(len(ids), _ROW)
        rows["id"] = ids
        rows["logit"] = scores[ids]
        candidates = _candidates(rows)
        self._model.library.llama_sampler_apply(self._chain, c.byref(candidates))
        return int(candidates.data[candidates.selected].id)

    def _penalised(self, logits: Logits) -> Logits:
        """llama.cpp's rule (src/llama-sampler.cpp, llama_sampler_penalties_apply) on the tokens it concerns."""
        s = self._sampling
        tokens, counts = np.unique(np.fromiter(self._said, np.int32), return_counts=True)
        scores = logits.copy()
        said = scores[tokens]
        said = np.where(said <= 0, said * s.repeat_penalty, said / s.repeat_penalty)
        scores[tokens] = said - counts * s.frequency_penalty - s.presence_penalty
        return scores

    def _allowed(self, token: int) -> bool:
        """Asking the grammar about one token is quick; masking the whole vocabulary is not."""
        row = np.array([(token, 0.0, 0.0)], _ROW)
        self._model.library.llama_sampler_apply(self._grammar, c.byref(_candidates(row)))
        return bool(np.isfinite(row["logit"][0]))

    def _masked(self, scores: Logits) -> Logits:
        rows = np.empty(len(scores), _ROW)
        rows["id"] = np.arange(len(scores), dtype=np.int32)
        rows["logit"] = scores
        self._model.library.llama_sampler_apply(self._grammar, c.byref(_candidates(rows)))
        masked = np.full_like(scores, -np.inf)
        masked[rows["id"]] = rows["logit"]
        return masked

    def _make_grammar(self) -> int | None:
        if self._sampling.grammar is None:
            return None
        text = self._sampling.grammar.encode("utf-8", "replace")
        grammar: int | None = None
        if text.strip() and b"\0" not in text:  # the library takes no text for no grammar, and reads up to a zero byte
            grammar = self._model.library.llama_sampler_init_grammar(self._model.vocabulary, text, b"root")
        if not grammar:
            raise UsageError("the grammar cannot be read", "it must be GBNF with a rule named root")
        return grammar

    def _make_chain(self, seed: int) -> int:
        lib, s = self._model.library, self._sampling
        chain: int = lib.llama_sampler_chain_init(lib.llama_sampler_chain_default_params())
        if s.top_k:
            lib.llama_sampler_chain_add(chain, lib.llama_sampler_init_top_k(s.top_k))
        if s.top_p < 1:
            lib.llama_sampler_chain_add(chain, lib.llama_sampler_init_top_p(s.top_p, 1))
        if s.min_p > 0:
            lib.llama_sampler_chain_add(chain, lib.llama_sampler_init_min_p(s.min_p, 1))
        lib.llama_sampler_chain_add(chain, lib.llama_sampler_init_temp(s.temperature))
        lib.llama_sampler_chain_add(chain, lib.llama_sampler_init_dist(seed))
        return chain


def token_told(model: Model, scores: Logits, token: int, likeliest: int) -> Token:
    """A token where these scores stand before it."""
    logprobs = log_softmax(scores)
    few = min(likeliest, len(logprobs))
    best = np.argpartition(-logprobs, few - 1)[:few] if few else ()
    ordered = sorted(map(int, best), key=lambda each: (-logprobs[each], each))
    beside = tuple((each, model.shown(each), float(logprobs[each])) for each in ordered)
    return Token(token, model.shown(token), float(logprobs[token]), beside)


def _cut(scores: Logits, voice: Logits) -> Logits:
    return np.where(implausible(voice), np.float32(-np.inf), scores)


def _candidates(rows: np.ndarray) -> Candidates:
    """A native view of `rows`, which must outlive it."""
    return Candidates(rows.ctypes.data_as(c.POINTER(Candidate)), len(rows), -1, False)
