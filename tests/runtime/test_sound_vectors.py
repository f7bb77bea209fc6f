"""Every vector handed out is finite and not zero, and of unit length where it is normalised; in all calls."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
import pytest

import bindrt


class Broken:
    """Writes ones, and the planted value for rows whose first number is negative."""

    name, device, precision, max_batch = "broken", "cpu", "fp32", 4

    def __init__(self, planted: Any) -> None:
        self.planted = planted

    def run(self, inputs: np.ndarray, out: np.ndarray) -> None:
        out[...] = 1
        out[inputs[:, 0, 0] < 0] = self.planted


GOOD = np.ones((6, 2000), np.float32)
PLANTED = [np.nan, np.inf, -np.inf, 0.0, np.array([np.nan] + [1.0] * 95), np.array([1.0] * 95 + [np.inf])]
ITEMS = [bindrt.Prepared(sign * GOOD) for sign in (1, -1, 1, 1, 1, -1)]
BAD = {1, 5}


@pytest.fixture(params=range(len(PLANTED)))
def model(request: pytest.FixtureRequest) -> Any:
    with bindrt.load("tiny", engines={"imu": Broken(PLANTED[request.param])}) as loaded:
        yield loaded


def require(error: object, place: str) -> None:
    assert isinstance(error, bindrt.EngineError)
    assert place in str(error)
    assert "its vector is " in str(error)
    assert error.remedy


@pytest.mark.parametrize("normalize", [True, False])
def test_of_embed_and_aembed(model: bindrt.Model, normalize: bool) -> None:
    for found in (
        model.embed(imu=ITEMS, on_error="skip", normalize=normalize),
        asyncio.run(model.aembed(imu=ITEMS, on_error="skip", normalize=normalize)),
    ):
        assert set(found.errors) == {("imu", i) for i in BAD}
        for i, row in enumerate(found.imu):
            assert np.isnan(row).all() if i in BAD else np.isfinite(row).all()
            if i in BAD:
                require(found.errors["imu", i], f"imu[{i}]")
    with pytest.raises(bindrt.EngineError, match=r"imu\[1\].*its vector is "):
        model.embed(imu=ITEMS, normalize=normalize)


def test_of_submit_and_stream(model: bindrt.Model) -> None:
    futures = [model.submit("imu", item) for item in ITEMS]
    for i, future in enumerate(futures):
        if i in BAD:
            require(future.exception(60), "imu")
        else:
            assert abs(np.linalg.norm(future.result(60)) - 1) < 1e-6
    found = list(model.stream("imu", ITEMS, on_error="skip"))
    assert {f.index for f in found if f.error is not None} == BAD
    assert all(f.vector is None for f in found if f.index in BAD)


def test_of_classify() -> None:
    with bindrt.load("tiny", engines={"imu": Broken(np.nan)}) as model:
        found = model.classify(imu=ITEMS, labels=["a bell", "a car"], on_error="skip")
    assert {i for i in range(len(ITEMS)) if np.isnan(found[i]).all()} == BAD
