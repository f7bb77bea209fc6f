"""What an export tells whoever watches; kept apart from torch, so that ``--check`` starts without it."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Hears what an export does."""

    def stage(self, encoder: str, stage: str, total: int = 0) -> None: ...

    def advance(self, encoder: str, amount: int) -> None: ...

    def done(self, encoder: str, seconds: float, size: int, note: str) -> None: ...
