"""Small indexes with made-up vectors."""

from __future__ import annotations

import numpy as np

from bindrt.index import Index

SPACE, DIM = "test-space", 24


def unit(count: int, seed: int = 0, dim: int = DIM) -> np.ndarray:
    """Random vectors ``[count, dim]`` of unit length."""
    rows = np.random.default_rng(seed).normal(size=(count, dim)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def filled(count: int, approximate: bool = False, seed: int = 0, dtype: str = "float32") -> Index:
    """An index of images ``i0, i1, …`` with metadata, and as many sounds ``a…`` without."""
    index = Index(SPACE, DIM, approximate, dtype=dtype)  # type: ignore[arg-type]
    half = count // 2
    rows = unit(count, seed)
    index.add(rows[:half], [f"i{n}" for n in range(half)], "image", [{"n": n} for n in range(half)])
    index.add(rows[half:], [f"a{n}" for n in range(half, count)], "audio")
    return index
