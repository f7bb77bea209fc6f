"""``PipelineOptions(background=...)``: threads of these modalities step back, and nothing else changes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
import threading
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

import bindrt
from bindrt import _core
from bindrt.background import STEPS, FairLock, batch_class, in_background
from bindrt.load_options import EngineName
from support.golden import HERE

INPUTS = HERE / "inputs"
SOUND, PHOTO = INPUTS / "audio/short_8k.wav", INPUTS / "image/photo.webp"
linux = pytest.mark.skipif(sys.platform != "linux", reason="a thread has no niceness of its own here")


def niceness() -> dict[int, int]:
    """The niceness of each thread of this process."""
    return {int(t): os.getpriority(os.PRIO_PROCESS, int(t)) for t in os.listdir("/proc/self/task")}


def started_by(before: dict[int, int]) -> list[int]:
    """The niceness of threads that are new, beside this thread's."""
    own = os.getpriority(os.PRIO_PROCESS, 0)
    return [nice - own for thread, nice in niceness().items() if thread not in before]


def needs_classes() -> None:
    """Skips where threads cannot change their class, or are not usual ones."""
    if sys.platform != "linux":
        pytest.skip("threads have no class here")
    with batch_class():
        if os.sched_getscheduler(0) != os.SCHED_BATCH:
            pytest.skip("this thread is of another class, or may not change it")


@pytest.mark.parametrize("scheduling", ["batch", "normal"])
def test_the_class_of_threads(small_bundle: Path, scheduling: str) -> None:
    needs_classes()
    code = textwrap.dedent("""
        import json, os, sys, threading
        import numpy as np
        import bindrt
        before = set(os.listdir("/proc/self/task"))
        options = bindrt.PipelineOptions(scheduling=sys.argv[2])
        with bindrt.load(sys.argv[1], engine="onnxruntime", threads=3, pipeline=options) as model:
            model.submit("imu", bindrt.Imu(np.ones((6, 2000)), rate=400)).result(60)
            own = set(os.listdir("/proc/self/task")) - before
            with model.live("imu") as stream:
                stream.push(np.ones((6, 10)), np.arange(10) / 400)
                streams = [t.native_id for t in threading.enumerate() if "bindrt-stream" in t.name]
            threads = {"own": [*map(int, own)], "streams": streams, "this": [0], "started": []}
            thread = threading.Thread(target=lambda: threads["started"].append(os.sched_getscheduler(0)))
            thread.start()
            thread.join()
            for name in ("own", "streams", "this"):
                threads[name] = [os.sched_getscheduler(each) for each in threads[name]]
        print(json.dumps(threads))
    """)
    command = [sys.executable, "-c", code, str(small_bundle), scheduling]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    expected = {os.SCHED_BATCH if scheduling == "batch" else os.SCHED_OTHER}
    assert len(found["own"]) >= 5  # the engine's other two, the pipeline's two, the workers
    assert set(found["own"]) == set(found["streams"]) == expected
    assert found["this"] == found["started"] == [os.SCHED_OTHER]  # the program's own


def test_the_program_keeps_its_class() -> None:
    needs_classes()
    with pytest.raises(KeyError), batch_class():
        raise KeyError
    with batch_class(False):
        assert os.sched_getscheduler(0) == os.SCHED_OTHER
    assert os.sched_getscheduler(0) == os.SCHED_OTHER


@linux
def test_a_thread_of_another_class_is_left_alone() -> None:
    found: list[int] = []

    def idle() -> None:
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
        with batch_class():
            found.append(os.sched_getscheduler(0))

    thread = threading.Thread(target=idle)
    thread.start()
    thread.join()
    assert found == [os.SCHED_IDLE]


def test_classes_that_there_are_not() -> None:
    with pytest.raises(bindrt.OptionError, match="scheduling='idle'"):
        bindrt.PipelineOptions(scheduling="idle")


