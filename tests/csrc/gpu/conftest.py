"""A GPU for the tests: the machine's, or else the simulated driver of tests/cudasim."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import bindrt
from bindrt import _core, hardware
from bindrt.modalities import MODALITIES
from bindrt.pipeline import gpu_pictures
from support import cpp, cudasim, tensorrt_runs
from support.gpu_engine import Load, OnGpu
from support.nvimgsim import stand_in

#: They make videos, which `make gpu-kit ARGS='--without av'` leaves out.
collect_ignore = [] if importlib.util.find_spec("av") else ["test_film_decoding.py", "test_prepare.py"]


@pytest.fixture(scope="session")
def simulated_driver(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The simulated driver's library, without sanitizers."""
    if reason := cpp.missing("address,undefined", tmp_path_factory.mktemp("probe")):
        pytest.skip(reason)
    return cudasim.driver("plain") / "libcudasim_cuda.so"


@pytest.fixture(scope="session")
def gpu(request: pytest.FixtureRequest) -> object:
    """``_core.gpu`` with a driver: what BINDRT_LIBCUDA names, this machine's, or the simulated one.

    A process opens its driver once, at the first question; this must be the first to ask.
    """
    if not os.environ.get("BINDRT_LIBCUDA") and not hardware.nvidia_driver().gpus:
        os.environ["BINDRT_LIBCUDA"] = str(request.getfixturevalue("simulated_driver"))
        try:
            _core.gpu.driver()
        finally:
            del os.environ["BINDRT_LIBCUDA"]
    assert _core.gpu.driver()["usable"], _core.gpu.driver()["problem"]
    if _core.build_info()["gpu_kernels"] is None:
        pytest.skip("this build has no GPU kernels: NVRTC was not installed")
    return _core.gpu


@pytest.fixture
def library(gpu: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A stand-in for nvImageCodec; at the end nobody has misused it."""
    if not gpu.driver()["simulated"]:
        pytest.skip("the stand-in works on the simulated driver's memory")
    monkeypatch.setenv("BINDRT_LIBCUDA", gpu.driver()["path"])
    module = stand_in()
    monkeypatch.setitem(sys.modules, gpu_pictures.MODULE, module)
    yield module
    assert module.misused == []


@pytest.fixture(scope="session")
def machine(tmp_path_factory: pytest.TempPathFactory, simulated_driver: Path) -> dict[str, str]:
    """Environment of a process on a machine with TensorRT, a stand-in."""
    return tensorrt_runs.machine(tmp_path_factory.mktemp("trt"), simulated_driver)


@pytest.fixture(scope="session")
def planned(tmp_path_factory: pytest.TempPathFactory, machine: dict[str, str]) -> tuple[Path, list[Any]]:
    """A bundle with plans for that machine, and what the export said of them."""
    bundle = tmp_path_factory.mktemp("planned") / "tiny.bind"
    return bundle, tensorrt_runs.plan(bundle, machine)


@pytest.fixture(scope="module")
def plain(gpu: Any) -> Iterator[bindrt.Model]:
    with bindrt.load("tiny") as model:
        yield model


@pytest.fixture
def on_gpu(plain: Any) -> Iterator[Load]:
    """A model of one modality whose engine is on the GPU, and that engine."""
    made: list[bindrt.Model] = []

    def load(
        modality: str = "image", kind: type[OnGpu] = OnGpu, max_batch: int = 16, **options: Any
    ) -> tuple[bindrt.Model, OnGpu]:
        encoder = MODALITIES[modality].encoder
        engine = kind(plain.engine(modality), plain.embed_dim, max_batch)
        pipeline = bindrt.PipelineOptions(cuda_graphs=False, **options)
        of: Any = [modality]
        made.append(bindrt.load("tiny", modalities=of, engines={encoder: engine}, pipeline=pipeline))
        return made[-1], engine

    yield load
    for each in made:
        each.close()
