"""The native engine's linear layers beside the peak of the processor's unit and beside reading weights.

Runs bench/native/products.cpp for the layers of imagebind_huge's encoders: 2056 rows are eight images, 257
one, 10 a caption. Many rows are bound by the unit (``bench/units``), few by the memory.
"""

from __future__ import annotations

import argparse
import re
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from bench import units
from bench.cpp import BUILT, build
from bindrt.benchmark.machine import describe_machine
from bindrt.benchmark.results import write_json

ROWS = (10, 257, 2056)
_LINE = re.compile(
    r"(?P<kernel>\S+) +(?P<numbers>\S+) +(?P<rows>\d+) × +(?P<inputs>\d+) → +(?P<outputs>\d+) .*?"
    r"(?P<rate>[\d.]+) GF/s +weights +(?P<weights>[\d.]+) GB/s +read +(?P<read>[\d.]+) GB/s"
)


@dataclass(frozen=True)
class Product:
    """A linear layer as one kernel computes it.

    Attributes:
        numbers: ``fp32``, ``bf16`` or ``int8``.
        rate: operations a second; a multiply-add is two.
        weights: bytes of weights a second; ``read``: what reading them alone reaches.
    """

    kernel: str
    numbers: str
    rows: int
    inputs: int
    outputs: int
    rate: float
    weights: float
    read: float

    @property
    def seconds(self) -> float:
        return 2 * self.rows * self.inputs * self.outputs / self.rate


def parsed(lines: Iterable[str]) -> list[Product]:
    """From what the program prints."""
    found = []
    for match in filter(None, map(_LINE.match, lines)):
        rows, inputs, outputs = (int(match[name]) for name in ("rows", "inputs", "outputs"))
        speeds = [1e9 * float(match[name]) for name in ("rate", "weights", "read")]
        found.append(Product(match["kernel"], match["numbers"], rows, inputs, outputs, *speeds))
    return found


def shares(products: Sequence[Product], peaks: units.Peaks) -> list[str]:
    """For each kernel and number of rows, of its layers together: the share of the unit, and of reading."""
    lines = []
    for key in dict.fromkeys((p.kernel, p.numbers, p.rows) for p in products):
        some = [p for p in products if (p.kernel, p.numbers, p.rows) == key]
        seconds = sum(p.seconds for p in some)
        rate = sum(p.seconds * p.rate for p in some) / seconds
        reading = sum(p.seconds * p.weights / p.read for p in some) / seconds
        unit = peaks.units.get(key[1])
        share = f"{rate / unit.operations:4.0%} of {unit.name}" if unit else "no unit here"
        name = f"{key[0]:<12} {key[1]} {key[2]:5} rows"
        lines.append(f"{name} {rate / 1e9:8.1f} GOP/s  {share}  {reading:4.0%} of reading")
    return lines


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench linears", description=__doc__)
    parser.add_argument("--kernel", default="", help="for example avx512_vnni; default: all that run here")
    parser.add_argument("--rows", nargs="+", type=int, default=ROWS)
    parser.add_argument("--json", type=Path, metavar="OUT")
    args = parser.parse_args(arguments)
    build("bench_products")
    peaks = units.of_this_machine()
    command = [str(BUILT / "bench_products"), args.kernel, str(peaks.threads), *map(str, args.rows)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    print(done.stdout)
    products = parsed(done.stdout.splitlines())
    print("\n".join(shares(products, peaks)))
    if args.json:
        found = [asdict(product) for product in products]
        write_json(args.json, {"machine": describe_machine(), "peaks": asdict(peaks), "products": found})
    return 0
