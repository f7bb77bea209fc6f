"""Requests in flight when the interpreter exits, and after a fork."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from support.golden import HERE

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
