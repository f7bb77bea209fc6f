"""A new engine is one file and one line: a toy that only the registry knows is seen everywhere."""

from __future__ import annotations

import importlib.util
import json
import shutil
import sys
from pathlib import Path

import pytest

import bindrt
from bindrt.bundle import open_bundle
from bindrt.engines import ENGINES
from bindrt.selection import candidates, choose
from bindrt_export.command import parser
from bindrt_export.precision import require_supported

TOY = """
from bindrt.engines.kind import EngineKind


class ToyEngine:
    name, device, max_batch = "toy", "cpu", 4

    def __init__(self, spec, settings):
        self.precision = spec.precision

    def run(self, inputs, out):
        out[...] = 1


KIND = EngineKind(
    name="toy",
    modules=("json",),
    distributions=("bindrt",),
    gives="ones",
    remedy="pip install toy",
    devices=("cpu", "abacus"),
    precisions=("fp32", "int8"),
    open=ToyEngine,
    detail=lambda module: f"reads {module.__name__}",
)
"""


@pytest.fixture
def bundle(tmp_path: Path, small_bundle: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The small bundle, whose files the toy engine takes too."""
    (tmp_path / "toy_engine.py").write_text(TOY)
    spec = importlib.util.spec_from_file_location("toy_engine", tmp_path / "toy_engine.py")
    assert spec is not None
    assert spec.loader is not None
    toy = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(toy)
    monkeypatch.setitem(ENGINES, "toy", toy.KIND)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "toy.bind"
    shutil.copytree(small_bundle, folder)
    manifest = json.loads((folder / "bundle.json").read_text())
    manifest["engines"] += [{**e, "engine": "toy"} for e in manifest["engines"]]
    (folder / "bundle.json").write_text(json.dumps(manifest))
    return folder


def test_load_opens_it(bundle: Path) -> None:
    with bindrt.load(bundle, engine="toy") as model:
        assert model.engine("text").name == "toy"
        assert (model.embed(text="a", normalize=False).text == 1).all()
    with bindrt.load(bundle, engine="toy", device="abacus") as model:
        model.warm_up()
    with (
        pytest.raises(bindrt.OptionError, match="toy has none"),
        bindrt.load(bundle, engine="toy", device="cuda") as model,
    ):
        model.warm_up()


def test_auto_measures_it(bundle: Path) -> None:
    opened = open_bundle(bundle)
    found = [e.engine for e in candidates(opened, "text", "auto", "fp32", "cpu")]
    assert found == ["onnxruntime", "native", "toy"]
    assert [e.engine for e in candidates(opened, "text", "auto", "fp32", "abacus")] == ["toy"]
    assert choose(opened, "text", "auto", "fp32", "auto").engine == "toy"
    assert "toy.bind text fp32: toy, since one item took onnxruntime" in str(bindrt.doctor())


def test_doctor_reports_it(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (found,) = (part for part in bindrt.doctor().engines if part.name == "toy")
    assert (found.present, found.detail, found.gives) == (True, "reads json", "ones")
    monkeypatch.setitem(sys.modules, "json", None)
    assert ENGINES["toy"].absence() == "not installed"


def test_bind_export_offers_it(bundle: Path) -> None:
    assert parser("bind-export").parse_args(["random:0", "--engine", "toy"]).engine == ["toy"]
    require_supported("toy", "int8")
    with pytest.raises(bindrt.OptionError, match="tensorrt-rtx do; toy runs fp32, int8"):
        require_supported("toy", "fp8")


def test_without_the_registry_nobody_knows_it(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(ENGINES, "toy")
    with pytest.raises(bindrt.BundleError, match="engine is 'toy', expected one of onnxruntime"):
        bindrt.load(bundle)
