"""``bindrt.load`` and ``Model``: shapes, order, options, errors of single items, threads, life cycle."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import bindrt
from bindrt import preprocess
from support.golden import HERE

INPUTS = HERE / "inputs"
PHOTO, PALETTE = INPUTS / "image/photo.webp", INPUTS / "image/palette.png"
SOUND, LONG_SOUND = INPUTS / "audio/short_8k.wav", INPUTS / "audio/dc_offset_16k.wav"
VIDEO = INPUTS / "video/short_1s2.mp4"
#: Alone or among others: an engine may sum in another order for another batch size. Between unit vectors.
NEIGHBOURS = 2e-6


@pytest.fixture
def fresh(small_bundle: Path) -> Iterator[bindrt.Model]:
    with bindrt.load(small_bundle) as model:
        yield model


def one_of_each() -> dict[str, Any]:
    return {
        "image": [PHOTO, PALETTE],
        "video": VIDEO,
        "text": ["a dog", "a photograph of a very small car on a long road"],
        "audio": [SOUND, LONG_SOUND],
        "depth": INPUTS / "depth/d2.png",
        "thermal": INPUTS / "thermal/t2.png",
        "imu": INPUTS / "imu/s2.npz",
    }


def test_all_modalities_in_one_call(small_model: bindrt.Model) -> None:
    e = small_model.embed(**one_of_each())
    assert list(e) == ["image", "video", "text", "audio", "depth", "thermal", "imu"]
    assert {m: rows.shape[0] for m, rows in e.items()} == {
        "image": 2, "video": 1, "text": 2, "audio": 2, "depth": 1, "thermal": 1, "imu": 1
    }  # fmt: skip
    for rows in e.values():
        assert rows.dtype == np.float32
        assert rows.shape[1] == small_model.embed_dim
        np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-6)
    np.testing.assert_array_equal(e["image"], e.image)
    assert e.space == small_model.space
    assert not e.errors


def test_similarity_is_the_cosine(small_model: bindrt.Model) -> None:
    for normalize in (True, False):
        e = small_model.embed(image=[PHOTO, PALETTE], text=["a", "b", "c"], normalize=normalize)
        expected = [
            [float(np.dot(i, t) / np.linalg.norm(i) / np.linalg.norm(t)) for t in e.text] for i in e.image
        ]
        np.testing.assert_allclose(e.similarity("image", "text"), expected, atol=1e-6)
    with pytest.raises(bindrt.OptionError, match="audio"):
        e.similarity("image", "audio")


def test_embeddings_can_be_read(small_model: bindrt.Model) -> None:
    e = small_model.embed(text=["a", "b"], imu=[b"no"], on_error="skip")
    text = repr(e)
    for part in ("text [2, 48]", "imu [1, 48]", "1 errors", e.space):
        assert part in text
    with pytest.raises(AttributeError, match="audio"):
        _ = e.audio


def test_embeddings_are_equal_to_themselves_alone(small_model: bindrt.Model) -> None:
    one, other = small_model.embed(text="a"), small_model.embed(text="a")
    assert one in [other, one]
    assert one != other
    assert len({one, other}) == 2
    assert repr(small_model.embed()).startswith("Embeddings(nothing; ")
    unhashable: Any = ["text"]
    with pytest.raises(bindrt.OptionError, match="was not embedded"):
        one.similarity("text", unhashable)


def test_empty_list_gives_no_rows(small_model: bindrt.Model) -> None:
    e = small_model.embed(image=[], text=[])
    assert e.image.shape == (0, small_model.embed_dim)
    assert e.similarity("image", "text").shape == (0, 0)
    assert list(small_model.embed()) == []


@pytest.mark.parametrize("modality", ["image", "text", "audio", "video", "depth", "thermal", "imu"])
def test_neighbours_do_not_change_a_vector(small_model: bindrt.Model, modality: str) -> None:
    items = {
        "image": [PHOTO, PALETTE, INPUTS / "image/exif_rotated.jpg"],
        "text": ["a", "two words", "a long sentence about many things, and then some more of them", ""],
        "audio": [SOUND, LONG_SOUND],
        "video": [VIDEO, bindrt.Video(np.zeros((8, 40, 60, 3), np.uint8), fps=4)],
        "depth": [INPUTS / "depth/d2.png", np.linspace(1, 4, 3000, dtype=np.float32).reshape(50, 60)],
        "thermal": [INPUTS / "thermal/t2.png", np.arange(2500, dtype=np.uint8).reshape(50, 50)],
        "imu": [INPUTS / "imu/s2.npz", bindrt.Imu(np.ones((6, 1000), np.float32), rate=200)],
    }[modality]
    many = [*items, *items[::-1], *items * 6]
    together = small_model.embed(**{modality: many})[modality]  # type: ignore[arg-type]
    for row, item in zip(together, many[: len(items) + 2], strict=False):
        alone = small_model.embed(**{modality: item})[modality]  # type: ignore[arg-type]
        np.testing.assert_allclose(row, alone[0], atol=NEIGHBOURS, rtol=0)


def test_views_are_averaged_before_normalising(small_model: bindrt.Model) -> None:
    """The mean of a recording's scaled clip vectors; not renormalised with ``normalize=False``."""
    clips = preprocess.audio(LONG_SOUND)
    each = small_model.embed(audio=[bindrt.Prepared(clip) for clip in clips], normalize=False).audio
    whole = small_model.embed(audio=bindrt.Prepared(clips), normalize=False).audio[0]
    np.testing.assert_allclose(whole, each.mean(axis=0), atol=1e-5)
    assert np.linalg.norm(whole) < np.linalg.norm(each, axis=1).mean()
    unit = small_model.embed(audio=LONG_SOUND).audio[0]
    np.testing.assert_allclose(unit, whole / np.linalg.norm(whole), atol=NEIGHBOURS)


