"""How many cores and threads, with made-up control groups and as the system says."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import bindrt
from bindrt import cores, hardware
from bindrt.engines import EngineSettings, openvino
from bindrt.engines.onnxruntime_session import session_options
from bindrt.once import OncePerProcess
from bindrt.pipeline.encoder import workers

ALL = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
V2 = {"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "50000 100000\n"}
V1 = {
    "proc/self/cgroup": "3:cpu,cpuacct:/docker/1\n",
    "sys/fs/cgroup/cpu,cpuacct/docker/1/cpu.cfs_quota_us": "50000\n",
    "sys/fs/cgroup/cpu,cpuacct/docker/1/cpu.cfs_period_us": "100000\n",
}


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Makes files of /proc and /sys, and has cores counted by them."""

    def make(files: dict[str, str]) -> None:
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        monkeypatch.setattr(cores, "ROOT", f"{tmp_path}/")

    return make


def test_without_quota_the_affinity_counts(system: Any) -> None:
    system({})
    assert cores.usable_cores() == cores.usable_threads() == ALL


@pytest.mark.parametrize("files", [V2, V1])
def test_a_quota_is_everybodys(system: Any, files: dict[str, str]) -> None:
    system(files)
    assert cores.usable_cores() == hardware.cpu().usable_cores == 0.5
    assert cores.usable_threads() == 1
    assert cores.told_threads(None) == cores.computing_threads(None) == 1  # no library may count by itself
    assert cores.told_threads(7) == cores.computing_threads(7) == 7  # the user knows better


def test_a_library_with_the_whole_machine_counts_by_itself(
    system: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    system({})
    monkeypatch.setattr(os, "sysconf", lambda name: ALL)
    assert cores.told_threads(None) is None
    assert cores.computing_threads(None) >= 1
    monkeypatch.setattr(os, "sysconf", lambda name: ALL + 1)  # the affinity leaves out a core
    assert cores.told_threads(None) == cores.computing_threads(None) <= ALL


def test_onnxruntime_keeps_to_the_quota(system: Any) -> None:
    assert session_options(EngineSettings()).intra_op_num_threads == 0  # its own choice
    system(V2)
    assert session_options(EngineSettings()).intra_op_num_threads == 1
    assert session_options(EngineSettings(threads=3)).intra_op_num_threads == 3
    for threads, found in ((None, 1), (3, 3)):
        with bindrt.load("tiny", engine="onnxruntime", modalities=["text"], threads=threads) as model:
            opened: Any = model.engine("text")
            assert opened.threads == found


def test_openvino_keeps_to_the_quota(system: Any) -> None:
    spec: Any = SimpleNamespace(precision="fp32", key="")
    pytest.importorskip("openvino")
    assert "INFERENCE_NUM_THREADS" not in openvino.properties(spec, EngineSettings(), "CPU")
    system(V2)
    assert openvino.properties(spec, EngineSettings(), "CPU")["INFERENCE_NUM_THREADS"] == 1
    assert openvino.properties(spec, EngineSettings(threads=3), "CPU")["INFERENCE_NUM_THREADS"] == 3
    assert "INFERENCE_NUM_THREADS" not in openvino.properties(spec, EngineSettings(), "GPU")


@pytest.mark.skipif(sys.platform != "linux", reason="affinities are Linux's")
def test_one_core_of_many_is_one_thread_of_each_kind() -> None:
    """A process on one core: no thread of bindrt's, of the engine's or of FFmpeg's is one too many."""
    code = (
        "import os; os.sched_setaffinity(0, [min(os.sched_getaffinity(0))])\n"
        "import bindrt\n"
        "from bindrt import _core, cores\n"
        "with bindrt.load('tiny', modalities=['text']) as model:\n"
        "    model.submit('text', 'a dog').result()\n"
        "    print(cores.usable_threads(), _core.native_threads(), model.engine('text').threads,\n"
        "          cores.VIDEOS.threads(), len(os.listdir('/proc/self/task')))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    *each, threads = map(int, done.stdout.split())
    assert each == [1, 1, 1, 1]
    assert threads <= 5  # main, one worker, the engine's, the hand-over; NumPy's would be one more


def test_decoders_share_the_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cores, "usable_threads", lambda: 8)
    videos = cores.Sharing()
    with videos.one():
        assert videos.threads() == 9  # one of them waits for the others
        with videos.one(), videos.one():
            assert videos.threads() == 3
            with suppress(ValueError), videos.one(), videos.one():
                assert videos.threads() == 1
                raise ValueError
            assert videos.threads() == 3
    monkeypatch.setattr(cores, "usable_threads", lambda: 96)
    with videos.one():
        assert videos.threads() == 16  # each keeps frames, and few videos gain by more


def test_a_video_takes_its_part(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from bindrt.benchmark import made_inputs
    from bindrt.sources import open_source
    from bindrt.sources.video import open_clip, video_stream

    (path,) = made_inputs.make(["video"], tmp_path)["video"]
    monkeypatch.setattr(cores, "usable_threads", lambda: 4)
    with open_clip(open_source(path)) as first, open_clip(open_source(path)) as second:
        threads = [video_stream(clip.media).codec_context.thread_count for clip in (first, second)]
    assert threads == [5, 3]


@pytest.mark.skipif(not hasattr(os, "process_cpu_count"), reason="Python 3.13")
def test_pythons_own_limit() -> None:
    code = "from bindrt import cores, _core; print(cores.usable_cores(), _core.native_threads())"
    done = subprocess.run(
        [sys.executable, "-X", "cpu_count=1", "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["1.0", "1"]


def test_once_for_all_threads() -> None:
    begin = threading.Barrier(8)
    made = OncePerProcess(lambda: object())
    found: list[object] = []

    def ask() -> None:
        begin.wait()
        found.append(made())

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(map(id, found))) == 1
    usual = workers(False, "batch")
    assert usual is workers(False, "batch")
    assert usual is not workers(True, "batch")
    assert usual is not workers(False, "normal")
