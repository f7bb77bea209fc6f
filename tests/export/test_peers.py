"""The plain model made from a bundle: it has the checkpoint's plain structure and the bundle's vectors."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch

from bindrt.benchmark import json_process, registry
from bindrt.benchmark.worker_process import WorkerProcess
from bindrt.bundle import Bundle, open_bundle
from bindrt.errors import EngineError, OptionError
from bindrt.selection import choose, open_engine
from bindrt_export.architecture import Encoder
from bindrt_export.checkpoints import open_checkpoint
from bindrt_export.peers import runners
from bindrt_export.peers.plain import plain_encoder
from bindrt_export.verification.probes import probe_inputs
from support.bundles import SMALL_CONFIG

ENCODERS = ("vision", "text", "audio", "depth", "thermal", "imu")


@pytest.mark.parametrize("encoder", ENCODERS)
def test_structure_and_vectors(small_bundle: Path, small_checkpoint: Path, encoder: str) -> None:
    bundle = open_bundle(small_bundle)
    module = plain_encoder(bundle, encoder)
    assert type(module) is Encoder
    with open_checkpoint(str(small_checkpoint), SMALL_CONFIG) as opened:
        config = opened.encoders[encoder]
        original = Encoder(config)
        original.load_state_dict(dict(opened.parameters(encoder)))
    # The scale goes through the manifest's decimal.
    assert vars(module.config) | {"scale": 0} == vars(config) | {"scale": 0}
    assert module.config.scale == pytest.approx(config.scale)
    x = probe_inputs(encoder, bundle.manifest.encoders[encoder].view)[
        "random-77" if encoder == "text" else "random"
    ]
    found = runners.eager(module)(x)
    with torch.inference_mode():
        expected = original.eval()(torch.from_numpy(x)).numpy()
    assert np.abs(found - expected).max() <= 2e-5 * np.linalg.norm(expected)


def test_shipped_bundle_and_plain_graph(tmp_path: Path) -> None:
    bundle = open_bundle("tiny")
    module = plain_encoder(bundle, "text")
    runners.write_graph(module, tmp_path / "text.onnx")
    run = runners.onnxruntime(tmp_path / "text.onnx", threads=1)
    x = probe_inputs("text", (77,))["random-77"]
    out = np.empty((1, 96), np.float32)
    open_engine(bundle, choose(bundle, "text", "onnxruntime", "fp32", "cpu")).run(x, out)
    for found in (run(x), runners.eager(module)(x)):
        assert np.abs(found - out).max() <= 2e-5 * np.linalg.norm(out)


def test_weights_of_the_bundle_are_not_changed(tmp_path: Path, imu_bundle: Path) -> None:
    copy = tmp_path / "imu.bind"
    shutil.copytree(imu_bundle, copy)
    weights = copy / "onnx/fp32/imu.weights"
    before = weights.read_bytes()
    module = plain_encoder(open_bundle(copy), "imu")
    for parameter in module.parameters():
        parameter.data.add_(1)
    assert weights.read_bytes() == before


def test_a_bundle_without_float32(imu_bundle: Path) -> None:
    from dataclasses import replace

    bundle = open_bundle(imu_bundle)
    other = tuple(replace(e, precision="fp16") for e in bundle.manifest.engines)
    with pytest.raises(EngineError, match="no float32 graph"):
        plain_encoder(Bundle(bundle.path, replace(bundle.manifest, engines=other)), "imu")


def test_what_a_way_needs_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry.importlib.util, "find_spec", lambda name: None)
    registry.require("loop")
    for name in ("eager", "ort", "openvino"):
        with pytest.raises(OptionError, match=r"pip install 'torch>="):
            registry.require(name)


def test_a_system_that_ends_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    class Popen(subprocess.Popen):  # type: ignore[type-arg]
        def __init__(self, command: list[str], **options: object) -> None:
            super().__init__([command[0], "-c", "raise SystemExit('out of luck')"], **options)

    monkeypatch.setattr(json_process.subprocess, "Popen", Popen)
    with pytest.raises(EngineError, match=r"its process has ended \(out of luck\)"):
        WorkerProcess("eager", {})
