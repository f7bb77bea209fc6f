"""The pipeline of one encoder: each modality is a lane, and the engine has a thread."""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from functools import partial
from typing import NamedTuple

from bindrt import _core
from bindrt.arrays import Array
from bindrt.background import FairLock
from bindrt.bundle.manifest import EncoderInfo
from bindrt.cores import usable_threads
from bindrt.ending import engine_gate
from bindrt.engines import Engine
from bindrt.engines.devices import cuda_index
from bindrt.errors import EngineError, OptionError
from bindrt.modalities import MODALITIES
from bindrt.once import OncePerProcess
from bindrt.pipeline import gpu_videos
from bindrt.pipeline.device_items import DeviceItems
from bindrt.pipeline.futures import Deliverer, EmbeddingFuture
from bindrt.pipeline.gpu_engine import gpu_options, memory_errors, require_no_gpu, runs_on_device
from bindrt.pipeline.gpu_pictures import PictureDecoder, picture_decoder
from bindrt.pipeline.lanes import lane_options, text_lengths
from bindrt.pipeline.memory import most_rows, place_of, scratch_bytes, whole_bytes
from bindrt.pipeline.options import PipelineOptions
from bindrt.pipeline.preparing import Preparer
from bindrt.pipeline.request_options import RequestOptions
from bindrt.preparation import Preparation

Turn = Callable[[], AbstractContextManager[None]]


@OncePerProcess
def workers(background: bool, scheduling: str) -> _core.Workers:
    """The threads of one class that all models of a process share; those of ``background`` give way."""
    return _core.Workers(usable_threads())


@OncePerProcess
def background_lock() -> FairLock:
    """Engines in the background run one at a time: the one that holds this lock has all cores."""
    return FairLock()


class Ahead(NamedTuple):
    """How many items of a call may be in work, so that no part of the pipeline waits for the caller.

    Attributes:
        items: that are queued, or further.
        batch: that make one batch.
        texts: so few that there is to be another batch of them.
    """

    items: int
    batch: int
    texts: int


class EncoderPipeline:
    """Batches and runs requests of the modalities that one encoder serves."""

    def __init__(
        self,
        encoder: EncoderInfo,
        modalities: Sequence[str],
        engine: Engine,
        embed_dim: int,
        preparation: Preparation,
        options: PipelineOptions,
        deliver: Deliverer,
    ) -> None:
        self.engine = engine
        self.max_batch = most_rows(engine, options)
        self.modalities = tuple(modalities)
        self._preparation = preparation
        self.lane = {modality: i for i, modality in enumerate(self.modalities)}
        gpu = gpu_options(engine, encoder, self.modalities, options, self.max_batch)
        #: Decodes pictures on the engine's GPU; None: the CPU does.
        self.decodes: PictureDecoder | None = None
        if gpu is None:
            require_no_gpu(encoder, self.modalities, engine, options)
        else:
            place = place_of(engine, encoder)
            gpu |= {
                "scratch": scratch_bytes(encoder, self.modalities, place, options),
                "whole": whole_bytes(encoder, self.modalities, embed_dim, place, options),
            }
            if "image" in self.modalities and options.prepare != "cpu":
                self.decodes = picture_decoder(gpu["device"], options.decode)
            if self.decodes is not None:
                least = self.decodes.least_pixels(options.decode)
                gpu |= {"decode": self.decodes, "decode_from": least}
            gpu |= gpu_videos.decoding(options, self.modalities, engine.device)
        background = encoder.name in options.background_encoders()
        turn = partial(background_lock().turn, encoder.name) if background else nullcontext
        stopped = threading.Event()
        shared = workers(background, options.scheduling)
        try:
            self.core = _core.Pipeline(
                [
                    lane_options(m, encoder, self.max_batch, embed_dim, options, gpu is not None)
                    | {"ordinary": preparation.ordinary(m), "texts": preparation.texts(m)}
                    for m in self.modalities
                ],
                Preparer(self.modalities, encoder, self.max_batch, preparation, stopped),
                _Runner(engine, turn, shared),
                deliver,
                shared,
                gpu,
            )
        except _core.gpu.DriverError as error:
            raise EngineError(f"the pipeline of {encoder.name}", f"the GPU failed ({error})") from None
        except MemoryError as error:
            raise EngineError(
                f"the pipeline of {encoder.name}",
                f"there is no memory for it ({error})",
                "free some, or take less: PipelineOptions(max_batch=…, gpu_buffers=1)",
            ) from None
        _stopped[self.core] = stopped
        #: Takes items that are on the engine's GPU; None: it runs on the host.
        self.device_items = (
            None if gpu is None else DeviceItems(gpu["device"], encoder, self.modalities, gpu["makes_rows"])
        )
        #: Whether a thread that waits may prepare its items and run the engine for them.
        self.runs_here = not background
        batches = options.batches(gpu is not None)
        self.ahead = {m: _ahead(m, self.max_batch, batches) for m in modalities}
        #: Lengths of token ids that the engine should see; none: any.
        self.lengths = {m: text_lengths(m, encoder) if gpu is not None else [] for m in modalities}

    def submit(self, future: EmbeddingFuture, item: object, options: RequestOptions) -> bool:
        """Hand an item over; False if the queue is full. Ready tokens go into their batch at once."""
        modality = future.modality
        lane = self.lane[modality]
        priority, deadline, normalize, caller = options
        if caller is None:
            caller = threading.get_ident()
        # Texts here: the worker threads may be busy with videos.
        if type(item) is str and MODALITIES[modality].tokens is not None:
            taken = self.core.submit_text(future, lane, item, priority, caller, deadline, normalize)
            if taken is not None:
                return taken
        if (found := self._preparation.ready_ids(modality, item)) is not None:
            ids, notes = found
            if notes:
                future.notes = notes
            try:
                return self.core.submit(future, lane, item, ids, priority, caller, deadline, normalize)
            except ValueError:
                pass  # preparing says what is wrong with the tokens
        if self.device_items is not None:
            item, notes = self.device_items.taken(modality, item)
            if notes:
                future.notes = notes
        return self.core.submit(future, lane, item, None, priority, caller, deadline, normalize)

    def submit_many(
        self, futures: list[EmbeddingFuture], items: list[object], options: RequestOptions
    ) -> int:
        """As ``submit`` for each in turn, all of one modality: how many the queue had room for."""
        modality = futures[0].modality
        priority, deadline, normalize, caller = options
        if caller is None:
            caller = threading.get_ident()
        ids = counts = None
        if MODALITIES[modality].tokens is not None:
            ids, counts, notes = self._preparation.all_ids(modality, items)
            for i, of in notes.items():
                futures[i].notes = of
        elif self.device_items is not None:
            items = list(items)
            for i, item in enumerate(items):
                items[i], known = self.device_items.taken(modality, item)
                if known:
                    futures[i].notes = known
        lane = self.lane[modality]
        return self.core.submit_many(futures, lane, items, ids, counts, priority, caller, deadline, normalize)


