"""Packed weights of the engine native: found again, made again where they are unfit, done without."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from bindrt.engines.native import NativeEngine, packed
from bindrt.errors import EngineError
from support.native import native, probes, vectors

KEY = "a key of this test"


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where packed files are; nothing is there yet."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "bindrt" / "packed"


@pytest.fixture
def expected(small_bundle: Path, cache: Path) -> np.ndarray:
    """The vectors of an engine that packed its weights."""
    engine = opened(small_bundle)
    assert not engine.packed
    return vectors(engine, probes(small_bundle, "imu")[0])


def opened(bundle: Path, key: str = KEY, precision: str = "fp32") -> NativeEngine:
    return native(bundle, bundle / "onnx/fp32/imu.onnx", precision, key)


def only(folder: Path) -> Path:
    (path,) = folder.iterdir()
    return path


def test_the_second_start_maps(small_bundle: Path, cache: Path, expected: np.ndarray) -> None:
    again = opened(small_bundle)
    assert again.packed
    np.testing.assert_array_equal(vectors(again, probes(small_bundle, "imu")[0]), expected)
    assert only(cache).stat().st_mode & 0o777 == 0o600


def test_other_files_and_numbers_have_others(small_bundle: Path, cache: Path, expected: np.ndarray) -> None:
    assert not opened(small_bundle, "another").packed
    assert not opened(small_bundle, precision="bf16").packed
    assert len(list(cache.iterdir())) == 3
    assert opened(small_bundle).packed


@pytest.mark.parametrize("damage", ["empty", "cut", "beginning", "longer", "other", "folder", "stranger"])
def test_what_is_unfit_is_made_again(
    small_bundle: Path, cache: Path, expected: np.ndarray, damage: str
) -> None:
    path = only(cache)
    content = path.read_bytes()
    path.unlink()
    if damage == "folder":
        path.mkdir()
    elif damage == "other":
        assert not opened(small_bundle, precision="bf16").packed
        only(cache).rename(path)
    else:
        beginning = bytes([content[0] ^ 1]) + content[1:]
        made = {"empty": b"", "cut": content[:-1], "beginning": beginning, "longer": content + b"\0"}
        path.write_bytes(made.get(damage, content))
        path.chmod(0o622 if damage == "stranger" else 0o600)
    again = opened(small_bundle)
    assert not again.packed
    np.testing.assert_array_equal(vectors(again, probes(small_bundle, "imu")[0]), expected)
    assert opened(small_bundle).packed == (damage != "folder")


def test_a_cut_while_it_is_in_use_is_an_error(small_bundle: Path, cache: Path, expected: np.ndarray) -> None:
    engine = opened(small_bundle)
    os.truncate(only(cache), 5000)
    with pytest.raises(EngineError, match="packed weights was cut"):
        vectors(engine, probes(small_bundle, "imu")[0])


def test_it_may_be_removed_while_it_is_in_use(small_bundle: Path, cache: Path, expected: np.ndarray) -> None:
    engine = opened(small_bundle)
    only(cache).unlink()
    np.testing.assert_array_equal(vectors(engine, probes(small_bundle, "imu")[0]), expected)


def test_without_a_folder_weights_are_in_memory(
    small_bundle: Path,
    expected: np.ndarray,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/proc/nowhere")
    with caplog.at_level(logging.WARNING, "bindrt"):
        engine = opened(small_bundle)
    assert not engine.packed
    assert "since the cache folder cannot be written" in caplog.text
    np.testing.assert_array_equal(vectors(engine, probes(small_bundle, "imu")[0]), expected)


def test_where_a_file_cannot_be_made(
    small_bundle: Path, cache: Path, expected: np.ndarray, caplog: pytest.LogCaptureFixture
) -> None:
    path = only(cache)
    path.unlink()
    path.mkdir()
    (path / "something").touch()  # no file can take its place
    with caplog.at_level(logging.WARNING, "bindrt"):
        engine = opened(small_bundle)
    assert "cannot be written" in caplog.text
    np.testing.assert_array_equal(vectors(engine, probes(small_bundle, "imu")[0]), expected)
    assert only(cache) == path


def test_two_processes_at_once(small_bundle: Path, cache: Path, expected: np.ndarray) -> None:
    only(cache).unlink()
    program = (
        "import sys; from pathlib import Path; from support.native import native;"
        "bundle = Path(sys.argv[1]);"
        f"print(native(bundle, bundle / 'onnx/fp32/imu.onnx', 'fp32', {KEY!r}).packed)"
    )
    tests = Path(__file__).resolve().parent.parent.parent
    started = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(small_bundle)], cwd=tests, stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    said = [process.communicate(timeout=120)[0].strip() for process in started]
    assert [process.returncode for process in started] == [0, 0]
    assert set(said) <= {"True", "False"}
    assert "False" in said
    again = opened(small_bundle)
    assert again.packed
    np.testing.assert_array_equal(vectors(again, probes(small_bundle, "imu")[0]), expected)
    assert len(list(cache.iterdir())) == 1


def test_the_least_recently_used_go_first(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed, "MOST_BYTES", 1000)
    cache.mkdir(parents=True)
    for age, name in enumerate(("new", "old", "older")):
        path = cache / f"{name}.packed"
        path.write_bytes(bytes(400))
        os.utime(path, (0, 10_000 - age))
    assert packed.packed_file("key", 300) == (str(cache / "key.packed"), "")
    assert [p.name for p in cache.iterdir()] == ["new.packed"]  # 400 and 300 fit, 800 and 300 do not
    path, why = packed.packed_file("key", 1001)
    assert (path, "there is no room" in why) == ("", True)
    assert (cache / "new.packed").exists()


def test_a_full_disk_keeps_what_is_there(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed, "LEAST_FREE", 1 << 60)
    cache.mkdir(parents=True)
    (cache / "other.packed").write_bytes(bytes(400))
    assert packed.packed_file("key", 300)[0] == ""
    assert packed.packed_file("other", 300)[0] == str(cache / "other.packed")  # it needs no room


def test_what_nobody_finished_is_removed(cache: Path) -> None:
    cache.mkdir(parents=True)
    left, working = cache / "a.packed.12.0.new", cache / "a.packed.13.0.new"
    for path, age in ((left, 2 * packed.ABANDONED), (working, 1)):
        path.touch()
        os.utime(path, (time.time() - age,) * 2)
    packed.packed_file("key", 1)
    assert list(cache.iterdir()) == [working]