def test_scales_are_those_of_the_modalities(small_model: bindrt.Model) -> None:
    encoders = small_model.bundle.manifest.encoders
    e = small_model.embed(image=PHOTO, text="a", imu=INPUTS / "imu/s2.npz", normalize=False)
    for modality, encoder in (("image", "vision"), ("text", "text"), ("imu", "imu")):
        assert np.linalg.norm(e[modality]) == pytest.approx(encoders[encoder].scale, rel=1e-5)


def test_an_item_may_come_in_any_form(small_model: bindrt.Model) -> None:
    path = PHOTO
    pixels = preprocess.image(path)
    import PIL.Image

    rgb = np.asarray(PIL.Image.open(path).convert("RGB"))
    forms: list[Any] = [
        path,
        str(path),
        path.read_bytes(),
        BytesIO(path.read_bytes()),
        rgb,
        torch.from_numpy(rgb.copy()),  # DLPack
        bindrt.Image(rgb[:, :, ::-1].copy(), layout="BGR"),
        bindrt.Prepared(pixels),
        bindrt.Prepared(torch.from_numpy(pixels)),
    ]
    rows = small_model.embed(image=forms).image
    np.testing.assert_allclose(rows, np.repeat(rows[:1], len(forms), axis=0), atol=NEIGHBOURS, rtol=0)


def test_bad_items_are_skipped_alone(small_model: bindrt.Model) -> None:
    items = [PHOTO, b"no picture", PALETTE, "missing.jpg", 3.5, PHOTO]
    e = small_model.embed(image=items, text=["a"], on_error="skip")
    assert e.image.shape == (6, small_model.embed_dim)
    assert set(e.errors) == {("image", 1), ("image", 3), ("image", 4)}
    good = small_model.embed(image=[PHOTO, PALETTE, PHOTO]).image
    np.testing.assert_allclose(e.image[[0, 2, 5]], good, atol=NEIGHBOURS)
    assert np.isnan(e.image[[1, 3, 4]]).all()
    assert "image[3] 'missing.jpg'" in str(e.errors["image", 3])


