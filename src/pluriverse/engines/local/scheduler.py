"""Continuous batching: many requests decode together, arrive and leave while others go on.

One call of `step` reads one waiting prompt, or advances every running reply by one token in one decode.
Knows prompts, streams and tokens. Does not know processes, wires or files; `worker` drives it.

What a reply says never depends on its company: each has a stream of its own, and each prompt is computed in pieces that
follow from its own text alone (`prompts.Prompt.cuts`), never in one decode with another's.
"""

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from functools import partial

from ...errors import PluriverseError
from ...values import Sampling
from ..contract import Chosen, EngineEvent, Failed, FinishReason, Started
from .context import LENGTH_STEP, Aborted, Context, Logits, Shape
from .grammars import Grammars
from .holding import Hold
from .model import Model
from .options import EngineOptions
from .pace import Pace
from .prefixes import Prefix, PrefixCache
from .projector import Projector
from .prompts import ChatTemplate, Contrast, Prompt
from .reading import decodes
from .running import Reply, Track, new_reply
from .turns import Turns

Reading = Generator[None, None, tuple[int, list[Logits]]]
"""A reply's prompts on their way into streams, piece by piece; last how much was copied, and what is chosen from."""

READING = 128  # tokens of prompts read before running replies get their turn: first words come early
FIXED_STREAMS = 8
FIRST_GROWTH = 512  # tokens of reply that a stream is first made for


