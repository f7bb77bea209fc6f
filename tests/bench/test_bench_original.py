"""The model of the bench beside the original: of like precision, with the bundle's vectors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bench.pipeline.original import plain_model
from bindrt.bundle import open_bundle
from bindrt.selection import choose, open_engine


@pytest.mark.parametrize(("precision", "least", "most"), [("fp32", 1 - 1e-6, 1.1), ("int8", 0.999, 1 - 1e-7)])
def test_the_plain_model_is_of_like_precision(
    small_bundle: Path, precision: str, least: float, most: float
) -> None:
    bundle = open_bundle(small_bundle)
    inputs = np.random.default_rng(1).standard_normal((2, 6, 2000), np.float32)
    out = np.empty((2, bundle.manifest.embed_dim), np.float32)
    open_engine(bundle, choose(bundle, "imu", "onnxruntime", "fp32", "cpu")).run(inputs, out)
    found = np.asarray(plain_model(bundle, "imu", precision)(inputs), np.float64)
    lengths = np.linalg.norm(found, axis=1) * np.linalg.norm(out, axis=1)
    cosines = (found * out).sum(axis=1) / lengths
    assert least <= cosines.min() <= most  # beside int8 it computes in bf16, which rounds