#: The cores that exist, some kept by a future alone; and what tells their preparers that all is over.
_stopped: weakref.WeakKeyDictionary[_core.Pipeline, threading.Event] = weakref.WeakKeyDictionary()


def begin_close(core: _core.Pipeline, drain: bool) -> None:
    """Accept nothing more. Without ``drain`` what the engine does not have ends, and so does decoding."""
    if not drain:
        _stopped[core].set()
    core.begin_close(drain)


def end_all(patience: float) -> None:
    """At the end of the process: end every pipeline. Decoders that do not end in time are left to themselves.

    Args:
        patience: seconds.
    """
    end = time.monotonic() + patience
    ending = []
    for core in list(_stopped):
        with suppress(_core.ForkedError):  # made before a fork: the threads are the parent's
            begin_close(core, False)
            ending.append(core)
    for core in ending:
        if core.wait_delivered(max(end - time.monotonic(), 0.0)):
            core.close(False)


def _ahead(modality: str, max_batch: int, batches: int) -> Ahead:
    batch = max(1, max_batch // MODALITIES[modality].views)
    spare = 2 * usable_threads() + 16  # for the workers, until the caller has submitted more
    return Ahead((batches + 2) * batch + spare, batch, (batches - 1) * max_batch)


class _Runner:
    """Runs the engine on rows of a batch; raises MemoryError where memory is the problem.

    Meanwhile the cores that it computes on are not the workers'.
    """

    def __init__(self, engine: Engine, turn: Turn, shared: _core.Workers) -> None:
        self._run = engine.run
        self._turn = turn
        self._cores: int = getattr(engine, "threads", 0)  # 0: not known, or on another device
        self._shared = shared

    def __call__(self, lane: int, inputs: Array, out: Array) -> None:
        with self._turn(), engine_gate, memory_errors():
            self._shared.lend(self._cores)
            try:
                self._run(inputs, out)
            finally:
                self._shared.take_back(self._cores)


def vectors_beside(engine: Engine, modality: str, count: int, embed_dim: int) -> _core.gpu.DeviceArray:
    """Room for vectors on the GPU where an engine runs; NaN until they are there.

    Raises:
        OptionError: it runs on the host.
        EngineError: the GPU failed, or has no memory.
    """
    device = cuda_index(engine.device)
    if device is None or not runs_on_device(engine):
        raise OptionError(
            "output='device'",
            f"the encoder of {modality} runs on {engine.device}, by {engine.name}",
            "leave it out, or load the model with an engine on a GPU",
        )
    try:
        return _core.gpu.DeviceArray(device, count, embed_dim)
    except (_core.gpu.DriverError, MemoryError) as error:
        raise EngineError(
            f"{count} vectors of {modality} on {engine.device}",
            f"the GPU failed ({error})",
            "embed fewer items at a time, or leave output='device' out",
        ) from None
