"""How an export tells its progress; torch is not needed here, so that ``--check`` starts without it."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Is told what an export does. ``name`` is that of an artifact: ``imu`` or ``imu int8 onnxruntime``."""

    def stage(self, name: str, stage: str, total: int = 0) -> None:
        """Work on an artifact has reached a stage; ``total`` is its amount of work, 0 if unknown."""
        ...

    def advance(self, name: str, amount: int) -> None:
        """So much more of the stage's work is done."""
        ...

    def done(self, name: str, seconds: float, size: int, note: str) -> None:
        """The artifact is there and has ``size`` bytes."""
        ...