def test_the_first_bad_item_is_named(small_model: bindrt.Model) -> None:
    with pytest.raises(bindrt.InputError, match=r"image\[1\]"):
        small_model.embed(image=[PHOTO, b"no picture", "missing.jpg"])


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        ({"smell": [1]}, bindrt.InputError, "unknown modality"),
        ({"image": [PHOTO], "on_error": "ignore"}, bindrt.OptionError, "raise or skip"),
        ({"image": {"a": 1}}, bindrt.InputError, "dict"),
        ({"audio": np.zeros(16000, np.float32)}, bindrt.InputError, "Audio"),
        ({"video": np.zeros((4, 8, 8, 3), np.uint8)}, bindrt.InputError, "Video"),
        ({"imu": np.zeros((6, 2000), np.float32)}, bindrt.InputError, "Imu"),
        ({"text": [3]}, bindrt.InputError, "str"),
        ({"image": bindrt.Prepared(np.zeros((3, 2, 2), np.float32))}, bindrt.InputError, r"\[3, 224, 224\]"),
    ],
)
def test_wrong_calls_are_named(
    small_model: bindrt.Model, call: dict[str, Any], kind: type[bindrt.Error], message: str
) -> None:
    with pytest.raises(kind, match=message):
        small_model.embed(**call)


def test_classify_is_a_softmax_of_scaled_cosines(small_model: bindrt.Model) -> None:
    labels = ["a dog", "a car", "a bird"]
    found = small_model.classify(image=[PHOTO, PALETTE], labels=labels)
    assert found.shape == (2, 3)
    assert found.dtype == np.float32
    cosines = small_model.embed(image=[PHOTO, PALETTE], text=labels).similarity("image", "text")
    logits = small_model.bundle.manifest.text_scale * cosines.astype(np.float64)
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(found, expected, atol=1e-4)
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-6)
    assert small_model.classify(text="a dog", labels=labels)[0].argmax() == 0
    skipped = small_model.classify(image=[b"no", PHOTO], labels=labels, on_error="skip")
    assert np.isnan(skipped[0]).all()
    np.testing.assert_allclose(skipped[1], found[0], atol=1e-4)


@pytest.mark.parametrize(
    "call",
    [
        {"labels": ["a"]},
        {"labels": [], "image": [PHOTO]},
        {"labels": "a dog", "image": [PHOTO]},
        {"labels": ["a"], "image": [PHOTO], "text": ["b"]},
        {"labels": None, "image": [PHOTO]},
        {"labels": {"a", "b"}, "image": [PHOTO]},
        {"labels": ["a"], "image": None},
    ],
)
def test_classify_refuses_wrong_calls(small_model: bindrt.Model, call: dict[str, Any]) -> None:
    with pytest.raises(bindrt.OptionError):
        small_model.classify(**call)


def test_classify_names_a_bad_label(small_model: bindrt.Model) -> None:
    with pytest.raises(bindrt.InputError, match=r"labels\[1\]: a label is a str, not int"):
        small_model.classify(image=PHOTO, labels=["a", 5])  # type: ignore[list-item]
    rows = small_model.classify(image=PHOTO, labels=(text for text in "ab"))  # type: ignore[arg-type]
    np.testing.assert_array_equal(rows, small_model.classify(image=PHOTO, labels=["a", "b"]))


@pytest.mark.parametrize("normalize", ["yes", None, 2, np.ones(2)])
def test_normalize_is_true_or_false(small_model: bindrt.Model, normalize: Any) -> None:
    for call in (
        lambda: small_model.embed(text="a", normalize=normalize),
        lambda: small_model.submit("text", "a", normalize=normalize),
        lambda: small_model.stream("text", ["a"], normalize=normalize),
        lambda: asyncio.run(small_model.aembed(text="a", normalize=normalize)),
    ):
        with pytest.raises(bindrt.OptionError, match="normalize="):
            call()
    assert small_model.embed(text="a", normalize=np.False_).normalized is False  # type: ignore[arg-type]


@pytest.mark.parametrize("items", [5, "a dog", b"a", {"a": 1}])
def test_stream_takes_an_iterable_of_items(small_model: bindrt.Model, items: Any) -> None:
    with pytest.raises(bindrt.OptionError, match="not an iterable of items"):
        small_model.stream("text", items)


def test_a_misspelt_modality_is_named_even_with_nothing_in_it(small_model: bindrt.Model) -> None:
    wrong: Any = ["image"]
    for call in (
        lambda: small_model.embed(imgae=None),
        lambda: asyncio.run(small_model.aembed(imgae=None)),
        lambda: small_model.submit(wrong, "a"),
    ):
        with pytest.raises(bindrt.InputError, match="unknown modality"):
            call()


