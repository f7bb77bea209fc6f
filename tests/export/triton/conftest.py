from __future__ import annotations

from pathlib import Path

import pytest

from bindrt_export.exporter import run
from bindrt_export.request import EngineRequest, ExportRequest
from bindrt_export.terminal import SilentProgress
from support.bundles import TINY_CONFIG


@pytest.fixture(scope="session")
def half_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of ``imu`` and ``text`` whose default precision is fp16."""
    output = tmp_path_factory.mktemp("float16") / "tiny.bind"
    precisions = EngineRequest(precisions=["fp16"])
    asked = ExportRequest("random:0", output, TINY_CONFIG, ["imu", "text"], precisions, "fp16")
    run(asked, SilentProgress())
    return output
