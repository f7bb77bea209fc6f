"""nvImageCodec for tests: a stand-in (tests/nvimgsim) on the simulated driver's memory."""

from __future__ import annotations

import importlib.util
import sys
from types import ModuleType
from typing import Any

from bindrt.pipeline.gpu_pictures import MODULE
from support.cpp import ROOT


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
