"""How requests are queued and batched."""

from __future__ import annotations

from dataclasses import dataclass, fields

from bindrt.errors import OptionError


@dataclass(frozen=True)
class PipelineOptions:
    """Options of ``submit``, ``aembed`` and ``stream``.

    Attributes:
        queue: requests of one modality that wait before ``submit`` blocks or raises ``Overloaded``.
        max_wait_us: microseconds that a batch waits for more while more is being prepared or queued.
            A request that nothing follows never waits.
        batches_in_flight: batches of one modality that are being filled, run or handed over at once. Their
            memory is allocated once; three let preparing, engine and hand-over overlap.
        max_batch: rows of an engine call; None: as many as the engine takes at once with profit.
        gpu_buffers: sets of buffers on a GPU: so many batches, and one more, are on their way there at once.
        cuda_graphs: on a GPU, record the work of batch sizes that come again, so that one call queues it.
        spin_us: microseconds that an engine's thread looks for the next request after a batch, before it
            sleeps: waking it takes longer than all the rest. Costs up to so much of one core a batch, and
            nothing while there are no requests.
    """

    queue: int = 1024
    max_wait_us: int = 2000
    batches_in_flight: int = 3
    max_batch: int | None = None
    gpu_buffers: int = 2
    cuda_graphs: bool = True
    spin_us: int = 100

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name == "cuda_graphs":
                if not isinstance(value, bool):
                    raise OptionError(f"cuda_graphs={value!r}", "neither on nor off", "give True or False")
                continue
            if field.name == "max_batch" and value is None:
                continue
            least = 0 if field.name.endswith("_us") else 1
            most = 16 if field.name == "gpu_buffers" else 10**9
            if not isinstance(value, int) or not least <= value <= most:
                raise OptionError(
                    f"{field.name}={value!r}",
                    "not a number it can be",
                    f"give a whole number from {least} to {most}",
                )
