"""The pipelines of a model: one for each encoder, made at its first request."""

from __future__ import annotations

import atexit
import threading
import weakref
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from bindrt import _core
from bindrt.background import in_background
from bindrt.bundle.manifest import EncoderInfo
from bindrt.engines import Engine
from bindrt.errors import Error, Overloaded
from bindrt.limits import Limits
from bindrt.modalities import MODALITIES
from bindrt.pipeline.encoder import EncoderPipeline, batch_bytes
from bindrt.pipeline.futures import PATIENCE, Deliverer, EmbeddingFuture
from bindrt.pipeline.options import PipelineOptions
from bindrt.pipeline.request_options import RequestOptions
from bindrt.pipeline.sharing import Deduplicator, SharedFuture
from bindrt.pipeline.tracing import Recorder


class Pipelines:
    """Hands items to the pipeline of their encoder."""

    def __init__(
        self,
        name: str,
        modalities: Sequence[str],
        encoders: Mapping[str, EncoderInfo],
        embed_dim: int,
        limits: Limits,
        options: PipelineOptions,
    ) -> None:
        self._name = name
        self._modalities = tuple(modalities)
        self._encoders = encoders
        self._embed_dim = embed_dim
        self._limits = limits
        self._options = options
        self._lock = threading.Lock()
        self._made: dict[str, EncoderPipeline] = {}
        self._closed = False
        self._on_use: Callable[[str], None] | None = None
        self._recorder: Recorder | None = None
        shares = options.deduplicate or options.cache_bytes > 0
        self._deduplicator = Deduplicator(options.deduplicate, options.cache_bytes) if shares else None
        self._deliver = Deliverer(name)
        _all_pipelines.add(self)

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
        while True:
            pipeline = self._pipeline(future.modality, engine)
            try:
                return pipeline.submit(future, item, options)
            except RuntimeError as error:  # closed or forked meanwhile
                if self._was_unloaded(pipeline) and not isinstance(error, _core.ForkedError):
                    continue  # it comes back
                raise Error(self._name, str(error), "load the model again") from None

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

    def call_on_progress(self, wake: Callable[[], None]) -> None:
        self._deliver.call_on_progress(wake)

    def call_on_use(self, used: Callable[[str], None]) -> None:
        """Call with an encoder's name at each request for it."""
        self._on_use = used

    def is_idle(self, encoder: str) -> bool:
        """Whether none of its requests is queued, in work, or being delivered."""
        pipeline = self._made.get(encoder)
        return pipeline is None or pipeline.core.wait_delivered(0.0)

    def batch_bytes(self, encoder: str, engine: Engine) -> int:
        """Bytes of all batches that it may come to hold."""
        modalities = self._of(encoder)
        found = self._encoders[encoder]
        return batch_bytes(found, modalities, engine, self._embed_dim, self._options)

    def _of(self, encoder: str) -> list[str]:
        return [m for m in self._modalities if MODALITIES[m].encoder == encoder]

    def stats(self) -> dict[str, dict[str, Any]]:
        """By modality: the counts of csrc/pipeline/lane.h, depths, batch sizes and seconds by stage."""
        with self._lock:
            pipelines = list(self._made.values())
        found = {m: p.core.snapshot(lane) for p in pipelines for m, lane in p.lane.items()}
        if self._deduplicator is not None:
            for modality, counts in found.items():
                counts["sharing"] = self._deduplicator.stats(modality)
        return found

    def times_below(self, least: int, most: int) -> dict[str, dict[str, list[int]]]:
        """By modality and stage: how many took less than 2^n nanoseconds, n from least to most; then all."""
        with self._lock:
            pipelines = list(self._made.values())
        return {m: p.core.below_powers(lane, least, most) for p in pipelines for m, lane in p.lane.items()}

    def start_trace(self, spans: int) -> Recorder:
        """Record what the pipelines do, also those made later."""
        with self._lock:
            if self._recorder is not None:
                raise Error(self._name, "a trace is being recorded already", "end that one first")
            self._recorder = Recorder(spans)
            for encoder, pipeline in self._made.items():
                self._recorder.begin(encoder, pipeline.core)
            return self._recorder

    def stop_trace(self) -> None:
        with self._lock:
            recorder, self._recorder = self._recorder, None
            pipelines = dict(self._made)
        if recorder is not None:
            for encoder, pipeline in pipelines.items():
                recorder.end(encoder, pipeline.core)

    def close(self, drain: bool = False, encoder: str | None = None) -> None:
        """End all pipelines, or one: with ``drain`` after everything accepted is done, else at once."""
        with self._lock:
            self._closed = self._closed or encoder is None
            if self._closed and self._deduplicator is not None:
                self._deduplicator.clear()
            names = list(self._made) if encoder is None else [encoder]
            closing = {n: p for n in names if (p := self._made.pop(n, None)) is not None}
        for pipeline in closing.values():
            pipeline.core.begin_close(drain)
        for name, pipeline in closing.items():
            while not pipeline.core.wait_delivered(PATIENCE):  # in between, signals are handled
                pass
            pipeline.core.close(drain)
            with self._lock:
                if self._recorder is not None:
                    self._recorder.end(name, pipeline.core)

    def _was_unloaded(self, pipeline: EncoderPipeline) -> bool:
        with self._lock:
            return not self._closed and pipeline not in self._made.values()

    def _pipeline(self, modality: str, engine: Callable[[str], Engine]) -> EncoderPipeline:
        encoder = MODALITIES[modality].encoder
        pipeline = self._made.get(encoder)
        if pipeline is not None:
            if self._on_use is not None:
                self._on_use(encoder)
            return pipeline
        self._require_open()  # a thread that waited for room must not load the engine again
        opened = engine(encoder)
        made = self._make(encoder, opened)
        if engine(encoder) is not opened:  # it was unloaded in between
            self.close(True, encoder)
            return self._pipeline(modality, engine)
        return made

    def _make(self, encoder: str, opened: Engine) -> EncoderPipeline:
        with self._lock:
            self._require_open()
            if encoder not in self._made:
                make = partial(
                    EncoderPipeline,
                    self._encoders[encoder],
                    self._of(encoder),
                    opened,
                    self._embed_dim,
                    self._limits,
                    self._options,
                    self._deliver,
                )
                made = in_background(make) if encoder in self._options.background_encoders() else make()
                if self._recorder is not None:
                    self._recorder.begin(encoder, made.core)
                self._made[encoder] = made
            return self._made[encoder]

    def _require_open(self) -> None:
        if self._closed:
            raise Error(self._name, "the model is closed", "load it again")


_all_pipelines: weakref.WeakSet[Pipelines] = weakref.WeakSet()


@atexit.register
def _close_all() -> None:
    """No thread of ours may want the interpreter once it is gone."""
    for pipelines in list(_all_pipelines):
        with suppress(RuntimeError):  # a forked child: the threads are its parent's
            pipelines.close()
