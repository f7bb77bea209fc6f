"""OpenVINO, ONNX Runtime's providers, start-up modes and ``engine="auto"``."""

from __future__ import annotations

import ctypes
import json
import mmap
import os
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest

import bindrt
from bindrt import hardware
from bindrt.bundle import Bundle, open_bundle
from bindrt.engines import ENGINES, EngineSettings, onnxruntime_session
from bindrt.engines.onnxruntime_providers import providers, usable_providers
from bindrt.engines.openvino import OpenVinoEngine
from bindrt.selection import candidates, choices, choose, open_engine
from bindrt_export.check import read_reference
from bindrt_export.verification.comparison import compare, run_engine
from bindrt_export.verification.probes import probe_inputs
from support.stopwatch import timed

CUDA, TENSORRT, CPU = (f"{name}ExecutionProvider" for name in ("CUDA", "Tensorrt", "CPU"))
needs_openvino = pytest.mark.skipif(bool(ENGINES["openvino"].absence()), reason="OpenVINO is not installed")


@pytest.fixture
def without_native() -> Iterator[None]:
    """bindrt's own engine is not here, which reads the files of the other two."""
    saved = dict(ENGINES)
    del ENGINES["native"]
    yield
    ENGINES.clear()
    ENGINES.update(saved)  # in their order, which is one of preference


@pytest.fixture
def both(tmp_path: Path, small_bundle: Path, without_native: None) -> Bundle:
    """The small bundle with every encoder for ONNX Runtime and for OpenVINO, the only engines here."""
    folder = tmp_path / "both.bind"
    shutil.copytree(small_bundle, folder)
    manifest = json.loads((folder / "bundle.json").read_text())
    manifest["engines"] += [{**e, "engine": "openvino"} for e in manifest["engines"]]
    (folder / "bundle.json").write_text(json.dumps(manifest))
    return open_bundle(folder)


@needs_openvino
@pytest.mark.parametrize("encoder", ["vision", "text", "audio", "depth", "thermal", "imu"])
def test_openvino_gives_what_torch_gave(both: Bundle, encoder: str) -> None:
    engine = open_engine(
        both, choose(both, encoder, "openvino", "fp32", "cpu"), EngineSettings("cpu", threads=1)
    )
    inputs = probe_inputs(encoder, both.manifest.encoders[encoder].view)
    reference = read_reference(both, encoder, list(inputs))
    for _ in range(2):  # the second time with shapes it has seen
        assert compare(reference, run_engine(engine, inputs, both.manifest.embed_dim)).max_abs < 1e-6
    again = open_engine(both, choose(both, encoder, "openvino", "fp32", "cpu"))  # from its model cache
    assert compare(reference, run_engine(again, inputs, both.manifest.embed_dim)).max_abs < 1e-6
    assert (engine.name, engine.device, engine.precision) == ("openvino", "cpu", "fp32")


@needs_openvino
def test_openvino_computes_in_the_precision_of_the_bundle(both: Bundle) -> None:
    """On a processor with bfloat16 it would take that by itself; being told to is refused too."""
    import openvino

    files = choose(both, "imu", "openvino", "fp32", "cpu")
    engine = open_engine(both, files)
    assert isinstance(engine, OpenVinoEngine)
    assert engine.compiled.get_property("INFERENCE_PRECISION_HINT").get_type_name() == "f32"
    if "BF16" in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        with pytest.raises(bindrt.EngineError, match="computes in bf16, not in fp32 as asked"):
            open_engine(both, files, EngineSettings("cpu", options={"INFERENCE_PRECISION_HINT": "bf16"}))
    with pytest.raises(bindrt.EngineError, match="OpenVINO refuses"):
        open_engine(both, files, EngineSettings("cpu", options={"NO_SUCH_PROPERTY": 1}))


@needs_openvino
def test_openvino_uses_the_threads_it_is_given(both: Bundle) -> None:
    engine = open_engine(
        both, choose(both, "imu", "openvino", "fp32", "cpu"), EngineSettings("cpu", threads=1)
    )
    assert isinstance(engine, OpenVinoEngine)
    assert engine.compiled.get_property("INFERENCE_NUM_THREADS") == 1


@needs_openvino
def test_openvino_from_many_threads(both: Bundle) -> None:
    """Requests are for one call at a time, and results are memory of the request."""
    with bindrt.load(both.path, engine="openvino") as model, ThreadPoolExecutor(4) as pool:
        texts = [f"{'very ' * (i % 7)}long" for i in range(24)]
        found = np.stack(list(pool.map(lambda t: model.embed(text=t).text[0], texts)))
        np.testing.assert_allclose(found, model.embed(text=texts).text, atol=2e-6)


