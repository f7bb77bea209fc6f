"""The door between ``Model`` and its pipelines: one an encoder, made when first used."""

from __future__ import annotations

import atexit
import threading
import weakref
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from bindrt.errors import Error, OptionError, Overloaded
from bindrt.limits import Limits
from bindrt.manifest import EncoderInfo
from bindrt.modalities import MODALITIES
from bindrt.pipeline.encoder import EncoderPipeline
from bindrt.pipeline.futures import PATIENCE, Deliverer, EmbeddingFuture
from bindrt.pipeline.options import PipelineOptions

if TYPE_CHECKING:
    from bindrt.engines import Engine

_ENCODERS = {name: modality.encoder for name, modality in MODALITIES.items()}


class Front:
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
        self._pipelines: dict[str, EncoderPipeline] = {}
        self._closed = False
        self._deliver = Deliverer(name)
        _fronts.add(self)

    def submit(
        self,
        modality: str,
        item: object,
        engine: Callable[[str], Engine],
        priority: int = 0,
        deadline: float | None = None,
        block: bool = True,
        normalize: bool = True,
        caller: int | None = None,
    ) -> EmbeddingFuture:
        """A future of the item's vector. ``engine`` opens an encoder's engine if it is not open yet.

        Raises:
            Overloaded: the queue is full, with ``block=False``.
        """
        future = EmbeddingFuture(modality)
        while not self.offer(future, item, engine, priority, deadline, caller, normalize):
            if not block:
                raise Overloaded(
                    modality, f"{self._options.queue} requests wait already", "try later, or with block=True"
                )
            pipeline = self._pipeline(modality, engine)
            pipeline.core.wait_for_room(pipeline.lane[modality], PATIENCE)
        return future

    def offer(
        self,
        future: EmbeddingFuture,
        item: object,
        engine: Callable[[str], Engine],
        priority: int = 0,
        deadline: float | None = None,
        caller: int | None = None,
        normalize: bool = True,
    ) -> bool:
        """As ``submit``, without waiting: False if the queue is full."""
        if not isinstance(priority, int) or not -1000 <= priority <= 1000:
            raise OptionError(f"priority={priority!r}", "not a priority", "give -1000 to 1000")
        if deadline is not None and not (isinstance(deadline, (int, float)) and abs(deadline) < 1e9):
            raise OptionError(f"deadline={deadline!r}", "not a time", "give seconds from now, or None")
        pipeline = self._pipeline(future.modality, engine)
        who = threading.get_ident() if caller is None else caller
        try:
            return pipeline.submit(future, item, priority, who, deadline, normalize)
        except RuntimeError as error:  # closed or forked meanwhile
            raise Error(self._name, str(error), "load the model again") from None

    def call_on_progress(self, wake: Callable[[], None]) -> None:
        self._deliver.call_on_progress(wake)

    def stats(self) -> dict[str, dict[str, Any]]:
        """By modality: the counts of csrc/pipeline/lane.h, depths, batch sizes and seconds by stage."""
        with self._lock:
            pipelines = list(self._pipelines.values())
        return {m: p.core.snapshot(lane) for p in pipelines for m, lane in p.lane.items()}

    def close(self, drain: bool = False, encoder: str | None = None) -> None:
        """End all pipelines, or one: with ``drain`` after everything accepted is done, else at once."""
        with self._lock:
            self._closed = self._closed or encoder is None
            names = list(self._pipelines) if encoder is None else [encoder]
            closing = [p for n in names if (p := self._pipelines.pop(n, None)) is not None]
        for pipeline in closing:
            pipeline.core.begin_close(drain)
        for pipeline in closing:
            while not pipeline.core.wait_delivered(PATIENCE):  # in between, signals are handled
                pass
            pipeline.core.close(drain)

    def _pipeline(self, modality: str, engine: Callable[[str], Engine]) -> EncoderPipeline:
        encoder = _ENCODERS[modality]
        pipeline = self._pipelines.get(encoder)
        if pipeline is not None:
            return pipeline
        self._require_open()  # who waited for room meanwhile must not load the engine again
        opened = engine(encoder)
        with self._lock:
            self._require_open()
            if encoder not in self._pipelines:
                self._pipelines[encoder] = EncoderPipeline(
                    self._encoders[encoder],
                    [m for m in self._modalities if _ENCODERS[m] == encoder],
                    opened,
                    self._embed_dim,
                    self._limits,
                    self._options,
                    self._deliver,
                )
            return self._pipelines[encoder]

    def _require_open(self) -> None:
        if self._closed:
            raise Error(self._name, "the model is closed", "load it again")


_fronts: weakref.WeakSet[Front] = weakref.WeakSet()


@atexit.register
def _close_all() -> None:
    """No thread of ours may want the interpreter once it is gone."""
    for front in list(_fronts):
        with suppress(RuntimeError):  # a forked child: the threads are its parent's
            front.close()
