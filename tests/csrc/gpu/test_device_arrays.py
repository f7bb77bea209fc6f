"""Pictures, frames, maps and samples that are on the GPU: prepared there, with the numbers of the CPU."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import bindrt
from support.device_arrays import Dlpack, Interface, Memory

KINDS = (Interface, Dlpack)
WHOLE = (np.int8, np.uint16, np.int64)  # tests/csrc/prepare/test_lent.cpp has all


def given(modality: str) -> list[Any]:
    """Items of arrays on the host that may be on a GPU instead."""
    rng = np.random.default_rng(7)
    if modality == "image":
        pixels = rng.integers(0, 256, (480, 640, 4), np.uint8)
        return [
            pixels[:, :, :3].copy(),
            pixels[:300, :200, 0].copy(),
            pixels,
            bindrt.Image(pixels[:, :, :3].copy(), layout="BGR"),
            rng.integers(0, 256, (1100, 1500, 3), np.uint8),
        ]
    if modality == "depth":
        metres = rng.uniform(0, 9, (300, 240)).astype(np.float32)
        metres[:40] = np.nan
        counts = rng.integers(0, 9000, (480, 640)).astype(np.uint16)
        return [
            metres,
            counts,
            bindrt.Depth(counts, unit="sunrgbd", camera="realsense"),
            bindrt.Depth(metres[None].astype(np.float64), unit="disparity", missing="nearest"),
        ]
    if modality == "thermal":
        counts = rng.integers(29000, 31000, (512, 640)).astype(np.uint16)
        return [
            rng.integers(0, 255, (120, 160), np.uint8),
            bindrt.Thermal(counts, low=29500, high=30500),
            bindrt.Thermal((counts // 1000).astype(np.int16), low=10, high=40, unit="celsius"),
        ]
    if modality == "imu":
        samples = rng.normal(0, 0.5, (6, 1100))
        samples[2] += 9.8
        times = np.cumsum(rng.uniform(0.004, 0.006, 1100))
        return [
            bindrt.Imu(samples.astype(np.float32), rate=200),
            bindrt.Imu(samples, timestamps=times),
            bindrt.Imu(samples, rate=200, accel_unit="g", gyro_unit="deg/s"),
            bindrt.Imu(rng.normal(0, 1, (6, 9000)).astype(np.float32), rate=1000),  # more than its window
            *[bindrt.Imu(rng.integers(0, 99, (6, 1100)).astype(dtype), rate=200) for dtype in WHOLE],
            bindrt.Imu(samples, rate=200, gyro_unit="deg/s", standardize=(list(range(6)), np.full(6, 2.5))),
            bindrt.Imu((samples * 99).astype(np.int16), timestamps=times, standardize=((0,) * 6, (7,) * 6)),
            bindrt.Imu(samples, timestamps=np.arange(1100, dtype=np.int16), max_gap=2, min_seconds=1),
        ]
    if modality == "video":
        frames = rng.integers(0, 256, (60, 40, 56, 3), np.uint8)
        return [
            bindrt.Video(frames, fps=10),
            bindrt.Video(frames, fps=25, start=0.28, end=2, views=5),
            bindrt.Video(frames[:7, :, :30].copy(), fps=30.0),
        ]
    stereo = rng.integers(-9000, 9000, (2, 5 * 44100)).astype(np.int16)
    return [
        bindrt.Audio(stereo, rate=44100),
        bindrt.Audio(stereo, rate=22050, start=1.5, end=8),
        bindrt.Audio(rng.normal(0, 0.1, 16000).astype(np.float32), rate=16000),
        bindrt.Audio(rng.normal(0, 0.1, 70 * 8000).astype(np.float32), rate=8000),
    ]


def moved(item: Any, kind: type[Memory] = Interface) -> Any:
    """The item with its array on the GPU."""
    if isinstance(item, np.ndarray):
        return kind(item)
    source = dataclasses.fields(item)[0].name
    there = {source: kind(getattr(item, source))}
    if isinstance(getattr(item, "timestamps", None), np.ndarray):
        there["timestamps"] = kind(item.timestamps)
    return dataclasses.replace(item, **there)


def embed(model: Any, modality: str, items: Any, **options: Any) -> Any:
    return model.embed(**{modality: items}, **options)[modality]


@pytest.mark.parametrize("modality", ["image", "video", "depth", "thermal", "audio", "imu"])
def test_they_give_the_numbers_of_the_cpu(on_gpu: Any, plain: bindrt.Model, modality: str) -> None:
    items = given(modality)
    want = embed(plain, modality, items)
    model, engine = on_gpu(modality)
    for kind in KINDS:
        np.testing.assert_allclose(
            embed(model, modality, [moved(item, kind) for item in items]), want, atol=1e-5
        )
    mixed = [item if i % 2 else moved(item) for i, item in enumerate(items)]
    np.testing.assert_allclose(embed(model, modality, mixed), want, atol=1e-5)
    futures = model.submit_many(modality, [moved(item) for item in items])
    np.testing.assert_allclose([future.result() for future in futures], want, atol=1e-5)
    for item in items:  # one by one: the inputs themselves
        engine.seen.clear()
        embed(model, modality, moved(item))
        views = np.asarray(bindrt.preprocess.prepare(modality, item).array)
        for row in np.concatenate(engine.seen):
            of = row[:, 0] if modality == "image" else row
            apart = [np.abs(of - view).max() for view in np.reshape(views, (-1, *of.shape))]
            # Means of clips that overlap are added up in another order.
            assert min(apart) <= (1e-4 if modality == "audio" else 0)
    engine.fails = True  # it runs alone, on what comes to the host
    np.testing.assert_allclose(embed(model, modality, [moved(item) for item in items]), want, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_frames_one_by_one(on_gpu: Any, plain: bindrt.Model, kind: type[Memory]) -> None:
    """Those are asked for that are sampled, and no others."""
    items = given("video")[1:]
    want = embed(plain, "video", items)
    model, engine = on_gpu("video")
    asked: list[int] = []

    class Counted(kind):  # type: ignore[misc, valid-type]
        def __getattribute__(self, name: str) -> Any:
            if name in ("__dlpack__", "__cuda_array_interface__"):
                asked.append(id(self))
            return super().__getattribute__(name)

    apart = [dataclasses.replace(item, src=[Counted(frame) for frame in item.src]) for item in items]
    asked.clear()
    found = model.embed(video=apart)
    np.testing.assert_allclose(found.video, want, atol=1e-5)
    assert found.notes == plain.embed(video=items).notes
    assert model.stats()["video"]["pipeline"]["rows_on_device"] == sum(map(len, engine.seen))
    assert len(set(asked)) < 25 < sum(len(item.src) for item in items)
    engine.fails = True  # they come to the host one by one
    np.testing.assert_allclose(embed(model, "video", apart), want, atol=1e-5)


def test_times_of_samples_on_the_host(on_gpu: Any, plain: bindrt.Model) -> None:
    item = bindrt.Imu(SAMPLES, timestamps=TIMES)
    model, _ = on_gpu("imu")
    there = bindrt.Imu(SAMPLES, timestamps=Interface(TIMES))
    np.testing.assert_allclose(embed(model, "imu", there), embed(plain, "imu", item), atol=1e-5)


@pytest.mark.parametrize(
    ("times", "said"),
    [
        (lambda: TIMES[::-1], "time does not increase at sample 1"),
        (lambda: TIMES[:-1], r"\[999\] timestamps for 1000 samples"),
        (lambda: np.where(TIMES == 1, np.nan, TIMES), "1 of 1000 timestamps are NaN"),
        (lambda: TIMES * 100, "a gap of 0.500 s after sample 0"),
    ],
)
def test_faults_of_times_are_told_as_on_the_host(on_gpu: Any, times: Callable[[], Any], said: str) -> None:
    model, _ = on_gpu("imu")
    with pytest.raises(bindrt.InputError, match=said):
        embed(model, "imu", bindrt.Imu(Interface(SAMPLES), timestamps=Interface(times())))


@pytest.mark.parametrize("stream", [1, 2])
def test_streams_that_every_program_has(on_gpu: Any, plain: bindrt.Model, stream: int) -> None:
    """The legacy one and that of the thread which submits."""
    picture = np.random.default_rng(3).integers(0, 256, (300, 200, 3), np.uint8)
    model, _ = on_gpu("image")
    for _ in range(5):
        there = Interface(picture, stream=stream)
        there.let_wait(stream)
        np.testing.assert_allclose(embed(model, "image", there), embed(plain, "image", picture), atol=1e-5)


@pytest.mark.parametrize(
    "make",
    [
        lambda a: Dlpack(a, version=(1, 0, 0)),
        lambda a: Dlpack(a, version=(1, 3, 1)),  # read-only
        lambda a: Dlpack(a, version=(1, 1, 2), strides=(600, 3, 1), byte_offset=256),  # a copy of its owner's
        lambda a: Dlpack(a[None], strides=(1 << 40, 600, 3, 1)),
        lambda a: Interface(a, version=2),
        lambda a: Interface(a, strides=(600, 3, 1), mask=None),
    ],
)
def test_what_libraries_say_of_the_same_pixels(
    on_gpu: Any, plain: bindrt.Model, make: Callable[[np.ndarray], Any]
) -> None:
    frames = np.random.default_rng(3).integers(0, 256, (200, 200, 3), np.uint8)
    there = make(frames)
    model, _ = on_gpu("video")
    item = bindrt.Video(there if there.array.ndim == 4 else [there], fps=5)
    want = embed(plain, "video", bindrt.Video(frames[None], fps=5))
    np.testing.assert_allclose(embed(model, "video", item), want, atol=1e-5)


def test_nothing_visits_the_host(on_gpu: Any) -> None:
    model, _ = on_gpu("image")
    picture = np.zeros((480, 640, 3), np.uint8)
    for _ in range(2):
        embed(model, "image", moved(picture))
    tables = model.stats()["image"]["pipeline"]["bytes_to_device"]
    embed(model, "image", moved(picture))
    counts = model.stats()["image"]["pipeline"]
    assert counts["rows_on_device"] == 3
    assert counts["bytes_to_device"] - tables < 1000  # what describes the picture


def test_notes_that_need_no_look_at_the_numbers(on_gpu: Any) -> None:
    counts = np.full((300, 300), 1500, np.uint16)
    model, _ = on_gpu("depth")
    assert model.embed(depth=moved(counts)).notes == {("depth", 0): {"unit": "mm"}}
    model, _ = on_gpu("thermal")
    found = model.embed(thermal=moved(bindrt.Thermal(counts, low=0, high=2000)))
    assert found.notes == {("thermal", 0): {"low": 0.0, "high": 2000.0}}


def test_a_sample_that_is_no_number(on_gpu: Any) -> None:
    """Also one between two steps of the encoder's grid."""
    samples = np.ones((6, 5200), np.float32)
    bad = samples.copy()
    bad[1, 4] = np.inf
    model, engine = on_gpu("imu")
    for fails in (False, True):
        engine.fails = fails
        items = [moved(bindrt.Imu(each, rate=1000)) for each in (samples, bad)]
        found = model.embed(imu=items, on_error="skip")
        assert list(found.errors) == [("imu", 1)]


