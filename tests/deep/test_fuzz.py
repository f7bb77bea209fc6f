"""Random damage to everything that comes from elsewhere, in processes that may die and say at which seed.

Every run ends in a result or in the error that belongs to it, in bounded time and memory. A seed is
run alone with ``python tests/deep/test_fuzz.py KIND FOLDER FIRST COUNT``, where FOLDER is as ``make_inputs``
leaves it, with ``PYTHONPATH=tests``.
"""

from __future__ import annotations

import collections
import contextlib
import hashlib
import json
import os
import random
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

import bindrt
from bindrt.preprocess import prepare
from support import isolated
from support.damage import mutated, swapped

INPUTS = Path(__file__).resolve().parent.parent / "golden" / "inputs"
GRAPH = "onnx/fp32/imu.onnx"
#: What one kind's process may hold at most, everything included; the libraries alone take some 0.6 GB.
PEAK_BYTES = 2 << 30
#: kind → seconds it is given, seeds it must have reached by then (a tenth of what is usual).
KINDS = {"manifest": (20, 300), "graph": (45, 200), "media": (50, 100), "checkpoint": (35, 60)}
LIMITS = bindrt.Limits(max_pixels=4_000_000, max_bytes=64 << 20, max_seconds=120)
ITEM = bindrt.Prepared(np.linspace(-1, 1, 12000, dtype=np.float32).reshape(6, 2000))


def scrambled(data: bytes, rng: random.Random) -> bytes:
    """A graph whose fields are changed, so that it can still be parsed."""
    model = onnx.ModelProto.FromString(data)
    messages = list(below(model))
    strings = [v for m in messages for f, v in m.ListFields() if isinstance(v, str)] + ["", "x", "-1", "0"]
    numbers = [-(2**63), -(2**31), -2, -1, 0, 1, 2, 3, 4, 7, 16, 2**16, 2**31 - 1, 2**40, 2**63 - 1]
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        message = rng.choice(messages)
        field, value = rng.choice(message.ListFields() or [(None, None)])
        if field is None:
            continue
        if isinstance(value, (str, bytes, int, float)):
            kinds: dict[type, Any] = (
                {str: strings, bytes: [b"", value[:-1], value + value]}
                if isinstance(value, (str, bytes))
                else {int: numbers, float: [0.0, -1.0, 1e38, float("nan"), float("inf")]}
            )
            new = rng.choice(kinds[type(value)])
            with contextlib.suppress(ValueError):  # beyond the field's range
                setattr(message, field.name, new)
        elif hasattr(value, "append") and len(value):
            at, action = rng.randrange(len(value)), rng.randrange(4)
            if action == 0:
                del value[at]
            elif action == 1:
                value.append(value[rng.randrange(len(value))])
            elif isinstance(value[at], (str, int)):
                with contextlib.suppress(ValueError):
                    value[at] = rng.choice(strings if isinstance(value[at], str) else numbers)
            elif not isinstance(value[at], (bytes, float)):
                value[at].CopyFrom(value[rng.randrange(len(value))])
    return bytes(model.SerializeToString())


def below(message: Any) -> Iterator[Any]:
    """A protobuf message and all within it."""
    yield message
    for _, value in message.ListFields():
        for inner in value if hasattr(value, "append") else [value]:
            if hasattr(inner, "ListFields"):
                yield from below(inner)


def run_manifest(folder: Path, rng: random.Random) -> str:
    """Byte damage, which is rarely JSON any more, or a value put in another's place."""
    bundle, text = folder / "imu.bind", (folder / "bundle.json").read_bytes()
    text = mutated(text, rng) if rng.random() < 0.5 else swapped(text, rng)
    (bundle / "bundle.json").write_bytes(text)
    return embedded(bundle, verify=rng.random() < 0.5)


def run_graph(folder: Path, rng: random.Random) -> str:
    """Damage that its manifest vouches for, so that it reaches ONNX Runtime."""
    bundle = folder / "imu.bind"
    whole = (folder / "imu.onnx").read_bytes()
    data = mutated(whole, rng) if rng.random() < 0.3 else scrambled(whole, rng)
    (bundle / GRAPH).write_bytes(data)
    manifest = json.loads((folder / "bundle.json").read_text())
    manifest["engines"][0]["files"][0].update(bytes=len(data), sha256=hashlib.sha256(data).hexdigest())
    (bundle / "bundle.json").write_text(json.dumps(manifest))
    return embedded(bundle, verify=True)


def embedded(bundle: Path, verify: bool) -> str:
    try:
        with bindrt.load(bundle, verify=verify, threads=1) as model:
            rows = model.embed(imu=ITEM).imu
    except bindrt.Error as error:
        return type(error).__name__
    assert rows.shape == (1, 16)
    assert rows.dtype == np.float32
    return "result"


