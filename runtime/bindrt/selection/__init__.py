"""Which engine an encoder runs in: chosen from what the bundle holds and the machine has, then opened."""

from bindrt.selection.candidates import candidates, choose
from bindrt.selection.opening import open_engine

__all__ = ["candidates", "choose", "open_engine"]
