"""The lines that install what is missing name what a package index has."""

from __future__ import annotations

import importlib.metadata
import json
import shlex
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from bindrt import extras
from support.pages import ROOT


def test_every_line_names_what_the_project_asks_for() -> None:
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    for line in (extras.install("export"), extras.install("index", "metrics"), extras.repair("av")):
        pip, install, *wanted = shlex.split(line)
        assert (pip, install) == ("pip", "install")
        for text in wanted:
            if not text.startswith("-"):
                assert Requirement(text).name != "bindrt"
                assert f'"{text}"' in project


def test_repair_takes_the_library_of_the_name_and_no_longer_one() -> None:
    assert extras.repair("onnxruntime") == "pip install --force-reinstall 'onnxruntime>=1.20'"


def test_an_extra_that_is_not_known_is_got_from_the_checkout() -> None:
    assert extras.install("tea") == "pip install '.[tea]' in bindrt's checkout"


def test_absent() -> None:
    assert extras.absent("index") == []
    assert extras.absent("rtx") == ["tensorrt-rtx"]


@pytest.mark.parametrize(
    ("told", "line"),
    [
        (
            {"url": "file:///tmp/a%20b/bindrt.whl"},
            "pip install --force-reinstall --no-deps '/tmp/a b/bindrt.whl'",
        ),
        ({"url": "https://example.org/bindrt.whl"}, "install bindrt again, from its wheel or its checkout"),
        (None, "install bindrt again, from its wheel or its checkout"),
        ([], "install bindrt again, from its wheel or its checkout"),
    ],
)
def test_reinstall_names_where_bindrt_came_from(
    told: object, line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if told is not None:
        (tmp_path / "direct_url.json").write_text(json.dumps(told))
    here = importlib.metadata.PathDistribution(tmp_path)
    monkeypatch.setattr(importlib.metadata, "distribution", lambda name: here)
    assert extras.reinstall() == line
