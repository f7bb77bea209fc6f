"""``bind-embed --cluster ray``: whoever is killed, each input has its row once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from support.embedding import Embed
from support.media import picture, picture_bytes

FILES, BLOCK = 400, 20
#: It is the machine that is slow, if a run takes longer.
MOST_SECONDS = 300


def test_without_ray_the_remedy_is_told(
    embed: Embed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    done = embed("--text", "a bell", "--cluster", "ray", "-o", tmp_path / "out")
    assert done.code == 1
    assert "ray: it is not installed; pip install" in done.err


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures, of which each hundredth is damaged."""
    pytest.importorskip("ray", reason="ray is not installed (extra ray)")
    folder = tmp_path_factory.mktemp("pictures")
    for n in range(FILES):
        data = picture_bytes("JPEG", picture(64, 48, n))
        (folder / f"{n:04d}.jpg").write_bytes(data[:30] if n % 100 == 7 else data)
    return folder


def started(pictures: Path, out: Path, *more: str) -> subprocess.Popen[bytes]:
    asked = ["tiny", str(pictures), "-o", str(out), "--block", str(BLOCK), "--on-error", "skip"]
    command = [sys.executable, "-m", "bindrt.ray", *asked, "--actors", "2", "--cpus", "0.5", "--json", *more]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, env={**os.environ, "RAY_USAGE_STATS_ENABLED": "0"}
    )


def wait_for(condition: Callable[[], bool], run: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + MOST_SECONDS
    while not condition():
        assert run.poll() is None, "it ended before"
        assert time.monotonic() < end
        time.sleep(0.01)


def parts(out: Path) -> list[Path]:
    return sorted(out.glob("part-*.parquet"))


def actors(run: subprocess.Popen[bytes]) -> list[psutil.Process]:
    found = []
    for process in psutil.Process(run.pid).children(recursive=True):
        try:
            if "RayWorker" in " ".join(process.cmdline()):
                found.append(process)
        except psutil.Error:
            continue
    return found


def ended(run: subprocess.Popen[bytes]) -> dict[str, int]:
    said, _ = run.communicate(timeout=MOST_SECONDS)
    assert run.returncode == 0
    found: dict[str, int] = json.loads(said)
    return found


def table(out: Path) -> pa.Table:
    return pa.concat_tables([pq.read_table(path) for path in parts(out)])


def require_equal(found: pa.Table, wanted: pa.Table) -> None:
    """Row for row; vectors up to the rounding of other batches."""
    assert found.drop_columns(["embedding"]) == wanted.drop_columns(["embedding"])
    for one, other in zip(found["embedding"].to_pylist(), wanted["embedding"].to_pylist(), strict=True):
        assert (one is None) == (other is None)
        assert one is None or np.allclose(one, other, atol=1e-5)


@pytest.fixture(scope="module")
def undisturbed(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> pa.Table:
    out = tmp_path_factory.mktemp("undisturbed") / "out"
    asked = ["tiny", str(pictures), "-o", str(out), "--block", str(BLOCK), "--on-error", "skip"]
    subprocess.run([sys.executable, "-m", "bindrt", "embed", *asked], check=True)
    found = table(out)
    assert found["source"].to_pylist() == [str(path) for path in sorted(pictures.iterdir())]
    assert found["error"].null_count == FILES - FILES // 100
    return found


@pytest.mark.deep
def test_actors_that_are_killed(pictures: Path, undisturbed: pa.Table, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run = started(pictures, out)
    killed: set[int] = set()
    for wanted in (1, 6, 11):
        wait_for(lambda wanted=wanted: len(parts(out)) >= wanted and bool(actors(run)), run)  # type: ignore[misc]
        for actor in actors(run):
            if actor.pid not in killed:
                actor.kill()
                killed.add(actor.pid)
    summary = ended(run)
    assert len(killed) >= 3
    assert summary["rows"] == FILES
    assert summary["failed"] == FILES // 100
    require_equal(table(out), undisturbed)
    assert len(list(out.iterdir())) == FILES // BLOCK


@pytest.mark.deep
def test_a_driver_that_is_killed_and_its_job_resumed(
    pictures: Path, undisturbed: pa.Table, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    run = started(pictures, out)
    wait_for(lambda: len(parts(out)) >= 3, run)
    run.send_signal(signal.SIGKILL)
    run.wait()
    summary = ended(started(pictures, out, "--resume"))
    assert summary["kept"] >= 3 * BLOCK
    assert summary["rows"] + summary["kept"] == FILES
    require_equal(table(out), undisturbed)


@pytest.mark.deep
def test_one_file_is_made_of_what_the_cluster_wrote(
    pictures: Path, undisturbed: pa.Table, tmp_path: Path
) -> None:
    ended(started(pictures, tmp_path / "out.parquet"))
    require_equal(pq.read_table(tmp_path / "out.parquet"), undisturbed)
    assert not (tmp_path / "out.parquet.shards").exists()
