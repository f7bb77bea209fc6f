"""``bind-bench`` as a user runs it: what it prints and writes, sides in turns, messages."""

from __future__ import annotations

import json
import signal
import subprocess
import time
import xml.etree.ElementTree
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from support.commands import command, run_command
from support.golden import HERE

QUICK = ("--duration", "0.02", "--runs", "1")
INPUTS = HERE / "inputs"


def check_schema(found: dict[str, Any], sides: list[str], modalities: list[str]) -> None:
    """The JSON as docs/bind-bench.md describes it."""
    assert (found["format"], found["schema"]) == ("bindrt-bench", 1)
    assert set(found) == {
        "format", "schema", "bindrt", "machine", "bundle", "inputs", "settings", "sides", "single",
        "offline", "server",
    }  # fmt: skip
    assert set(found["bundle"]) == {"name", "space", "precision"}
    assert {"cpu", "cores", "memory", "load_before", "python"} <= set(found["machine"])
    assert list(found["inputs"]) == modalities
    assert [side["name"] for side in found["sides"]] == sides
    for side in found["sides"]:
        assert side["about"]
        assert side["peak_memory"] > 10e6
        assert ("difference" in side) == (side["name"] != "bindrt")
        assert all(value < 1e-4 for value in side.get("difference", {}).values())
    for entry in found["single"]:
        assert entry["all"]["count"] == sum(run["count"] for run in entry["runs"]) >= 3
        assert 0 < entry["all"]["p50"] <= entry["all"]["max"]
        assert entry["curve"][0][0] == 1
        if entry["side"] == "bindrt":
            assert set(entry["stages"]) == {"queue", "prepare", "batch", "engine", "finish"}
            assert 0 < entry["stages"]["engine"] < entry["all"]["max"]
    for entry in found["offline"]:
        rates = entry["items_per_second"]
        assert 0 < rates["low"] <= rates["median"] <= rates["high"]
        assert entry["items"] >= 3


def test_tiny_single_offline_and_mixed(tmp_path: Path) -> None:
    out, picture = tmp_path / "out.json", tmp_path / "out.svg"
    done = run_command(
        "bind-bench", "tiny", *QUICK, "--modality", "text", "imu", "--json", out, "--plot", picture
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(out.read_text())
    check_schema(found, ["bindrt"], ["text", "imu"])
    cases = [(e["case"], e["modality"]) for e in found["offline"]]
    assert cases == [
        ("text", "text"), ("imu", "imu"), ("mixed", "text"), ("mixed", "imu"), ("mixed", "all")
    ]  # fmt: skip
    assert found["server"] == []
    for word in ("tiny.bind (fp32)", "p99.9", "items/s", "mixed: imu", "captions of", "at 200 Hz"):
        assert word in done.stdout, word
    xml.etree.ElementTree.fromstring(picture.read_text("utf-8"))


def test_against_the_loop_and_pytorch(small_bundle: Path, tmp_path: Path) -> None:
    """Each modality's plain model, made from the bundle's weights, gives the bundle's vectors."""
    pytest.importorskip("torch")
    out = tmp_path / "out.json"
    files = [INPUTS / "image/photo.webp", INPUTS / "audio/short_8k.wav", INPUTS / "imu"]
    texts = tmp_path / "texts.txt"
    texts.write_text("a dog\nrain on a roof\n")
    done = run_command(
        "bind-bench", small_bundle, *QUICK, "--mixed", "no", "--scenario", "offline", "--against", "loop",
        "eager", "--json", out, "--threads", 1, "--files", *files, texts,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(out.read_text())
    check_schema(found, ["bindrt", "loop", "eager"], ["image", "text", "audio", "imu"])
    assert found["inputs"]["text"] == "2 given"
    for entry in found["offline"]:
        assert ("bindrt_faster" in entry) == (entry["side"] != "bindrt")
    assert "plain model in PyTorch" in done.stdout
    assert "vectors differ by at most" in done.stdout


def test_server_holds_a_rate(tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    done = run_command(
        "bind-bench", "tiny", *QUICK, "--scenario", "server", "--modality", "text", "--latency-bound", 100,
        "--json", out, "--priority", "text=3", "--tensors",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (entry,) = json.loads(out.read_text())["server"]
    assert entry["bound"] == 0.1
    assert entry["rate"] > 1
    assert entry["latencies"]["text"]["p99"] <= 0.1
    assert entry["not_held"] is None or entry["not_held"] > entry["rate"]
    assert "as ready tensors" in done.stdout


def test_batch_and_wait_are_swept(tmp_path: Path) -> None:
    out, picture = tmp_path / "out.json", tmp_path / "out.svg"
    done = run_command(
        "bind-bench", "tiny", *QUICK, "--scenario", "offline", "--modality", "text", "--batch", 1, 4,
        "--wait", 0, 1000, "--json", out, "--plot", picture,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    swept = [(e["batch"], e["wait"]) for e in json.loads(out.read_text())["offline"]]
    assert swept == [(1, 0), (4, 0), (1, 1000), (4, 1000)]
    assert "batch and wait" in picture.read_text("utf-8")


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (("nowhere.bind",), 1, "no such folder"),
        (("tiny", "--duration", "0"), 2, "--duration 0: out of range"),
        (("tiny", "--runs", "0"), 2, "--runs 0: out of range"),
        (("tiny", "--latency-bound", "nan"), 2, "out of range"),
        (("tiny", "--priority", "text"), 2, "for example --priority text=10"),
        (("tiny", "--priority", "smell=1"), 2, "not a modality and its priority"),
        (("tiny", "--plot", "out.pdf"), 2, "a chart is .svg or .png"),
        (("tiny", "--batch", "1", "2"), 2, "several values are for offline"),
        (("tiny", "--batch", "0", "--modality", "imu"), 2, "max_batch=0"),
        (("tiny", "--engine", "steam", "--modality", "imu"), 2, "unknown engine"),
        (("tiny", "--threads", "0", "--modality", "imu"), 2, "threads=0"),
        (("tiny", "--files", "missing.jpg"), 1, "no such file"),
        (("tiny", "--modality", "audio", "--files", str(INPUTS / "image/photo.webp")), 1, "photo.webp"),
    ],
)
def test_what_is_wrong_is_said(arguments: tuple[str, ...], status: int, message: str) -> None:
    done = run_command("bind-bench", *arguments, *(() if "--runs" in arguments else ("--runs", "1")))
    assert message in done.stderr
    assert done.returncode == status
    assert done.stdout == ""


def test_a_result_that_cannot_be_written(tmp_path: Path) -> None:
    done = run_command(
        "bind-bench", "tiny", *QUICK, "--modality", "imu", "--scenario", "single", "--json",
        tmp_path / "no" / "out.json",
    )  # fmt: skip
    assert done.returncode == 1
    assert "it cannot be written" in done.stderr


def has_child(parent: int) -> bool:
    stats = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it has ended
            stats.append(path.read_text())
    return any(int(stat.rpartition(")")[2].split()[1]) == parent for stat in stats)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="no /proc")
def test_stopped_by_the_user_leaves_no_process(tmp_path: Path) -> None:
    process = subprocess.Popen(
        command("bind-bench", "tiny", "--duration", "60", "--modality", "imu"),
        stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    while not has_child(process.pid):  # it measures in a process of its own
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "stopped" in error
    assert "Traceback" not in error
