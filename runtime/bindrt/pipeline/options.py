"""How requests are queued and batched."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from bindrt.background import batch_class, in_background
from bindrt.errors import OptionError
from bindrt.modalities import MODALITIES
from bindrt.option_checks import chosen_bool, require_whole

#: What each number counts, its least and its greatest value.
_NUMBERS = {
    "queue": ("requests", 1, 10**9),
    "max_wait_us": ("microseconds", 0, 10**9),
    "batches_in_flight": ("batches", 1, 10**9),
    "max_batch": ("rows", 1, 10**9),
    "gpu_buffers": ("buffers", 1, 16),
    "spin_us": ("microseconds", 0, 10**9),
    "cache_bytes": ("bytes", 0, 2**50),
}

#: Where ordinary items are prepared.
PREPARE = ("auto", "cpu", "gpu")
#: Where pictures and videos are decoded.
DECODE = ("auto", "gpu", "exact")
#: Classes of threads in the operating system.
SCHEDULING = ("batch", "normal")

Made = TypeVar("Made")


@dataclass(frozen=True)
class PipelineOptions:
    """Options of ``submit``, ``aembed`` and ``stream``.

    Attributes:
        queue: requests of one modality that wait before ``submit`` blocks or raises ``Overloaded``.
        max_wait_us: microseconds that a batch waits for more while more is being prepared or queued.
            A request that nothing follows never waits.
        batches_in_flight: batches of one modality that are being filled, run or handed over at once. Their
            memory is allocated once; three let preparing, engine and hand-over overlap. On a GPU there are
            ``gpu_buffers`` more: while those are there, others are prepared.
        max_batch: the most rows one engine call may take; None: the engine's own most.
        gpu_buffers: sets of buffers on a GPU. So many batches, and one more, may be on the GPU at once.
        cuda_graphs: on a GPU, record the work of a batch size that comes again, so that one call queues it.
        prepare: where ordinary items of an engine on a GPU are prepared. ``"gpu"`` sends what was decoded;
            it is an EngineError if an engine is on no GPU. ``"cpu"`` sends the engine's input. ``"auto"`` is
            one of them, by where the engine is.
        decode: where JPEG, JPEG 2000 and TIFF files and videos of an engine on a GPU are decoded.
            ``"exact"``: on the CPU, with the numbers of Pillow. ``"auto"``: large ones on the GPU, pictures
            if the extra ``gpu-decode`` is installed and works; pixels of those with loss differ from
            Pillow's by rounding. ``"gpu"``: those of any size; it is an EngineError if that cannot be.
        spin_us: microseconds that an engine's thread looks for the next request after a batch, before it
            sleeps: waking it takes longer than all the rest. Costs up to so much of one core a batch, and
            nothing while there are no requests. 0: nor do ONNX Runtime's threads look for the next piece of
            a batch; single items take longer, and a machine whose cores are all busy does more.
        deduplicate: compute equal items once while they are in flight. Each item is then read and hashed by
            the thread that submits it (``aembed``: by one of asyncio's).
        cache_bytes: keep vectors of items in up to so many bytes, and give them to equal ones; 0: keep none.
            Hashes, too.
        scheduling: how threads of the pipeline, of streams and of engines run beside the program's own on
            Linux. ``"batch"``: one that wakes takes no core from a thread that runs, such as one that pushes
            to a live stream; it has as much time as others. ``"normal"``: as the thread that loads the model.
            The threads of the engine native are one team for the whole process, and stay: they have the class
            of the first model that started them.
        background: modalities that give way to the others: threads that prepare and compute them have a lower
            priority in the operating system, so that they do not slow others down. Only on Linux, where an
            encoder runs on a CPU in ONNX Runtime. The engine native computes them last, on every system.
            Modalities of one encoder go together.

    >>> with bindrt.load("tiny", pipeline=bindrt.PipelineOptions(queue=10, deduplicate=True)) as model:
    ...     model.submit("text", "a bell ringing").result().shape
    (96,)
    """

    queue: int = 1024
    max_wait_us: int = 2000
    batches_in_flight: int = 3
    max_batch: int | None = None
    gpu_buffers: int = 2
    cuda_graphs: bool = True
    prepare: str = "auto"
    decode: str = "auto"
    spin_us: int = 100
    deduplicate: bool = False
    cache_bytes: int = 0
    scheduling: str = "batch"
    background: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name, (what, least, most) in _NUMBERS.items():
            require_whole(name, getattr(self, name), what, least, most, optional=name == "max_batch")
        for name in ("cuda_graphs", "deduplicate"):
            chosen_bool(name, getattr(self, name))
        for name, known in (("prepare", PREPARE), ("decode", DECODE), ("scheduling", SCHEDULING)):
            if (given := getattr(self, name)) not in known:
                raise OptionError(f"{name}={given!r}"[:80], "unknown", f"use {', '.join(known)}")
        if self.decode == "gpu" and self.prepare == "cpu":
            raise OptionError(
                "decode='gpu'", "what the GPU decodes is prepared there", "leave out prepare='cpu'"
            )
        _require_modalities(self.background)

    def batches(self, on_device: bool) -> int:
        """How many batches of a modality are in memory at once: on a GPU also those that wait there.

        >>> bindrt.PipelineOptions(batches_in_flight=3, gpu_buffers=2).batches(on_device=True)
        5
        """
        return self.batches_in_flight + (self.gpu_buffers if on_device else 0)

    def background_encoders(self) -> frozenset[str]:
        return frozenset(MODALITIES[name].encoder for name in self.background)

    def start(self, encoder: str, make: Callable[[], Made]) -> Made:
        """What ``make`` makes for an encoder; threads that it starts are of its priority.

        >>> bindrt.PipelineOptions().start("text", lambda: "made")
        'made'
        """
        with batch_class(self.scheduling == "batch"):
            return in_background(make) if encoder in self.background_encoders() else make()


def _require_modalities(value: object) -> None:
    if not isinstance(value, (tuple, list)) or not all(
        isinstance(name, str) and name in MODALITIES for name in value
    ):
        raise OptionError(
            f"background={value!r}", "not modalities", f"give a tuple of {', '.join(MODALITIES)}"
        )


#: For many items of which none is waited for: threads that wait leave their core to others.
BULK = PipelineOptions(spin_us=0)
