"""``memory_budget`` counts what a pipeline takes of a GPU's memory, and refuses it before it is taken."""

from __future__ import annotations

import ctypes
import gc
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

import bindrt
from bindrt import _core
from support.device_arrays import driver
from support.gpu_engine import Halves, Load, OnGpu
from support.gpu_items import picture
from support.media import write_video

BATCH = 16


class Taken(NamedTuple):
    """Bytes that were allocated at once: on the simulated GPU, and page-locked."""

    device: int
    pinned: int


@pytest.fixture
def taken(gpu: Any) -> Callable[[], Taken]:
    """The most since it was called last, or the test began, beyond what there was then."""
    if not gpu.driver()["simulated"]:
        pytest.skip("a real driver does not count")

    def most() -> Taken:
        gc.collect()
        there, here = ctypes.c_ulonglong(), ctypes.c_ulonglong()
        driver().cudasimMostBytes(ctypes.byref(there), ctypes.byref(here))
        return Taken(there.value, here.value)

    most()
    return most


def large(modality: str, folder: Path) -> list[Any]:
    """More than a batch of items of about as many bytes as are sent at most, and one of many views."""
    rng = np.random.default_rng(5)
    view: tuple[int, ...] = (1, 224, 224)
    count = 2 * BATCH + 1
    if modality == "image":
        made: list[Any] = [picture(folder, (632, 632), "a.png")] * count
        view = (3, 224, 224)
    elif modality == "depth":
        made = [bindrt.Depth(rng.integers(1, 9000, (1446, 1446)).astype(np.uint16), unit="mm")] * count
    elif modality == "thermal":
        counts = rng.integers(29000, 31000, (1446, 1446)).astype(np.uint16)
        made = [bindrt.Thermal(counts, low=29500, high=30500)] * count
    elif modality == "audio":  # clips that overlap need all channels
        wave = rng.normal(0, 0.1, (7, 3 * 48000)).astype(np.float32)
        made = [bindrt.Audio(wave, rate=48000)] * count
        view = (1, 128, 204)
    elif modality == "video":
        film = write_video(folder / "a.mp4", count=50, size=(1536, 896))
        made = [bindrt.Video(film, views=1)] * count
        view = (3, 2, 224, 224)
    else:
        times = np.arange(74_000) / 10_000
        made = [bindrt.Imu(rng.normal(0, 1, (6, len(times))), timestamps=times)] * count
        view = (6, 2000)
    return [*made, bindrt.Prepared(np.zeros((2 * BATCH, *view), np.float32), views=True)]


def planned(model: bindrt.Model) -> dict[str, int]:
    """What its one encoder is counted with, besides the weights."""
    (found,) = model.memory().values()
    return found


@pytest.mark.parametrize("prepare", ["auto", "cpu"])
@pytest.mark.parametrize("modality", ["image", "video", "audio", "depth", "thermal", "imu", "text"])
def test_no_more_is_taken_than_planned(
    on_gpu: Load, taken: Callable[[], Taken], modality: str, prepare: str, tmp_path: Path
) -> None:
    """Nor is far more planned, if items are as large as they may be."""
    model, _ = on_gpu(modality, max_batch=BATCH, prepare=prepare, decode="exact")
    model.engine(modality)
    counted = planned(model)
    assert taken() == (0, 0)  # it is counted before
    model.embed(**{modality: ["a bell"] * 40 if modality == "text" else large(modality, tmp_path)})
    most = taken()
    assert most.device <= counted["device"] <= 1.3 * most.device
    assert 0 < most.pinned <= counted["batches"]


@pytest.mark.parametrize("prepare", ["auto", "cpu"])
@pytest.mark.parametrize("modality", ["video", "depth"])
def test_halves_and_items_of_more_views_than_a_batch(
    on_gpu: Load, taken: Callable[[], Taken], modality: str, prepare: str, tmp_path: Path
) -> None:
    model, _ = on_gpu(modality, Halves, max_batch=4, prepare=prepare, decode="exact")
    model.engine(modality)
    counted = planned(model)
    given = large(modality, tmp_path)[:8]
    if modality == "video":
        given = [bindrt.Video(item.src) for item in given]  # of 15 views
    model.embed(**{modality: given})
    most = taken()
    assert 0 < most.device <= counted["device"]
    assert 0 < most.pinned <= counted["batches"]


