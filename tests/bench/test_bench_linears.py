"""What `bench linears` makes of the C++ program's lines."""

from __future__ import annotations

import pytest

from bench import units
from bench.native import command

LINES = (
    "avx512_vnni  int8  2056 × 1280 → 3840  2 threads    400.0 GF/s  weights    1.0 GB/s  read   40.0 GB/s",
    "avx512_vnni  int8  2056 × 5120 → 1280  2 threads    600.0 GF/s  weights    1.0 GB/s  read   40.0 GB/s",
    "avx512       fp32    10 × 1024 → 1024  2 threads     50.0 GF/s  weights   20.0 GB/s  read   40.0 GB/s",
    "something else",
)


def test_shares_of_the_unit_and_of_reading() -> None:
    products = command.parsed(LINES)
    assert [(p.kernel, p.rows, p.inputs, p.outputs) for p in products] == [
        ("avx512_vnni", 2056, 1280, 3840), ("avx512_vnni", 2056, 5120, 1280), ("avx512", 10, 1024, 1024)
    ]  # fmt: skip
    assert products[0].seconds == pytest.approx(2 * 2056 * 1280 * 3840 / 400e9)
    peaks = units.Peaks(2, {"int8": units.Unit("VNNI", 1e12)}, 40e9)
    eight, caption = command.shares(products, peaks)
    # The layers together: all operations over all seconds.
    work = [2 * 2056 * 1280 * 3840, 2 * 2056 * 5120 * 1280]
    rate = sum(work) / (work[0] / 400e9 + work[1] / 600e9)
    assert f"{rate / 1e9:.1f} GOP/s" in eight
    assert f"{rate / 1e12:.0%} of VNNI" in eight
    assert "no unit here" in caption
    assert caption.endswith("50% of reading")
