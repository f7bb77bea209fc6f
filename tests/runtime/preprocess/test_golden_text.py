"""Texts against the original's tokens."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from bindrt import preprocess
from support.golden import roots


def load(root: Path) -> tuple[list[str], np.ndarray]:
    texts = json.loads((root / "inputs" / "text.json").read_text(encoding="utf-8"))
    whole = root / "ref" / "text" / "tokens.npy"
    return texts, np.load(whole) if whole.exists() else np.load(whole.with_suffix(".npz"))["values"]


@pytest.mark.parametrize("root", roots(), ids=lambda r: r.parent.name)
def test_tokens_are_exact(root: Path) -> None:
    texts, expected = load(root)
    out = preprocess.text(texts)
    assert out.dtype == np.int64
    np.testing.assert_array_equal(out, expected)


@pytest.mark.parametrize("root", roots(), ids=lambda r: r.parent.name)
def test_one_by_one_agrees(root: Path) -> None:
    texts, expected = load(root)
    for text, row in zip(texts, expected, strict=True):
        np.testing.assert_array_equal(preprocess.text(text), row[None])
        np.testing.assert_array_equal(preprocess.prepare("text", text).array, row)
