"""bench/engines and bench/startup: counts, children, what is printed; with models that take no time."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from bench import units
from bench.engines import chart, command, gpu, limits, peers, run, work, worker
from bench.engines.usual import usual
from bench.engines.ways import PEERS, WAYS
from bench.startup import command as startup
from bindrt import _core
from bindrt.bundle import Bundle, open_bundle
from bindrt_export.architecture import Encoder
from bindrt_export.checkpoints import open_checkpoint
from support.bundles import SMALL_CONFIG, TINY_CONFIG


@pytest.mark.parametrize("encoder", work.TOKENS)
def test_operations_are_those_torch_counts(small_bundle: Path, small_checkpoint: Path, encoder: str) -> None:
    bundle = open_bundle(small_bundle)
    with open_checkpoint(str(small_checkpoint), SMALL_CONFIG) as opened, torch.device("meta"):
        module = Encoder(opened.encoders[encoder]).eval()
        view = bundle.manifest.encoders[encoder].view
        inputs = torch.zeros(1, *view, dtype=torch.int64 if encoder == "text" else torch.float32)
    with torch.inference_mode(), FlopCounterMode(display=False) as counter:
        module(inputs)
    info = bundle.manifest.encoders[encoder]
    found = work.encoder_work(info, bundle.manifest.embed_dim)
    assert found.operations == pytest.approx(counter.get_total_flops(), rel=1e-3)


@pytest.fixture
def tiny(tmp_path: Path, imu_bundle: Path) -> Bundle:
    """The tiny bundle with PyTorch's checkpoint beside it, as the benches would make it."""
    (tmp_path / "imu.bind").symlink_to(imu_bundle)
    with open_checkpoint("random:0", TINY_CONFIG) as opened:
        torch.save(dict(opened.parameters("imu")), tmp_path / "imu.pth")
        (tmp_path / "imu.pth.json").write_text(json.dumps(vars(opened.encoders["imu"])))
    return open_bundle(tmp_path / "imu.bind")


