"""``bind-export --triton``: what it writes, from a checkpoint and from a bundle, and what it refuses."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

import bindrt
from bindrt.bundle import SHIPPED, open_bundle
from bindrt.modalities import MODALITIES
from bindrt_export.triton import FORMS, RepositoryRequest, configs, write_repository
from bindrt_export.triton.pbtxt import pbtxt
from support.commands import run_command
from support.triton_config import parse_config

TINY = SHIPPED["tiny"]


def config_of(repository: Path, name: str) -> dict:
    return parse_config((repository / name / "config.pbtxt").read_text("utf-8"))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("encoders", ["onnxruntime", "python"])
def test_every_config_is_one_of_tritons(form: str, encoders: str, tmp_path: Path) -> None:
    names = write_repository(TINY, RepositoryRequest(tmp_path / "models", form, encoders))
    for name in names:
        config = config_of(tmp_path / "models", name)
        assert config["name"] == name
        assert config["version_policy"] == {"latest": {"num_versions": 1}}
        assert (tmp_path / "models" / name / "1").is_dir()
        assert config.get("backend") != "python" or (tmp_path / "models" / name / "1" / "model.py").is_file()
    assert set(MODALITIES) <= set(names)


def test_a_model_of_everything(tmp_path: Path) -> None:
    write_repository(TINY, RepositoryRequest(tmp_path / "models"))
    config = config_of(tmp_path / "models", "audio")
    assert [(i["name"], i["data_type"], i["dims"]) for i in config["input"]] == [
        ("data", "TYPE_STRING", [1]),
        ("tensor", "TYPE_FP32", [-1, 1, 128, 204]),
    ]
    assert all(given["optional"] for given in config["input"])
    assert [(o["name"], o["dims"]) for o in config["output"]] == [("embedding", [96])]
    batching = config["dynamic_batching"]
    assert (batching["priority_levels"], batching["default_priority_level"]) == ("3", "2")
    assert batching["default_queue_policy"] == {
        "default_timeout_microseconds": "60000000",
        "allow_timeout_override": True,
        "max_queue_size": 1024,
    }


def test_a_plan_that_reads_float16_gets_it() -> None:
    manifest = open_bundle(TINY).manifest
    (files,) = (e for e in manifest.engines if (e.encoder, e.engine) == ("imu", "onnxruntime"))
    half = replace(files, engine="tensorrt", input="float16")
    for of, kind in ((files, "TYPE_FP32"), (half, "TYPE_FP16"), (None, "TYPE_FP32")):
        prepare = configs.preparing_model("imu", manifest, of, 1, None)
        encoder = configs.encoder_model("imu", manifest, of)
        assert prepare["output"][0]["data_type"] == encoder["input"][0]["data_type"] == kind
        assert all(kind in pbtxt(warm) for warm in encoder["model_warmup"])


def test_each_model_has_a_bundle_of_its_own_in_the_same_space(tmp_path: Path) -> None:
    write_repository(TINY, RepositoryRequest(tmp_path / "models"))
    with bindrt.load("tiny") as whole, bindrt.load(tmp_path / "models" / "text" / "1" / "bundle") as part:
        assert part.modalities == ("text",)
        assert part.space == whole.space
        assert part.embed(text="a bell").text.tolist() == whole.embed(text="a bell").text.tolist()
    files = {name: tmp_path / "models" / name / "1" / "bundle" / "onnx" / "fp32" / "vision.weights"
             for name in ("image", "video")}  # fmt: skip
    assert files["image"].samefile(files["video"]), "the encoder of both is there once"
    assert not (tmp_path / "models" / "image" / "1" / "bundle" / "onnx" / "fp32" / "text.weights").exists()


def test_an_ensemble_has_each_encoder_once(tmp_path: Path) -> None:
    names = write_repository(TINY, RepositoryRequest(tmp_path / "models", "ensemble", instances=8))
    assert [n for n in names if n.endswith("_encoder")] == [
        "audio_encoder", "depth_encoder", "imu_encoder", "text_encoder", "thermal_encoder", "vision_encoder",
    ]  # fmt: skip
    steps = config_of(tmp_path / "models", "video")["ensemble_scheduling"]["step"]
    assert [step["model_name"] for step in steps] == ["video_prepare", "vision_encoder", "pool"]
    encoder = config_of(tmp_path / "models", "vision_encoder")
    assert encoder["backend"] == "onnxruntime"
    assert encoder["max_batch_size"] == 64
    assert [(w["name"], w["batch_size"]) for w in encoder["model_warmup"]] == [("1 rows", 1), ("64 rows", 64)]
    assert encoder["dynamic_batching"]["max_queue_delay_microseconds"] == "500"
    version = tmp_path / "models" / "vision_encoder" / "1"
    assert sorted(os.listdir(version)) == ["model.onnx", "vision.weights"]
    assert config_of(tmp_path / "models", "image_prepare")["instance_group"][0]["count"] == 8


def test_models_of_others_stay(tmp_path: Path) -> None:
    other = tmp_path / "models" / "resnet" / "config.pbtxt"
    other.parent.mkdir(parents=True)
    other.write_text('name: "resnet"')
    write_repository(TINY, RepositoryRequest(tmp_path / "models"))
    write_repository(TINY, RepositoryRequest(tmp_path / "models"))  # ours are written again
    assert other.read_text() == 'name: "resnet"'
    strange = tmp_path / "models" / "image" / "config.pbtxt"
    strange.write_text('name: "image"')
    with pytest.raises(bindrt.ExportError, match="bind-export has not written it"):
        write_repository(TINY, RepositoryRequest(tmp_path / "models"))
    assert strange.read_text() == 'name: "image"'
    assert sorted(os.listdir(tmp_path)) == ["models"]


def test_no_plan_to_run(tmp_path: Path) -> None:
    with pytest.raises(
        bindrt.OptionError, match=r"no fp32 files of \w+ for it; export with --engine tensorrt"
    ):
        write_repository(TINY, RepositoryRequest(tmp_path / "models", "ensemble", "tensorrt"))
    assert not (tmp_path / "models").exists()


def test_from_a_bundle_on_the_command_line(tmp_path: Path) -> None:
    done = run_command("bind-export", TINY, "--triton", tmp_path / "models", "--modality", "imu", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "repository": str(tmp_path / "models"),
        "form": "model",
        "models": ["imu"],
    }


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (["-o", "x.bind", "--triton", "models"], "is a bundle already"),
        (["--triton", "models", "--triton-instances", "2"], "it is for an ensemble"),
        (["--triton-form", "ensemble"], "it is for a repository"),
        (
            ["--triton", "models", "--triton-form", "ensemble", "--triton-instances", "0"],
            "not a number of processes",
        ),
    ],
)
def test_options_that_contradict(options: list[str], problem: str, tmp_path: Path) -> None:
    output = [] if "-o" in options or "models" in options else ["-o", "x.bind"]
    done = run_command("bind-export", TINY, *options, *output, cwd=tmp_path)
    assert done.returncode != 0
    assert problem in done.stderr
    assert os.listdir(tmp_path) == []
