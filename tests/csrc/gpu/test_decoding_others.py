"""JPEG 2000 and TIFF files that the GPU decodes, on the simulated driver with a stand-in for nvImageCodec."""

from __future__ import annotations

import io
import logging
import struct
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

import bindrt
from bindrt.pipeline import gpu_pictures, gpu_trials
from support.gpu_engine import Load
from support.nvimgsim import decoded, decoder_of_the_cpu, picture

LZW, DEFLATE = {"compression": "tiff_lzw"}, {"compression": "tiff_adobe_deflate"}
#: What the GPU decodes: each a name and Pillow's options.
THERE: list[tuple[str, dict[str, Any]]] = [
    ("lossless.jp2", {"mct": 1}),
    ("apart.jp2", {}),
    ("lossy.jp2", {"mct": 1, "irreversible": True, "quality_layers": [20, 8], "quality_mode": "rates"}),
    ("tiles.jp2", {"mct": 1, "tile_size": (128, 64), "progression": "RPCL"}),
    ("stream.j2k", {"mct": 1, "comment": "by hand", "plt": True}),
    ("lzw.tif", LZW),
    ("differences.tif", LZW | {"tiffinfo": {317: 2}}),
    ("deflate.tif", DEFLATE | {"icc_profile": b"a profile", "dpi": (300, 300)}),
    ("old-deflate.tif", {"compression": "tiff_deflate"}),
    ("one-strip.tif", DEFLATE | {"tiffinfo": {278: 250}}),
    ("xmp.tif", LZW | {"tiffinfo": {700: b'<a tiff:Orientation="1"/>'}}),
]
#: What stays on the CPU.
HERE: list[tuple[str, dict[str, Any]]] = [
    ("grey.jp2", {"mode": "L"}),
    ("alpha.jp2", {"mode": "RGBA"}),
    ("ycc.jp2", {"mode": "YCbCr", "mct": 1}),
    ("grey.tif", LZW | {"mode": "L"}),
    ("palette.tif", LZW | {"mode": "P"}),
    ("alpha.tif", DEFLATE | {"mode": "RGBA"}),
    ("cmyk.tif", LZW | {"mode": "CMYK"}),
    ("plain.tif", {}),
    ("packbits.tif", {"compression": "packbits"}),
    ("jpeg.tif", {"compression": "jpeg"}),
    ("turned.tif", LZW | {"tiffinfo": {274: 6}}),
    ("turned-xmp.tif", LZW | {"tiffinfo": {700: b'<a tiff:Orientation="8"/>'}}),
    ("pages.tif", LZW | {"save_all": True, "append_images": [PIL.Image.new("RGB", (9, 9))]}),
    ("png.png", {}),
]


@pytest.fixture
def on_gpu(on_gpu: Load) -> Load:
    """A model of pictures whose engine is on the GPU, and that engine."""
    return partial(on_gpu, "image")


def test_they_are_decoded_there(on_gpu: Load, plain: bindrt.Model, library: Any, tmp_path: Path) -> None:
    """Into the very numbers that the CPU makes, since Pillow decodes them here too."""
    given: list[Any] = [picture(tmp_path, name, **saved) for name, saved in THERE]
    given.append(given[0].read_bytes())
    model, engine = on_gpu(decode="gpu", max_batch=32)
    found, expected = model.embed(image=given), plain.embed(image=given)
    np.testing.assert_allclose(found.image, expected.image, atol=1e-5)
    assert found.notes == expected.notes == {}
    assert decoded(model) == len(given)
    want = [bindrt.preprocess.image(item) for item in given]
    rows = np.concatenate(engine.seen)
    assert all(any(np.array_equal(row[:, 0], each) for row in rows) for each in want)


@pytest.mark.parametrize("each", HERE, ids=lambda each: each[0])
def test_others_stay_on_the_cpu(
    on_gpu: Load, plain: bindrt.Model, library: Any, tmp_path: Path, each: tuple[str, dict[str, Any]]
) -> None:
    item = picture(tmp_path, each[0], **each[1])
    model, _ = on_gpu(decode="gpu")
    found, expected = model.embed(image=item), plain.embed(image=item)
    np.testing.assert_allclose(found.image, expected.image, atol=1e-5)
    assert found.notes == expected.notes
    assert decoded(model) == 0


def test_sixteen_bits_and_planes_stay_on_the_cpu(
    on_gpu: Load, plain: bindrt.Model, library: Any, tmp_path: Path
) -> None:
    """Pillow writes neither: ordinary files whose headers say so."""
    tif, jp2 = (picture(tmp_path, name, **saved).read_bytes() for name, saved in (THERE[5], THERE[0]))
    model, _ = on_gpu(decode="gpu")
    model.embed(image=[tif, jp2])
    assert decoded(model) == 2
    bits = jp2.replace(b"\x07\x01\x01", b"\x0b\x01\x01")  # of each colour, as in a codestream's first segment
    planes = tif.replace(struct.pack("<HHIH", 284, 3, 1, 1), struct.pack("<HHIH", 284, 3, 1, 2))
    assert bits != jp2
    assert planes != tif
    for item in (bits, planes):
        model.embed(image=item, on_error="skip")
    assert decoded(model) == 2


