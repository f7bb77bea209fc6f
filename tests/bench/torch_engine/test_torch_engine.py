"""bench/torch_engine: PyTorch as an engine, on the CPU and over the simulated driver."""

from __future__ import annotations

import io
import json
import sys
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import PIL.Image
import pytest
import torch

import bindrt
from bench.torch_engine import command, measure, media, modules, usual_way
from bench.torch_engine.engine import TorchEngine
from bindrt import _core
from bindrt.bundle import open_bundle
from bindrt.modalities import MODALITIES
from support import cpp, cudasim


@pytest.mark.parametrize("modality", ["image", "text", "imu"])
@pytest.mark.parametrize(("precision", "apart"), [("fp32", 1e-5), ("bf16", 0.05)])
def test_vectors_are_the_bundles(modality: str, precision: str, apart: float, tmp_path: Path) -> None:
    item: Any = {
        "image": np.random.default_rng(0).integers(0, 256, (60, 80, 3), np.uint8),
        "text": "a bell ringing",
        "imu": bindrt.Imu(np.random.default_rng(1).normal(size=(6, 1000)).astype(np.float32), rate=200),
    }[modality]
    encoder = {"image": "vision"}.get(modality, modality)
    engine = modules.open_engine("tiny", encoder, "cpu", precision, 4, "eager")
    bundle = modules.open_source("tiny", precision, tmp_path)
    with bindrt.load("tiny", modalities=[modality]) as model:
        want = model.embed(**{modality: item})[modality]
    with bindrt.load(str(bundle.path), modalities=[modality], engines={encoder: engine}) as model:
        assert model.precision == precision
        got = model.embed(**{modality: item})[modality]
        assert model.submit(modality, item).result(60) == pytest.approx(got[0], abs=1e-6)
    assert np.abs(got - want).max() < apart


def test_compiled_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    """Full batches and others are compiled apart; texts, which differ in length, all the same way."""
    seen: list[tuple[bool, tuple[int, ...]]] = []

    def compile(forward: Any, dynamic: bool) -> Any:
        return lambda given: seen.append((dynamic, tuple(given.shape))) or forward(given)

    monkeypatch.setattr(torch, "compile", compile)
    engine = modules.open_engine("tiny", "imu", "cpu", "fp32", 2, "compiled")
    for rows in (1, 2):
        engine.run(np.zeros((rows, 6, 2000), np.float32), np.empty((rows, 96), np.float32))
    text = modules.open_engine("tiny", "text", "cpu", "fp32", 2, "compiled")
    text.run(np.array([[49406, 5, 49407]] * 2), np.empty((2, 96), np.float32))
    assert seen == [(True, (1, 6, 2000)), (False, (2, 6, 2000)), (True, (2, 3))]


def test_huge_sizes_without_their_bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = modules.open_source(modules.HUGE, "fp16", tmp_path)
    assert bundle.manifest.embed_dim == 1024
    config = modules.huge_configs()["imu"]
    assert (config.width, config.depth) == (512, 6)
    monkeypatch.setattr(
        modules, "huge_configs", lambda: {"imu": type(config)(**{**vars(config), "depth": 1})}
    )
    engine = modules.open_engine(modules.HUGE, "imu", "cpu", "fp16", 2, "eager")
    item = bindrt.Imu(np.random.default_rng(1).normal(size=(6, 1000)).astype(np.float32), rate=200)
    with bindrt.load(str(bundle.path), modalities=["imu"], engines={"imu": engine}) as model:
        found = model.embed(imu=[item]).imu
    assert found.shape == (1, 1024)
    assert np.linalg.norm(found) == pytest.approx(1, abs=1e-3)


def on_a_cpu(modalities: list[str], out: Path) -> tuple[int, dict[str, Any]]:
    options = ["--bundle", "tiny", "--device", "cpu", "--precision", "fp32", "--max-batch", "4"]
    status = command.main([*options, "--modality", *modalities, "--json", str(out)])
    return status, json.loads(out.read_text())


