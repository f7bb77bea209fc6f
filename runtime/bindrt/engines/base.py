"""What every engine is to the rest of the runtime."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt


class Engine(Protocol):
    """One encoder, ready to run.

    Attributes:
        name: ``onnxruntime``, ``openvino``, ``tensorrt`` or ``tensorrt-rtx``.
        device: where it runs, for example ``cpu``.
        precision: of the numbers it computes with.
        max_batch: the most rows of one ``run``.
    """

    name: str
    device: str
    precision: str
    max_batch: int

    def run(self, inputs: npt.NDArray[np.generic], out: npt.NDArray[np.float32]) -> None:
        """Embed a batch.

        Args:
            inputs: ``[B, …]``, the encoder's input; B at most ``max_batch``.
            out: float32 ``[B, D]``, written.

        Raises:
            EngineError: the engine refused or failed.
        """
        ...
