"""The engine native: the vectors of ONNX Runtime in every form, by every product, whatever is beside them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import bindrt
from bindrt import _core, hardware
from bindrt.bundle import open_bundle
from bindrt.engines import EngineSettings
from bindrt.engines.native import NativeEngine
from bindrt.errors import EngineError, ForkError, OptionError
from bindrt.selection import candidates, open_engine
from bindrt_export.check import read_reference
from bindrt_export.verification.comparison import compare, run_engine
from bindrt_export.verification.probes import probe_inputs
from support.bundles import SMALL_CONFIG, export
from support.golden import HERE
from support.native import DIM, least_cosine, native, onnxruntime, probes, rewritten, spec, vectors

ENCODERS = ["vision", "text", "audio", "depth", "thermal", "imu"]
#: Least cosine to what the same graph gives in ONNX Runtime, on the golden small model.
COSINE = {"fp16": 0.9999999, "bf16": 0.9995, "int8": 0.998, "int8-fixed": 0.998}
KERNELS = [(k["numbers"], k["name"]) for k in _core.native_kernels()]
HERE_KERNELS = {(k["numbers"], k["name"]) for k in _core.native_kernels() if k["available"]}


@pytest.fixture
def all_products() -> Iterator[None]:
    """The fastest products again."""
    yield
    for numbers in ("float32", "bf16", "int8"):
        _core.limit_native_kernel(numbers, "")
    _core.limit_native_attention("")


@pytest.mark.parametrize("encoder", ENCODERS)
def test_float32_gives_what_torch_gave(small_bundle: Path, encoder: str) -> None:
    bundle = open_bundle(small_bundle)
    (files,) = candidates(bundle, encoder, "native", "fp32", "cpu")
    engine = open_engine(bundle, files, EngineSettings("cpu"))
    inputs = probe_inputs(encoder, bundle.manifest.encoders[encoder].view)
    found = run_engine(engine, inputs, bundle.manifest.embed_dim)
    assert compare(read_reference(bundle, encoder, list(inputs)), found).max_abs < 1e-6
    assert isinstance(engine, NativeEngine)
    assert (engine.name, engine.device, engine.precision) == ("native", "cpu", "fp32")


@pytest.mark.parametrize("encoder", ENCODERS)
def test_bind_tiny(encoder: str) -> None:
    bundle, made = open_bundle("tiny"), {}
    view = bundle.manifest.encoders[encoder].view
    for engine in ("onnxruntime", "native"):
        (files,) = candidates(bundle, encoder, engine, "fp32", "cpu")
        inputs = next(iter(probe_inputs(encoder, view).values()))
        made[engine] = np.empty((len(inputs), 96), np.float32)
        open_engine(bundle, files, EngineSettings("cpu")).run(inputs, made[engine])
    length = np.linalg.norm(made["onnxruntime"][0])
    assert np.abs(made["native"] - made["onnxruntime"]).max() <= 1e-5 * length


@pytest.mark.parametrize("form", list(COSINE))
@pytest.mark.parametrize("encoder", ["text", "audio", "imu"])
def test_other_forms_mean_what_their_graphs_say(
    small_bundle: Path, encoder: str, form: str, tmp_path: Path
) -> None:
    graph, precision = rewritten(small_bundle, encoder, form, tmp_path), form.partition("-")[0]
    engine = native(small_bundle, graph, precision)
    assert engine.precision == precision
    exact = onnxruntime(small_bundle, graph, precision)
    assert least_cosine(engine, exact, probes(small_bundle, encoder)) >= COSINE[form]


@pytest.mark.parametrize("encoder", ["vision", "text", "audio"])
def test_bf16_from_float32_files(small_bundle: Path, encoder: str) -> None:
    graph = small_bundle / "onnx" / "fp32" / f"{encoder}.onnx"
    engine, exact = native(small_bundle, graph, "bf16"), onnxruntime(small_bundle, graph)
    inputs = probes(small_bundle, encoder)
    cosine = least_cosine(engine, exact, inputs)
    assert COSINE["bf16"] <= cosine
    assert not np.array_equal(vectors(engine, inputs[0]), vectors(exact, inputs[0]))


@pytest.mark.parametrize(("numbers", "name"), KERNELS, ids=[f"{n}-{k}" for n, k in KERNELS])
def test_every_product(
    small_bundle: Path, numbers: str, name: str, tmp_path: Path, all_products: None
) -> None:
    if (numbers, name) not in HERE_KERNELS:
        with pytest.raises(ValueError, match=name):
            _core.limit_native_kernel(numbers, name)
        return
    _core.limit_native_kernel(numbers, name)
    assert [k["name"] for k in _core.native_kernels() if k["chosen"] and k["numbers"] == numbers] == [name]
    graph = small_bundle / "onnx" / "fp32" / "imu.onnx"
    precision = {"float32": "fp32", "bf16": "bf16", "int8": "int8"}[numbers]
    if precision == "int8":
        graph = rewritten(small_bundle, "imu", "int8", tmp_path)
    exact = onnxruntime(small_bundle, graph, "int8" if precision == "int8" else "fp32")
    bound = {"fp32": 0.9999999, **COSINE}[precision]
    engine = native(small_bundle, graph, precision)
    assert least_cosine(engine, exact, probes(small_bundle, "imu")) >= bound


def test_int8_with_large_channels(tmp_path: Path) -> None:
    """As an export makes it, which keeps out of int8 what would lose too much."""
    path = export("random:0,outliers", tmp_path / "wild.bind", SMALL_CONFIG, ["depth"], ("fp32", "int8"))
    bundle = open_bundle(path)
    exact, engine = (
        open_engine(bundle, candidates(bundle, "depth", "native", precision, "cpu")[0])
        for precision in ("fp32", "int8")
    )
    assert least_cosine(engine, exact, probes(path, "depth")) >= 0.99


ATTENTION = ["vectors", *(k["name"] for k in _core.native_attention())]


@pytest.mark.parametrize("name", ATTENTION)
def test_every_attention(small_bundle: Path, name: str, all_products: None) -> None:
    if name not in ["vectors", *(k["name"] for k in _core.native_attention() if k["available"])]:
        with pytest.raises(ValueError, match=name):
            _core.limit_native_attention(name)
        return
    _core.limit_native_attention(name)
    chosen = [k["name"] for k in _core.native_attention() if k["chosen"]]
    assert chosen == ([] if name == "vectors" else [name])
    graph = small_bundle / "onnx" / "fp32" / "imu.onnx"
    engine, exact = native(small_bundle, graph, "bf16"), onnxruntime(small_bundle, graph)
    assert least_cosine(engine, exact, probes(small_bundle, "imu")) >= COSINE["bf16"]


def test_doctor_names_what_computes_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    def part() -> str:
        return next(str(engine) for engine in bindrt.doctor().engines if engine.name == "native")

    chosen = next(k["name"] for k in _core.native_kernels() if k["chosen"] and k["numbers"] == "int8")
    assert f"int8 {chosen}" in part()
    assert "wrong" not in part()
    kernels = _core.native_kernels()
    kernels[-1] = {**kernels[-1], "name": "new", "numbers": "int8", "wrong": True}
    monkeypatch.setattr(_core, "native_kernels", lambda: kernels)
    monkeypatch.setattr(_core, "native_attention", lambda: [{"name": "new", "chosen": False, "wrong": True}])
    said = "passed over, since it gives wrong numbers on this processor: int8 new, attention new"
    assert said in part()


def texts() -> np.ndarray:
    """Six of different lengths, padded to one."""
    rows = np.zeros((6, 20), np.int64)
    for i, row in enumerate(rows):
        row[: 3 + 3 * i] = [49406, *range(300, 301 + 3 * i), 49407]
    return rows


@pytest.mark.parametrize("precision", ["fp32", "bf16", "int8"])
@pytest.mark.parametrize("encoder", ["text", "imu"])
def test_equal_bits_for_any_threads_and_neighbours(
    small_bundle: Path, encoder: str, precision: str, tmp_path: Path
) -> None:
    graph = small_bundle / "onnx" / "fp32" / f"{encoder}.onnx"
    if precision == "int8":
        graph = rewritten(small_bundle, encoder, "int8", tmp_path)
    rows = texts() if encoder == "text" else np.concatenate(probes(small_bundle, encoder))
    alone = native(small_bundle, graph, precision, threads=1)
    expected = np.concatenate([vectors(alone, row[None]) for row in rows])
    for threads in (1, 2, 7):
        engine = native(small_bundle, graph, precision, threads=threads)
        np.testing.assert_array_equal(vectors(engine, rows), expected)
        np.testing.assert_array_equal(vectors(engine, rows[::-1].copy()), expected[::-1])
    with ThreadPoolExecutor(4) as callers:
        together = list(callers.map(lambda row: vectors(alone, row[None])[0], rows))
    np.testing.assert_array_equal(together, expected)


def test_padding_of_texts_changes_nothing(small_bundle: Path) -> None:
    engine = native(small_bundle, small_bundle / "onnx/fp32/text.onnx", "fp32")
    short = np.array([[49406, 320, 1929, 49407]])
    expected = vectors(engine, short)
    for length in (5, 16, 77):
        padded = np.zeros((1, length), np.int64)
        padded[:, :4] = short
        np.testing.assert_array_equal(vectors(engine, padded), expected)


def test_what_a_caller_may_pass(small_bundle: Path) -> None:
    graph = small_bundle / "onnx/fp32/imu.onnx"
    engine = native(small_bundle, graph, "fp32")
    rows = probes(small_bundle, "imu")[0]
    expected = vectors(engine, rows)
    apart = np.zeros((len(rows), 2 * DIM), np.float32)[:, ::2]
    engine.run(np.asfortranarray(rows), apart)  # neither input nor output side by side
    np.testing.assert_allclose(apart / np.linalg.norm(apart, axis=1, keepdims=True), expected, atol=1e-6)
    out = np.empty((len(rows), DIM), np.float32)
    for wrong in (rows[:, :5], rows[0], rows.astype(np.float64), rows[:0]):
        with pytest.raises(EngineError, match="imu batch"):
            engine.run(wrong, out[: len(wrong)])
    for short in (out[:, :10], np.empty((len(rows) + 1, DIM), np.float32)):
        with pytest.raises(EngineError, match="out has shape"):
            engine.run(rows, short)
    text = native(small_bundle, small_bundle / "onnx/fp32/text.onnx", "fp32")
    for ids in ([[-1, 2]], [[1 << 40]], [[1] * 78]):
        with pytest.raises(EngineError, match="text batch"):
            text.run(np.array(ids), np.empty((1, DIM), np.float32))


def test_options_that_it_does_not_have(small_bundle: Path) -> None:
    opened = spec(small_bundle, small_bundle / "onnx/fp32/imu.onnx", "fp32")
    with pytest.raises(OptionError, match="native has none"):
        NativeEngine(opened, EngineSettings("cuda"))
    with pytest.raises(OptionError, match="native has no options"):
        NativeEngine(opened, EngineSettings(options={"streams": 2}))
    with pytest.raises(bindrt.BundleError, match="its vectors have 48 numbers, the manifest says 47"):
        NativeEngine(replace(opened, embed_dim=47), EngineSettings())


def test_load_embeds_with_it(small_bundle: Path) -> None:
    with (
        bindrt.load(small_bundle, engine="native") as model,
        bindrt.load(small_bundle, engine="onnxruntime") as other,
    ):
        items = {"imu": HERE / "inputs/imu/s2.npz", "text": ["a dog", "a bell ringing"]}
        found, expected = model.embed(**items), other.embed(**items)  # type: ignore[arg-type]
        assert model.engine("imu").name == "native"
        for modality in items:
            np.testing.assert_allclose(found[modality], expected[modality], atol=1e-5)
        vector = model.submit("text", "a dog").result(60)
        np.testing.assert_array_equal(vector, found.text[0])
        model.unload("text")
        np.testing.assert_array_equal(model.embed(text="a dog").text[0], found.text[0])
    assert "native" in {engine.name for engine in bindrt.doctor().engines}


def test_encoders_in_the_background(small_bundle: Path) -> None:
    options = bindrt.PipelineOptions(background=("imu",))
    sample = HERE / "inputs/imu/s2.npz"
    with bindrt.load(small_bundle, engine="native", pipeline=options) as model:
        futures = [model.submit("imu", sample) for _ in range(5)]
        text = [model.submit("text", "a dog").result(60) for _ in range(20)]
        vectors_of = [future.result(60) for future in futures]
        expected = model.embed(imu=sample, text="a dog")
    for vector in vectors_of:
        np.testing.assert_allclose(vector, expected.imu[0], atol=1e-6)
    np.testing.assert_array_equal(text[0], expected.text[0])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_loads_its_own() -> None:
    with bindrt.load("tiny", engine="native", modalities=["text"]) as model:
        expected = model.embed(text="a bell ringing").text
        child = os.fork()
        if child == 0:
            try:
                with pytest.raises(ForkError):
                    model.embed(text="a bell ringing")
                with bindrt.load("tiny", engine="native", modalities=["text"]) as own:
                    same = np.array_equal(own.embed(text="a bell ringing").text, expected)
                os._exit(0 if same else 1)
            finally:
                os._exit(2)
        assert os.waitpid(child, 0)[1] == 0


def test_threads_are_the_usable_cores() -> None:
    assert _core.native_threads() == max(1, -(-hardware.cpu().usable_cores // 1))


def test_the_time_of_a_product() -> None:
    seconds = _core.native_product("int8", 256, 128, 33, weights=2, threads=2, repeats=3)
    assert 0 < seconds < 10
    for wrong in (("int4", 1, 1, 1), ("bf16", 0, 1, 1), ("bf16", 1, 1, 1 << 30)):
        with pytest.raises(ValueError, match=r"must be|is not a number type"):
            _core.native_product(*wrong)