def test_the_command_on_a_cpu_compares_and_measures_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, report = on_a_cpu(["text", "imu"], tmp_path / "out.json")
    said = capsys.readouterr().out
    assert status == 0
    assert said.startswith("NOT A GPU, nothing is measured")
    assert "/s" not in said
    assert report["measured"] is False
    assert "date" not in report
    assert not any("items_per_second" in found for found in report["results"])
    assert [set(f["differences"]) for f in report["results"]] == [
        {"submit", "embed"}, {"submit", "embed", "device input"}
    ]  # fmt: skip


@pytest.mark.deep
def test_all_modalities_on_a_cpu(tmp_path: Path) -> None:
    status, report = on_a_cpu(list(MODALITIES), tmp_path / "out.json")
    assert status == 0
    compared = {f["modality"]: set(f["differences"]) for f in report["results"] if "differences" in f}
    assert {m for m, ways in compared.items() if "device input" in ways} == {
        "image", "audio", "depth", "thermal", "imu"
    }  # fmt: skip
    assert set(compared) == set(MODALITIES)
    assert [f["not run"] for f in report["results"] if "JPEG" in f["case"]] == ["there is no GPU"]


def test_other_vectors_are_a_failure(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    real = TorchEngine.run

    def wrong(self: TorchEngine, inputs: np.ndarray, out: np.ndarray) -> None:
        real(self, inputs, out)
        out[:, 0] += 0.1 * np.linalg.norm(out[0])

    monkeypatch.setattr(TorchEngine, "run", wrong)
    options = ["--bundle", "tiny", "--device", "cpu", "--precision", "fp32", "--modality", "text"]
    assert command.main([*options, "--json", str(tmp_path / "out.json")]) == 1
    assert measure.difference(np.array([np.nan]), np.zeros(1)) == float("inf")


def test_without_a_gpu(capsys: pytest.CaptureFixture[str]) -> None:
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    assert command.main([]) == 2
    assert "this PyTorch finds none" in capsys.readouterr().err


def test_what_is_said_of_rates() -> None:
    rates = {"engine": 100.0, "stream": 97.0, "share": 0.97, "one request": {"p50": 0.004}}
    found = {
        "modality": "image",
        "case": "file",
        "way": "eager",
        "cuda_graphs": True,
        "items_per_second": rates,
    }
    assert command.line(found) == (
        "image    file                 eager    graphs         engine 100.0/s"
        "  stream 97.0/s (97% of the engine)  one request 4.00 ms"
    )


def test_the_rates_are_numbers(tmp_path: Path) -> None:
    """On a CPU they say nothing, and the command does not ask for them; that they can be had is looked at."""
    engine = modules.open_engine("tiny", "imu", "cpu", "fp32", 2, "eager")
    item = bindrt.Prepared(np.ones((6, 2000), np.float32))
    with bindrt.load("tiny", modalities=["imu"], engines={"imu": engine}) as model:
        assert measure.embed_rate(model, "imu", [item], 0) > 0
        assert measure.engine_rate(engine, np.ones((1, 6, 2000), np.float32), 0) > 0
        before = model.stats()["imu"]["pipeline"]["done"]
        assert measure.submit_rate(model, "imu", [item], 0) > 0
        # Eight full batches of two are in work at once.
        assert model.stats()["imu"]["pipeline"]["done"] == before + 16


def test_rates_of_pictures_and_of_a_film(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """All that is measured on a GPU, with the engine's own rate, on a CPU: the numbers say nothing there."""
    monkeypatch.setattr(media, "PICTURES", ((80, 60),))
    monkeypatch.setattr(media, "FILM", (64, 48))
    engine = modules.open_engine("tiny", "vision", "cpu", "fp32", 2, "eager")
    with bindrt.load("tiny", modalities=["image", "video"], engines={"vision": engine}) as model:
        served = media.Served(model, engine, True, 0.0, 1e-5)
        (picture,) = media.jpegs(served)
        film = media.files(served, "video", [media.film(tmp_path)], media.FILM_CASE)
    ways = {"engine", "stream", "share", "submit", "embed", "one request"}
    assert picture["case"] == "JPEG 80×60"
    assert set(picture["items_per_second"]) == {*ways, "device input"}
    assert picture["decoded on the device"] == film["decoded on the device"] == 0
    assert film["good"] is True
    assert set(film["items_per_second"]) == ways
    for found in (picture["items_per_second"], film["items_per_second"]):
        assert found["share"] == pytest.approx(found["stream"] / found["engine"])


def test_other_ways_stand_beside_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media, "PICTURES", ((80, 60), (60, 80)))
    given: list[int] = []

    def rates(engine: Any, files: Any, seconds: float) -> dict[str, float]:
        given.append(len(files))
        return {"another": 1.0}

    monkeypatch.setattr(usual_way, "rates", rates)
    engine = modules.open_engine("tiny", "vision", "cpu", "fp32", 2, "eager")
    with bindrt.load("tiny", modalities=["image"], engines={"vision": engine}) as model:
        found = list(media.others(media.Served(model, engine, True, 0.0, 1e-5)))
        not_run = list(media.others(media.Served(model, engine, False, 0.0, 1e-5)))
    assert [(f["case"], set(f["items_per_second"])) for f in found] == [
        ("JPEG 80×60", {"stream", "another"}), ("JPEG 60×80", {"stream", "another"})
    ]  # fmt: skip
    assert given == [4, 4]
    assert [f["not run"] for f in not_run] == ["there is no GPU"]


def test_the_gpus_decoding_stands_beside_the_cpus(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """On a GPU with NVDEC the film comes twice; its second result says how many times faster it was."""
    monkeypatch.setattr(command.hardware, "has_nvdec", lambda: True)
    monkeypatch.setattr(command, "decodes_there", lambda: False)
    args = command.parse(["--part", "pictures", "videos", "others"])
    asked = list(command.loads(["image", "video"], args, measured=True))
    assert [(each.modalities, each.decode, set(each.parts)) for each in asked] == [
        (["image", "video"], "exact", {"pictures"}), (["image", "video"], "exact", {"pictures"}),
        (["video"], "exact", {"videos"}), (["video"], "gpu", {"videos"}), (["image"], "auto", {"others"}),
    ]  # fmt: skip
    assert list(command.loads(["audio"], args, measured=True)) == []
    args.graphs = ["off"]
    assert [each.cuda_graphs for each in command.loads(["image"], args, measured=True)][:1] == [False]
    rates = {"exact": 3.0, "gpu": 24.0}
    opened: list[str] = []
    monkeypatch.setattr(
        bindrt, "load", lambda bundle, pipeline, **_: nullcontext(opened.append(pipeline.decode))
    )

    def found(it: Any, load: Any, files: Any) -> Any:
        yield {"case": media.FILM_CASE, "items_per_second": {"stream": rates[load.decode]}}

    monkeypatch.setattr(command, "of_model", found)
    engine = SimpleNamespace(way="eager")
    args = command.parse(["--part", "videos"])
    results = list(command.of_engine(tmp_path, "vision", engine, ["image", "video"], {}, args))
    assert [each.get("times the CPU's decoding") for each in results] == [None, 8.0]
    assert "8.0 × the CPU's decoding" in command.line({"modality": "video", **results[1]})


def test_the_usual_way_prepares_as_we_do() -> None:
    pixels = np.asarray(
        PIL.Image.fromarray(np.arange(12, dtype=np.uint8).reshape(3, 4)).resize((320, 240)).convert("RGB")
    )
    got = usual_way.prepared(torch.from_numpy(pixels.copy()).permute(2, 0, 1))
    want = bindrt.preprocess.image(pixels)
    # It resizes in float32; Pillow and bindrt round to 8 bits between.
    assert np.abs(got.numpy() - want).max() < 0.03


def test_the_usual_way_decodes(monkeypatch: pytest.MonkeyPatch) -> None:
    def decode(files: Any) -> list[torch.Tensor]:
        return [
            torch.from_numpy(np.asarray(PIL.Image.open(io.BytesIO(f))).copy()).permute(2, 0, 1) for f in files
        ]

    monkeypatch.setattr(usual_way, "decoder", lambda device: decode)
    computed = usual_way.computed
    batches: list[int] = []

    def counted(engine: TorchEngine, rows: torch.Tensor) -> torch.Tensor:
        batches.append(len(rows))
        return computed(engine, rows)

    monkeypatch.setattr(usual_way, "computed", counted)
    file = io.BytesIO()
    PIL.Image.new("RGB", (300, 260), (9, 99, 199)).save(file, "JPEG")
    engine = modules.open_engine("tiny", "vision", "cpu", "fp32", 2, "eager")
    rates = usual_way.rates(engine, [file.getvalue()], 0)
    assert set(rates) == {"torchvision", "torchvision ahead", "Pillow in threads"}
    assert min(rates.values()) > 0
    assert batches == [2] * 6  # each way once to begin, and once counted
    with torch.inference_mode():
        got = usual_way.vectors(engine, decode, [file.getvalue()]).numpy()
    with bindrt.load("tiny", modalities=["image"]) as model:
        assert np.abs(model.embed(image=file.getvalue()).image - got).max() < 5e-3


SIMULATED = """
import os, sys
import numpy as np
import bindrt
from bench.torch_engine import modules
from bench.torch_engine.engine import TorchGpuEngine
from support.simulated_place import SimulatedPlace
place = SimulatedPlace(os.environ["BINDRT_LIBCUDA"])
module = modules.module_of("tiny", "imu", "cpu")
engine = TorchGpuEngine(module, "cuda:0", "fp32", 4, "eager", place)
items = [bindrt.Imu(np.full((6, 1000), i, np.float32), rate=200) for i in range(9)]
with bindrt.load("tiny", modalities=["imu"]) as model:
    want = model.embed(imu=items).imu
for graphs in (True, False):
    options = bindrt.PipelineOptions(cuda_graphs=graphs)
    with bindrt.load("tiny", modalities=["imu"], engines={"imu": engine}, pipeline=options) as model:
        for _ in range(4):
            futures = [model.submit("imu", item) for item in items]
            assert np.abs(np.stack([f.result(60) for f in futures]) - want).max() < 1e-5
        for _ in range(3):
            assert np.abs(model.submit("imu", items[0]).result(60) - want[0]).max() < 1e-5
        assert np.abs(model.embed(imu=items).imu - want).max() < 1e-5
        counts = model.stats()["imu"]["pipeline"]["graphs"]
        print(graphs, (counts["launched"] > 0) == graphs, counts["refused"], (place.kept > 0))
"""


def test_the_pipeline_over_the_simulated_driver(tmp_path: Path) -> None:
    if _core.build_info()["gpu_kernels"] is None:
        pytest.skip("this build has no GPU kernels: NVRTC was not installed")
    if reason := cpp.missing("", tmp_path):
        pytest.skip(reason)
    driver = cudasim.driver("plain") / "libcudasim_cuda.so"
    env = {"BINDRT_LIBCUDA": str(driver), "PYTHONPATH": f"{cpp.ROOT / 'tests'}:{cpp.ROOT}"}
    done = cpp.run([sys.executable, "-c", SIMULATED], env=env)
    assert done.returncode == 0, done.stdout
    assert done.stdout.splitlines() == ["True True 0 True", "False True 0 True"], done.stdout


def test_the_bundle_is_only_renamed(tmp_path: Path) -> None:
    assert open_bundle("tiny").manifest.default_precision == "fp32"
    made = modules.open_source("tiny", "bf16", tmp_path).manifest
    assert {e.precision for e in made.engines} == {"bf16"}