def test_statistics_count_what_was_done(fresh: bindrt.Model) -> None:
    fresh.embed(audio=[SOUND, b"no", LONG_SOUND], text=["a"], on_error="skip")
    stats = fresh.stats()
    audio = stats["audio"]
    # The three clips of the short sound are equal: one view.
    assert (audio["items"], audio["errors"], audio["views"], audio["batches"]) == (2, 1, 4, 1)
    assert stats["text"]["items"] == 1
    for stage in ("prepare_seconds", "engine_seconds", "pool_seconds"):
        assert audio[stage] > 0
    assert "image" not in stats


def test_threads_get_their_own_results(fresh: bindrt.Model) -> None:
    expected = fresh.embed(text=["a", "b", "c", "d"]).text
    start = threading.Barrier(4)

    def work(i: int) -> np.ndarray:
        start.wait()
        return np.concatenate([fresh.embed(text="abcd"[i], image=PHOTO).text for _ in range(10)])

    with ThreadPoolExecutor(4) as pool:
        for i, rows in enumerate(pool.map(work, range(4))):
            np.testing.assert_allclose(rows, np.repeat(expected[i : i + 1], 10, axis=0), atol=NEIGHBOURS)
    assert fresh.stats()["text"]["items"] == 44


def test_threads_option_keeps_the_numbers(small_bundle: Path, small_model: bindrt.Model) -> None:
    with bindrt.load(small_bundle, threads=1) as single:
        np.testing.assert_allclose(
            single.embed(image=PHOTO).image, small_model.embed(image=PHOTO).image, atol=NEIGHBOURS
        )


def test_unloaded_encoder_comes_back(fresh: bindrt.Model) -> None:
    before = fresh.embed(text="a").text
    fresh.warm_up()
    fresh.unload("text")
    np.testing.assert_array_equal(fresh.embed(text="a").text, before)


def test_closed_model_says_so(small_bundle: Path) -> None:
    model = bindrt.load(small_bundle)
    model.close()
    model.close()
    with pytest.raises(bindrt.Error, match="closed"):
        model.embed(text="a")


def test_only_the_asked_modalities(small_bundle: Path) -> None:
    with bindrt.load(small_bundle, modalities=["text"]) as model:
        assert model.modalities == ("text",)
        assert len(model.embed(text="a").text) == 1
        with pytest.raises(bindrt.InputError, match="not loaded"):
            model.embed(image=PHOTO)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"engine": "magic"}, "unknown engine"),
        ({"engine": "tensorrt"}, "no fp32 files for engine tensorrt"),
        ({"startup": "slow"}, "startup"),
        ({"device": "cuda:x"}, "unknown device"),
        ({"engine_options": [1]}, "give a dict"),
        ({"engine_options": []}, "give a dict"),
        ({"precision": []}, "not in this bundle"),
        ({"verify": 1}, "verify=1: must be True or False"),
        ({"device": "tpu"}, "device"),
        ({"precision": "fp16"}, "not in this bundle"),
        ({"modalities": ["smell"]}, "smell"),
        ({"modalities": []}, "not a list"),
        ({"modalities": "text"}, "not a list"),
        ({"threads": 0}, "threads"),
        ({"threads": "two"}, "threads"),
        ({"threads": True}, "threads"),
        ({"modalities": 5}, "not a list"),
        ({"modalities": iter(())}, "not a list"),
        ({"device": None}, "device=None"),
        ({"limits": None}, "limits=None"),
        ({"pipeline": {}}, "pipeline="),
        ({"memory_budget": True}, "memory_budget"),
    ],
)
def test_wrong_load_options(small_bundle: Path, options: dict[str, Any], message: str) -> None:
    with pytest.raises(bindrt.Error, match=message):
        bindrt.load(small_bundle, **options)


def test_the_runtime_needs_no_torch(small_bundle: Path) -> None:
    """Loading and embedding every modality imports neither torch nor onnx nor the exporter."""
    import subprocess
    import sys

    code = (
        "import sys\n"
        "for name in ('torch', 'onnx', 'onnxscript', 'bindrt_export'): sys.modules[name] = None\n"
        "import bindrt\n"
        f"m = bindrt.load({str(small_bundle)!r}, verify=True)\n"
        f"print(m.embed(image={str(PHOTO)!r}, audio={str(SOUND)!r}, text='a', video={str(VIDEO)!r}))\n"
        "bindrt.doctor()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "video [1, 48]" in done.stdout
