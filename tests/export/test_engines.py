"""``bind-export --engine``: what is built, recorded, found again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import bindrt
from bindrt.engines.available import absence
from bindrt_export.engines import EngineRequest
from bindrt_export.exporter import Request, run
from bindrt_export.terminal import SilentProgress
from support.bundles import TINY_CONFIG


def export(
    output: Path, engines: EngineRequest, default: str = "fp32", modality: str = "imu"
) -> dict[str, Any]:
    return run(Request("random:0", output, TINY_CONFIG, [modality], engines, default), SilentProgress())


@pytest.mark.skipif(bool(absence("openvino")), reason="OpenVINO is not installed")
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

    def build(self: object, root: Path) -> None:
        raise AssertionError("it was there already")

    monkeypatch.setattr("bindrt_export.engines.openvino.OpenVinoBuilder.build", build)
    assert export(bundle, EngineRequest(["openvino"]))["engines"] == [measured]
    export(bundle, EngineRequest())
    assert "openvino" not in (bundle / "bundle.json").read_text()


@pytest.mark.skipif(bool(absence("openvino")), reason="OpenVINO is not installed")
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
    monkeypatch.setattr("bindrt.engines.available.is_there", lambda name: False)
    with pytest.raises(bindrt.OptionError, match=r"pip install 'bindrt\[openvino\]'"):
        export(tmp_path / "a.bind", EngineRequest(["openvino"]))