def run_media(folder: Path, rng: random.Random) -> str:
    path = rng.choice(sorted(p for p in INPUTS.glob("*/*") if p.is_file()))
    data = mutated(path.read_bytes(), rng, head=rng.choice((0.0, 0.02)))
    damaged = folder / f"damaged{path.suffix}"
    damaged.write_bytes(data)
    modality = path.parent.name if rng.random() < 0.9 else rng.choice(list(bindrt.modalities.MODALITIES))
    try:
        prepared = prepare(modality, damaged if rng.random() < 0.5 else data, limits=LIMITS)
    except bindrt.InputError as error:
        return f"{modality} {type(error).__name__}"
    assert np.isfinite(prepared.array).all(), f"{path.name} as {modality}"
    return f"{modality} result"


def run_checkpoint(folder: Path, rng: random.Random) -> str:
    from bindrt_export.checkpoints import open_checkpoint
    from support.bundles import TINY_CONFIG

    name = rng.choice(("tiny.safetensors", "tiny.pth", "evil.pth"))
    data = (folder / name).read_bytes()
    damaged = folder / f"damaged{Path(name).suffix}"
    if name.endswith("pth") and rng.random() < 0.7:
        # The pickle comes first, the archive's table last; nearly all between is numbers.
        pickled = data.index(b"modality_heads") + 40_000
        data = mutated(data[:pickled], rng) + data[pickled:]
    elif name.endswith("pth"):
        data = data[:-20_000] + mutated(data[-20_000:], rng)
    else:
        header = int.from_bytes(data[:8], "little")
        text = data[8 : 8 + header]
        text = mutated(text, rng) if rng.random() < 0.5 else swapped(text, rng)
        size = len(text) if rng.random() < 0.9 else rng.choice((0, 1, header + 1, 1 << 40, (1 << 64) - 1))
        data = size.to_bytes(8, "little") + text + data[8 + header :]
    damaged.write_bytes(data)
    try:
        with open_checkpoint(str(damaged), TINY_CONFIG) as checkpoint:
            total = sum(
                float(p.abs().sum()) for e in checkpoint.encoders for _, p in checkpoint.parameters(e)
            )
            assert total > 0
    except bindrt.CheckpointError:
        return f"{name} CheckpointError"
    finally:
        assert not (folder / "executed").exists(), "the file's code was run"
    return f"{name} result"


RUNS: dict[str, Callable[[Path, random.Random], str]] = {
    "manifest": run_manifest, "graph": run_graph, "media": run_media, "checkpoint": run_checkpoint
}  # fmt: skip


def make_inputs(folder: Path, imu_bundle: Path) -> None:
    """What the workers damage: a bundle, its manifest and graph, and checkpoints in both formats."""
    import torch
    from safetensors.torch import save_file

    from bindrt_export.checkpoints.imagebind import layout_from_config
    from bindrt_export.checkpoints.random_weights import RandomTensors
    from support.bundles import TINY_CONFIG

    shutil.copytree(imu_bundle, folder / "imu.bind")
    shutil.copy(imu_bundle / "bundle.json", folder)
    shutil.copy(imu_bundle / GRAPH, folder)
    tensors = RandomTensors(0, layout_from_config(TINY_CONFIG))
    state: dict[str, Any] = {key: tensors.read(key) for key in tensors.shapes()}
    save_file(state, folder / "tiny.safetensors")
    torch.save(state, folder / "tiny.pth")
    torch.save({**state, "modality_heads.x": Payload(folder / "executed")}, folder / "evil.pth")


class Payload:
    """A pickle that would create a file when loaded."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, tuple[str, int]]:
        return os.open, (str(self.marker), os.O_CREAT)


@pytest.mark.deep
@pytest.mark.parametrize("kind", KINDS)
def test_damage_ends_in_a_result_or_our_error(kind: str, imu_bundle: Path, tmp_path: Path) -> None:
    make_inputs(tmp_path, imu_bundle)
    seconds, at_least = KINDS[kind]
    stop = time.monotonic() + seconds

    def command(first: int) -> list[str]:
        left = max(stop - time.monotonic(), 1)
        return [__file__, kind, str(tmp_path), str(first), "1000000", f"{left:.1f}"]

    report = isolated.run(command, 0, timeout=seconds + 60)
    outcomes, peak = collections.Counter(report.outcomes.values()), report.peak
    done = len(report.outcomes)
    print(f"\n{kind}: {done} seeds in {report.seconds:.0f} s, peak {peak >> 20} MiB, {dict(outcomes)}")
    assert report.wrong == []
    assert done >= at_least
    assert peak < PEAK_BYTES or kind == "graph", "a graph is a program and may ask for what it likes"
    assert len(outcomes) >= 2, "no damage was ever seen, or no file was ever good"


def worker(kind: str, folder: Path, first: int, count: int, seconds: float) -> None:
    run = RUNS[kind]
    numbers = range(first, first + count)
    isolated.serve(lambda seed: run(folder, random.Random(seed)), numbers, folder, seconds)


if __name__ == "__main__":
    worker(
        sys.argv[1],
        Path(sys.argv[2]),
        int(sys.argv[3]),
        int(sys.argv[4]),
        float(sys.argv[5] if sys.argv[5:] else 60),
    )