@pytest.mark.deep  # a dozen processes that import torch
def test_ways_take_turns(tiny: Bundle, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ways = ["eager", "ort", "bindrt-onnxruntime", "eager-bf16", "ort-int8"]
    arguments = ["--bundle", str(tiny.path), "--encoder", "imu", "--turns", "1", "--rounds", "2"]
    assert command.main([*arguments, "--json", str(tmp_path / "out.json"), "--way", *ways]) == 0
    cases = json.loads((tmp_path / "out.json").read_text())["cases"]
    assert [case["batch"] for case in cases] == [1, 8]
    for case in cases:
        assert list(case["ways"]) == ways
        assert case["problems"] == {}
        assert case["ways"]["eager"]["ratio_to_eager"] == 1
        assert all(way["seconds"] > 0 and way["least_cosine"] > 0.99 for way in case["ways"].values())
        assert case["best_peer"]["fp32"] in ("eager", "ort")
        assert case["ways"]["bindrt-onnxruntime"]["chosen"] == "onnxruntime fp32"
        assert case["ways"]["bindrt-onnxruntime"]["ratio_to_best_peer"] > 0
    assert "imu, batch 8" in capsys.readouterr().out
    assert "imu, batch 1" in (tmp_path / "out.svg").read_text()


PEAKS = units.Peaks(2, {"fp32": units.Unit("a unit", 1e9), "int8": units.Unit("another", 1e15)}, 1e9)


def test_a_way_that_does_not_work_is_said(tiny: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    original = run.ask

    def ask(request: dict[str, Any], through: tuple[str, ...] = ()) -> dict[str, Any]:
        return original({**request, "naive": "/nowhere.onnx"} if request["way"] == "ort" else request)

    monkeypatch.setattr(run, "ask", ask)
    (tiny.path.parent / "naive").mkdir()
    (tiny.path.parent / "naive/imu.onnx").touch()
    ways = ["ort", "bindrt-onnxruntime", "bindrt-openvino-int8"]
    (found,) = run.measure(tiny, "random:0", ["imu"], ways, run.Effort(1, 1, [1]), PEAKS)
    assert "nowhere" in found["problems"]["ort"]
    assert "int8" in found["problems"]["bindrt-openvino-int8"]
    assert list(found["ways"]) == ["bindrt-onnxruntime"]
    assert chart.draw({"machine": {"cpu": "a <b>", "cores": 2, "load_before": 0}, "cases": [found]})


def test_a_peer_that_is_not_installed_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(request: dict[str, Any]) -> Any:
        import no_such_quantiser  # type: ignore[import-not-found]

        return no_such_quantiser

    monkeypatch.setitem(peers.OPENERS, "torchao-int8", missing)
    with pytest.raises(SystemExit, match=r"^no_such_quantiser is not installed; pip install "):
        worker.peer({"way": "torchao-int8"})


def taken(seconds: float, vector: tuple[float, ...] = (1.0, 0.0)) -> run.Found:
    return run.Found({1: [seconds]}, np.array([vector]))


def test_peers_of_like_precision_are_compared(tiny: Bundle) -> None:
    found = {
        "eager": taken(4.0),
        "ort": taken(3.0),
        "bindrt-openvino": taken(2.0),
        "eager-bf16": taken(1.0),
        "bindrt-openvino-bf16": taken(0.5, (0.6, 0.8)),
    }
    case = run.result(tiny, "imu", 1, found, PEAKS)
    assert case["best_peer"] == {"fp32": "ort", "bf16": "eager-bf16"}
    ratios = {
        name: (way["ratio_to_eager"], way.get("ratio_to_best_peer")) for name, way in case["ways"].items()
    }
    assert ratios["bindrt-openvino"] == (2.0, 1.5)
    assert ratios["bindrt-openvino-bf16"] == (8.0, 2.0)
    assert ratios["eager-bf16"] == (4.0, None)
    assert case["ways"]["bindrt-openvino-bf16"]["least_cosine"] == pytest.approx(0.6)
    assert "share_of_limit" in case["ways"]["bindrt-openvino"]
    assert "share_of_limit" not in case["ways"]["bindrt-openvino-bf16"]  # the peaks have no unit for it
    drawn = chart.draw({"machine": {"cpu": "a", "cores": 2, "load_before": 0}, "cases": [case]})
    assert "limit int8" in drawn
    assert "limit bf16" not in drawn


def test_the_limit_is_computing_or_reading(tiny: Bundle) -> None:
    found = limits.limits_of(tiny, "imu", 8, PEAKS)
    info = tiny.manifest.encoders["imu"]
    work_of = work.encoder_work(info, tiny.manifest.embed_dim)
    assert found["fp32"]["by"] == "a unit"
    assert found["fp32"]["seconds"] == pytest.approx(8 * work_of.operations / 1e9)
    assert found["int8"]["by"] == "reading the weights"
    assert found["int8"]["seconds"] == pytest.approx(work_of.weights / 1e9)


def test_each_peer_can_be_opened_and_each_engine_is_a_way() -> None:
    assert {way.name for way in PEERS} | {"export"} == set(peers.OPENERS)
    for engine in ("onnxruntime", "openvino"):
        assert {f"bindrt-{engine}", f"bindrt-{engine}-bf16", f"bindrt-{engine}-int8"} <= set(WAYS)


def test_the_usual_module_gives_the_same_vectors() -> None:
    with open_checkpoint("random:0", TINY_CONFIG) as opened:
        for name in ("audio", "text"):
            config = opened.encoders[name]
            with torch.device("meta"):
                module = Encoder(config)
            module.load_state_dict(dict(opened.parameters(name)), assign=True)
            x = torch.randint(1, 1000, (2, *config.view)) if name == "text" else torch.randn(2, *config.view)
            with torch.inference_mode():
                expected = module.eval()(x)
                found = usual(module)(x)
            assert not any(type(m).__name__ == "Attention" for m in module.modules())
            # Sums are made in another order: entries near zero keep the rounding of the large ones.
            assert (found - expected).abs().max() <= 1e-5 * expected.abs().max()


def test_roofline_has_an_empty_column_until_something_is_measured(tiny: Bundle) -> None:
    lines = gpu.table(tiny, {}).splitlines()
    assert lines[0].endswith("H100 SXM, calculated | measured |")
    assert all(line.endswith("|  |") for line in lines[2:])
    filled = gpu.table(tiny, {"RTX 4090": {"imu/8": 0.5}}).splitlines()
    assert "RTX 4090, measured" in filled[0]
    assert [line.split("|")[-2].strip() for line in filled[2:]] == ["", "500.00 ms", ""]


def test_no_gpu_nothing_measured(
    tiny: Bundle, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(_core.gpu, "problem", lambda: "none here")
    assert command.main(["--bundle", str(tiny.path), "--gpu", "fp16"]) == 2
    assert "no GPU to measure: none here" in capsys.readouterr().err


@pytest.mark.deep  # a dozen processes that import torch
def test_start_up_is_measured_in_processes_of_their_own(tiny: Bundle, tmp_path: Path) -> None:
    inputs = tmp_path / "inputs.npy"
    np.save(inputs, np.zeros((1, 6, 2000), np.float32))
    request = {"inputs": str(inputs), "again": 2, "threads": 1}
    found = startup.compare(tiny.path, "imu", tmp_path / "imu.pth", request, 1, cold=True)
    assert list(found) == ["fast-run", "fast-start", "torch"]
    for way in found.values():
        assert 0 < way["first"] < 60
        assert 0 < way["steady"] < 60
        assert 0 < way["anonymous"] < way["rss"]


def test_a_case_measured_anew_takes_the_old_ones_place() -> None:
    kept = [{"encoder": "imu", "batch": 1, "is": "old"}, {"encoder": "text", "batch": 8, "is": "old"}]
    found = command.merged(kept, [{"encoder": "imu", "batch": 1, "is": "new"}])
    assert [(c["encoder"], c["is"]) for c in found] == [("text", "old"), ("imu", "new")]