def test_from_what_size(on_gpu: Load, library: Any, tmp_path: Path) -> None:
    sizes = {"jpeg2000": ("a.jp2", {}), "tiff-lzw": ("a.tif", LZW), "tiff-deflate": ("b.tif", DEFLATE)}
    for coding, (name, saved) in sizes.items():
        rows = gpu_pictures.LEAST_PIXELS[coding] // 1000
        model, _ = on_gpu()
        for more, count in ((-1, 0), (0, 1)):
            model.embed(image=picture(tmp_path, name, (1000, rows + more), **saved))
            assert decoded(model) == count, (coding, more)


def test_cut_files_have_the_errors_of_the_cpu(
    on_gpu: Load, plain: bindrt.Model, library: Any, tmp_path: Path
) -> None:
    given: list[Any] = []
    for name, saved in (THERE[0], THERE[4], THERE[5], THERE[7]):
        whole = picture(tmp_path, name, **saved).read_bytes()
        given += [whole, whole[: len(whole) * 2 // 3], whole[:60]]
    model, _ = on_gpu(decode="gpu")
    found, expected = (each.embed(image=given, on_error="skip") for each in (model, plain))
    assert {k: str(e) for k, e in found.errors.items()} == {k: str(e) for k, e in expected.errors.items()}
    np.testing.assert_allclose(found.image, expected.image, atol=1e-5)
    assert decoded(model) == 4


def test_limits_hold(on_gpu: Load, plain: bindrt.Model, library: Any, tmp_path: Path) -> None:
    """A picture that may not be decoded here is not decoded there."""
    item = picture(tmp_path, "a.jp2", (400, 300))
    for limits in (bindrt.Limits(max_pixels=100_000), bindrt.Limits(max_picture_bytes=400 * 300 * 20)):
        options = bindrt.PipelineOptions(cuda_graphs=False, decode="gpu")
        engine = on_gpu(decode="gpu")[1]
        with bindrt.load(
            "tiny", modalities=["image"], engines={"vision": engine}, pipeline=options, limits=limits
        ) as model:
            with pytest.raises(bindrt.LimitError):
                model.embed(image=item)
            assert decoded(model) == 0


def test_libraries_that_are_not_there(
    on_gpu: Load, plain: bindrt.Model, library: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """nvImageCodec without nvJPEG2000 and nvTIFF: JPEG files are decoded there all the same."""
    library.behaviour.lacks = {"JPEG2000", "TIFF"}
    caplog.set_level(logging.INFO, gpu_pictures.__name__)
    given = [picture(tmp_path, name, **saved) for name, saved in (("a.jpg", {}), THERE[0], THERE[5])]
    model, _ = on_gpu(decode="gpu")
    found = model.embed(image=given).image
    np.testing.assert_allclose(found, plain.embed(image=given).image, atol=1e-5)
    assert decoded(model) == 1
    assert [record.levelname for record in caplog.records] == ["INFO"] * 3
    assert "refuses a plain JPEG 2000: nvJPEG2000 is missing; the CPU decodes it" in caplog.text


def test_wrong_pixels_are_not_taken(
    on_gpu: Load, library: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """One level is rounding in a JPEG; the others are to be exact."""
    library.behaviour.apart = 1
    model, _ = on_gpu(decode="gpu")
    model.embed(image=[picture(tmp_path, name, **saved) for name, saved in (("a.jpg", {}), *THERE[:6])])
    assert decoded(model) == 1
    assert "nvImageCodec fails for JPEG 2000, which the CPU decodes: its pixels are 1 levels" in caplog.text


def test_the_library_without_a_gpu() -> None:
    """Its own decoders of the CPU, asked as the GPU's are: Pillow's pixels."""
    library = pytest.importorskip(gpu_pictures.MODULE)
    decoder = decoder_of_the_cpu(library)
    params = gpu_pictures.decode_params(library)
    files = [each for coding in gpu_pictures.LEAST_PIXELS for each in gpu_trials.trials(coding)]
    streams = [library.CodeStream(np.frombuffer(each.file, np.uint8)) for each in files]
    for image, each in zip(decoder.decode(streams, params=params, cuda_stream=0), files, strict=True):
        found = np.asarray(image)
        assert np.abs(found.astype(int) - each.pixels).max() <= each.most_apart
        assert gpu_pictures.described(image.__array_interface__, (gpu_trials.SIDE,) * 2) > 0
        with PIL.Image.open(io.BytesIO(each.file)) as seen:
            assert np.abs(np.asarray(seen).astype(int) - found).max() <= each.most_apart


def test_on_a_gpu(on_gpu: Load, gpu: Any, tmp_path: Path) -> None:
    """The library itself, on the GPU: exact, or as near as docs/gpu.md says."""
    if gpu.driver()["simulated"]:
        pytest.skip("there is no GPU")
    pytest.importorskip(gpu_pictures.MODULE)
    model, engine = on_gpu(decode="gpu")
    level = float(1 / 255 / min(bindrt._core.constants()["image"]["std"]))
    for number, (name, saved) in enumerate(THERE, 1):
        item = picture(tmp_path, name, (1001, 777), **saved)
        engine.seen.clear()
        model.embed(image=item)
        apart = np.abs(np.concatenate(engine.seen)[0, :, 0] - bindrt.preprocess.image(item)).max() / level
        most = 1.5 * gpu_trials.LOSSY_APART if name == "lossy.jp2" else 1e-4  # a cubic resize may enlarge it
        assert apart <= most, name
        assert decoded(model) == number, name
