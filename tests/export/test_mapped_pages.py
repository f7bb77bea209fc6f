"""What was read of a checkpoint's file leaves memory, and is there again for whoever still uses it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from bindrt_export.checkpoints import pages
from bindrt_export.checkpoints.files import Tensors, open_tensors

COUNT, NUMBERS = 32, 1 << 18  # tensors of 1 MiB
SMAPS = Path("/proc/self/smaps")

pytestmark = pytest.mark.skipif(not SMAPS.exists(), reason="this system does not tell what is mapped")


@pytest.fixture(params=["pth", "safetensors"])
def file(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    state = {f"t{i}": torch.full((NUMBERS,), float(i)) for i in range(COUNT)}
    path = tmp_path / f"weights with a space.{request.param}"
    (torch.save if request.param == "pth" else save_file)(state, str(path))
    return path


@pytest.fixture
def tensors(file: Path) -> Iterator[Tensors]:
    with open_tensors(str(file)) as opened:
        yield opened


def resident(file: Path) -> int:
    """Bytes of the file that are in this process's memory."""
    text = SMAPS.read_text(encoding="utf-8", errors="surrogateescape")
    mappings = re.findall(rf"^\w+-\w+ .*{re.escape(str(file))}\n((?:^\w+: .*\n)+)", text, re.MULTILINE)
    return sum(int(re.findall(r"^Rss: +(\d+) kB", found, re.MULTILINE)[0]) << 10 for found in mappings)


def sums(tensors: Tensors) -> list[float]:
    return [float(tensors.read(f"t{i}").sum()) for i in range(COUNT)]


def test_without_it_the_whole_file_is_resident(tensors: Tensors, file: Path) -> None:
    sums(tensors)
    assert resident(file) >= 4 * NUMBERS * COUNT


def test_what_was_read_leaves(monkeypatch: pytest.MonkeyPatch, tensors: Tensors, file: Path) -> None:
    monkeypatch.setattr(pages, "_EVERY", 4 << 20)
    held = tensors.read("t5")
    for _ in range(2):
        assert sums(tensors) == [float(i * NUMBERS) for i in range(COUNT)]
        assert resident(file) <= 8 << 20
    assert bool((held == 5).all())


def test_a_system_that_tells_nothing(
    monkeypatch: pytest.MonkeyPatch, tensors: Tensors, tmp_path: Path
) -> None:
    monkeypatch.setattr(pages, "_EVERY", 1)
    monkeypatch.setattr(pages, "_MAPS", tmp_path / "maps")
    assert sums(tensors)[3] == 3 * NUMBERS
