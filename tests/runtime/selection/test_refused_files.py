"""An engine that refuses its files is passed over where another of the same precision can be taken."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

import bindrt
from bindrt.bundle import open_bundle
from bindrt.engines import ENGINES, Engine, EngineSettings, EngineSpec
from bindrt.engines.spec import STARTUPS
from bindrt.errors import EngineError
from support.toy_engine import bundle_of


def refuse(spec: EngineSpec, settings: EngineSettings) -> Engine:
    raise EngineError(spec.files[0].name, "it is foreign")


@pytest.fixture
def bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, toy_alone: Callable[..., None]) -> Path:
    """A float32 bundle whose first engine refuses everything."""
    toy_alone(open=refuse, first_for=("fp32",), startups=STARTUPS)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return bundle_of(tmp_path / "made.bind", open_bundle("tiny").path, "fp32")


def test_the_next_is_taken(bundle: Path, caplog: pytest.LogCaptureFixture) -> None:
    with (
        caplog.at_level("WARNING", "bindrt"),
        bindrt.load(bundle, startup="fast-start", modalities=["text"]) as model,
    ):
        assert model.engine("text").name == "onnxruntime"
        model.embed(text="a")
        assert model.stats()["text"]["engine"]["why"] == "toy does not open"
        model.unload("text")
        assert model.engine("text").name == "onnxruntime"
    (record,) = caplog.records  # once: it is not tried again
    assert "made.bind text: toy does not open, and onnxruntime is taken" in record.getMessage()
    assert "it is foreign" in record.getMessage()


def test_one_that_is_named_is_not_replaced(bundle: Path) -> None:
    with (
        bindrt.load(bundle, engine="toy", modalities=["text"]) as model,
        pytest.raises(EngineError, match="it is foreign"),
    ):
        model.engine("text")


def test_where_none_opens_the_first_says_why(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse_too(spec: EngineSpec, settings: EngineSettings) -> Engine:
        raise EngineError(spec.files[0].name, "it is broken")

    with bindrt.load(bundle, startup="fast-start", modalities=["text"]) as model:
        monkeypatch.setitem(ENGINES, "onnxruntime", replace(ENGINES["onnxruntime"], open=refuse_too))
        with pytest.raises(EngineError, match="it is foreign"):
            model.engine("text")
