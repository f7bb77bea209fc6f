"""A repository on NVIDIA's own server, which comes in a wheel: the first run downloads it (75 MB).

Where it cannot be had, these tests are skipped, and pytest says why.
"""

from __future__ import annotations

import http.client
import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest

import bindrt
from bench.triton import client
from bench.triton.requests import body, vectors
from bench.triton.server import HOST, Triton, home, serving
from bench.triton.sweep import sweep
from bindrt.bundle import SHIPPED
from bindrt_export.triton import FORMS, RepositoryRequest, write_repository
from support.embedding import IMU, PHOTO
from support.triton_client import image_vectors, order_of_answers


@pytest.fixture(scope="module", params=FORMS)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Triton]:
    """A server with some modalities of bind-tiny, in both forms."""
    if isinstance(found := home(), str):
        pytest.skip(found)
    folder = tmp_path_factory.mktemp("triton") / "models"
    encoders = "python" if request.param == "ensemble" else None
    asked = RepositoryRequest(folder, request.param, encoders, modalities=("image", "text", "imu"))
    write_repository(SHIPPED["tiny"], asked)
    with serving(folder) as triton:
        yield triton


def ask(server: Triton, modality: str, asked: tuple[bytes, int]) -> tuple[int, Any]:
    """The status, and the vectors or the error."""
    content, length = asked
    connection = http.client.HTTPConnection(HOST, server.port, timeout=60)
    headers = {"Inference-Header-Content-Length": str(length)}
    connection.request("POST", f"/v2/models/{modality}/infer", content, headers)
    answer = connection.getresponse()
    found = answer.read()
    connection.close()
    if answer.status != 200:
        return answer.status, json.loads(found)["error"]
    return 200, vectors(found, int(answer.headers["Inference-Header-Content-Length"]))


def test_vectors_are_those_of_the_model_here(server: Triton) -> None:
    with bindrt.load("tiny") as model:
        expected = model.embed(image=[PHOTO] * 3, imu=IMU, text=["a bell", "a car that drives by"])
    image = ask(server, "image", body([PHOTO.read_bytes()] * 3))
    imu = ask(server, "imu", body([IMU.read_bytes()]))
    text = ask(server, "text", body(["a bell", "a car that drives by"]))
    for (status, found), modality in ((image, "image"), (imu, "imu"), (text, "text")):
        assert status == 200, found
        np.testing.assert_allclose(found, expected[modality], atol=1e-5)


def test_a_bad_item_is_named(server: Triton) -> None:
    status, error = ask(server, "image", body([PHOTO.read_bytes(), b"nothing"]))
    assert status in (400, 500)
    assert "image[1] <bytes, 7 B>: " in error
    status, _ = ask(server, "image", body([PHOTO.read_bytes()]))
    assert status == 200


def test_a_request_that_is_too_late_is_refused(server: Triton) -> None:
    status, error = ask(server, "image", body([PHOTO.read_bytes()] * 8, {"timeout": 1}))
    assert status != 200
    assert "timeout" in error or "deadline" in error
    status, _ = ask(server, "image", body([PHOTO.read_bytes()], {"timeout": 30_000_000, "priority": 1}))
    assert status == 200


@pytest.mark.parametrize("protocol", ["http", "grpc"])
def test_nvidias_own_client(protocol: Literal["http", "grpc"], server: Triton) -> None:
    port = server.port if protocol == "http" else server.grpc_port
    found = image_vectors(protocol, f"{HOST}:{port}", PHOTO, priority=1, timeout=30_000_000)
    with bindrt.load("tiny") as model:
        np.testing.assert_allclose(found, model.embed(image=PHOTO).image, atol=1e-5)


def test_requests_that_wait_go_by_priority(tmp_path: Path) -> None:
    """A request of priority 1 that is sent last overtakes those of priority 3 that have to wait."""
    if isinstance(found := home(), str):
        pytest.skip(found)
    write_repository(SHIPPED["tiny"], RepositoryRequest(tmp_path, "model", modalities=("image",)))
    config = tmp_path / "image" / "config.pbtxt"
    text = config.read_text("utf-8")
    assert "max_batch_size: 256\n" in text
    config.write_text(text.replace("max_batch_size: 256\n", "max_batch_size: 8\n"), "utf-8")
    with serving(tmp_path) as triton:
        order = order_of_answers(f"{HOST}:{triton.grpc_port}", PHOTO, 8, [3] * 24 + [1])
    assert sorted(order) == list(range(25))
    assert order.index(24) < 20  # some had begun, or ended, before it came


@pytest.mark.parametrize("form", FORMS)
def test_a_bundle_of_half_precision(
    form: Literal["model", "ensemble"], half_bundle: Path, tmp_path: Path
) -> None:
    if isinstance(found := home(), str):
        pytest.skip(found)
    encoders = "python" if form == "ensemble" else None
    write_repository(half_bundle, RepositoryRequest(tmp_path, form, encoders))
    with bindrt.load(half_bundle) as model:
        assert model.precision == "fp16"
        expected = model.embed(imu=IMU, text=["a bell", "a car that drives by"])
    with serving(tmp_path) as triton:
        for modality, given in (("imu", [IMU.read_bytes()]), ("text", ["a bell", "a car that drives by"])):
            status, vectors_there = ask(triton, modality, body(given))
            assert status == 200, vectors_there
            np.testing.assert_allclose(vectors_there, expected[modality], atol=2e-3)


def test_a_concurrency_is_held_by_nvidias_client(server: Triton, tmp_path: Path) -> None:
    if importlib.util.find_spec("tritonclient") is None:
        pytest.skip("tritonclient is not installed")
    (tmp_path / "text").write_text("a bell", "utf-8")
    found = sweep(f"{HOST}:{server.grpc_port}", "text", tmp_path / "text", [1, 4], 0.5)
    assert [one["concurrency"] for one in found] == [1, 4]
    assert all(one["rate"] > 0 and 0 < one["p50"] <= one["p99"] for one in found)
    asked = {"modality": "nothing", "item": str(tmp_path / "text"), "concurrency": 1, "seconds": 0.1}
    with pytest.raises(RuntimeError, match="nothing"):
        client.run({"address": f"{HOST}:{server.grpc_port}", **asked})
