"""The C++ programs that test csrc/gpu, and the pipeline's random schedules, on this machine's driver.

They need neither Python nor a compiler: ``make gpu-kit`` builds them and puts them into the kit. Each is a
process with a time limit of its own.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from bench.gpu import processes
from bench.gpu.here import announce_gpu
from bench.paths import PROGRAMS, SIMULATED, slug
from bindrt import _core
from bindrt.benchmark.results import write_json

CASES = 100
_CHECKS = re.compile(r"^[1-9]\d* checks, 0 failed$", re.MULTILINE)


class Run(NamedTuple):
    """A run: the arguments, where ``DRIVER`` stands for the driver's path, and the limit in seconds."""

    program: str
    arguments: tuple[str, ...]
    limit: float


DRIVER = "DRIVER"
RUNS = (
    *(
        Run(name, (DRIVER,), 60)
        for name in ("test_gpu", "test_graphs", "test_picture_decoder", "test_film_decoder")
    ),
    # Other schedules each time: so many cases from this one on.
    *(Run("stress_gpu_pipeline", (str(CASES), str(first)), 150) for first in (1000, 2000)),
)


def checked(said: str) -> bool:
    """Whether a program says that it has checked something, and that nothing failed."""
    return _CHECKS.search(said) is not None


def run_all(folder: Path, runs: Sequence[Run] = RUNS) -> Iterator[dict[str, Any]]:
    driver = str(_core.gpu.driver()["path"])
    for run in runs:
        arguments = [driver if each is DRIVER else each for each in run.arguments]
        found = processes.run(
            [str(folder / run.program), *arguments], run.limit, {"BINDRT_LIBCUDA": driver}, checked
        )
        yield {"program": run.program, "arguments": arguments, **found}


def main(arguments: Sequence[str]) -> int:
    """Exit status 0: all checks were good; 1: not all; 2: there is no GPU, or there are no programs."""
    parser = argparse.ArgumentParser(prog="python -m bench gpu-programs", description=__doc__)
    parser.add_argument(
        "--folder", type=Path, default=PROGRAMS, help="where they are; default: build/gpu-programs"
    )
    parser.add_argument(
        "--json", type=Path, metavar="OUT", help="default: build/gpu_check/programs-<device>.json"
    )
    args = parser.parse_args(arguments)
    if (here := announce_gpu()) is None:
        return 2
    name, simulated = here
    if lacking := sorted({run.program for run in RUNS if not (args.folder / run.program).is_file()}):
        print(f"not in {args.folder}: {', '.join(lacking)}; make gpu-kit builds them", file=sys.stderr)
        return 2
    results = []
    for found in run_all(args.folder):
        results.append(found)
        state = "good" if found["good"] else "FAILED"
        with_ = Path(found["arguments"][-1]).name
        print(f"{found['program']:<21} {with_:<18} {state}: {processes.last_line(found)}", flush=True)
    out = args.json or SIMULATED / f"programs-{slug(name)}.json"
    out.parent.mkdir(parents=True, exist_ok=True)
    write_json(out, {"device": name, "simulated": simulated, "results": results})
    return 0 if all(each["good"] for each in results) else 1