@needs_openvino
def test_openvino_refuses_a_stranger(both: Bundle) -> None:
    graph = both.path / "onnx/fp32/imu.onnx"
    content = graph.read_bytes().replace(b"imu.weights", b"../../../xx")
    graph.unlink()
    graph.write_bytes(content)
    with pytest.raises(bindrt.BundleError, match="does not list"):
        open_engine(both, choose(both, "imu", "openvino", "fp32", "cpu"))


@needs_openvino
@pytest.mark.parametrize(("device", "problem"), [("gpu", "finds none here"), ("npu", "finds none here")])
def test_openvino_without_the_device(both: Bundle, device: str, problem: str) -> None:
    with pytest.raises(bindrt.EngineError, match=problem):
        open_engine(both, choose(both, "imu", "openvino", "fp32", device), EngineSettings(device))


def pretend(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    monkeypatch.setattr(ort, "get_available_providers", lambda: list(names))


def test_cuda_provider_is_asked_for_with_exact_products(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, TENSORRT, CUDA, CPU)
    exact = {"device_id": "1", "use_tf32": "0"}
    assert providers(EngineSettings("cuda:1"), "fp32") == {CUDA: exact, CPU: {}}
    assert providers(EngineSettings("cuda:1"), "fp16") == {
        CUDA: {"device_id": "1"},
        CPU: {},
    }
    assert list(providers(EngineSettings(), "fp32")) == [CUDA, CPU]
    assert list(providers(EngineSettings("cpu"), "fp32")) == [CPU]


def test_provider_options_pass_through(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, TENSORRT, CUDA, CPU)
    options = {TENSORRT: {"trt_fp16_enable": True}, CUDA: {"arena_extend_strategy": "kSameAsRequested"}}
    found = providers(EngineSettings("cuda", options=options), "fp16")
    assert list(found) == [TENSORRT, CUDA, CPU]
    assert found[TENSORRT] == {"trt_fp16_enable": True}
    assert found[CUDA] == {"device_id": "0", "arena_extend_strategy": "kSameAsRequested"}
    with pytest.raises(bindrt.OptionError, match="not a provider"):
        providers(EngineSettings("cuda", options={"use_tf32": 0}), "fp32")


def test_absent_provider_says_what_to_install(monkeypatch: pytest.MonkeyPatch, small_bundle: Path) -> None:
    pretend(monkeypatch, CPU)
    with (
        pytest.raises(bindrt.EngineError, match=r"pip install .onnxruntime-gpu\[cuda,cudnn\]"),
        bindrt.load(small_bundle, engine="onnxruntime", device="cuda") as model,
    ):
        model.embed(text="a")


def test_provider_that_does_not_start_is_no_silent_cpu(
    monkeypatch: pytest.MonkeyPatch, small_bundle: Path
) -> None:
    """With a missing library ONNX Runtime warns and computes on the CPU."""
    pretend(monkeypatch, CUDA, CPU)
    session = ort.InferenceSession
    monkeypatch.setattr(
        ort, "InferenceSession", lambda path, options, providers: session(path, options, providers=[CPU])
    )
    bundle = open_bundle(small_bundle)
    with pytest.raises(bindrt.EngineError, match="CUDAExecutionProvider did not start"):
        open_engine(bundle, choose(bundle, "imu", "onnxruntime", "fp32", "cuda"), EngineSettings("cuda"))


def test_free_to_choose_it_computes_on_the_cpu(
    monkeypatch: pytest.MonkeyPatch, small_bundle: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Where the package for GPUs is installed, and there is no GPU, or CUDA does not start."""
    pretend(monkeypatch, CUDA, CPU)
    bundle = open_bundle(small_bundle)
    no_gpu, one = hardware.Driver(False, problem="no driver"), hardware.Gpu("a GPU", "9.0", 1 << 30)
    session = ort.InferenceSession
    asked: list[str] = []

    def without_cuda(path: str, options: Any, providers: Any) -> Any:
        asked.append(providers[0][0])
        return session(path, options, providers=[CPU])

    preloaded: list[bool] = []
    monkeypatch.setattr(ort, "preload_dlls", lambda: preloaded.append(True), raising=False)
    monkeypatch.setattr(ort, "InferenceSession", without_cuda)
    for driver, said in (
        (no_gpu, "there is no GPU (no driver)"),
        (hardware.Driver(True, gpus=(one,)), "CUDAExecutionProvider did not start"),
    ):
        monkeypatch.setattr(hardware, "nvidia_driver", lambda found=driver: found)
        caplog.clear()
        engine = open_engine(bundle, choose(bundle, "imu", "onnxruntime", "fp32", "auto"))
        assert engine.device == "cpu"
        assert said in caplog.text
    assert asked == [CPU, CUDA, CPU]
    assert preloaded == [True]  # cuBLAS and cuDNN, before CUDA is asked for


def test_int8_is_no_silent_cpu_on_cuda(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    pretend(monkeypatch, CUDA, CPU)
    gpu = hardware.Driver(True, gpus=(hardware.Gpu("a GPU", "9.0", 1 << 30),))
    monkeypatch.setattr(hardware, "nvidia_driver", lambda: gpu)
    with pytest.raises(bindrt.EngineError, match=r"no kernel for the products of int8 graphs.*'fp16'"):
        usable_providers(EngineSettings("cuda"), "int8")
    with pytest.raises(bindrt.EngineError, match="no kernel"):
        usable_providers(EngineSettings(options={CUDA: {}}), "int8")
    assert list(usable_providers(EngineSettings(), "int8")) == [CPU]
    assert "no kernel for the products of int8 graphs" in caplog.text
    assert list(usable_providers(EngineSettings("cuda"), "fp16")) == [CUDA, CPU]
    assert list(usable_providers(EngineSettings("cpu"), "int8")) == [CPU]


def test_start_up_modes_give_the_same_vectors(small_bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[ort.SessionOptions] = []
    original = onnxruntime_session.session_options
    monkeypatch.setattr(
        onnxruntime_session, "session_options", lambda s: made.append(original(s)) or made[-1]
    )
    vectors = []
    for startup in ("fast-run", "fast-start"):
        with bindrt.load(small_bundle, engine="onnxruntime", startup=startup) as model:
            vectors.append(model.embed(text=["a dog", "two dogs"]).text)
    np.testing.assert_allclose(*vectors, atol=1e-6)
    key = "session.disable_prepacking"
    assert made[1].get_session_config_entry(key) == "1"
    with pytest.raises(RuntimeError):
        made[0].get_session_config_entry(key)


@pytest.fixture
def clean_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache/bindrt"


@needs_openvino
def test_auto_measures_once_and_remembers(
    both: Bundle, clean_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = timed(monkeypatch, {"onnxruntime": 0.02, "openvino": 0.01})
    assert choose(both, "imu", "auto", "fp32", "auto").engine == "openvino"
    assert choose(both, "imu", "auto", "fp32", "auto").engine == "openvino"
    assert len(asked()) == 2
    choose(both, "imu", "auto", "fp32", "auto", EngineSettings(threads=1))  # another question
    choose(both, "text", "auto", "fp32", "auto")
    assert len(asked()) == 6
    text = str(bindrt.doctor())
    assert "both.bind imu fp32: openvino, since one item took onnxruntime 20.0 ms, openvino 10.0 ms" in text
    for record in (clean_cache / "choices").iterdir():
        record.write_text("{")  # damaged: as if it were not there
    assert choose(both, "imu", "auto", "fp32", "auto").engine == "openvino"
    assert len(asked()) == 8


@needs_openvino
def test_auto_tells_the_logger_what_it_does(
    both: Bundle, clean_cache: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    timed(monkeypatch, {"onnxruntime": 0.02, "openvino": "it broke"})
    with caplog.at_level("INFO", "bindrt"), bindrt.load(both.path, modalities=["imu"]) as model:
        assert dict(model.engines) == {}
        engine = model.engine("imu")
        assert dict(model.engines) == {"imu": engine}
        told = [(record.levelname, record.getMessage()) for record in caplog.records]
    assert [level for level, _ in told] == ["INFO", "INFO", "WARNING", "INFO"]
    assert told[0][1] == "both.bind imu fp32: measuring onnxruntime, openvino, once on this machine"
    assert "imu fp32: onnxruntime, since one item took onnxruntime 20.0 ms" in told[1][1]
    assert "openvino is passed over, it does not run: it broke" in told[2][1]
    assert told[3][1].startswith("both.bind imu: onnxruntime fp32 on cpu, opened in 0.")
    with caplog.at_level("INFO", "bindrt"), bindrt.load(both.path, modalities=["imu"]) as model:
        model.engine("imu")
    assert caplog.records[-1].getMessage().endswith("as measured earlier")


@needs_openvino
def test_auto_keeps_the_first_unless_the_gain_is_worth_it(
    both: Bundle, clean_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    timed(monkeypatch, {"onnxruntime": 0.01019, "openvino": 0.01})
    assert choose(both, "imu", "auto", "fp32", "auto").engine == "onnxruntime"


def test_auto_keeps_to_engines_that_start_as_asked(
    both: Bundle, clean_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = timed(monkeypatch, {"onnxruntime": 0.02, "openvino": 0.01})
    quick = EngineSettings(startup="fast-start")
    assert choose(both, "imu", "auto", "fp32", "auto", quick).engine == "onnxruntime"
    assert asked() == []
    assert choose(both, "imu", "openvino", "fp32", "auto", quick).engine == "openvino"  # named: as it is


@needs_openvino
def test_auto_passes_over_an_engine_that_fails(
    both: Bundle, clean_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    timed(monkeypatch, {"onnxruntime": 0.02, "openvino": "it broke"})
    assert choose(both, "imu", "auto", "fp32", "auto").engine == "onnxruntime"
    assert "openvino does not run: it broke" in next(iter(choices.remembered()))["why"]
    timed(monkeypatch, {"onnxruntime": "no", "openvino": "no"})
    with pytest.raises(bindrt.EngineError, match="none of the engines runs"):
        choose(both, "text", "auto", "fp32", "auto")


@needs_openvino
def test_auto_where_nothing_can_be_remembered(both: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/proc/nowhere")
    asked = timed(monkeypatch, {"onnxruntime": 0.02, "openvino": 0.01})
    for _ in range(2):
        assert choose(both, "imu", "auto", "fp32", "auto").engine == "openvino"
    assert len(asked()) == 4


@needs_openvino
def test_auto_really_measures(both: Bundle, clean_cache: Path) -> None:
    with bindrt.load(both.path) as model:
        model.embed(imu=bindrt.Imu(np.ones((6, 1000), np.float32), rate=200))
    (record,) = (clean_cache / "choices").iterdir()
    seconds = json.loads(record.read_text())["seconds"]
    assert all(0 < seconds[name] < 60 for name in ("onnxruntime", "openvino"))


def test_auto_never_changes_the_precision(both: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bindrt.engines.kind.is_installed", lambda name: True)
    manifest = json.loads((both.path / "bundle.json").read_text())
    manifest["engines"] += [
        {**e, "precision": "int8"} for e in manifest["engines"] if e["engine"] == "openvino"
    ]
    (both.path / "bundle.json").write_text(json.dumps(manifest))
    bundle = open_bundle(both.path)
    for precision in ("fp32", "int8"):
        found = candidates(bundle, "imu", "auto", precision, "auto")
        assert {files.precision for files in found} == {precision}


def test_absent_engine_is_named(both: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bindrt.engines.kind.is_installed", lambda name: name != "openvino")
    assert [e.engine for e in candidates(both, "imu", "auto", "fp32", "auto")] == ["onnxruntime"]
    with pytest.raises(bindrt.EngineError, match=r"pip install 'openvino>="):
        open_engine(both, choose(both, "imu", "openvino", "fp32", "auto"))
    manifest = json.loads((both.path / "bundle.json").read_text())
    manifest["engines"] = [e for e in manifest["engines"] if e["engine"] == "openvino"]
    (both.path / "bundle.json").write_text(json.dumps(manifest))
    with pytest.raises(bindrt.EngineError, match="openvino: not installed"):
        bindrt.load(both.path)


def test_devices_that_an_engine_does_not_have(both: Bundle) -> None:
    with pytest.raises(bindrt.OptionError, match="openvino has none"):
        open_engine(both, choose(both, "imu", "openvino", "fp32", "cuda"), EngineSettings("cuda"))
    with pytest.raises(bindrt.OptionError, match="onnxruntime has none"):
        open_engine(both, choose(both, "imu", "onnxruntime", "fp32", "npu"), EngineSettings("npu"))


def resident(path: Path) -> int:
    """Pages of a file that are in the page cache."""
    size = path.stat().st_size
    with open(path, "rb") as file, mmap.mmap(file.fileno(), size, access=mmap.ACCESS_COPY) as mapped:
        view = (ctypes.c_char * size).from_buffer(mapped)
        pages = (ctypes.c_ubyte * (-(-size // mmap.PAGESIZE)))()
        code = ctypes.CDLL(None).mincore(ctypes.byref(view), ctypes.c_size_t(size), pages)
        del view
    assert code == 0
    return sum(page & 1 for page in pages)


def test_a_modality_that_is_not_asked_for_is_never_read(tmp_path: Path, small_bundle: Path) -> None:
    copy = shutil.copytree(small_bundle, tmp_path / "small.bind")
    others = [copy / f"onnx/fp32/{name}.weights" for name in ("vision", "audio", "imu")]
    for path in (*others, text := copy / "onnx/fp32/text.weights"):
        with open(path, "rb+") as file:
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    if any(resident(path) for path in others):
        pytest.skip("this file system does not let go of its cache")
    with bindrt.load(copy, modalities=["text"]) as model:
        model.embed(text="a dog")
        mapped = Path("/proc/self/maps").read_text()
        assert not any(str(path) in mapped for path in others)
    assert [resident(path) for path in others] == [0, 0, 0]
    assert resident(text) > 0
