"""Fixtures of the tests of shards."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import fsspec
import pytest

from support.embedding import Embed


@pytest.fixture
def embed(capsys: pytest.CaptureFixture[str]) -> Embed:
    """``bind-embed`` with bind-tiny, in this process."""
    return Embed(capsys)


@pytest.fixture
def store() -> Iterator[str]:
    """The URL of an empty folder."""
    filesystem, place = fsspec.filesystem("memory"), f"/{uuid.uuid4().hex}"
    filesystem.mkdir(place)
    yield f"memory:/{place}"
    filesystem.rm(place, recursive=True)


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The URL of an empty bucket on a server of S3's protocol."""
    pytest.importorskip("s3fs", reason="s3fs is not installed")
    servers = pytest.importorskip("moto.server", reason="moto[s3,server] is not installed")
    server = servers.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.setenv(name, "test")
        bucket = f"b{uuid.uuid4().hex}"
        fsspec.filesystem("s3", skip_instance_cache=True).mkdir(bucket)
        yield f"s3://{bucket}"
    finally:
        server.stop()
        fsspec.filesystem("s3").clear_instance_cache()
