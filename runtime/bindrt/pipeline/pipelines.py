"""The pipelines of a model: one for each encoder, made at its first request."""

from __future__ import annotations

import atexit
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

from bindrt import _core
from bindrt.bundle.manifest import EncoderInfo
from bindrt.ending import engine_gate
from bindrt.engines import Engine, EnginePlace
from bindrt.errors import ClosedError, Error, Overloaded
from bindrt.lifetime import Lifetime
from bindrt.modalities import MODALITIES
from bindrt.pipeline.encoder import EncoderPipeline, begin_close, end_all
from bindrt.pipeline.futures import PATIENCE, Deliverer, EmbeddingFuture
from bindrt.pipeline.memory import Held, held, less_by, place_of
from bindrt.pipeline.options import PipelineOptions
from bindrt.pipeline.request_options import RequestOptions
from bindrt.pipeline.sharing import Deduplicator, SharedFuture
from bindrt.pipeline.tracing import Recorder
from bindrt.preparation import Preparation

Result = TypeVar("Result")

#: Seconds that the end of the process waits for decoders.
EXIT_PATIENCE = 2.0


class Pipelines:
    """Hands items to the pipeline of their encoder.

    Attributes:
        row_seconds: that an encoder's engine took for one row when the model was warmed up, by encoder.
    """

    def __init__(
        self,
        lifetime: Lifetime,
        modalities: Sequence[str],
        encoders: Mapping[str, EncoderInfo],
        embed_dim: int,
        preparation: Preparation,
        options: PipelineOptions,
    ) -> None:
        self.name = lifetime.name
        self.row_seconds: dict[str, float] = {}
        self._lifetime = lifetime
        self._modalities = tuple(modalities)
        self._encoders = encoders
        self._embed_dim = embed_dim
        self._preparation = preparation
        self._options = options
        self._lock = threading.Lock()
        self._made: dict[str, EncoderPipeline] = {}
        self._closing: dict[_core.Pipeline, str] = {}  # with the encoder; until no thread is left
        self._on_use: Callable[[str], None] | None = None
        self._recorder: Recorder | None = None
        shares = options.deduplicate or options.cache_bytes > 0
        self._deduplicator = Deduplicator(options.deduplicate, options.cache_bytes) if shares else None
        self._deliver = Deliverer(self.name)

    def submit(
        self,
        modality: str,
        item: object,
        engine: Callable[[str], Engine],
        options: RequestOptions,
        block: bool = True,
    ) -> EmbeddingFuture:
        """A future of the item's vector.

        Args:
            engine: returns an encoder's engine, and opens it if it is not open yet.
            block: wait while the queue is full.

        Raises:
            Overloaded: the queue is full, with ``block=False``.
        """
        future = self.future(modality)
        while not self.try_submit(future, item, engine, options):
            if not block:
                raise Overloaded(
                    modality, f"{self._options.queue} requests wait already", "try later, or with block=True"
                )
            pipeline = self._pipeline(modality, engine)
            pipeline.core.wait_for_room(pipeline.lane[modality], PATIENCE)
        return future

    def submit_many(
        self,
        modality: str,
        items: list[object],
        engine: Callable[[str], Engine],
        options: RequestOptions,
    ) -> list[EmbeddingFuture]:
        """As ``submit`` for each in turn, but under one lock; it waits while the queue is full."""
        if self.shares or len(items) < 2:
            return [self.submit(modality, item, engine, options) for item in items]
        futures = [EmbeddingFuture(modality) for _ in items]
        done = 0
        try:
            while done < len(items):
                rest = partial(_submit_many, futures[done:], items[done:], options)
                done += self.on(modality, engine, rest)
                if done < len(items):
                    pipeline = self._pipeline(modality, engine)
                    pipeline.core.wait_for_room(pipeline.lane[modality], PATIENCE)
        except BaseException:
            for future in futures:
                future.cancel()
            raise
        return futures

    @property
    def shares(self) -> bool:
        """Whether items are hashed."""
        return self._deduplicator is not None

    def future(self, modality: str) -> EmbeddingFuture:
        return EmbeddingFuture(modality) if self._deduplicator is None else SharedFuture(modality)

    def identify(self, future: EmbeddingFuture, item: object, normalize: bool) -> None:
        """Read and hash the item now, if items are hashed; otherwise ``try_submit`` does it."""
        if isinstance(future, SharedFuture):
            Deduplicator.identify(future, item, normalize)

    def try_submit(
        self,
        future: EmbeddingFuture,
        item: object,
        engine: Callable[[str], Engine],
        options: RequestOptions,
    ) -> bool:
        """As ``submit``, without waiting: False if the queue is full. ``future`` comes from this object."""
        if self._deduplicator is not None and isinstance(future, SharedFuture):
            taken = self._share(self._deduplicator, future, item, engine, options)
            if taken is not None:
                return taken
        while True:  # as on(), without a function for it
            pipeline = self._pipeline(future.modality, engine)
            try:
                return pipeline.submit(future, item, options)
            except RuntimeError as error:
                self._require_unloaded(pipeline, error)

    def on(
        self, modality: str, engine: Callable[[str], Engine], use: Callable[[EncoderPipeline], Result]
    ) -> Result:
        """``use`` of the modality's pipeline; again if that is unloaded meanwhile.

        Raises:
            ClosedError: the model was closed meanwhile.
        """
        while True:
            pipeline = self._pipeline(modality, engine)
            try:
                return use(pipeline)
            except RuntimeError as error:
                self._require_unloaded(pipeline, error)

    def _share(
        self,
        deduplicator: Deduplicator,
        future: SharedFuture,
        item: object,
        engine: Callable[[str], Engine],
        options: RequestOptions,
    ) -> bool | None:
        """As ``try_submit``, for an item that may equal others; None: it does not."""
        deduplicator.identify(future, item, options.normalize)

        def submit(attempt: EmbeddingFuture, stand_in: object) -> bool:
            return self.try_submit(attempt, stand_in, engine, options._replace(deadline=None))

        return deduplicator.share(future, options.priority, options.deadline, submit)

    @property
    def scheduling(self) -> str:
        """The class of its threads; see :class:`PipelineOptions`."""
        return self._options.scheduling

    def call_on_progress(self, wake: Callable[[], None]) -> None:
        self._deliver.call_on_progress(wake)

    def call_on_use(self, used: Callable[[str], None]) -> None:
        """Call with an encoder's name at each request for it."""
        self._on_use = used

    def is_idle(self, encoder: str) -> bool:
        """Whether none of its requests is queued, in work, or being delivered."""
        pipeline = self._made.get(encoder)
        return pipeline is None or pipeline.core.wait_delivered(0.0)

    def held(self, encoder: str, place: Engine | EnginePlace) -> Held:
        """Bytes that its pipeline and engine may come to hold besides its weights, by what they are for.

        Args:
            place: its engine; or where it will be, before it is opened.
        """
        found, made = self._encoders[encoder], self._made.get(encoder)
        if not isinstance(place, EnginePlace):
            place = place_of(place, found)
        pictures = None if made is None else made.decodes.device_bytes() if made.decodes else 0
        return held(found, self._of(encoder), self._embed_dim, place, self._options, pictures)

    def less_by(self, found: Held) -> str:
        """The options that would take less of it; empty if there are none."""
        return less_by(found, self._options)

    def _of(self, encoder: str) -> list[str]:
        return [m for m in self._modalities if MODALITIES[m].encoder == encoder]

    def stats(self) -> dict[str, dict[str, Any]]:
        """By modality: the counts of csrc/pipeline/lane.h, depths, batch sizes and seconds by stage."""
        pipelines = self._all()
        found = {m: p.core.snapshot(lane) for p in pipelines for m, lane in p.lane.items()}
        if self._deduplicator is not None:
            for modality, counts in found.items():
                counts["sharing"] = self._deduplicator.stats(modality)
        return found

    def times_below(self, least: int, most: int) -> dict[str, dict[str, list[int]]]:
        """By modality and stage: how many took less than 2^n nanoseconds, n from least to most; then all."""
        pipelines = self._all()
        return {m: p.core.below_powers(lane, least, most) for p in pipelines for m, lane in p.lane.items()}

    def start_trace(self, spans: int) -> Recorder:
        """Record what the pipelines do, also those made later."""
        with self._lock:
            if self._recorder is not None:
                raise Error(self.name, "a trace is being recorded already", "end that one first")
            self._recorder = Recorder(spans)
            for encoder, pipeline in self._made.items():
                self._recorder.begin(encoder, pipeline.core)
            return self._recorder

    def stop_trace(self) -> None:
        with self._lock:
            recorder, self._recorder = self._recorder, None
            if recorder is not None:
                recorder.end_all()

    def close(self, drain: bool = False, encoder: str | None = None) -> None:
        """End all pipelines, or one: with ``drain`` after everything accepted is done, else at once."""
        with self._lock:
            if encoder is None:
                self._lifetime.close()
            if self._lifetime.closed and self._deduplicator is not None:
                self._deduplicator.clear()
            for name in list(self._made) if encoder is None else [encoder]:
                if (pipeline := self._made.pop(name, None)) is not None:
                    self._closing[pipeline.core] = name
            # Those too that another thread is closing, or whose closing was interrupted.
            cores = [core for core, name in self._closing.items() if encoder in (None, name)]
        try:
            for core in cores:
                begin_close(core, drain)
            for core in cores:
                while not core.wait_delivered(PATIENCE):  # in between, signals are handled
                    pass
        except BaseException:  # Ctrl-C: the caller waits no longer, and the rest is not wanted
            for core in cores:
                begin_close(core, False)
            raise
        for core in cores:
            core.close(drain)
            with self._lock:
                self._closing.pop(core, None)
                if self._recorder is not None:
                    self._recorder.end(core)

    def _require_unloaded(self, pipeline: EncoderPipeline, error: RuntimeError) -> None:
        """Raises ClosedError for a pipeline that takes no more, unless it is unloaded: then it comes back."""
        self._lifetime.require()
        with self._lock:
            was_unloaded = not self._lifetime.closed and pipeline not in self._made.values()
        if not was_unloaded:  # closed or forked meanwhile
            raise ClosedError(self.name, str(error), "load the model again") from None

    def _pipeline(self, modality: str, engine: Callable[[str], Engine]) -> EncoderPipeline:
        encoder = MODALITIES[modality].encoder
        pipeline = self._made.get(encoder)
        if pipeline is not None:
            if self._on_use is not None:
                self._on_use(encoder)
            return pipeline
        self._lifetime.require()  # a thread that waited for room must not load the engine again
        opened = engine(encoder)
        made = self._make(encoder, opened)
        if engine(encoder) is not opened:  # it was unloaded in between
            self.close(True, encoder)
            return self._pipeline(modality, engine)
        return made

    def _make(self, encoder: str, opened: Engine) -> EncoderPipeline:
        with self._lock:
            self._lifetime.require()
            if encoder not in self._made:
                make = partial(
                    EncoderPipeline,
                    self._encoders[encoder],
                    self._of(encoder),
                    opened,
                    self._embed_dim,
                    self._preparation,
                    self._options,
                    self._deliver,
                )
                made = self._options.start(encoder, make)
                if self._recorder is not None:
                    self._recorder.begin(encoder, made.core)
                self._made[encoder] = made
            return self._made[encoder]

    def _all(self) -> list[EncoderPipeline]:
        self._lifetime.require_here()  # the lock may be held for ever in a forked child
        with self._lock:
            return list(self._made.values())


def _submit_many(
    futures: list[EmbeddingFuture], items: list[object], options: RequestOptions, pipeline: EncoderPipeline
) -> int:
    return pipeline.submit_many(futures, items, options)


@atexit.register
def _close_all() -> None:
    """No thread of ours may want the interpreter once it is gone."""
    engine_gate.begin()
    end_all(EXIT_PATIENCE)
