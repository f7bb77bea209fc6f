"""Fixtures that many tests share: bundles of small models, exported once a run."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

import bindrt
from support import bundles


def pytest_configure(config: pytest.Config) -> None:
    """`make test` tries the same examples each time, so that what passed once passes again.

    New examples are looked for by `make test-deep` (`-m deep`) and by `pytest --hypothesis-profile=search`.
    """
    # gRPC's fork handlers may crash a process that has its servers (Milvus Lite leaves some in this one).
    os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # a shell's background job, and all that it starts
        signal.signal(signal.SIGINT, signal.default_int_handler)
    hypothesis.settings.register_profile("same", derandomize=True, deadline=None)
    hypothesis.settings.register_profile("search", deadline=None, print_blob=True)
    if not config.getoption("--hypothesis-profile", None):
        searching = "deep" in (config.getoption("-m") or "") and "not deep" not in config.getoption("-m")
        hypothesis.settings.load_profile("search" if searching else "same")


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Tests neither see nor leave anything in the user's cache folder."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder))
        yield folder


@pytest.fixture(scope="session")
def small_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The golden small model in the official layout."""
    return bundles.small_checkpoint(tmp_path_factory.mktemp("checkpoint"))


@pytest.fixture(scope="session")
def small_bundle(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    """The golden small model as a bundle with all modalities; read-only by agreement.

    `make wheel` tests where torch is missing; it names the bundle that it made before.
    """
    if made := os.environ.get("BINDRT_TEST_BUNDLE"):
        return Path(made)
    checkpoint: Path = request.getfixturevalue("small_checkpoint")
    return bundles.export(checkpoint, tmp_path_factory.mktemp("bundle") / "small.bind", bundles.SMALL_CONFIG)


@pytest.fixture(scope="session")
def small_model(small_bundle: Path) -> bindrt.Model:
    return bindrt.load(small_bundle)


@pytest.fixture(scope="session")
def imu_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of one tiny encoder, for tests that copy and damage it."""
    return bundles.export_tiny(tmp_path_factory.mktemp("tiny") / "imu.bind", ["imu"])