class Scheduler:
    """Not thread-safe, except `cancel`, which another thread may call at any time."""

    def __init__(
        self,
        model: Model,
        options: EngineOptions,
        bytes_per_token: int,
        turns: Turns,
        pace: Pace | None = None,
        template: ChatTemplate | None = None,
    ) -> None:
        self._model = model
        self._options = options
        self._turns = turns
        self._pace = pace
        self._bytes_per_token = bytes_per_token
        self._template = template or ChatTemplate(model)
        self._grammars = Grammars(model)
        self.projector: Projector | None = None  # of prompts that show pictures
        self._prefixes = PrefixCache(options.prefix_memory)
        self._context: Context | None = None
        self._waiting: deque[Reply] = deque()
        self._running: list[Reply] = []
        self._tracks: list[Track] = []  # of the running replies; as many streams are in use
        self._reading: tuple[Reply, Reading] | None = None  # the running reply whose prompt is being read
        self._lock = threading.Lock()
        self._cancelled: set[int] = set()
        self._decoding: frozenset[int] = frozenset()
        self._read_since_decode = 0
        # States saved from other memories than plain ones only fit contexts of as many streams: the number is fixed.
        most = options.max_streams if model.plain_memory else min(FIXED_STREAMS, options.max_streams)
        self._max_streams = max(most, 2)  # a guided reply needs two

    @property
    def template(self) -> ChatTemplate:
        return self._template

    @property
    def idle(self) -> bool:
        return not self._waiting and not self._running

    @property
    def memory(self) -> int:
        """Bytes of keys and values, running and kept."""
        shape = self._context.shape if self._context else None
        return (shape.streams * shape.length * self._bytes_per_token if shape else 0) + self._prefixes.bytes

    def submit(
        self,
        id: int,
        prompt: Prompt,
        sampling: Sampling,
        contrast: Contrast | None = None,
        lead: tuple[int, ...] = (),
        quotable: tuple[str, ...] = (),
        likeliest: int | None = None,
    ) -> list[EngineEvent]:
        """Queue a request, which may have a lead (tokens behind the prompt) that is told at once, and texts to quote.

        Raises ContextOverflowError or UsageError (grammar, a lead that quotes falsely) instead of queueing it.
        """
        guided = contrast is not None and contrast.strength > 0
        prompts = (prompt, contrast.prompt) if contrast and guided else (prompt,)
        self._grammars.check(sampling.grammar)
        strength = contrast.strength if contrast else 0.0
        reply = new_reply(id, self._model, self._template, prompts, sampling, strength, lead, quotable)
        reply.likeliest = likeliest
        events = self._lead(reply) if lead else []
        if (reason := reply.over(self._model.context_length)) is None:
            self._waiting.append(reply)
            return events
        reply.sampler.close()
        return [*events, *reply.finish(reason)]

    def cancel(self, ids: Iterable[int]) -> None:
        """End these replies within the step that is running now. Unknown ids are ignored. Safe from any thread."""
        with self._lock:
            self._cancelled.update(ids)
            if self._context and self._decoding and self._decoding <= self._cancelled:
                self._context.abort()

    def step(self) -> list[EngineEvent]:
        """Read a piece of a waiting prompt, or decode one token of every running reply.

        Prompts come first, so that all decode together soon, but after READING tokens of them, or the one piece that
        is longer, the running replies get their turn. The events' index is the request's id.
        """
        events = self._drop_cancelled()
        if self._read_since_decode < READING:
            if self._reading is None and self._waiting and self._admit():
                reply = self._waiting.popleft()
                self._reading = reply, self._read_prompts(reply)
            if self._reading is not None:
                return events + self._read_on(*self._reading)
        self._read_since_decode = 0
        if len(self._running) > (self._reading is not None):
            events += self._decode_all()
        return events

    def close(self) -> None:
        for reply in (*self._waiting, *self._running):
            reply.sampler.close()
        self._waiting.clear()
        self._running.clear()
        self._tracks.clear()
        self._template.close()
        if self._context:
            self._context.close()
            self._context = None

    @property
    def _here(self) -> Context:
        assert self._context
        return self._context

    # -- reading prompts

    def _lead(self, reply: Reply) -> list[EngineEvent]:
        """Tell a reply's first words, before its prompt is read."""
        track = reply.tracks[0]
        cached, _ = self._prefixes.longest(track.prompt.adapter, track.read, track.cuts)
        for token in reply.lead:
            reply.sampler.hear(token)
        started = Started(reply.id, reply.prompt_tokens, min(cached, reply.prompt_tokens), reply.seed)
        return [started, *reply.begin(b"".join(map(self._model.piece, reply.lead)))]

    def _read_on(self, reply: Reply, reading: Reading) -> list[EngineEvent]:
        """One piece of a prompt more; the reply's first events where it was the last one."""
        try:
            next(reading)
            return []
        except StopIteration as read:
            self._reading = None
            cached, rows = read.value
            self._read_since_decode += cached  # copies count too, so that many short prompts let others speak
            started = [] if reply.lead else [Started(reply.id, reply.prompt_tokens, cached, reply.seed)]
            return [*started, *self._say(reply, rows)]
        except Aborted:
            return self._drop_cancelled()
        except PluriverseError as error:
            self._leave(reply)
            return [Failed(reply.id, error)]

    def _read_prompts(self, reply: Reply) -> Reading:
        """Bring the prompts of a reply into streams; what its first token is chosen from."""
        self._fitted(reply)
        self._running.append(reply)
        if reply.quotable:  # not before: the first one of a model takes a while, and leads are told at once
            reply.hold = Hold(reply.quotable, self._model.words, self._model.spelling(reply.lead))
        self._tracks += reply.tracks
        rows, cached = [], []
        for track in reply.tracks:
            copied, logits = yield from self._read(track)
            rows.append(logits)
            cached.append(copied)
        return cached[0], rows

    def _read(self, track: Track) -> Generator[None, None, tuple[int, Logits]]:
        """Bring one prompt into its stream: how much of it was copied from memory, and the logits after it."""
        tokens, cuts = track.read, track.cuts
        done, prefix = self._prefixes.longest(track.prompt.adapter, tokens, cuts)
        copied = done
        if prefix:
            self._here.restore(self._tracks.index(track), prefix.state)
        logits = prefix.logits if prefix else None
        for cut in cuts:
            if cut > done:
                logits = yield from self._compute(track, tokens, done, cut)
                done, stream = cut, self._tracks.index(track)
                if self._here.state_size(stream) <= self._options.prefix_memory:  # else the copy would be for nothing
                    self._prefixes.keep(track.prompt.adapter, tokens[:cut], Prefix(self._here.save(stream), logits))
        track.tokens = [*tokens]
        assert logits is not None  # a prompt has at least one token
        return copied, logits

    def _compute(self, track: Track, tokens: Sequence[int], start: int, end: int) -> Generator[None, None, Logits]:
        """Decode tokens [start, end) in pieces; a copy of the last row of logits. It yields before each of them: until
        it goes on, streams may move and the context may be another."""
        for count, decode in decodes(track.prompt, tokens[start:end], start, self._here.chunk, self.projector):
            yield
            self._guarded(self._here, {track.reply.id}, partial(decode, self._here, self._tracks.index(track)))
            self._read_since_decode += count
            logits = self._here.last_logits()
        return logits.copy()

    # -- decoding

    def _decode_all(self) -> list[EngineEvent]:
        context = self._grown()
        running = [each for each in self._running if self._reading is None or each is not self._reading[0]]
        streams = [stream for stream, track in enumerate(self._tracks) if track.reply in running]
        tracks = [self._tracks[stream] for stream in streams]
        positions = [track.position for track in tracks]
        ids = {reply.id for reply in running}
        tokens = [track.reply.next_token for track in tracks]
        try:
            self._guarded(context, ids, partial(context.decode, tokens, positions, streams, range(len(streams))))
        except Aborted:
            return self._drop_cancelled()
        except PluriverseError as error:
            for reply in running:
                self._leave(reply)
            return [Failed(reply.id, error) for reply in running]
        rows: dict[int, list[Logits]] = {}  # not by streams: a prompt that is being read may have one between theirs
        for track in tracks:
            track.tokens.append(track.reply.next_token)
        for reply in running:  # streams move when one leaves, so all rows are taken before anybody chooses
            rows[reply.id] = [context.logits(tracks.index(track)) for track in reply.tracks]
        return [event for reply in running for event in self._say(reply, rows[reply.id])]

    def _guarded(self, context: Context, ids: set[int], decode: Callable[[], None]) -> None:
        """Decode; `cancel` may abort it, but only while all that it works for are cancelled."""
        with self._lock:
            context.allow()
            self._decoding = frozenset(ids)
            if self._decoding <= self._cancelled:
                context.abort()
        try:
            decode()
        finally:
            with self._lock:
                self._decoding = frozenset()

    def _say(self, reply: Reply, rows: list[Logits]) -> list[EngineEvent]:
        """Choose the next token of a reply from the logits of its tracks; end it where it ends, or cannot go on."""
        forced = bool(reply.forced)
        try:
            token = reply.forced.popleft() if forced else reply.sampler.choose(rows, reply.mask)
        except PluriverseError as error:
            self._leave(reply)
            return [Failed(reply.id, error)]
        events: list[EngineEvent] = []
        if reply.likeliest is not None:
            events.append(Chosen(reply.id, reply.sampler.told(rows, token, reply.likeliest)))
        reason: FinishReason | None = None
        if self._model.is_end(token) and not forced:
            reply.said += 1
            reason = "stop"
        else:
            events += self._heard(reply, token, forced)
            reason = reply.over(self._model.context_length)
        if reason is None:
            reply.next_token = token
            return events
        self._leave(reply)
        return [*events, *reply.finish(reason)]

    def _heard(self, reply: Reply, token: int, forced: bool) -> list[EngineEvent]:
        """What a token adds to a reply. Thinking that has had its tokens is ended by saying what closes it."""
        inside = reply.text.unfinished
        if forced:
            reply.sampler.hear(token)
        events = reply.hear(self._model.piece(token))
        reply.thought += inside or forced or reply.text.unfinished
        spent = reply.budget is not None and reply.thought >= reply.budget
        if spent and reply.text.unfinished and not reply.forced:
            reply.forced.extend(self._model.tokenize(reply.text.closing, special=True))
        return events

    def _leave(self, reply: Reply) -> None:
        """End a reply and free its streams."""
        reply.sampler.close()
        if self._reading is not None and self._reading[0] is reply:
            self._reading = None
        self._running.remove(reply)
        for track in reply.tracks:
            if track in self._tracks:
                self._free(self._tracks.index(track))

    def _free(self, gap: int) -> None:
        """Free a stream; the last one moves into the gap, for only neighbouring streams decode in one piece."""
        assert self._context
        last = len(self._tracks) - 1
        if gap != last:
            state = self._context.save(last)
            self._context.remove(gap)
            self._context.restore(gap, state)
            self._tracks[gap] = self._tracks[last]
        self._context.remove(last)
        self._tracks.pop()

    def _drop_cancelled(self) -> list[EngineEvent]:
        with self._lock:
            gone, self._cancelled = self._cancelled, set()
        if not gone:
            return []
        events: list[EngineEvent] = []
        for reply in [r for r in self._running if r.id in gone]:
            self._leave(reply)
            events.append(reply.finished("cancelled"))
        for reply in [r for r in self._waiting if r.id in gone]:
            self._waiting.remove(reply)
            reply.sampler.close()
            events.append(reply.finished("cancelled"))
        return events

    # -- memory

    def _admit(self) -> bool:
        """Whether the next waiting request may start: streams are free, and all could grow to their worst length."""
        if not self._running:
            return True
        count = len(self._tracks) + len(self._waiting[0].tracks)
        longest = max(reply.worst_length for reply in (*self._running, self._waiting[0]))
        longest = min(longest, self._model.context_length)
        fits = count * longest * self._bytes_per_token <= self._options.cache_memory
        return fits and count <= self._max_streams

    def _fitted(self, reply: Reply) -> Context:
        """The context, with free streams for `reply`; made larger, or anew, where it must be."""
        coming = [track for each in (reply, *self._waiting) for track in each.tracks]
        wanted = [*self._tracks, *coming][: self._max_streams]
        length = max(len(t.prompt.tokens) + min(t.reply.most, FIRST_GROWTH) for t in wanted)
        shape = self._context.shape if self._context else None
        needed = len(self._tracks) + len(reply.tracks)
        room = min(reply.longest_prompt + len(reply.lead) + 1, self._model.context_length)
        if shape is None or needed > shape.streams or room > shape.length:
            return self._reshape(max(needed, self._affordable(len(wanted), length)), length)
        assert self._context
        return self._context

    def _affordable(self, streams: int, length: int) -> int:
        """As many of `streams` as the cache memory allows at that length."""
        return min(streams, self._options.cache_memory // (length * self._bytes_per_token))

    def _grown(self) -> Context:
        """The context, with room for one more token in each stream."""
        assert self._context
        need = max(reply.longest for reply in self._running) + 1
        if need > self._context.shape.length:
            length = 2 * self._context.shape.length
            streams = self._affordable(self._context.shape.streams, length)
            return self._reshape(max(len(self._tracks), streams), length)
        return self._context

    def _reshape(self, streams: int, length: int) -> Context:
        """A context of at least this size, with every running reply moved into it bit for bit."""
        longest = -(-self._model.context_length // LENGTH_STEP) * LENGTH_STEP
        length = min(-(-length // LENGTH_STEP) * LENGTH_STEP, longest)
        if self._tracks:
            assert self._context
            length = max(length, self._context.shape.length)
        if not self._model.plain_memory:
            streams = self._max_streams
        states = [self._context.save(stream) for stream in range(len(self._tracks))] if self._context else []
        with self._lock:
            if self._context:
                self._context.close()
            o = self._options
            shape = Shape(streams, length, streams, o.threads, o.flash_attention, o.cache_type, o.chunk)
            self._context = Context(self._model, shape, self._turns, self._pace)
        for stream, state in enumerate(states):
            self._context.restore(stream, state)
        return self._context
