"""Requests in flight when the interpreter exits, and after a fork."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from support.golden import HERE
from support.media import sound_bytes, waveform, write_video

PHOTO = HERE / "inputs" / "image/photo.webp"


def run_script(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)


def test_interpreter_exit_with_work_in_flight(small_bundle: Path) -> None:
    done = run_script(
        "import bindrt\n"
        f"m = bindrt.load({str(small_bundle)!r})\n"
        f"fs = [m.submit('image', {str(PHOTO)!r}) for _ in range(200)]\n"
        f"fs += [m.submit('text', 'a dog') for _ in range(200)]\n"
        "fs[0].result()\n"
        "print('leaving')\n"
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "leaving\n", "")


def test_fork_after_load(small_bundle: Path) -> None:
    done = run_script(
        "import bindrt, os, warnings\n"
        "warnings.simplefilter('ignore')\n"
        f"m = bindrt.load({str(small_bundle)!r})\n"
        "m.submit('text', 'a').result()\n"
        "pid = os.fork()\n"
        "if pid == 0:\n"
        "    for call in (lambda: m.submit('text', 'a'), lambda: m.embed(text='a')):\n"
        "        try: call()\n"
        "        except bindrt.Error as error: print(error, flush=True)\n"
        "    m.close()\n"
        "    os._exit(0)\n"  # as multiprocessing does; ONNX Runtime itself hangs in a child that exits
        "else:\n"
        "    print(os.waitpid(pid, 0)[1], m.submit('text', 'a').result().shape, flush=True)\n"
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("before this process forked") == 2
    assert done.stdout.splitlines()[-1].startswith("0 (")


def test_fork_after_ordinary_items(small_bundle: Path, tmp_path: Path) -> None:
    """A child prepares by the libraries that the parent has used, and its calls of the model are errors."""
    (tmp_path / "sound.mp3").write_bytes(sound_bytes("MP3", waveform(1.0)))
    write_video(tmp_path / "film.mp4", options={"g": "10"})
    items = {
        "image": HERE / "inputs" / "image/exif_rotated.jpg",
        "thermal": HERE / "inputs" / "thermal/t2.png",
        "audio": tmp_path / "sound.mp3",
        "video": tmp_path / "film.mp4",
    }
    done = run_script(
        "import bindrt, hashlib, os, warnings\n"
        "warnings.simplefilter('ignore')\n"
        f"items = { ({modality: str(path) for modality, path in items.items()})!r}\n"
        f"m = bindrt.load({str(small_bundle)!r})\n"
        "def prepared():\n"
        "    made = [bindrt.preprocess.prepare(*i).array for i in items.items()]\n"
        "    return [hashlib.sha256(array.tobytes()).hexdigest() for array in made]\n"
        "for _ in range(2):\n"
        "    for f in [m.submit(*i) for i in items.items()]: f.result()\n"
        "want = prepared()\n"
        "pid = os.fork()\n"
        "if pid == 0:\n"
        "    for item in items.items():\n"
        "        try: m.submit(*item)\n"
        "        except bindrt.ForkError as error: print(error, flush=True)\n"
        "    os._exit(0 if prepared() == want else 1)\n"
        "print('child', os.waitpid(pid, 0)[1], prepared() == want, flush=True)\n"
        "for f in [m.submit(*i) for i in items.items()]: f.result()\n"
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("before this process forked") == len(items)
    assert done.stdout.splitlines()[-1] == "child 0 True"
