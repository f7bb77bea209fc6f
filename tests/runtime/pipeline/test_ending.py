"""Models closed, unloaded or left at Ctrl-C and at the end of the process, and processes that fork."""

from __future__ import annotations

import copy
import json
import os
import pickle
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

import bindrt

PREAMBLE = """
import os, signal, sys, threading, time
import numpy as np, bindrt
class Slow:
    name, device, precision, max_batch = "slow", "cpu", "fp32", 4
    def run(self, inputs, out):
        time.sleep(0.2)
        out[...] = 1
def slow():
    return bindrt.load("tiny", modalities=["text"], engines={"text": Slow()})
def interrupted_after(seconds):
    threading.Timer(seconds, os.kill, (os.getpid(), signal.SIGINT)).start()
"""


def run_script(code: str) -> subprocess.CompletedProcess[str]:
    script = PREAMBLE + code
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize("ends", ["close(drain=True)", "unload('text')"])
def test_ctrl_c_ends_the_wait_and_the_process_ends_well(ends: str) -> None:
    done = run_script(
        "m = slow()\n"
        "futures = [m.submit('text', str(i)) for i in range(200)]\n"  # ten seconds of work
        "futures[0].result(60)\n"
        "try:\n"
        "    interrupted_after(0.3)\n"
        f"    m.{ends}\n"
        "except KeyboardInterrupt: print('interrupted')\n"
        "ends = [type(f.exception(60)).__name__ for f in futures]\n"
        "print(sorted(set(ends)), flush=True)\n"
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "interrupted\n['ClosedError', 'NoneType']\n"  # not all were waited for


def test_a_future_alone_keeps_its_pipeline_and_the_process_ends_well() -> None:
    done = run_script("futures = [slow().submit('text', str(i)) for i in range(20)]\nprint('leaving')\n")
    assert (done.returncode, done.stdout, done.stderr) == (0, "leaving\n", "")


DAEMON_CALLS = (
    "m.embed(text=['a', 'b'])",
    "m.submit('text', 'a').result()",
    "list(m.stream('text', ['a'] * 50))",
    "m.unload('text') or m.zero_shot(['a'])(text='b')",
)


@pytest.mark.parametrize("call", DAEMON_CALLS)
def test_daemon_threads_at_the_end(call: str) -> None:
    done = run_script(
        "m = bindrt.load('tiny', modalities=['text'], engine='onnxruntime')\n"
        "def ask():\n"
        f"    while True: {call}\n"
        "for _ in range(4): threading.Thread(target=ask, daemon=True).start()\n"
        "time.sleep(0.5)\n"
        "print('leaving', flush=True)\n"
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "leaving\n", "")


def test_pushes_of_a_daemon_thread_at_the_end() -> None:
    """None is taken that nobody prepares; and the stream can be closed."""
    done = run_script(
        "import atexit\n"
        "m = bindrt.load('tiny', modalities=['imu'])\n"
        "m.warm_up()\n"
        "def look():\n"
        "    before = stream.stats()['pushed']\n"
        "    time.sleep(0.2)\n"
        "    print(before > 0, stream.stats()['pushed'] - before, flush=True)\n"
        "    m.close()\n"
        "    print(stream.closed, flush=True)\n"
        "atexit.register(look)\n"  # called after what the stream registers
        "stream = m.live('imu')\n"
        "def push():\n"
        "    for number in range(10**9):\n"
        "        stream.push(np.ones((6, 1)), np.array([number / 400]))\n"
        "        time.sleep(0.001)\n"
        "threading.Thread(target=push, daemon=True).start()\n"
        "time.sleep(0.1)\n"
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "True 0\nTrue\n", "")


def test_a_thread_that_goes_on_when_the_main_thread_has_ended() -> None:
    done = run_script(
        "m = bindrt.load('tiny', modalities=['imu'], engine='onnxruntime')\n"
        "item = bindrt.Imu(np.ones((6, 1000)), rate=200)\n"
        "def ask():\n"
        "    threading.main_thread().join()\n"
        "    time.sleep(0.2)\n"
        "    print(m.embed(imu=[item] * 5).imu.shape, flush=True)\n"
        "threading.Thread(target=ask).start()\n"
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "(5, 96)\n", "")


def test_nobody_waits_for_a_decoder_at_the_end() -> None:
    """A worker that is in a library for long is left to itself."""
    done = run_script(
        "class Long:\n"
        "    name = 'long'\n"
        "    def read(self, n=-1): time.sleep(100)\n"
        "m = bindrt.load('tiny', modalities=['image'])\n"
        "m.submit('image', Long())\n"
        "time.sleep(0.2)\n"
        "print('leaving', flush=True)\n"
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "leaving\n", "")


def test_a_forked_child_is_told() -> None:
    done = run_script(
        "import warnings\n"
        "warnings.simplefilter('ignore')\n"
        "m = slow()\n"
        "m.submit('text', 'a').result()\n"
        "waiting = m.submit('text', 'b')\n"
        "def trace():\n"
        "    with m.trace(os.devnull): pass\n"
        "calls = [m.stats, m.warm_up, trace, lambda: m.embed(text='a'), lambda: m.submit('text', 'a'),\n"
        "    lambda: list(m.stream('text', 'a'.split())), lambda: m.unload('text'), waiting.result,\n"
        "    waiting.cancel]\n"
        "if (child := os.fork()) == 0:\n"
        "    for call in calls:\n"
        "        try: call()\n"
        "        except Exception as error: print(type(error).__name__, flush=True)\n"
        "    m.close()\n"
        "    os._exit(0)\n"
        "print(os.waitpid(child, 0)[1], waiting.result().shape, flush=True)\n"
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "ForkError\n" * 9 + "0 (96,)\n"


def test_a_long_decoding_ends_when_nobody_wants_it() -> None:
    """Ctrl-C in ``embed`` does not wait for the end of a file that is decoded on another thread."""
    done = run_script(
        "class Endless:\n"
        "    name = 'endless'\n"
        "    def read(self, n=-1):\n"
        "        time.sleep(0.01)\n"
        "        return b'x'\n"
        "m = bindrt.load('tiny', modalities=['image'], limits=bindrt.Limits(max_bytes=10**9))\n"
        "try:\n"
        "    interrupted_after(0.5)\n"
        "    m.embed(image=[Endless(), Endless()])\n"
        "except KeyboardInterrupt: print('interrupted')\n"
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "interrupted\n", "")


def test_ctrl_c_does_not_hit_who_shares_the_batch() -> None:
    """The main thread runs the engine for its own call; another thread's text is in the same batch."""
    done = run_script(
        "class Engine(Slow):\n"
        "    def run(self, inputs, out):\n"
        "        calls.append(len(inputs))\n"
        "        if len(calls) == 1: time.sleep(0.4)\n"  # what comes now shares the next batch
        "        else: hit.wait(60)\n"
        "        out[...] = 1\n"
        "def interrupted_in_call(number):\n"
        "    def wait():\n"
        "        while len(calls) < number: time.sleep(0.01)\n"
        "        os.kill(os.getpid(), signal.SIGINT)\n"
        "        time.sleep(0.2)\n"  # the engine goes on with what the others want
        "        hit.set()\n"
        "    threading.Thread(target=wait).start()\n"
        "calls, hit = [], threading.Event()\n"
        "m = bindrt.load('tiny', modalities=['imu'], engines={'imu': Engine()})\n"
        "item = bindrt.Imu(np.ones((6, 1000)), rate=200)\n"
        "m.embed(imu=item)\n"
        "calls.clear()\n"
        "first = m.submit('imu', item)\n"
        "while not calls: time.sleep(0.001)\n"
        "other = m.submit('imu', item)\n"
        "try:\n"
        "    interrupted_in_call(2)\n"
        "    m.embed(imu=item)\n"
        "except KeyboardInterrupt: print('interrupted')\n"
        "print(first.result(60).shape, other.result(60).shape)\n"
        "hit.clear()\n"
        "try:\n"
        "    interrupted_in_call(len(calls) + 1)\n"
        "    m.embed(imu=item)\n"
        "except KeyboardInterrupt: print('interrupted')\n"
        "print(m.embed(imu=[item] * 5).imu.shape)\n"
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "interrupted\n(96,) (96,)\ninterrupted\n(5, 96)\n"


def test_a_forked_child_ends_its_own_models() -> None:
    done = run_script(
        "import warnings\n"
        "warnings.simplefilter('ignore')\n"
        "m = slow()\n"
        "m.submit('text', 'a').result()\n"
        "if (child := os.fork()) == 0:\n"
        "    own = slow()\n"
        "    futures = [own.submit('text', str(i)) for i in range(30)]\n"
        "    print(futures[0].result().shape, flush=True)\n"
        "    sys.exit(0)\n"
        "print(os.waitpid(child, 0)[1], flush=True)\n"
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "(96,)\n0\n", "")


def test_a_closed_model_says_so() -> None:
    model = bindrt.load("tiny", modalities=["text"])
    model.close()
    for call in (
        lambda: model.embed(text="a"),
        lambda: model.submit("text", "a"),
        lambda: model.stream("text", ["a"]),
        lambda: model.unload("text"),
        model.warm_up,
    ):
        with pytest.raises(bindrt.ClosedError, match="the model is closed; load it again"):
            call()


@pytest.mark.parametrize("take", [pickle.dumps, copy.copy, copy.deepcopy])
def test_a_model_is_not_pickled(take: object) -> None:
    with (
        bindrt.load("tiny", modalities=["text"]) as model,
        pytest.raises(bindrt.OptionError, match=r"cannot be pickled or copied.*send its path, and call"),
    ):
        take(model)  # type: ignore[operator]


def test_traces_while_encoders_come_and_go(tmp_path: Path) -> None:
    until = time.monotonic() + 2.0
    wrong: list[BaseException] = []
    files = tmp_path / "run.json"
    spans = 0

    def repeat(call: object) -> None:
        while time.monotonic() < until:
            try:
                call()  # type: ignore[operator]
            except BaseException as error:
                wrong.append(error)

    with bindrt.load("tiny", modalities=["text"]) as model:

        def trace() -> None:
            nonlocal spans
            with model.trace(files):
                model.submit("text", "a").result(60)
            spans += len(json.loads(files.read_text())["traceEvents"])

        calls = (trace, lambda: model.unload("text"), lambda: model.submit("text", "b").result(60))
        threads = [threading.Thread(target=repeat, args=(call,)) for call in calls]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert [e for e in wrong if not isinstance(e, bindrt.ClosedError)] == []
    assert spans > 0


@pytest.mark.parametrize(
    ("path", "message"),
    [
        (5, "not a path"),
        (None, "not a path"),
        (b"x", "not a path"),
        ("/dev/full", "cannot be written"),
        ("/", "cannot be written"),
        ("a\0b", "cannot be written"),
        ("\ud800", "cannot be written"),
    ],
)
def test_where_a_trace_cannot_be_written(path: object, message: str) -> None:
    open_before = set(os.listdir("/proc/self/fd"))
    with (
        bindrt.load("tiny", modalities=["text"]) as model,
        pytest.raises(bindrt.OptionError, match=message),
        model.trace(path),  # type: ignore[arg-type]
    ):
        model.submit("text", "a").result(60)
    assert set(os.listdir("/proc/self/fd")) == open_before
