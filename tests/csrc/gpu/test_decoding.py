"""JPEG files that the GPU decodes, on the simulated driver with a stand-in for nvImageCodec."""

from __future__ import annotations

import io
import sys
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

import bindrt
from bindrt.pipeline import gpu_pictures
from support import cpp
from support.golden import HERE
from support.gpu_engine import Load, OnGpu
from support.nvimgsim import TRIALS, decoded, decoder_of_the_cpu, picture

INPUTS = HERE / "inputs"
LARGE = (2000, 1300)  # above LEAST_PIXELS
MOST_LEVELS = 3  # from Pillow's pixels, of any of the library's decoders
LEVEL = float(1 / 255 / min(bindrt._core.constants()["image"]["std"]))  # of a pixel, in an encoder's input


@pytest.fixture
def on_gpu(on_gpu: Load) -> Load:
    """A model of pictures whose engine is on the GPU, and that engine."""
    return partial(on_gpu, "image")


def test_large_pictures_are_decoded_there(
    on_gpu: Load, plain: bindrt.Model, library: Any, tmp_path: Path
) -> None:
    """Into the very numbers that the CPU makes, since Pillow decodes them here too."""
    given: list[Any] = [
        picture(tmp_path, "a.jpg", LARGE),
        picture(tmp_path, "b.jpg", (1300, 2000), subsampling=0),
        picture(tmp_path, "c.jpg", (1700, 1601), subsampling=1, quality=50),
        picture(tmp_path, "small.jpg", (640, 480)),
    ]
    given.append(given[0].read_bytes())
    model, engine = on_gpu()
    np.testing.assert_allclose(model.embed(image=given).image, plain.embed(image=given).image, atol=1e-5)
    assert decoded(model) == 4
    for item in given:
        engine.seen.clear()
        model.embed(image=item)
        rows = np.concatenate(engine.seen)
        np.testing.assert_array_equal(rows[0, :, 0], rows[0, :, 1])
        np.testing.assert_array_equal(rows[0, :, 0], bindrt.preprocess.image(item))
    assert model.stats()["image"]["pipeline"]["rows_on_device"] == 2 * len(given)


def test_pictures_that_differ_by_a_level(
    on_gpu: Load, plain: bindrt.Model, library: Any, tmp_path: Path
) -> None:
    """As a GPU's decoder makes them: then the encoder's input differs by no more."""
    model, engine = on_gpu(decode="gpu")
    library.behaviour.apart = 1
    item = picture(tmp_path, "a.jpg")
    model.embed(image=item)
    apart = np.abs(np.concatenate(engine.seen)[0, :, 0] - bindrt.preprocess.image(item)).max()
    assert 0 < apart <= LEVEL * 1.0001


def test_exact_and_gpu(on_gpu: Load, plain: bindrt.Model, library: Any, tmp_path: Path) -> None:
    large, small = picture(tmp_path, "a.jpg", LARGE), picture(tmp_path, "b.jpg")
    for options, count in (({"decode": "exact"}, 0), ({"prepare": "cpu"}, 0), ({"decode": "gpu"}, 2)):
        model, _ = on_gpu(**options)
        model.embed(image=[large, small])
        assert decoded(model) == count, options
    with pytest.raises(bindrt.OptionError, match="decode='cpu': unknown; use auto, gpu, exact"):
        bindrt.PipelineOptions(decode="cpu")
    with pytest.raises(bindrt.OptionError, match="decode='gpu': what the GPU decodes is prepared there"):
        bindrt.PipelineOptions(decode="gpu", prepare="cpu")
    with bindrt.load("tiny", pipeline=bindrt.PipelineOptions(decode="gpu")) as without:
        with pytest.raises(bindrt.EngineError, match=r"decode='gpu' for vision: its engine .* runs on cpu"):
            without.embed(image=small)
        assert without.embed(text="a bell").text.shape == (1, 96)


