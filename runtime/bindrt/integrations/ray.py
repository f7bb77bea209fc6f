"""Ray Data: a class for ``map_batches``, of which each actor has a model.

The items are decoded in the actor, so rows need only paths: pictures never go through the object store.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Any

from bindrt.integrations.batches import columns_of, with_vectors
from bindrt.integrations.columns import ColumnEmbedder


class Embed(ColumnEmbedder):
    """Embeds columns of a dataset's batches, of any ``batch_format``.

    Each batch comes back with ``image_embedding`` and ``image_error`` for ``image``: NaN (null in tables)
    and the reason where a value could not be embedded. An embedded column of bytes or arrays is left out;
    ``keep`` names it where it is wanted.

    An actor computes with as many threads as Ray gives it CPUs (``num_cpus=``), or on its GPU
    (``num_gpus=``).

    Example:
        ds.map_batches(
            Embed,
            fn_constructor_kwargs={"bundle": "imagebind.bind", "columns": {"image": "path"}},
            compute=ray.data.ActorPoolStrategy(size=2),
            batch_size=256,
            num_cpus=1,
        )

    >>> embed = Embed("tiny", {"text": "caption"})
    >>> embed({"caption": np.array(["a bell ringing"])})["text_embedding"].shape
    (1, 96)
    """

    def __init__(
        self,
        bundle: str | os.PathLike[str],
        columns: Mapping[str, str],
        options: Mapping[str, Mapping[str, str]] | None = None,
        root: str | None = None,
        keep: tuple[str, ...] = (),
        **load: Any,
    ) -> None:
        """
        Args:
            bundle, columns, options, root: as in :class:`ColumnEmbedder`.
            keep: embedded columns that stay although they hold bytes or arrays.
            load: further arguments of :func:`bindrt.load`.
        """
        threads = actor_threads()
        load = {"threads": threads, **load} if threads else load
        super().__init__(bundle, columns, options or {}, root, load)
        self.keep = keep

    def __call__(self, batch: Any) -> Any:
        """The batch with vectors."""
        rows = columns_of(batch)
        embedded = self.embed(rows)
        files = {name for name in self.columns.values() if _holds_files(rows[name])}
        return with_vectors(batch, embedded, files - set(self.keep))


def actor_threads() -> int | None:
    """CPUs that Ray gives this actor; None outside of one, and where it has none or a part of one."""
    ray = sys.modules.get("ray")  # in an actor it is there
    if ray is None or not ray.is_initialized():
        return None
    context = ray.get_runtime_context()
    if context.worker.mode != ray.WORKER_MODE:
        return None
    return int(context.get_assigned_resources().get("CPU", 0)) or None


def _holds_files(values: Any) -> bool:
    """Whether a column has bytes, arrays or cells rather than paths and texts."""
    return any(value is not None and not isinstance(value, (str, float)) for value in values)