def test_notes_of_a_video(on_gpu: Any, plain: bindrt.Model) -> None:
    item = bindrt.Video(FRAMES, fps=5, views=3)
    model, _ = on_gpu("video")
    assert model.embed(video=moved(item)).notes == plain.embed(video=item).notes != {}


@pytest.mark.parametrize("output", ["host", "device"])
def test_more_views_than_a_batch_has_rows(on_gpu: Any, plain: bindrt.Model, output: Any) -> None:
    """They are made there as well, and the engine gets them in pieces."""
    items = given("video")[:2]
    model, engine = on_gpu("video", max_batch=4)
    found = model.embed(video=[moved(items[0]), items[0], moved(items[1])], output=output)
    np.testing.assert_allclose(found.vectors["video"], embed(plain, "video", [items[0], *items]), atol=1e-5)
    counts = model.stats()["video"]["pipeline"]
    assert sorted(map(len, engine.seen)) == [1, 3, 3, 4, 4, 4, 4, 4, 4]  # the last one's views are all alike
    assert counts["engine_calls"] == 9
    assert counts["rows_on_device"] == 16  # frames of the host are prepared by Python


COUNTS = np.full((300, 300), 1500, np.uint16)
RISING = np.arange(90000).reshape(300, 300).astype(np.uint16)
SAMPLES = np.ones((6, 1000), np.float32)
TIMES = np.arange(1000) / 200
FRAMES = np.full((20, 30, 40, 3), 9, np.uint8)


