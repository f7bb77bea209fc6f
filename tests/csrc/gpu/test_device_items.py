"""Arrays and vectors that stay on the GPU: the machine's, or the simulated one, whose streams are late."""

from __future__ import annotations

import asyncio
import gc
import sys
import threading
import weakref
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bindrt
from bindrt.pipeline.encoder import vectors_beside
from support import cpp
from support.device_arrays import Dlpack, Interface, Memory, download
from support.gpu_engine import Load, OnGpu

KINDS = (Interface, Dlpack)
SHAPES = {"image": (3, 224, 224), "audio": (1, 128, 204), "imu": (6, 2000)}


def some(modality: str, count: int, seed: int = 0) -> list[np.ndarray]:
    random = np.random.default_rng(seed)
    return [random.standard_normal(SHAPES[modality]).astype(np.float32) for _ in range(count)]


def ready(arrays: list[Any]) -> list[bindrt.Prepared]:
    return [bindrt.Prepared(array) for array in arrays]


class Held(OnGpu):
    """Computes nothing until it is let go."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.begun = threading.Event()
        self.go_on = threading.Event()

    def enqueue(self, *work: Any) -> None:
        self.begun.set()
        assert self.go_on.wait(60)
        super().enqueue(*work)


@pytest.fixture
def on_gpu(on_gpu: Load) -> Callable[..., tuple[bindrt.Model, Any]]:
    """With small batches."""
    return partial(on_gpu, max_batch=4)


@pytest.mark.parametrize("modality", SHAPES)
def test_ready_input_is_read_where_it_is(on_gpu: Any, plain: bindrt.Model, modality: str) -> None:
    arrays = some(modality, 5)
    want = plain.embed(**{modality: ready(arrays)})[modality]
    model, engine = on_gpu(modality)
    for kind in KINDS:
        items: dict[str, Any] = {modality: ready([kind(array) for array in arrays])}
        np.testing.assert_array_equal(model.embed(**items)[modality], want)
    counts = model.stats()[modality]["pipeline"]
    assert (counts["rows_on_device"], counts["rows_copied"], counts["rows_borrowed"]) == (10, 0, 0)
    assert sum(map(len, engine.seen)) == 10  # none ran alone
    assert counts["bytes_to_device"] < 10 * 100  # tables of the pooling


def test_beside_items_of_the_host(on_gpu: Any, plain: bindrt.Model) -> None:
    arrays = some("image", 5)
    model, _ = on_gpu()
    mixed = [Dlpack(array) if i % 3 else array for i, array in enumerate(arrays)]
    found = model.embed(image=ready(mixed), normalize=False).image
    np.testing.assert_array_equal(found, plain.embed(image=ready(arrays), normalize=False).image)


def test_views_of_one_item(on_gpu: Any, plain: bindrt.Model) -> None:
    views = np.stack(some("audio", 3))
    model, _ = on_gpu("audio")
    found = model.embed(audio=bindrt.Prepared(Interface(views))).audio
    np.testing.assert_allclose(found, plain.embed(audio=bindrt.Prepared(views)).audio, atol=1e-6)


def test_large_items_one_after_the_other(on_gpu: Any) -> None:
    """Each takes more than a third of the memory for such batches, and has it while it is computed."""
    views = np.zeros((84, 3, 2, 224, 224), np.float32)
    model, engine = on_gpu("video", max_batch=42)
    for _ in range(3):
        model.embed(video=bindrt.Prepared(Interface(views)))
    assert model.stats()["video"]["pipeline"]["rows_on_device"] == 3 * 84
    assert sum(map(len, engine.seen)) == 3 * 84  # none ran alone


def test_every_call_takes_them(on_gpu: Any, plain: bindrt.Model) -> None:
    arrays = some("imu", 4)
    want = plain.embed(imu=ready(arrays)).imu
    model, _ = on_gpu("imu")
    noted = bindrt.Prepared(Dlpack(arrays[0]), notes={"gap": 1.0})
    future = model.submit("imu", noted)
    np.testing.assert_array_equal(future.result(), want[0])
    assert future.notes == {"gap": 1.0}
    futures = model.submit_many("imu", [*ready([Interface(array) for array in arrays[:3]]), noted])
    np.testing.assert_array_equal([future.result() for future in futures], want[[0, 1, 2, 0]])
    assert [future.notes for future in futures] == [{}, {}, {}, {"gap": 1.0}]
    streamed = model.stream("imu", ready([Dlpack(array) for array in arrays]))
    np.testing.assert_array_equal([one.vector for one in streamed], want)
    found = asyncio.run(model.aembed(imu=[noted, *ready([Dlpack(array) for array in arrays[1:]])]))
    np.testing.assert_array_equal(found.imu, want)
    assert found.notes == {("imu", 0): {"gap": 1.0}}
    assert model.stats()["imu"]["pipeline"]["rows_on_device"] == 13


def test_aembed_leaves_vectors_on_the_gpu(on_gpu: Any, plain: bindrt.Model) -> None:
    arrays = some("imu", 5)
    want = plain.embed(imu=ready(arrays)).imu
    for options in ({}, {"deduplicate": True}):
        model, _ = on_gpu("imu", **options)
        bad = bindrt.Prepared(Interface(arrays[0][:5]))
        given = [*ready([Interface(array) for array in arrays]), bad]
        found = asyncio.run(model.aembed(imu=given, on_error="skip", output="device"))
        assert isinstance(found, bindrt.DeviceEmbeddings)
        assert list(found.errors) == [("imu", 5)]
        there = download(found.imu)
        np.testing.assert_array_equal(there[:5], want)
        assert np.isnan(there[5]).all()
        np.testing.assert_array_equal(found.vectors["imu"], there)
    with pytest.raises(bindrt.OptionError, match="use host or device"):
        asyncio.run(model.aembed(imu=[], output="cuda"))
    with pytest.raises(bindrt.OptionError, match=r"the encoder of imu runs on cpu"):
        asyncio.run(plain.aembed(imu=ready(arrays), output="device"))


@pytest.mark.parametrize("fails", [False, True])
def test_vectors_stay_on_the_gpu(on_gpu: Any, plain: bindrt.Model, fails: bool) -> None:
    """Also if the engine cannot queue its work and runs alone, from the host."""
    arrays = some("image", 5)
    want = plain.embed(image=ready(arrays)).image
    model, engine = on_gpu()
    engine.fails = fails
    found = model.embed(image=ready([Dlpack(array) for array in arrays]), output="device")
    assert isinstance(found, bindrt.DeviceEmbeddings)
    assert found.image is found["image"]
    np.testing.assert_array_equal(download(found.image), want)
    np.testing.assert_array_equal(found.vectors["image"], want)
    assert found.similarity("image", "image").shape == (5, 5)
    assert bool(engine.seen) is not fails


def test_what_failed_is_nan_on_the_gpu(on_gpu: Any) -> None:
    arrays = some("imu", 5)
    arrays[2][0, 0] = np.nan
    model, _ = on_gpu("imu")
    items = [*ready([Interface(array) for array in arrays]), bindrt.Prepared(Interface(arrays[0][:5]))]
    found = model.embed(imu=items, on_error="skip", output="device")
    assert sorted(found.errors) == [("imu", 2), ("imu", 5)]
    bad = np.isnan(download(found.imu)).all(axis=1)
    assert bad.tolist() == [False, False, True, False, False, True]


def test_other_libraries_take_the_vectors(on_gpu: Any, gpu: Any) -> None:
    model, _ = on_gpu("imu")
    vectors: Any = model.embed(imu=ready(some("imu", 2)), output="device").imu
    want = download(vectors)
    about = vectors.__cuda_array_interface__
    assert (about["shape"], about["typestr"], about["version"]) == ((2, want.shape[1]), "<f4", 3)
    assert vectors.__dlpack_device__() == (2, 0)
    for capsule in (vectors.__dlpack__(stream=1), vectors.__dlpack__(stream=-1, max_version=(1, 2))):
        held = gpu.read_dlpack(capsule)
        assert held["address"] == about["data"][0]
        assert (held["device"], held["shape"], held["dtype"]) == ((2, 0), want.shape, (2, 32, 1))
    for refused in ({"dl_device": (1, 0)}, {"copy": True}):
        with pytest.raises(BufferError):
            vectors.__dlpack__(**refused)
    del vectors
    gc.collect()
    found = np.empty_like(want)
    gpu.Queue(0).download(found, held["address"])  # the capsule keeps the memory
    np.testing.assert_array_equal(found, want)
    del capsule
    gc.collect()
    assert gpu.place(0, held["address"]) == "nowhere"


def test_no_items_and_no_device(on_gpu: Any, plain: bindrt.Model) -> None:
    model, _ = on_gpu("imu")
    assert model.embed(imu=[], output="device").imu.shape == (0, plain.embed_dim)
    with pytest.raises(bindrt.OptionError, match=r"the encoder of imu runs on cpu"):
        plain.embed(imu=ready(some("imu", 1)), output="device")
    with pytest.raises(bindrt.OptionError, match="use host or device"):
        plain.embed(imu=[], output="cuda")  # type: ignore[arg-type]
    with pytest.raises(bindrt.InputError, match=r"imu\[0\].* is in CUDA memory"):
        plain.embed(imu=ready([Interface(some("imu", 1)[0])]))


def test_the_wrong_order_is_seen(on_gpu: Any, plain: bindrt.Model, gpu: Any) -> None:
    """An owner that hides its stream: what is read is, sooner or later, what the memory held before."""
    if not gpu.driver()["simulated"]:
        pytest.skip("a real driver is seldom so late")
    arrays = some("imu", 8)
    want = plain.embed(imu=ready(arrays)).imu
    model, _ = on_gpu("imu")
    for _ in range(50):
        hidden = ready([Interface(array, stream=None) for array in arrays])
        found = model.embed(imu=hidden, on_error="skip")
        if not np.array_equal(found.imu, want):
            break
    else:
        pytest.fail("fifty times all copies came in time by chance")
    for item in hidden:
        item.array.queue.wait()  # then there is nothing to wait for
    np.testing.assert_array_equal(model.embed(imu=hidden).imu, want)


@pytest.mark.parametrize("version", [0, 2])
def test_an_interface_without_streams_is_waited_for(on_gpu: Any, plain: bindrt.Model, version: int) -> None:
    arrays = some("imu", 8)
    model, _ = on_gpu("imu")
    found = model.embed(imu=ready([Interface(array, version=version) for array in arrays])).imu
    np.testing.assert_array_equal(found, plain.embed(imu=ready(arrays)).imu)


@pytest.mark.parametrize("kind", KINDS)
def test_owners_live_until_the_vector_is_there(on_gpu: Any, plain: bindrt.Model, kind: type[Memory]) -> None:
    array = some("imu", 1)[0]
    model, engine = on_gpu("imu", Held)
    given = kind(array)
    owner = weakref.ref(given)
    future = model.submit("imu", bindrt.Prepared(given))
    del given
    assert engine.begun.wait(60)  # its rows may be read until its batch is over
    gc.collect()
    assert owner() is not None
    engine.go_on.set()
    np.testing.assert_array_equal(future.result(), plain.embed(imu=ready([array])).imu[0])
    model.close(drain=True)  # the thread that delivered it has let go
    gc.collect()
    assert owner() is None


def test_owners_go_with_what_was_cancelled(on_gpu: Any) -> None:
    """A request that is given up before the engine has it: its array is let go at once."""
    model, engine = on_gpu("imu", Held)
    arrays = [Interface(array) for array in some("imu", 2)]
    owners = [weakref.ref(array) for array in arrays]
    first = model.submit("imu", bindrt.Prepared(arrays[0]))
    assert engine.begun.wait(60)
    second = model.submit("imu", bindrt.Prepared(arrays[1]))
    del arrays
    assert second.cancel()
    gc.collect()
    assert [owner() is None for owner in owners] == [False, True]
    engine.go_on.set()
    assert first.result().shape == (model.embed_dim,)


def test_equal_arrays_on_a_gpu_are_each_computed(on_gpu: Any, plain: bindrt.Model) -> None:
    """Nobody looks at their numbers, so they equal no other."""
    array = some("imu", 1)[0]
    model, engine = on_gpu("imu", deduplicate=True, cache_bytes=1 << 20)
    futures = [model.submit("imu", bindrt.Prepared(Dlpack(array))) for _ in range(3)]
    for future in futures:
        np.testing.assert_array_equal(future.result(), plain.embed(imu=ready([array])).imu[0])
    assert sum(map(len, engine.seen)) == 3


def test_no_memory_for_the_vectors(on_gpu: Any) -> None:
    model, engine = on_gpu("imu")
    with pytest.raises(bindrt.EngineError, match=r"vectors of imu on cuda:0: .*embed fewer items at a time"):
        vectors_beside(engine, "imu", 1 << 40, model.embed_dim)


class OtherDevice(Dlpack):
    def __dlpack_device__(self) -> tuple[int, int]:
        return 2, 3


class Unwilling(Dlpack):
    def __dlpack__(self, **options: Any) -> Any:
        raise BufferError("it is sparse")


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda a: Interface(a[:, :1999]), r"the shape is \[6, 1999\]; imu takes \[6, 2000\]"),
        (lambda a: Interface(a.astype(np.float64)), r"the dtype is float64; imu takes float32"),
        (lambda a: Interface(a, typestr=">f4"), "in the other byte order"),
        (lambda a: Interface(a, strides=(4, 24)), r"is not in C order: shape \[6, 2000\], strides \[1, 6\]"),
        (lambda a: Interface(a, strides=(8001, 4)), "gaps between its numbers; make it contiguous"),
        (lambda a: Interface(a, mask=1), "the array has a mask"),
        (lambda a: Interface(a, stream=0), "its stream is 0, which is not defined"),
        (lambda a: Interface(a, shape=(0, 6, 2000)), r"the array is empty: \[0, 6, 2000\]"),
        (lambda a: Interface(a, data=(64, False)), "its memory is none of a GPU: was it freed"),
        (lambda a: Interface(np.stack([a, a])), "it holds 2 inputs, and their vectors would be averaged"),
        (lambda a: Dlpack(a, strides=(1, 6)), "is not in C order"),
        (lambda a: Dlpack(a, code=4, bits=16), "the dtype is bfloat16; imu takes float32"),
        (lambda a: OtherDevice(a), "the array is on cuda:3, the encoder on cuda:0; copy it there"),
        (lambda a: Unwilling(a), "the array cannot be read: it is sparse"),
    ],
)
def test_what_cannot_be_read(on_gpu: Any, make: Callable[[np.ndarray], Any], said: str) -> None:
    array = some("imu", 1)[0]
    model, _ = on_gpu("imu")
    items = [bindrt.Prepared(array), bindrt.Prepared(make(array)), bindrt.Prepared(Interface(array))]
    with pytest.raises(bindrt.InputError, match=said):
        model.submit("imu", items[1]).result()
    found = model.embed(imu=items, on_error="skip")
    assert list(found.errors) == [("imu", 1)]
    assert str(found.errors["imu", 1]).startswith("imu[1]")
    np.testing.assert_array_equal(found.imu[0], found.imu[2])


def test_tokens_stay_on_the_host(on_gpu: Any) -> None:
    model, _ = on_gpu("text")
    ids = bindrt.preprocess.text(["a bell"])[0]
    with pytest.raises(bindrt.InputError, match="token ids are on a GPU; pass them on the host"):
        model.submit("text", bindrt.Prepared(Interface(ids))).result()


TWO_DEVICES = """
import numpy as np
import bindrt
from support.device_arrays import Interface
from support.gpu_engine import OnGpu
with bindrt.load("tiny") as cpu:
    engine = OnGpu(cpu.engine("imu"), cpu.embed_dim)
    pipeline = bindrt.PipelineOptions(cuda_graphs=False)
    with bindrt.load("tiny", engines={"imu": engine}, modalities=["imu"], pipeline=pipeline) as model:
        try:
            model.embed(imu=bindrt.Prepared(Interface(np.ones((6, 2000), np.float32), device=1)))
        except bindrt.InputError as error:
            print(error)
"""


def test_an_array_of_another_gpu(simulated_driver: Path) -> None:
    environment = {
        "BINDRT_LIBCUDA": str(simulated_driver), "BINDRT_CUDASIM_DEVICE": "count=2",
        "PYTHONPATH": str(cpp.ROOT / "tests"),
    }  # fmt: skip
    done = cpp.run([sys.executable, "-c", TWO_DEVICES], env=environment)
    assert "the array is on another GPU than cuda:0, where the encoder is; copy it to cuda:0" in done.stdout
