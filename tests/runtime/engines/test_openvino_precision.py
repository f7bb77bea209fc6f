"""OpenVINO computes in the precision that it is opened with, whichever of one space its files are in."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bindrt.engines import ENGINES, EngineSettings, EngineSpec
from bindrt.engines.openvino import OpenVinoEngine
from bindrt_export.precision import choose_types, write_cpu_form
from bindrt_export.verification.comparison import Difference, difference
from bindrt_export.verification.probes import probe_inputs

pytestmark = pytest.mark.skipif(bool(ENGINES["openvino"].absence()), reason="OpenVINO is not installed")
DIM = 48


@pytest.fixture(scope="module")
def graphs(small_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The golden small model's IMU encoder, by the precision of its files."""
    source = small_bundle / "onnx" / "fp32" / "imu.onnx"
    found = {"fp32": source}
    for precision in ("fp16", "bf16", "int8"):
        found[precision] = tmp_path_factory.mktemp(precision) / "imu.onnx"
        write_cpu_form(source, found[precision], choose_types(precision, names(source), None))
    return found


def names(graph: Path) -> list[str]:
    import onnx

    from bindrt_export.precision.graphs import linears

    return [name for name, _ in linears(onnx.load(str(graph), load_external_data=False))]


def opened(graph: Path, precision: str, engine: str = "openvino") -> OpenVinoEngine:
    spec = EngineSpec([graph, graph.with_suffix(".weights")], "imu", "float32", DIM, precision)
    found = ENGINES[engine].open(spec, EngineSettings("cpu"))
    assert found.precision == precision
    return found  # type: ignore[return-value]


def vectors(engine: OpenVinoEngine) -> np.ndarray:
    inputs = np.concatenate(list(probe_inputs("imu", (6, 2000)).values()))
    out = np.empty((len(inputs), DIM), np.float32)
    engine.run(inputs, out)
    return out


def apart(graphs: dict[str, Path], files: str, precision: str, reference: str) -> Difference:
    """From files in one precision, computed in another, to ONNX Runtime's float32 sums of ``reference``."""
    exact = vectors(opened(graphs[reference], reference, "onnxruntime"))
    return difference(exact, vectors(opened(graphs[files], precision)))


@pytest.mark.parametrize("files", ["fp16", "bf16"])
def test_files_in_half_are_computed_in_float32(graphs: dict[str, Path], files: str) -> None:
    """They mean what their weights are: exactly what ONNX Runtime gives, which widens them."""
    assert apart(graphs, files, "fp32", files).max_abs < 1e-6


@pytest.mark.parametrize("files", ["fp32", "fp16", "bf16"])
def test_files_of_any_width_are_computed_in_bfloat16(graphs: dict[str, Path], files: str) -> None:
    import openvino

    has_unit = "BF16" in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    engine = opened(graphs[files], "bf16")
    found = engine.compiled.get_property("INFERENCE_PRECISION_HINT").get_type_name()
    assert (found == "bf16") == has_unit
    gap = apart(graphs, files, "bf16", "fp32")
    assert gap.min_cosine >= 0.9999
    if has_unit:
        assert gap.max_abs > 1e-4  # not float32 under another name


def test_between_int8_products_is_bfloat16_where_matrix_units_are(
    graphs: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    import openvino

    from bindrt.engines import openvino as ours

    has_unit = "BF16" in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    exact = vectors(opened(graphs["fp32"], "fp32"))
    for units, hint in ((("avx512_bf16",), "f32"), (("amx_bf16", "avx512_bf16"), "bf16")):
        monkeypatch.setattr(ours.hardware, "units", lambda precision, units=units: units)
        engine = opened(graphs["int8"], "int8")
        found = engine.compiled.get_property("INFERENCE_PRECISION_HINT").get_type_name()
        assert found == (hint if has_unit else "f32")
        assert difference(exact, vectors(engine)).min_cosine >= 0.998
    assert ours.precision_hint("int8", "GPU") == ours.precision_hint("fp32", "CPU") == "f32"


def test_a_cache_keeps_precisions_of_the_same_files_apart(graphs: dict[str, Path]) -> None:
    """The compiled model is kept by the files' key: what was compiled in bfloat16 must not serve float32."""
    from bindrt.engines.openvino import model_cache

    graph = graphs["fp32"]
    specs = [EngineSpec([graph], "imu", "float32", DIM, p, key="0" * 64) for p in ("fp32", "bf16")]
    assert len({model_cache(spec, "CPU") for spec in specs}) == 2