def unaligned(array: np.ndarray) -> Interface:
    """Numbers that begin between two addresses of such numbers."""
    there = Interface(np.zeros(array.nbytes + 8, np.uint8))
    there.changes = {
        "shape": array.shape, "typestr": array.dtype.str, "data": (there.address + 2, False),
    }  # fmt: skip
    return there


@pytest.mark.parametrize(
    ("modality", "item", "said"),
    [
        ("imu", lambda: moved(bindrt.Imu(SAMPLES.astype(np.float16), rate=200)), "does not prepare such an"),
        ("imu", lambda: moved(bindrt.Imu(SAMPLES, rate=200, standardize=((0,) * 6, (0,) * 6))), "of six num"),
        ("imu", lambda: moved(bindrt.Imu(SAMPLES[:, :300], rate=200)), "1.500 s are shorter than"),
        ("imu", lambda: bindrt.Imu(unaligned(SAMPLES), rate=200), r"begin at address .*; copy it on the GPU"),
        ("video", lambda: bindrt.Video(Interface(FRAMES)), "frames need their rate"),
        ("video", lambda: moved(bindrt.Video(FRAMES.astype(np.float32), fps=5)), "frames are uint8 RGB"),
        ("video", lambda: bindrt.Video([Interface(FRAMES[0])]), "frames need their rate"),
        ("video", lambda: bindrt.Video([Interface(FRAMES[0])], fps=5, views=2), "views is 2; one of 15, 5"),
        ("video", lambda: bindrt.Video([Interface(FRAMES[0])], fps=5, start=3), "no frame is shown from 3 s"),
        (
            "video",
            lambda: bindrt.Video([*map(Interface, FRAMES[:3]), FRAMES[3]], fps=1),
            "frame 3 is on the h",
        ),
        (
            "video",
            lambda: bindrt.Video([Interface(FRAMES[0]), Interface(FRAMES[0][1:])], fps=1),
            "in CUDA me",
        ),
        ("video", lambda: bindrt.Video([Interface(FRAMES)], fps=1), r"are not \[N, H, W, 3\]"),
        ("audio", lambda: bindrt.Audio([Interface(TIMES)] * 2, rate=16000), "make one array of them there"),
        ("depth", lambda: moved(bindrt.Depth(COUNTS, unit="tum")), "does not prepare such an item; copy it"),
        ("depth", lambda: Interface(np.zeros((3, 3, 3), np.float32)), r"a map is \[H, W\]"),
        ("thermal", lambda: moved(bindrt.Thermal(RISING, percentiles=(1, 99))), "does not prepare such an"),
        ("thermal", lambda: Interface(COUNTS), "uint16 counts need a range"),
        ("image", lambda: Interface(COUNTS), "the dtype is uint16; pixels are uint8"),
        ("image", lambda: Interface(COUNTS.astype(np.uint8), strides=(1, 300)), "is not in C order"),
        ("image", lambda: Interface(COUNTS.astype(np.uint8), strides=(1 << 33, 1)), "is not in C order"),
        ("image", lambda: Interface(FRAMES[:0]), "the array is empty"),
        ("image", lambda: Interface(FRAMES[0].transpose(2, 0, 1)), "move the first axis to the end"),
        ("image", lambda: Interface(FRAMES[0].astype(np.float16)), "pixels are uint8"),
        ("image", lambda: Interface(COUNTS, mask=COUNTS), "the array has a mask"),
        ("image", lambda: Dlpack(FRAMES[0], version=(2, 0, 0)), "it is in version 2 of DLPack"),
        ("image", lambda: Dlpack(FRAMES[0], lanes=3), "the dtype is uint8 x 3"),
        ("image", lambda: Interface(COUNTS, shape=(1 << 40, 1 << 40)), "more than the memory that it names"),
        ("image", lambda: Interface(COUNTS, shape=(1 << 13, 1 << 13)), "more than the memory that it names"),
        ("image", lambda: Dlpack(COUNTS, code=4, bits=16), "the dtype is bfloat16; convert it"),
        ("image", lambda: Interface(COUNTS, data=(64, False)), "its memory is none of a GPU"),
        ("audio", lambda: Interface(COUNTS), "a bare waveform has no rate"),
    ],
)
def test_what_is_refused(on_gpu: Any, modality: str, item: Callable[[], Any], said: str) -> None:
    model, _ = on_gpu(modality)
    with pytest.raises(bindrt.InputError, match=said):
        model.submit(modality, item()).result()


def test_room_for_decoded_items_is_counted(on_gpu: Any, gpu: Any) -> None:
    batches = []
    for prepare in ("auto", "cpu"):
        model, _ = on_gpu("depth", prepare=prepare)
        model.warm_up()
        batches.append(model.memory()["depth"]["batches"])
    limits = gpu.memory_limits()
    assert batches[0] - batches[1] == limits["room"] + limits["staged"] == 272 << 20


def test_prepared_on_the_cpu_they_must_be_there(on_gpu: Any) -> None:
    model, _ = on_gpu("image", prepare="cpu")
    with pytest.raises(bindrt.InputError, match="in CUDA memory; copy it to the host first"):
        embed(model, "image", moved(np.zeros((300, 300, 3), np.uint8)))
