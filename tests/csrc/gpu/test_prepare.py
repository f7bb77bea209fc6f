"""Files to vectors with preparation on a GPU, the machine's or the simulated one: as on the CPU."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

import bindrt
from support.golden import HERE
from support.gpu_engine import Load
from support.media import write_video

INPUTS = HERE / "inputs"


def picture(folder: Path, size: tuple[int, int], name: str) -> Path:
    rng = np.random.default_rng(sum(size))
    coarse = rng.integers(0, 255, (9, 13, 3), np.uint8)
    PIL.Image.fromarray(coarse).resize(size, PIL.Image.Resampling.BICUBIC).save(folder / name)
    return folder / name


def depth_png(folder: Path) -> Path:
    rng = np.random.default_rng(5)
    counts = rng.integers(0, 8000, (480, 640)).astype(np.uint16)
    counts[rng.random(counts.shape) < 0.1] = 0
    PIL.Image.fromarray(counts).save(folder / "depth.png")
    return folder / "depth.png"


def imu() -> list[Any]:
    """Two with the same units, which go together, and others; the first looks as if it were in g."""
    rng = np.random.default_rng(6)
    samples = rng.normal(0, 0.1, (6, 1100))
    samples[2] += 1
    times = np.cumsum(rng.uniform(0.004, 0.006, 1100)).astype(np.float32)
    return [
        bindrt.Imu(samples, rate=200),
        bindrt.Imu(samples.astype(np.float32), timestamps=times),
        bindrt.Imu(samples, rate=200, accel_unit="g"),
        bindrt.Imu((samples * 1000).astype(np.int16), rate=200),
    ]


def sounds() -> list[Any]:
    """Short, so that clips overlap, and long; one channel and two; several rates and numbers."""
    rng = np.random.default_rng(8)
    return [
        bindrt.Audio(rng.normal(0, 0.1, (2, 5 * 44100)).astype(np.float32), rate=44100),
        bindrt.Audio(rng.integers(-9000, 9000, 3 * 16000).astype(np.int16), rate=16000),
        bindrt.Audio(rng.integers(-9000, 9000, (2, 9 * 22050)).astype(np.int16), rate=22050),
        bindrt.Audio(rng.normal(0, 0.1, 16000).astype(np.float32), rate=8000),
    ]


def items(modality: str, folder: Path) -> list[Any]:
    """Items that a GPU prepares, of several sizes."""
    rng = np.random.default_rng(7)
    files = sorted((INPUTS / modality).glob("*")) if (INPUTS / modality).is_dir() else []
    if modality == "image":
        made = [
            picture(folder, (640, 480), "p.jpg"),
            picture(folder, (200, 300), "small.png"),
            picture(folder, (1500, 1100), "large.jpg"),  # resized before it is sent
        ]
        grey = folder / "grey.jpg"
        PIL.Image.open(made[0]).convert("L").save(grey)
        return [*files, *made, grey]
    if modality == "depth":
        return [
            *files,
            depth_png(folder),
            rng.random((300, 240)),
            bindrt.Depth(depth_png(folder), unit="sunrgbd"),
        ]
    if modality == "thermal":
        counts = rng.integers(29000, 31000, (512, 640)).astype(np.uint16)
        return [
            *files,
            rng.integers(0, 255, (120, 160), np.uint8),
            bindrt.Thermal(counts, percentiles=(1, 99)),
        ]
    if modality == "video":
        made = [folder / "one.mp4", folder / "two.mp4"]
        write_video(made[0], count=75)
        write_video(made[1], count=60, size=(72, 128))
        return [*files, *made]
    if modality == "imu":
        return imu()
    if modality == "audio":
        return [*files, *sounds()]
    return files


def embed(model: Any, modality: str, items: Any) -> Any:
    return model.embed(**{modality: items})[modality]


@pytest.mark.parametrize("modality", ["image", "video", "audio", "depth", "thermal", "imu"])
def test_it_gives_the_numbers_of_the_cpu(
    on_gpu: Load, plain: bindrt.Model, modality: str, tmp_path: Path
) -> None:
    given = items(modality, tmp_path)
    model, engine = on_gpu(modality)
    found = embed(model, modality, given)
    np.testing.assert_allclose(found, embed(plain, modality, given), atol=1e-5)
    for item in given:  # one by one: the inputs themselves
        engine.seen.clear()
        embed(model, modality, item)
        views = np.asarray(bindrt.preprocess.prepare(modality, item).array)
        for row in np.concatenate(engine.seen):
            if modality == "image":
                np.testing.assert_array_equal(row[:, 0], row[:, 1])
                row = row[:, 0]
            apart = [np.abs(row - view).max() for view in np.reshape(views, (-1, *row.shape))]
            # Means of clips that overlap are added up in another order.
            assert min(apart) <= (1e-4 if modality == "audio" else 0)
    unusual = 2 if modality == "image" else 1 if modality == "video" else 0  # are left to Python
    assert model.stats()[modality]["pipeline"]["rows_on_device"] >= 2 * (len(given) - unusual)
    assert model.embed(**{modality: given}).notes == plain.embed(**{modality: given}).notes


def test_what_is_sent_of_a_picture(on_gpu: Load, tmp_path: Path) -> None:
    """The window of a small picture, the square of a large one; with prepare="cpu" two frames of floats."""
    small, large = picture(tmp_path, (640, 480), "s.jpg"), picture(tmp_path, (1920, 1080), "l.jpg")

    def sent(item: Path, **options: Any) -> int:
        model, engine = on_gpu("image", **options)
        before = engine.copied_to_device()
        model.embed(image=item)
        counted = int(model.stats()["image"]["pipeline"]["bytes_to_device"])
        after = engine.copied_to_device()
        if before is not None and after is not None:  # the simulated driver counts the vectors too
            assert counted == after - before - model.embed_dim * 4
        return counted

    assert sent(small, prepare="cpu") // 1000 == 3 * 2 * 224 * 224 * 4 // 1000
    assert sent(small) < 730_000
    assert sent(large) < 180_000


def test_a_bad_neighbour_and_an_engine_that_fails(on_gpu: Load, plain: bindrt.Model, tmp_path: Path) -> None:
    (tmp_path / "bad.png").write_bytes(depth_png(tmp_path).read_bytes()[:5000])
    given = [*items("depth", tmp_path), tmp_path / "bad.png", np.ones((300, 300))]
    expected = plain.embed(depth=given, on_error="skip")
    for fails in (False, True):
        model, engine = on_gpu("depth")
        engine.fails = fails  # then its rows are made on the CPU, and it runs alone
        found = model.embed(depth=given, on_error="skip")
        np.testing.assert_allclose(found.depth, expected.depth, atol=1e-5)
        assert [str(e) for e in found.errors.values()] == [str(e) for e in expected.errors.values()]
        assert found.notes == expected.notes
        assert (model.stats()["depth"]["pipeline"]["rows_on_device"] > 0) is not fails


def test_where_it_is_prepared(on_gpu: Load, tmp_path: Path) -> None:
    model, _ = on_gpu("depth", prepare="cpu")
    model.embed(depth=depth_png(tmp_path))
    assert model.stats()["depth"]["pipeline"]["rows_on_device"] == 0
    model, _ = on_gpu("depth", prepare="gpu")
    model.embed(depth=depth_png(tmp_path))
    assert model.stats()["depth"]["pipeline"]["rows_on_device"] == 1
    options = bindrt.PipelineOptions(prepare="gpu")
    with bindrt.load("tiny", pipeline=options) as without:
        with pytest.raises(bindrt.EngineError, match=r"prepare='gpu' for depth: its engine .* runs on cpu"):
            without.embed(depth=depth_png(tmp_path))
        assert without.embed(text="a bell").text.shape == (1, 96)
    with pytest.raises(bindrt.OptionError, match="prepare='tpu': unknown; use auto, cpu, gpu"):
        bindrt.PipelineOptions(prepare="tpu")


def test_texts_are_ids_already(on_gpu: Load, plain: bindrt.Model) -> None:
    texts = ["a bell", "a car on a long road"]
    model, _ = on_gpu("text")
    np.testing.assert_allclose(model.embed(text=texts).text, plain.embed(text=texts).text, atol=1e-5)