def test_pictures_that_the_gpu_decodes(
    on_gpu: Load, taken: Callable[[], Taken], library: Any, tmp_path: Path
) -> None:
    files = [picture(tmp_path, (1500 + i, 1100), f"{i}.jpg") for i in range(2 * BATCH)]
    model, _ = on_gpu("image", max_batch=BATCH, decode="gpu")
    model.engine("image")
    counted = planned(model)
    model.embed(image=files)
    assert model.stats()["image"]["pipeline"]["pictures_decoded_on_device"] == len(files)
    most = taken()
    assert 0 < most.device <= counted["device"]
    assert 0 < most.pinned <= counted["batches"]


def test_a_budget_that_is_too_small_takes_nothing(
    on_gpu: Load, plain: bindrt.Model, taken: Callable[[], Taken]
) -> None:
    model, _ = on_gpu("depth", max_batch=BATCH)
    model.engine("depth")
    needed = sum(planned(model).values())
    engine = OnGpu(plain.engine("depth"), plain.embed_dim, BATCH)
    given: dict[str, Any] = {"modalities": ["depth"], "engines": {"depth": engine}}
    item = np.ones((300, 300), np.float32)
    taken()
    with bindrt.load("tiny", memory_budget=needed - 1, **given) as small:
        with pytest.raises(bindrt.MemoryBudgetExceeded) as refused:
            small.embed(depth=item)
        with pytest.raises(bindrt.MemoryBudgetExceeded):
            small.submit("depth", item)
    assert taken() == (0, 0)
    said = str(refused.value)
    assert f"{needed} bytes for depth are more than the budget of {needed - 1} (batches 22.5 MB," in said
    assert "page-locked memory 285.2 MB, pooling 8.4 MB, batches there 6.4 MB, " in said
    assert f"; give it memory_budget={needed} or more, or PipelineOptions with prepare='cpu' (" in said
    options = bindrt.PipelineOptions(cuda_graphs=False)
    with bindrt.load("tiny", memory_budget=needed, pipeline=options, **given) as enough:
        np.testing.assert_allclose(enough.embed(depth=item).depth, plain.embed(depth=item).depth, atol=1e-5)


def test_an_option_that_takes_less_is_named(
    plain: bindrt.Model, library: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it saves is right: with it the model fits."""
    engine = OnGpu(plain.engine("image"), plain.embed_dim, BATCH)
    given: dict[str, Any] = {"modalities": ["image"], "engines": {"vision": engine}, "memory_budget": 1 << 30}
    with (
        bindrt.load("tiny", **given) as model,
        pytest.raises(bindrt.MemoryBudgetExceeded, match=r"decode='exact' \(16\d\d\.\d MB less\)"),
    ):
        model.engine("image")
    with bindrt.load("tiny", pipeline=bindrt.PipelineOptions(decode="exact"), **given) as model:
        assert model.engine("image").device == "cuda:0"


def test_a_pipeline_for_which_there_is_no_memory(on_gpu: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    """On an H100 whose memory another library held, making its streams failed."""

    def full(*_: object) -> None:
        raise MemoryError("cuStreamCreate: CUDA_ERROR_OUT_OF_MEMORY")

    model, _ = on_gpu("depth")
    item = np.ones((300, 300), np.float32)
    with monkeypatch.context() as patched:
        patched.setattr(_core, "Pipeline", full)
        with pytest.raises(bindrt.EngineError, match=r"of depth: there is no memory for it \(cuStreamCreate"):
            model.submit("depth", item)
    assert model.submit("depth", item).result().shape == (96,)  # it is made later
