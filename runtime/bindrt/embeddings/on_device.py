"""``DeviceEmbeddings``: vectors that stay on the GPU."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bindrt._core.gpu import DeviceArray
from bindrt.embeddings.embeddings import Embeddings


@dataclass(frozen=True, eq=False, repr=False)
class DeviceEmbeddings(Embeddings):
    """What ``embed`` and ``aembed`` return with ``output="device"``.

    ``e["image"]`` and ``e.image`` are on the GPU. Each is float32 ``[N, D]``, complete, and has
    ``__dlpack__`` and ``__cuda_array_interface__``. Other libraries take it without a copy, on any stream:
    ``torch.from_dlpack(e.image)``, ``cupy.from_dlpack(e.image)``. What they make of it keeps the memory. An
    item that failed has a row of NaN.

    Attributes:
        on_device: the arrays by modality.
        vectors: the same on the host, NumPy's; all methods work with these. Each vector visits the host to be
            checked.

    >>> issubclass(bindrt.DeviceEmbeddings, bindrt.Embeddings)  # so it has all that those have
    True
    """

    on_device: Mapping[str, DeviceArray] = field(default_factory=dict)

    def __getitem__(self, modality: str) -> DeviceArray:  # type: ignore[override]
        return self.on_device[modality]

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> DeviceArray:
            there = self.__dict__.get("on_device", {})
            return there[name] if name in there else super().__getattr__(name)
