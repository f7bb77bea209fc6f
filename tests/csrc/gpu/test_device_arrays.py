"""Pictures, maps and waveforms that are on the GPU: prepared there, with the numbers of the CPU."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import bindrt
from support.device_arrays import Dlpack, Interface, Memory

KINDS = (Interface, Dlpack)


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
    return dataclasses.replace(item, src=kind(item.src))


def embed(model: Any, modality: str, items: Any, **options: Any) -> Any:
    return model.embed(**{modality: items}, **options)[modality]


@pytest.mark.parametrize("modality", ["image", "depth", "thermal", "audio"])
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


COUNTS = np.full((300, 300), 1500, np.uint16)


@pytest.mark.parametrize(
    ("modality", "item", "said"),
    [
        ("depth", lambda: moved(bindrt.Depth(COUNTS, unit="tum")), "in CUDA memory; copy it to the host"),
        ("depth", lambda: Interface(np.zeros((3, 3, 3), np.float32)), "in CUDA memory; copy it to the host"),
        ("thermal", lambda: moved(bindrt.Thermal(COUNTS, percentiles=(1, 99))), "in CUDA memory"),
        ("thermal", lambda: Interface(COUNTS), "in CUDA memory"),
        ("image", lambda: Interface(COUNTS), "in CUDA memory"),
        ("image", lambda: Interface(COUNTS.astype(np.uint8), strides=(1, 300)), "is not in C order"),
        ("image", lambda: Dlpack(COUNTS, code=4, bits=16), "the dtype is bfloat16; convert it"),
        ("image", lambda: Interface(COUNTS, data=(64, False)), "its memory is none of a GPU"),
        ("audio", lambda: Interface(COUNTS), "a bare waveform has no rate"),
        ("imu", lambda: bindrt.Imu(Interface(np.zeros((6, 800), np.float32)), rate=200), "in CUDA memory"),
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
    assert batches[0] - batches[1] == gpu.room_bytes() == 256 << 20


def test_prepared_on_the_cpu_they_must_be_there(on_gpu: Any) -> None:
    model, _ = on_gpu("image", prepare="cpu")
    with pytest.raises(bindrt.InputError, match="in CUDA memory; copy it to the host first"):
        embed(model, "image", moved(np.zeros((300, 300, 3), np.uint8)))
