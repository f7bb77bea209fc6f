"""Files to vectors with preparation on a GPU, the machine's or the simulated one: as on the CPU."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bindrt
from support.gpu_engine import Load
from support.gpu_items import depth_png, items, picture


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