def test_unusual_files_stay_on_the_cpu(
    on_gpu: Load, plain: bindrt.Model, library: Any, tmp_path: Path
) -> None:
    turned = PIL.Image.Exif()
    turned[0x0112] = 6
    given: list[Any] = [
        picture(tmp_path, "progressive.jpg", progressive=True),
        picture(tmp_path, "grey.jpg", mode="L"),
        picture(tmp_path, "cmyk.jpg", mode="CMYK"),
        picture(tmp_path, "rgb.jpg", keep_rgb=True),
        picture(tmp_path, "png.png"),
        bindrt.Image(picture(tmp_path, "turned.jpg", exif=turned), exif=True),
    ]
    model, _ = on_gpu(decode="gpu")
    found, expected = model.embed(image=given), plain.embed(image=given)
    np.testing.assert_allclose(found.image, expected.image, atol=1e-5)
    assert found.notes == expected.notes
    assert decoded(model) == 0
    noted = model.embed(image=tmp_path / "turned.jpg")  # taken as it is stored, and the note says so
    assert noted.notes == plain.embed(image=tmp_path / "turned.jpg").notes != {}
    assert decoded(model) == 1


@pytest.mark.parametrize("how", ["refuses", "leaves_out", "fails", "shape"])
def test_what_the_library_does_not_decode_the_cpu_does(
    on_gpu: Load, plain: bindrt.Model, library: Any, tmp_path: Path, how: str,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    given = [picture(tmp_path, f"{i}.jpg", comment="refuse this" if i % 2 else "") for i in range(4)]
    model, _ = on_gpu(decode="gpu")
    model.embed(image=given[0])
    if how != "refuses":
        setattr(library.behaviour, how, True)
    found = model.embed(image=given).image
    np.testing.assert_allclose(found, plain.embed(image=given).image, atol=1e-5)
    if how in ("fails", "shape"):
        assert decoded(model) == 1
    else:
        assert 1 < decoded(model) <= 3
    warned = [record.message for record in caplog.records if "the CPU decodes" in record.message]
    assert warned == (
        ["nvImageCodec failed, and the CPU decodes: nvImageCodec failure: '#8'"] * (how == "fails")
    )


def test_damaged_files_have_the_errors_of_the_cpu(
    on_gpu: Load, plain: bindrt.Model, library: Any, tmp_path: Path
) -> None:
    whole = picture(tmp_path, "a.jpg").read_bytes()
    given = [whole, whole[: len(whole) * 2 // 3], whole[:300], whole[:-2] + b"\xff\xd8", whole]
    model, _ = on_gpu(decode="gpu")
    found, expected = (each.embed(image=given, on_error="skip") for each in (model, plain))
    assert {k: str(e) for k, e in found.errors.items()} == {k: str(e) for k, e in expected.errors.items()}
    assert len(found.errors) == 3
    np.testing.assert_allclose(found.image, expected.image, atol=1e-5)
    assert decoded(model) == 2


def test_an_engine_that_runs_alone(on_gpu: Load, plain: bindrt.Model, library: Any, tmp_path: Path) -> None:
    """Its rows come back from the GPU."""
    given = [picture(tmp_path, f"{i}.jpg") for i in range(3)]
    model, engine = on_gpu(decode="gpu")
    engine.fails = True
    np.testing.assert_allclose(model.embed(image=given).image, plain.embed(image=given).image, atol=1e-5)
    assert decoded(model) == 3
    assert model.stats()["image"]["pipeline"]["rows_on_device"] == 0


def test_many_at_once(on_gpu: Load, plain: bindrt.Model, library: Any, tmp_path: Path) -> None:
    given = [picture(tmp_path, f"{i}.jpg", (250 + 10 * i, 240)) for i in range(6)]
    expected = plain.embed(image=given).image
    model, _ = on_gpu(decode="gpu")
    futures = [model.submit("image", item) for item in given * 3]
    found = np.stack([future.result(60) for future in futures])
    np.testing.assert_allclose(found, np.concatenate([expected] * 3), atol=1e-5)
    assert decoded(model) == 3 * len(given) == sum(library.behaviour.sizes) - TRIALS  # when it was opened
    assert library.behaviour.decoders <= 2


def test_a_library_that_is_not_there_or_does_not_decode(
    on_gpu: Load, library: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    item = picture(tmp_path, "a.jpg", LARGE)

    def absent() -> None:
        monkeypatch.setitem(sys.modules, gpu_pictures.MODULE, None)

    def refuses_all() -> None:
        library.behaviour.refuses = b""

    def wrong() -> None:
        library.behaviour.apart = 9

    for spoil, said in (
        (wrong, r"does not decode there \(its pixels are \d+ levels from what was stored\); decode='exact'"),
        (refuses_all, r"does not decode there \(it refuses a plain JPEG: nvJPEG is missing"),
        (absent, "decoding on GPU 0: nvImageCodec is not installed; pip install "),
    ):
        spoil()
        caplog.clear()
        model, _ = on_gpu()
        assert model.embed(image=item).image.shape == (1, 96)
        assert decoded(model) == 0
        assert ("the CPU decodes" in caplog.text) is (spoil is not absent)
        model, _ = on_gpu(decode="gpu")
        with pytest.raises(bindrt.EngineError, match=said):
            model.embed(image=item)


EARLY = """
import io, os
import numpy as np, PIL.Image
from support.nvimgsim import install
install()
import bindrt
from bindrt.pipeline import gpu_pictures
from support.gpu_engine import Load, OnGpu
file = io.BytesIO()
PIL.Image.fromarray(np.zeros((250, 330, 3), np.uint8)).save(file, "JPEG")
with bindrt.load("tiny") as plain:
    engines = {"vision": OnGpu(plain.engine("image"), plain.embed_dim)}
    pipeline = bindrt.PipelineOptions(cuda_graphs=False, decode="gpu")
    with bindrt.load("tiny", modalities=["image"], engines=engines, pipeline=pipeline) as model:
        model.embed(image=file.getvalue())
        print("good so far", flush=True)
        kept = gpu_pictures._picture
        gpu_pictures._picture = lambda image, size: kept(image, size)._replace(owner=None)
        model.embed(image=file.getvalue())
"""


def test_pictures_that_go_too_early_are_found(simulated_driver: Path, tmp_path: Path) -> None:
    """A planted fault: nobody keeps a picture until the GPU is done with it."""
    env = {"BINDRT_LIBCUDA": str(simulated_driver), "PYTHONPATH": str(cpp.ROOT / "tests")}
    done = cpp.run([sys.executable, "-c", EARLY], cwd=tmp_path, env=env)
    assert "good so far" in done.stdout, done.stdout
    assert done.returncode == 70
    assert "memory is gone before it is written" in done.stdout


def test_misuse_of_the_stand_in_is_found(library: Any, gpu: Any) -> None:
    decoder = gpu_pictures.PictureDecoder(0)
    opened: Any = decoder._take()
    params = decoder._params
    stream = library.CodeStream(np.zeros(3, np.uint8))
    for call in (
        lambda: opened.decode([stream], params=params, cuda_stream=12345),
        lambda: opened.decode([stream], params=params, cuda_stream=0),
        lambda: opened.decode([np.zeros(3, np.uint8)], params=params, cuda_stream=1),
        lambda: opened.decode([stream], cuda_stream=1),
        lambda: library.CodeStream(b"bytes"),
        lambda: library.Decoder(device_id=0, backends=[library.Backend(library.BackendKind.CPU_ONLY)]),
        lambda: library.DecodeParams(apply_exif_orientation=True),
    ):
        with pytest.raises(library.MisuseError):
            call()
    assert len(library.misused) == 7
    library.misused.clear()


def test_on_a_gpu(on_gpu: Load, plain: bindrt.Model, gpu: Any, tmp_path: Path) -> None:
    """The library itself, on the GPU: as near to Pillow's pixels as docs/gpu.md says."""
    if gpu.driver()["simulated"]:
        pytest.skip("there is no GPU")
    pytest.importorskip(gpu_pictures.MODULE)
    given: list[Any] = sorted((INPUTS / "image").glob("*.jp*g"))
    given += [
        picture(tmp_path, f"{quality}{subsampling}.jpg", size, quality=quality, subsampling=subsampling)
        for quality, subsampling, size in (
            (90, 2, LARGE),
            (75, 2, (641, 479)),
            (95, 0, (4000, 3000)),
            (85, 1, LARGE),
        )
    ]
    model, engine = on_gpu(decode="gpu")
    expected = plain.embed(image=given).image
    found = model.embed(image=given).image
    assert decoded(model) >= 4
    assert (found * expected).sum(axis=1).min() > 0.999
    for item in given:
        engine.seen.clear()
        model.embed(image=item)
        apart = np.abs(np.concatenate(engine.seen)[0, :, 0] - bindrt.preprocess.image(item)) / LEVEL
        # A cubic resize may enlarge what differs.
        assert apart.max() <= 1.5 * MOST_LEVELS
        assert apart.mean() <= 0.1


def test_the_library_without_a_gpu() -> None:
    """Its own decoder of the CPU, asked as the GPU's are: Pillow's pixels, and None for what is cut off."""
    library = pytest.importorskip(gpu_pictures.MODULE)
    files, want = [], []
    for number, subsampling in enumerate((0, 1, 2)):
        file = io.BytesIO()
        coarse = np.random.default_rng(number).integers(0, 255, (20, 30, 3), np.uint8)
        PIL.Image.fromarray(coarse).resize((301, 203)).save(file, "JPEG", subsampling=subsampling)
        files.append(np.frombuffer(file.getvalue(), np.uint8))
        want.append(np.asarray(PIL.Image.open(file)))
    files.insert(1, files[0][:2000])
    decoder = decoder_of_the_cpu(library)
    params = gpu_pictures.decode_params(library)
    found = decoder.decode([library.CodeStream(file) for file in files], params=params, cuda_stream=0)
    assert found.pop(1) is None
    for image, pixels in zip(found, want, strict=True):
        np.testing.assert_array_equal(np.asarray(image), pixels)
        assert gpu_pictures.described(image.__array_interface__, (301, 203)) == 903
    assert {"HW_GPU_ONLY", "GPU_ONLY", "HYBRID_CPU_GPU"} <= set(library.BackendKind.__members__)


def test_its_memory_is_counted(
    on_gpu: Load, library: Any, gpu: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As planned, and then with what the library keeps."""
    kept: list[Any] = []

    class Keeping(library.Decoder):  # type: ignore[name-defined]
        def __init__(self, **options: Any) -> None:
            super().__init__(**options)
            kept.append(gpu.DeviceArray(0, 1 << 10, 1 << 10))  # 4 MiB

    monkeypatch.setattr(library, "Decoder", Keeping)
    most = gpu.memory_limits()["pictures"]
    assert most == 256 * 2**20 + 2 * (200_000_000 * 3 + (64 + 8) * 2**20)

    def counted(model: bindrt.Model) -> int:
        return int(model.memory()["vision"]["device"])

    model, _ = on_gpu(decode="exact")
    model.engine("image")
    batches = counted(model)
    model, _ = on_gpu()
    model.engine("image")
    assert counted(model) - batches == most
    model.embed(image=picture(tmp_path, "a.jpg"))
    assert counted(model) - batches - most >= 4 << 20
    assert len(kept) == 1
    monkeypatch.setitem(sys.modules, gpu_pictures.MODULE, None)  # not installed
    model, _ = on_gpu()
    model.embed(image=picture(tmp_path, "a.jpg"))
    assert counted(model) == batches


def test_a_budget_without_room_for_decoding(plain: bindrt.Model, library: Any) -> None:
    engine = OnGpu(plain.engine("image"), plain.embed_dim)
    for decode, fits in (("exact", True), ("auto", False)):
        given: dict[str, Any] = {"modalities": ["image"], "memory_budget": 1 << 30}
        pipeline = bindrt.PipelineOptions(cuda_graphs=False, decode=decode)
        with bindrt.load("tiny", engines={"vision": engine}, pipeline=pipeline, **given) as model:
            if fits:
                model.embed(image=np.zeros((30, 30, 3), np.uint8))
            else:
                with pytest.raises(bindrt.MemoryBudgetExceeded, match="bytes for vision"):
                    model.embed(image=np.zeros((30, 30, 3), np.uint8))
