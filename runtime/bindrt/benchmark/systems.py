"""Systems: what is measured. A system takes items and gives vectors; bindrt's pipeline is one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from itertools import islice
from typing import Any, Protocol, cast

import numpy as np
import numpy.typing as npt

from bindrt import _core
from bindrt.bundle.manifest import EncoderInfo
from bindrt.errors import Error
from bindrt.modalities import MODALITIES, for_encoder
from bindrt.model import Model
from bindrt.preprocess.dispatch import prepare_views

Vector = npt.NDArray[np.float32]
#: Rows ``[V, …]`` of an encoder's input to its vectors ``[V, D]``.
Encode = Callable[[npt.NDArray[np.generic]], Vector]
STAGES = ("queue", "prepare", "batch", "engine", "finish")
#: As many full batches of requests are in work at once, so that the engine never waits for requests.
DEPTH = 4


class System(Protocol):
    """Something that embeds. Calls may come from several threads.

    Attributes:
        about: what it is, in a line.
        chosen: the precision and the space that it computes in, where it chooses them.
    """

    about: str
    chosen: Mapping[str, str]

    def submit(self, modality: str, item: object, priority: int) -> Future[Vector]: ...

    def stream(
        self, modality: str, items: Iterable[object], in_flight: int | None, priority: int
    ) -> Iterator[object]:
        """One result an item."""
        ...

    def stages(self, modality: str) -> dict[str, tuple[int, float]]:
        """By stage, how many requests have passed it and how many seconds they took; empty: not known."""
        ...

    def close(self) -> None: ...


class ModelSystem:
    """bindrt: ``Model.submit`` and ``Model.stream``."""

    def __init__(self, model: Model) -> None:
        self._model = model
        model.warm_up()
        engines = {m: model.engine(m) for m in model.modalities}
        self._rows: dict[str, int] = {m: engine.max_batch for m, engine in engines.items()}
        names = sorted({f"{engine.name} on {engine.device}" for engine in engines.values()})
        self.about = f"bindrt's pipeline; {model.precision}, {', '.join(names)}"
        self.chosen: Mapping[str, str] = {"precision": model.precision, "space": model.space}

    def submit(self, modality: str, item: object, priority: int) -> Future[Vector]:
        future: Future[Vector] = cast(Any, self._model).submit(modality, item, priority=priority)
        return future

    def stream(
        self, modality: str, items: Iterable[object], in_flight: int | None, priority: int
    ) -> Iterator[object]:
        usual = max(DEPTH * self._rows[modality] // MODALITIES[modality].views, DEPTH)
        return self._model.stream(cast(Any, modality), items, prefetch=in_flight or usual, priority=priority)

    def stages(self, modality: str) -> dict[str, tuple[int, float]]:
        found = self._model.stats().get(modality, {}).get("pipeline")
        if found is None:
            return {}
        return {s: (found["seconds"][s]["count"], found["seconds"][s]["sum"]) for s in STAGES}

    def close(self) -> None:
        self._model.close()


class PlainSystem:
    """One item, or one batch, after the other: preprocess, run, next. Preprocessing is bindrt's."""

    def __init__(
        self, about: str, encoders: dict[str, EncoderInfo], open_encoder: Callable[[str], Encode],
        batch: Callable[[str], int],
    ) -> None:  # fmt: skip
        """
        Args:
            encoders: the bundle's encoders by name.
            open_encoder: called once for each encoder, when it is first used.
            batch: by encoder, the most rows that a stream gives to it at once.
        """
        self.about = about
        self.chosen: Mapping[str, str] = {}
        self._infos = encoders
        self._open = open_encoder
        self._batch = batch
        self._encoders: dict[str, Encode] = {}
        self._lock = threading.Lock()  # one at a time, whoever calls

    def submit(self, modality: str, item: object, priority: int) -> Future[Vector]:
        future: Future[Vector] = Future()
        with self._lock:
            try:
                future.set_result(self._embed(modality, [item])[0])
            except Error as error:
                future.set_exception(error)
        return future

    def stream(
        self, modality: str, items: Iterable[object], in_flight: int | None, priority: int
    ) -> Iterator[object]:
        size = max(self._batch(MODALITIES[modality].encoder) // MODALITIES[modality].views, 1)
        source = iter(items)
        while group := list(islice(source, size)):
            with self._lock:
                rows = self._embed(modality, group)
            yield from rows

    def stages(self, modality: str) -> dict[str, tuple[int, float]]:
        return {}

    def close(self) -> None:
        self._encoders.clear()

    def _embed(self, modality: str, items: Sequence[object]) -> Vector:
        """Unit vectors ``[N, D]``."""
        encoder = MODALITIES[modality].encoder
        if encoder not in self._encoders:
            self._encoders[encoder] = self._open(encoder)
        info = self._infos[encoder]
        views = [for_encoder(prepare_views(modality, item).all(), info.view) for item in items]
        rows = self._encoders[encoder](np.concatenate(views))
        counts = np.array([len(v) for v in views], np.int64)
        pooled: Vector = _core.pool_views(np.ascontiguousarray(rows), counts, normalize=True)
        return pooled


class LoopSystem:
    """The plain loop over bindrt's own parts: ``embed`` of one item, then of the next."""

    about = "one embed call an item, one after the other; no pipeline"

    def __init__(self, model: Model) -> None:
        self._model = model
        model.warm_up()
        self.chosen: Mapping[str, str] = {"precision": model.precision, "space": model.space}
        self._lock = threading.Lock()

    def submit(self, modality: str, item: object, priority: int) -> Future[Vector]:
        future: Future[Vector] = Future()
        try:
            with self._lock:
                found = self._model.embed(**{modality: [item]})  # type: ignore[arg-type]
            future.set_result(found[modality][0])
        except Error as error:
            future.set_exception(error)
        return future

    def stream(
        self, modality: str, items: Iterable[object], in_flight: int | None, priority: int
    ) -> Iterator[object]:
        for item in items:
            yield self.submit(modality, item, priority).result()

    def stages(self, modality: str) -> dict[str, tuple[int, float]]:
        return {}

    def close(self) -> None:
        self._model.close()
