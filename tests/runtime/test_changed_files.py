"""Files of a bundle that change while a model uses them, and a cache folder that cannot be used."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import bindrt
from bindrt.bundle.bundle import SHIPPED
from bindrt.cache import cache_folder, read_record, write_record
from bindrt.selection.choices import remembered


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return Path(shutil.copytree(SHIPPED["tiny"], tmp_path / "tiny.bind"))


def weights_of(bundle: Path, encoder: str) -> Path:
    return max((p for p in bundle.rglob("*") if encoder in str(p) and p.is_file()), key=os.path.getsize)


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def write_into(path: Path) -> None:
    with open(path, "r+b") as file:
        file.write(b"\0" * 4096)
    os.utime(path, ns=(0, 0))


@pytest.mark.parametrize("startup", ["fast-run", "fast-start"])
@pytest.mark.parametrize("change", [cut, write_into])
def test_weights_that_change_while_mapped(bundle: Path, startup: str, change: object) -> None:
    with bindrt.load(bundle, engine="onnxruntime", startup=startup) as model:
        model.embed(text="a dog")
        change(weights_of(bundle, "text"))  # type: ignore[operator]
        with pytest.raises(bindrt.EngineError, match="changed while it was in use; restore the bundle"):
            model.embed(text="a car")
        with pytest.raises(bindrt.EngineError, match="changed while it was in use"):
            model.submit("text", "a car").result(60)


def test_a_bundle_that_is_replaced_by_renaming_goes_on(bundle: Path) -> None:
    with bindrt.load(bundle, engine="onnxruntime") as model:
        before = model.embed(text="a dog").text
        weights = weights_of(bundle, "text")
        shutil.copy(weights, bundle / "new")
        os.replace(bundle / "new", weights)
        assert (model.embed(text="a dog").text == before).all()


@pytest.mark.parametrize("in_place", [True, False])
def test_what_was_verified_is_what_is_opened(bundle: Path, in_place: bool) -> None:
    weights = weights_of(bundle, "text")
    changed = bytearray(weights.read_bytes())
    changed[len(changed) // 2] ^= 0xFF
    with bindrt.load(bundle, engine="onnxruntime", verify=True) as model:
        if in_place:
            weights.write_bytes(changed)
        else:
            (bundle / "new").write_bytes(changed)
            os.replace(bundle / "new", weights)
        with pytest.raises(bindrt.BundleError, match="changed after its hash was checked"):
            model.embed(text="a dog")


def test_what_is_no_bool() -> None:
    with bindrt.load("tiny", modalities=["text"]) as model:
        for option, call in (
            ("verify", lambda: bindrt.load("tiny", verify="no")),  # type: ignore[arg-type]
            ("block", lambda: model.submit("text", "a", block="no")),  # type: ignore[arg-type]
            ("drain", lambda: model.close(drain="no")),  # type: ignore[arg-type]
        ):
            with pytest.raises(bindrt.OptionError, match=f"{option}='no': must be True or False"):
                call()


def test_normalise_is_spelt_otherwise() -> None:
    with (
        bindrt.load("tiny", modalities=["text"]) as model,
        pytest.raises(bindrt.InputError, match=r"did you mean normalize\?"),
    ):
        model.embed(text="a", normalise=True)  # type: ignore[call-overload]


@pytest.mark.parametrize("part", ["", "choices", "openvino"])
def test_a_cache_folder_that_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: str) -> None:
    place = tmp_path / "bindrt" / part
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text("not a folder")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder(part) is None
    assert list(remembered()) == []
    write_record(place / "a.json", {"a": 1})
    assert read_record(place / "a.json") is None
    assert place.read_text() == "not a folder"


def test_a_pipe_in_the_cache_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.json")
    assert read_record(tmp_path / "a.json") is None


def test_onnxruntime_collects_no_data(tmp_path: Path) -> None:
    code = "import bindrt; bindrt.load('tiny', engine='onnxruntime').embed(text='a')"
    env = {k: v for k, v in os.environ.items() if k not in ("CI", "ORT_DISABLE_TELEMETRY")}
    env |= {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path)}
    subprocess.run([sys.executable, "-c", code], env=env, check=True, timeout=120)
    assert [p.name for p in tmp_path.rglob("*") if p.name != "bindrt"] == []
