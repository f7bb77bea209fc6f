"""Pooling of views: against a float64 definition, and every way to call it wrongly."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bindrt import _core

Floats = npt.NDArray[np.float32]


def reference(views: Floats, counts: list[int], weights: Floats | None, normalize: bool) -> Floats:
    """The definition in float64."""
    rows = []
    start = 0
    for count in counts:
        part = slice(start, start + count)
        own = None if weights is None else weights[part].astype(np.float64)
        mean = np.average(views[part].astype(np.float64), axis=0, weights=own)
        length = np.linalg.norm(mean)
        rows.append(mean / length if normalize and length > 0 else mean)
        start += count
    return np.array(rows, np.float64).reshape(len(counts), views.shape[1]).astype(np.float32)


@st.composite
def cases(draw: st.DrawFn) -> tuple[Floats, list[int], Floats | None]:
    counts = draw(st.lists(st.integers(1, 6), max_size=5))
    dim = draw(st.sampled_from([1, 2, 7, 127, 128, 129, 300]))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    scale = draw(st.sampled_from([1e-20, 1e-3, 1.0, 1e15]))
    views = (random.standard_normal((sum(counts), dim)) * scale).astype(np.float32)
    weighted = draw(st.booleans())
    return views, counts, random.uniform(0.1, 9, sum(counts)).astype(np.float32) if weighted else None


@given(cases(), st.booleans())
def test_equals_the_definition(case: tuple[Floats, list[int], Floats | None], normalize: bool) -> None:
    views, counts, weights = case
    got = _core.pool_views(views, counts, weights, normalize)
    want = reference(views, counts, weights, normalize)
    assert got.dtype == np.float32
    assert got.shape == want.shape
    # Each value is rounded once; what else differs is the order of a double sum.
    largest = float(np.abs(want).max(initial=0.0))
    np.testing.assert_allclose(got, want, rtol=2e-7, atol=largest * 1e-12)
    if normalize:
        np.testing.assert_allclose(np.linalg.norm(got.astype(np.float64), axis=1), 1.0, rtol=1e-6)


def test_equal_weights_are_no_weights() -> None:
    views = np.random.default_rng(1).standard_normal((6, 40)).astype(np.float32)
    equal = np.full(6, 4.0, np.float32)
    np.testing.assert_array_equal(
        _core.pool_views(views, [2, 4]), _core.pool_views(views, [2, 4], weights=equal)
    )


def test_scale_comes_last() -> None:
    views = np.random.default_rng(4).standard_normal((6, 40)).astype(np.float32)
    for normalize in (False, True):
        plain = reference(views, [2, 4], None, normalize)
        got = _core.pool_views(views, [2, 4], normalize=normalize, scale=20.0)
        np.testing.assert_allclose(got, plain * 20, rtol=3e-7)
    with pytest.raises(ValueError, match="scale is nan"):
        _core.pool_views(views, [2, 4], scale=float("nan"))


def test_zeros_stay_zeros_and_nan_stays_with_its_item() -> None:
    views = np.array([[0, 0], [np.nan, 1], [0, 5]], np.float32)
    got = _core.pool_views(views, [1, 1, 1])
    np.testing.assert_array_equal(got[0], [0, 0])
    assert np.isnan(got[1]).any()
    np.testing.assert_array_equal(got[2], [0, 1])


def test_empty() -> None:
    assert _core.pool_views(np.empty((0, 8), np.float32), []).shape == (0, 8)
    assert _core.pool_views(np.empty((3, 0), np.float32), [1, 2]).shape == (2, 0)


@pytest.mark.parametrize("counts", [[1, 2], (1, 2), np.array([1, 2], np.int32), np.array([1, 2], np.uint8)])
def test_kinds_of_counts(counts: Any) -> None:
    assert _core.pool_views(np.ones((3, 4), np.float32), counts).shape == (2, 4)


def test_out_is_written_and_returned() -> None:
    views = np.random.default_rng(2).standard_normal((3, 5)).astype(np.float32)
    batch = np.full((4, 5), 9, np.float32)
    got = _core.pool_views(views, [1, 2], out=batch[1:3])
    assert got.base is batch
    np.testing.assert_array_equal(batch[1:3], _core.pool_views(views, [1, 2]))
    assert (batch[[0, 3]] == 9).all()


V = np.ones((3, 4), np.float32)
W = np.ones(3, np.float32)
READ_ONLY = np.ones((2, 4), np.float32)
READ_ONLY.flags.writeable = False
MISALIGNED = np.frombuffer(bytearray(49), np.uint8)[1:].view(np.float32).reshape(3, 4)
PIECES = np.ones((5, 4), np.float32)  # views and out that share row 2


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (([[1.0]], [1]), "views is a list"),
        ((V.astype(np.float64), [3]), "dtype float64"),
        ((V.astype(">f4"), [3]), "byte order"),
        ((V[0], [1]), r"views has shape \(4,\)"),
        ((np.ones((3, 8), np.float32)[:, ::2], [3]), "not C-contiguous"),
        ((MISALIGNED, [3]), "aligned"),
        ((V, [1, 1]), "sum to 2 but views has 3 rows"),
        ((V, [2, 2]), "more than the 3 rows"),
        ((V, [2**62, 2**62, 2**62]), "more than the 3 rows"),
        ((V, [3, 0]), r"counts\[1\] is 0"),
        ((V, [4, -1]), r"more than the 3 rows"),
        ((V, [-1, 4]), r"counts\[0\] is -1"),
        ((V, np.array([2**64 - 1], np.uint64)), "counts"),
        ((V, [1.5, 1.5]), "whole numbers"),
        ((V, [True, True, True]), "whole numbers"),
        ((V, [2**70]), "whole numbers"),
        ((V, [[3]]), "1 dimension"),
        ((V, 3), "1 dimension"),
        ((V, "abc"), "counts"),
        ((V, [[1], [1, 1]]), "counts"),
        ((V, None), "counts"),
        ((V, [3], [1, 1, 1]), "weights is a list"),
        ((V, [3], W.astype(np.float64)), "weights has dtype float64"),
        ((V, [3], W[:2].copy()), "weights has 2 values"),
        ((V, [3], np.array([1, np.nan, 1], np.float32)), r"weights\[1\] is nan"),
        ((V, [3], np.array([1, 1, np.inf], np.float32)), r"weights\[2\] is inf"),
        ((V, [3], np.array([-1, 1, 1], np.float32)), r"weights\[0\] is -1"),
        ((V, [1, 2], np.array([1, 0, 0], np.float32)), "item 1 sum to 0"),
        ((V, [1, 2], None, True, np.ones((3, 4), np.float32)), r"it must be \(2, 4\)"),
        ((V, [1, 2], None, True, np.ones((2, 4))), "out has dtype float64"),
        ((V, [1, 2], None, True, READ_ONLY), "read-only"),
        ((V, [1, 2], None, True, np.ones((4, 2), np.float32).T), "out is not C-contiguous"),
        ((PIECES[:3], [1, 2], None, True, PIECES[2:4]), "shares memory"),
        ((V, [3], W, True, W[:0].reshape(0, 4)), r"it must be \(1, 4\)"),
    ],
)
def test_faults(arguments: tuple[Any, ...], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        _core.pool_views(*arguments)


def test_the_gil_is_released() -> None:
    """Another thread counts on while a long call computes; with the GIL held it would not move."""
    views = np.ones((20_000, 1024), np.float32)
    counts = np.full(4, 5_000)
    counted, stop = [0], threading.Event()

    def count() -> None:
        while not stop.is_set():
            counted[0] += 1

    worker = threading.Thread(target=count)
    worker.start()
    try:
        before = counted[0]
        for _ in range(3):
            _core.pool_views(views, counts)
        moved = counted[0] - before
    finally:
        stop.set()
        worker.join()
    assert moved > 1000


def test_many_threads_get_the_same_bits() -> None:
    views = np.random.default_rng(3).standard_normal((64, 1024)).astype(np.float32)
    want = _core.pool_views(views, [16] * 4)
    results: list[Floats] = []
    workers = [
        threading.Thread(target=lambda: results.append(_core.pool_views(views, [16] * 4))) for _ in range(8)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(results) == 8
    assert all(np.array_equal(got, want) for got in results)


def test_build_info() -> None:
    info = _core.build_info()
    assert info["version"] == "0.1.0"
    assert info["cxx_standard"] >= 202002
    assert info["cuda"] is (info["gpu_kernels"] is not None)
    assert all(isinstance(present, bool) for present in info["cpu_features"].values())
