"""An ensemble of a bundle whose default precision is fp16."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

import bindrt
from bindrt_export.triton import RepositoryRequest, write_repository
from support.embedding import IMU
from support.triton_backend import Request, backend, execute, files, loaded
from support.triton_config import parse_config

CONTENTS: dict[str, Any] = {"imu": IMU.read_bytes(), "text": b"a bell ringing"}
ITEMS: dict[str, Any] = {"imu": IMU, "text": "a bell ringing"}


def rows_of(repository: Path, modality: str, views: np.ndarray) -> np.ndarray:
    """What Triton's ONNX Runtime backend makes of the views: it runs the file as it is."""
    version = repository / f"{modality}_encoder" / "1"
    session = onnxruntime.InferenceSession(version / "model.onnx", providers=["CPUExecutionProvider"])
    (rows,) = session.run(["embedding"], {"input": views})
    return np.asarray(rows)


@pytest.mark.parametrize("modality", ITEMS)
@pytest.mark.parametrize("encoders", ["onnxruntime", "python"])
def test_vectors_are_those_of_the_bundle(
    encoders: str, modality: str, half_bundle: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "models"
    write_repository(half_bundle, RepositoryRequest(folder, "ensemble", encoders))
    with backend():
        with loaded(folder, f"{modality}_prepare") as prepare:
            (prepared,) = execute(prepare, files(*[CONTENTS[modality]] * 3))
        views = prepared.outputs["views"]
        config = parse_config((folder / f"{modality}_encoder" / "config.pbtxt").read_text("utf-8"))
        kinds = {"TYPE_FP32": np.float32, "TYPE_INT64": np.int64}
        assert views.dtype == kinds[config["input"][0]["data_type"]]
        if encoders == "onnxruntime":
            rows = rows_of(folder, modality, views)
        else:
            with loaded(folder, f"{modality}_encoder") as encoder:
                (ran,) = execute(encoder, Request({"input": views}))
            rows = ran.outputs["embedding"]
        assert rows.dtype == np.float32  # as the configuration says
        with loaded(folder, "pool") as pool:
            given = {"embedding": rows, **{name: prepared.outputs[name] for name in ("counts", "weights")}}
            (pooled,) = execute(pool, Request(given))
    with bindrt.load(half_bundle) as model:
        assert model.precision == "fp16"
        expected = model.embed(**{modality: [ITEMS[modality]] * 3})[modality]
    np.testing.assert_allclose(pooled.outputs["pooled"], expected, atol=2e-3)
