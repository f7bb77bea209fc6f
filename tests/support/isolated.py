"""Runs that may crash, hang or take all memory, in a process of their own that says which one did.

A script calls :func:`serve` with a function of a number; :func:`run` starts it and collects the outcomes.
After a death the process is started again behind the run that caused it.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SECONDS_A_RUN = 20
ADDRESS_SPACE = 8 << 30
#: What no file may make Python do; ``open`` is looked at for writing.
FORBIDDEN = (
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "os.spawn",
    "os.fork",
    "subprocess.Popen",
    "socket.connect",
)
_TESTS = Path(__file__).resolve().parent.parent


@dataclass
class Report:
    """What a series of runs came to.

    Attributes:
        outcomes: number of each run → what it ended in.
        wrong: runs that died, hung, raised what they must not, or did what is forbidden.
        peak: most resident bytes of a process.
        resident: resident bytes after each pass, for a series of passes.
        seconds: how long it took.
    """

    outcomes: dict[int, str] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    peak: int = 0
    resident: list[int] = field(default_factory=list)
    seconds: float = 0.0


def resident() -> int:
    """Resident bytes of this process, without what the allocator keeps for later."""
    gc.collect()
    with contextlib.suppress(AttributeError):  # glibc's alone
        ctypes.CDLL(None).malloc_trim(0)
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def serve(
    run_one: Callable[[int], str],
    numbers: Iterable[int],
    folder: Path,
    seconds: float = float("inf"),
    passes: int = 0,
    seconds_a_run: int = SECONDS_A_RUN,
) -> None:
    """Runs one after another, each announced before and reported after; for the process's own script.

    Args:
        run_one: given a number, does the run and says in what it ended; raises only if that is wrong.
        folder: where runs may write.
        seconds: stop after this long.
        passes: 0 to report each run; else do all of them this many times, and report the
            resident bytes after each pass.
        seconds_a_run: a run that takes longer hangs, and ends the process.
    """
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    watched = False

    def say(**what: Any) -> None:
        print(json.dumps(what), flush=True)

    def watch(event: str, args: tuple[Any, ...]) -> None:
        writes = event == "open" and isinstance(args[1], str) and args[1][:1] in "wax+"
        if watched and (event in FORBIDDEN or (writes and not str(args[0]).startswith(str(folder)))):
            say(did=f"{event} {args!r:.200}")

    sys.addaudithook(watch)
    stop = time.monotonic() + seconds
    every = list(numbers) if passes else numbers
    for _ in range(passes or 1):
        for number in every:
            if time.monotonic() > stop:
                return
            say(run=number)
            signal.alarm(seconds_a_run)  # its default action ends the process, also from within a decoder
            watched = True
            try:
                outcome = {"outcome": run_one(number)}
            except BaseException as error:
                outcome = {"wrong": f"{error!r:.500}"}
            watched = False
            signal.alarm(0)
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
            say(**outcome, number=number, peak=peak)
        if passes:
            say(resident=resident())


def run(
    command: Callable[[int], Sequence[str]],
    first: int,
    most_deaths: int = 20,
    timeout: float = 3600,
    env: dict[str, str] | None = None,
) -> Report:
    """Runs a script that serves, again behind each death, and collects what it says.

    Args:
        command: the command line that starts with a given number.
        first: the first number.
        most_deaths: give up after so many.
        timeout: seconds for all together, beyond those for a single run.
    """
    report, start = Report(), time.monotonic()
    while True:
        last, code, errors = _follow(command(first), report, start + timeout, env)
        if code == 0:
            break
        if last is None:
            report.wrong.append(f"it did not start ({code}): {errors}")
            break
        how = "hung" if code == -signal.SIGALRM else f"ended the process ({code})"
        report.wrong.append(f"run {last} {how}: {errors}")
        if len(report.wrong) >= most_deaths:
            break
        first = last + 1
    report.seconds = time.monotonic() - start
    return report


def _follow(
    command: Sequence[str], report: Report, until: float, env: dict[str, str] | None
) -> tuple[int | None, int, str]:
    """One process to its end: the last run that it began, its exit code, and what it wrote as errors."""
    process = subprocess.Popen(
        [sys.executable, *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        env={**os.environ, "PYTHONPATH": str(_TESTS), **(env or {})},
    )
    assert process.stdout is not None
    assert process.stderr is not None
    tail: list[str] = []
    reader = threading.Thread(target=lambda: tail.append(process.stderr.read()[-2000:]))  # type: ignore[union-attr]
    reader.start()
    killer = threading.Timer(max(until - time.monotonic(), 1), process.kill)
    killer.start()
    last: int | None = None
    try:
        for line in process.stdout:
            if line.startswith("{"):
                last = _note(json.loads(line), report, last)
    finally:
        killer.cancel()
        code = process.wait()
        reader.join()
    return last, code, "".join(tail)


def _note(said: dict[str, Any], report: Report, last: int | None) -> int | None:
    if "run" in said:
        return int(said["run"])
    if "did" in said:
        report.wrong.append(f"run {last} did {said['did']}")
    elif "resident" in said:
        report.resident.append(said["resident"])
    else:
        report.peak = max(report.peak, said["peak"])
        if "wrong" in said:
            report.wrong.append(f"run {said['number']} ended in {said['wrong']}")
        else:
            report.outcomes[said["number"]] = said["outcome"]
    return last
