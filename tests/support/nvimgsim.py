"""nvImageCodec for tests: a stand-in (tests/nvimgsim) on the simulated driver's memory; and files for it."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import PIL.Image

import bindrt
from bindrt.pipeline.gpu_pictures import LEAST_PIXELS, MODULE, OPTIONS
from bindrt.pipeline.gpu_trials import trials
from support.cpp import ROOT

SMALL = (330, 250)
#: Files that are decoded when the library is opened.
TRIALS = sum(len(trials(coding)) for coding in LEAST_PIXELS)


def stand_in() -> Any:
    """A fresh one, which ``BINDRT_LIBCUDA`` tells where the simulated driver is."""
    spec = importlib.util.spec_from_file_location(MODULE, ROOT / "tests" / "nvimgsim" / "nvimgcodec.py")
    assert spec is not None
    assert spec.loader is not None
    module: ModuleType = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def install() -> None:
    sys.modules[MODULE] = stand_in()


def picture(folder: Path, name: str, size: tuple[int, int] = SMALL, **saved: Any) -> Path:
    """A file of slopes, saved as its suffix and Pillow's options say; ``mode``: Pillow's, RGB."""
    rng = np.random.default_rng(sum(map(ord, name)))
    coarse = PIL.Image.fromarray(rng.integers(0, 255, (9, 13, 3), np.uint8))
    mode = saved.pop("mode", "RGB")
    coarse.resize(size, PIL.Image.Resampling.BILINEAR).convert(mode).save(folder / name, **saved)
    return folder / name


def decoded(model: bindrt.Model) -> int:
    """Pictures that the GPU has decoded."""
    return int(model.stats()["image"]["pipeline"]["pictures_decoded_on_device"])


def decoder_of_the_cpu(library: Any) -> Any:
    """The real library's decoder that needs no GPU, with the options that the GPU's has."""
    return library.Decoder(
        device_id=library.NVIMGCODEC_DEVICE_CPU_ONLY,
        max_num_cpu_threads=1,
        backends=[library.Backend(library.BackendKind.CPU_ONLY)],
        options=OPTIONS,
    )
