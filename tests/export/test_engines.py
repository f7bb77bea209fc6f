"""``bind-export --engine``: what is built, recorded, found again."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import pytest

import bindrt
from bindrt import _core, hardware
from bindrt.bundle import open_bundle
from bindrt.engines import ENGINES
from bindrt.engines.plan import read_header
from bindrt.selection import choose, open_engine
from bindrt_export.artifacts.graph_engine import GraphEngineRecipe
from bindrt_export.artifacts.plan_text import known_products, products, wrong_products
from bindrt_export.exporter import run
from bindrt_export.request import EngineRequest, ExportRequest
from bindrt_export.terminal import SilentProgress
from support.bundles import TINY_CONFIG


def export(
    output: Path, engines: EngineRequest, default: str = "fp32", modality: str = "imu"
) -> dict[str, Any]:
    return run(ExportRequest("random:0", output, TINY_CONFIG, [modality], engines, default), SilentProgress())


@pytest.mark.skipif(bool(ENGINES["openvino"].absence()), reason="OpenVINO is not installed")
def test_openvino_shares_the_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = tmp_path / "a.bind"
    report = export(bundle, EngineRequest(["openvino"]))
    manifest = json.loads((bundle / "bundle.json").read_text())
    by_engine = {e["engine"]: e for e in manifest["engines"]}
    assert by_engine["openvino"]["files"] == by_engine["onnxruntime"]["files"]
    (measured,) = report["engines"]
    assert measured["difference_to_torch"]["max_abs"] < 1e-6
    assert report["bytes"] == sum(f["bytes"] for f in by_engine["onnxruntime"]["files"])
    with bindrt.load(bundle, engine="openvino") as model:
        model.warm_up()

    def make(*_: object) -> None:
        raise AssertionError("it was there already")

    monkeypatch.setattr(GraphEngineRecipe, "make", make)
    assert export(bundle, EngineRequest(["openvino"]))["engines"] == [measured]
    export(bundle, EngineRequest())
    assert "openvino" not in (bundle / "bundle.json").read_text()


@pytest.mark.skipif(bool(ENGINES["openvino"].absence()), reason="OpenVINO is not installed")
def test_openvino_that_computes_something_else_fails_the_export(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bindrt.engines.openvino import OpenVinoEngine

    original = OpenVinoEngine.run

    def wrong(self: Any, inputs: Any, out: Any) -> None:
        original(self, inputs, out)
        out[:, 0] += 0.01

    monkeypatch.setattr(OpenVinoEngine, "run", wrong)
    with pytest.raises(bindrt.ExportError, match="differ from torch"):
        export(tmp_path / "a.bind", EngineRequest(["openvino"]))
    assert not (tmp_path / "a.bind").exists()


def test_absent_openvino_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bindrt.engines.kind.is_installed", lambda name: False)
    with pytest.raises(bindrt.OptionError, match=r"pip install 'openvino>="):
        export(tmp_path / "a.bind", EngineRequest(["openvino"]))


needs_rtx = pytest.mark.skipif(
    ENGINES["tensorrt-rtx"].module_name() is None,
    reason="TensorRT-RTX is not installed: pip install tensorrt-rtx",
)
TARGETS = ["sm_86", "sm_89", "sm_120"]


@pytest.fixture(scope="module")
def rtx(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    bundle = tmp_path_factory.mktemp("rtx") / "a.bind"
    return bundle, export(bundle, EngineRequest(["tensorrt-rtx"], TARGETS, ["fp16", "fp32"]), "fp16")


@needs_rtx
def test_rtx_plan_is_what_was_asked_for(rtx: tuple[Path, dict[str, Any]]) -> None:
    bundle, report = rtx
    half, full = (e for e in report["engines"] if e["engine"] == "tensorrt-rtx")
    assert half["graph_difference_to_torch"]["min_cosine"] > 0.9999
    assert (half["precision"], half["target"], half["run"]) == (
        "fp16",
        "sm_86-sm_89-sm_120",
        "built, not run",
    )
    kinds = {precision["precision"]: " ".join(precision["products"]) for precision in (half, full)}
    assert "half" in kinds["fp16"]
    assert "float" not in kinds["fp16"]
    assert "float" in kinds["fp32"]
    assert "half" not in kinds["fp32"]
    path = next((bundle / "engines/tensorrt-rtx/fp16").rglob("imu.plan"))
    header = read_header(path)
    assert header.targets == tuple(TARGETS)
    assert header.version == half["version"]
    assert (
        header.weight_bytes
        < read_header(next((bundle / "engines/tensorrt-rtx/fp32").rglob("*.plan"))).weight_bytes
    )
    assert json.loads((bundle / "bundle.json").read_text())["default_precision"] == "fp16"
    assert b"tf32=0" in path.read_bytes()


@needs_rtx
def test_wrong_type_in_the_plan_is_found(rtx: tuple[Path, dict[str, Any]]) -> None:
    for precision, wrong in (("fp16", "fp32"), ("fp32", "fp16")):
        found = products(next((rtx[0] / "engines/tensorrt-rtx" / precision).rglob("*.plan")))
        assert wrong_products(found, precision) == []
        assert len(wrong_products(found, wrong)) == len(known_products(found)) > 0


@needs_rtx
@pytest.mark.parametrize(("precision", "kind"), [("int8", "int8"), ("fp8", "fp8_e4m3")])
def test_plans_of_eight_bits_say_so(tmp_path: Path, precision: str, kind: str) -> None:
    request = EngineRequest(["tensorrt-rtx"], ["sm_89", "sm_120"], [precision], allow=True)
    report = export(tmp_path / "a.bind", request, precision)
    (found,) = (e["products"] for e in report["engines"] if e["engine"] == "tensorrt-rtx")
    linears = sum(count for types, count in found.items() if types.endswith(kind))
    assert linears >= 4  # of the one block: queries, keys and values apart, or more
    assert "float × float" not in found


@needs_rtx
def test_rtx_without_a_gpu_says_so(rtx: tuple[Path, dict[str, Any]]) -> None:
    if hardware.nvidia_driver().gpus:
        pytest.skip("there is a GPU")
    with bindrt.load(rtx[0]) as model:  # the same bundle serves machines without one
        model.warm_up()
    with (
        bindrt.load(rtx[0], engine="tensorrt-rtx") as model,
        pytest.raises(bindrt.EngineError, match="no NVIDIA GPU"),
    ):
        model.warm_up()
    with bindrt.load(rtx[0], precision="fp32") as model:
        model.warm_up()


@needs_rtx
def test_rtx_plan_for_another_gpu_or_release(
    rtx: tuple[Path, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = open_bundle(rtx[0])
    files = choose(bundle, "imu", "tensorrt-rtx", "fp16", "auto")
    monkeypatch.setattr(_core.gpu, "devices", lambda: [{"capability": "7.5"}])
    with pytest.raises(bindrt.EngineError, match=r"this GPU is sm_75; bind-export .* --target sm_75"):
        open_engine(bundle, files)
    trt = importlib.import_module(str(ENGINES["tensorrt-rtx"].module_name()))
    monkeypatch.setattr(trt, "__version__", "1.2.3.4")
    with pytest.raises(bindrt.EngineError, match=r"installed is 1\.2\.3\.4; pip install tensorrt-rtx==1\."):
        open_engine(bundle, files)


@needs_rtx
@pytest.mark.parametrize(
    ("target", "precision", "said"),
    [("sm_90", "fp16", "does not build for it"), ("sm_75", "fp32", "cannot do fp32"), ("x", "fp16", "sm_86")],
)
def test_targets_that_cannot_be_built(tmp_path: Path, target: str, precision: str, said: str) -> None:
    with pytest.raises(bindrt.OptionError, match=said):
        export(tmp_path / "a.bind", EngineRequest(["tensorrt-rtx"], [target], [precision]))


@needs_rtx
def test_what_the_library_refuses_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It returns a plan, and an error in its log alone says that it is for another batch."""
    monkeypatch.setattr("bindrt.engines.batch_sizes.DEFAULT_PLAN_BATCH", 0)
    with pytest.raises(bindrt.ExportError, match="imu tensorrt-rtx fp16 sm_89"):
        export(tmp_path / "a.bind", EngineRequest(["tensorrt-rtx"], ["sm_89"], ["fp16"]))
    assert not (tmp_path / "a.bind").exists()


def test_header_of_what_is_no_plan(tmp_path: Path) -> None:
    path = tmp_path / "a.plan"
    path.write_bytes(b"vtrt" + bytes(60))
    with pytest.raises(bindrt.BundleError, match="its header says 0 bytes, the file has 64"):
        read_header(path)
    for content in (b"", b"vtrt", bytes(64)):
        path.write_bytes(content)
        with pytest.raises(bindrt.BundleError, match="not a TensorRT-RTX plan"):
            read_header(path)