@pytest.fixture
def native_threads() -> None:
    """The threads of the engine native, which do not step back, since they serve all encoders."""
    _core.start_native_threads()


@linux
def test_threads_that_step_back(small_bundle: Path, native_threads: None) -> None:
    options = bindrt.PipelineOptions(background=("audio",))
    with bindrt.load(small_bundle, engine="onnxruntime", threads=3, pipeline=options) as model:
        model.submit("text", "warm up").result(60)  # the shared workers, and all that libraries start once
        before = niceness()
        model.submit("audio", SOUND).result(60)
        new = started_by(before)
        # The engine's other two threads, the pipeline's two, and workers of their own.
        assert len(new) >= 4
        assert set(new) == {STEPS}
        before = niceness()
        model.submit("image", PHOTO).result(60)
        new = started_by(before)
        assert len(new) >= 4
        assert set(new) == {0}
    assert os.getpriority(os.PRIO_PROCESS, 0) == before[os.getpid()]


@linux
def test_embed_alone_starts_an_engine_that_steps_back(small_bundle: Path, native_threads: None) -> None:
    options = bindrt.PipelineOptions(background=["imu"])  # type: ignore[arg-type] # as users write it
    with bindrt.load(small_bundle, engine="onnxruntime", threads=3, pipeline=options) as model:
        before = niceness()
        model.embed(imu=INPUTS / "imu/s2.npz")
        assert STEPS in started_by(before)


@pytest.mark.parametrize("engine", ["onnxruntime", "native"])
def test_vectors_are_the_same(small_bundle: Path, engine: EngineName) -> None:
    items = {"audio": [SOUND], "text": ["a dog"]}
    with bindrt.load(small_bundle, engine=engine) as model:
        expected = model.embed(**items)
    background = bindrt.PipelineOptions(background=("audio", "text"))
    with bindrt.load(small_bundle, engine=engine, pipeline=background) as model:
        found = model.embed(**items)
        for modality, given in items.items():
            np.testing.assert_array_equal(found[modality], expected[modality])
            vector = model.submit(modality, given[0]).result(60)
            np.testing.assert_allclose(vector, expected[modality][0], atol=5e-6)


def test_errors_come_out_of_the_thread() -> None:
    def fails() -> None:
        raise bindrt.InputError("it", "is wrong", "mend it")

    with pytest.raises(bindrt.InputError, match="is wrong"):
        in_background(fails)


@pytest.mark.parametrize("wrong", ["audio", ("sound",), (1,), ([],), None, {"audio": 1}])
def test_only_modalities(wrong: object) -> None:
    with pytest.raises(bindrt.OptionError, match="background="):
        bindrt.PipelineOptions(background=wrong)  # type: ignore[arg-type]


def test_turns_exclude_each_other_and_none_is_lost() -> None:
    turns, inside, most, done = FairLock(), 0, 0, []

    def work(name: str) -> None:
        nonlocal inside, most
        for i in range(200):
            with suppress(ValueError), turns.turn(name):
                inside += 1
                most = max(most, inside)
                time.sleep(0)
                inside -= 1
                done.append(name)
                if i % 50 == 0:
                    raise ValueError

    threads = [threading.Thread(target=work, args=(name,)) for name in "abca"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert most == 1
    assert len(done) == 800


def test_who_had_least_time_is_next() -> None:
    turns, order = FairLock(), []

    def work(name: str) -> None:
        with turns.turn(name):
            order.append(name)

    def waits(name: str) -> threading.Thread:
        thread, before = threading.Thread(target=work, args=(name,)), turns.waiting()
        thread.start()
        while turns.waiting() == before:
            time.sleep(0.001)
        return thread

    with turns.turn("long"):
        time.sleep(0.05)
        short = waits("short")  # so that the long one's time counts against it
    short.join(60)
    with turns.turn("other"):
        threads = [waits(name) for name in ("long", "short", "new")]
    for thread in threads:
        thread.join(60)
    assert order[0] == "short"
    assert order[-1] == "long"
