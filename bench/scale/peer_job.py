"""The way it is done without bindrt: ``python -m bench.scale.peer_job ray|daft BUNDLE TABLE OUT``.

A job for each modality, as the tools' own examples have it: torchvision, torchaudio and decord prepare each
row, and PyTorch's eager model, of the bundle's size, computes batches of them.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from bench.scale.files import SHARES

BATCH = 32
#: Batches of videos, which have fifteen views each.
VIDEOS = 4


def preparing(modality: str) -> Callable[[str], npt.NDArray[np.generic]]:
    """What makes the views ``[V, …]`` of one path or text."""
    import torch

    torch.set_num_threads(1)  # there is a process a core
    if modality == "text":
        from bindrt.preprocess import text

        return lambda value: np.asarray(text(value).reshape(1, -1))
    from bench.kernels.libraries import original

    make = getattr(original, f"{modality}_file")

    def prepare(path: str) -> npt.NDArray[np.generic]:
        views: npt.NDArray[np.generic] = make(path, 1)().numpy()
        return views[None] if modality == "image" else views

    return prepare


class Model:
    """The eager model of one modality: views ``[N, V, …]`` to unit vectors ``[N, D]``."""

    def __init__(self, bundle: str, modality: str) -> None:
        import torch

        from bench.engines.usual import usual
        from bindrt.bundle import open_bundle
        from bindrt.modalities import MODALITIES
        from bindrt_export.peers import runners
        from bindrt_export.peers.plain import plain_encoder

        torch.set_num_threads(1)
        encoder = MODALITIES[modality].encoder
        opened = open_bundle(bundle)
        self._view = opened.manifest.encoders[encoder].view
        self._run = runners.eager(usual(plain_encoder(opened, encoder)))

    def vectors(self, views: npt.NDArray[np.generic]) -> npt.NDArray[np.float32]:
        from bindrt.modalities import for_encoder

        rows = for_encoder(views.reshape(-1, *views.shape[2:]), self._view)
        found = self._run(np.ascontiguousarray(rows)).reshape(*views.shape[:2], -1).mean(1)
        unit: npt.NDArray[np.float32] = found / np.linalg.norm(found, axis=1, keepdims=True)
        return unit


class RayPrepare:
    """A row with its views."""

    def __init__(self, modality: str) -> None:
        self._name, self._prepare = modality, preparing(modality)

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        return {self._name: row[self._name], "views": self._prepare(row[self._name])}


class RayModel(Model):
    """A batch with vectors in place of its views."""

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        views = batch.pop("views")
        return {**batch, "embedding": self.vectors(np.stack(list(views)))}


def with_ray(bundle: str, table: str, output: str) -> None:
    import ray

    ray.init(include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    ray.data.DataContext.get_current().enable_progress_bars = False
    for modality in SHARES:
        rows = ray.data.read_parquet(table).select_columns([modality])
        there = rows.filter(lambda row, name=modality: row[name] is not None)
        there = there.repartition(max(there.count() // BATCH, 1))  # else one block, and one worker with work
        pool = ray.data.ActorPoolStrategy(size=os.cpu_count() or 1)
        prepared = there.map(RayPrepare, fn_constructor_args=(modality,), compute=pool, num_cpus=0.2)
        prepared.map_batches(
            RayModel,
            fn_constructor_args=(bundle, modality),
            compute=pool,
            num_cpus=0.2,
            batch_size=VIDEOS if modality == "video" else BATCH,
        ).write_parquet(os.path.join(output, modality))


def with_daft(bundle: str, table: str, output: str) -> None:
    import daft

    for modality in SHARES:
        worker = daft.cls(_daft_worker(daft), use_process=True, max_concurrency=os.cpu_count())
        rows = daft.read_parquet(table).select(modality).where(daft.col(modality).not_null())
        found = rows.with_column("embedding", worker(bundle, modality).embed(daft.col(modality)))
        found.write_parquet(os.path.join(output, modality))


def _daft_worker(daft: Any) -> type:
    class Worker:
        """Prepares a batch's rows, and computes their vectors."""

        def __init__(self, bundle: str, modality: str) -> None:
            self._model, self._prepare = Model(bundle, modality), preparing(modality)

        @daft.method.batch(return_dtype=daft.DataType.list(daft.DataType.float32()), batch_size=BATCH)  # type: ignore[untyped-decorator]
        def embed(self, series: Any) -> Any:
            views = np.stack([self._prepare(value) for value in series.to_pylist()])
            return list(self._model.vectors(views))

    return Worker


if __name__ == "__main__":
    {"ray": with_ray, "daft": with_daft}[sys.argv[1]](*sys.argv[2:])
