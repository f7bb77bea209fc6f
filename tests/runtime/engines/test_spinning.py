"""Whether ONNX Runtime's threads use their core while they wait for one another."""

from __future__ import annotations

from pathlib import Path

import onnxruntime as ort
import pytest

import bindrt
from bindrt.commands.embed import main
from bindrt.engines import EngineSettings, onnxruntime_session
from bindrt.integrations import ColumnEmbedder

KEY = "session.intra_op.allow_spinning"


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[ort.SessionOptions]:
    """The options of all sessions that are opened."""
    found: list[ort.SessionOptions] = []
    original = onnxruntime_session.session_options

    def session_options(settings: EngineSettings) -> ort.SessionOptions:
        found.append(original(settings))
        return found[-1]

    monkeypatch.setattr(onnxruntime_session, "session_options", session_options)
    return found


def test_they_do_so_for_single_items(small_bundle: Path, made: list[ort.SessionOptions]) -> None:
    with bindrt.load(small_bundle, engine="onnxruntime") as model:
        model.embed(text="a bell")
    (options,) = made
    with pytest.raises(RuntimeError):  # no such entry
        options.get_session_config_entry(KEY)


def test_they_leave_it_where_many_items_are_embedded(
    small_bundle: Path, made: list[ort.SessionOptions], tmp_path: Path
) -> None:
    output = str(tmp_path / "out.npz")
    assert main([str(small_bundle), "--text", "a bell", "--engine", "onnxruntime", "-o", output]) == 0
    ColumnEmbedder(small_bundle, {"text": "t"}, load={"engine": "onnxruntime"}).embed({"t": ["a bell"]})
    assert [options.get_session_config_entry(KEY) for options in made] == ["0", "0"]
