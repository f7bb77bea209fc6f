"""Check that the runtime installs from wheels alone on every machine of the lock, and without torch.

For each Python 3.10 to 3.14 on x86-64 and aarch64 Linux, the base dependencies are resolved against
constraints.txt. Fails, naming what is missing, where a wheel or a pin is.
"""

from __future__ import annotations

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from uv_tool import GRID, ROOT, Environment, run_uv

LOCK = ROOT / "constraints.txt"
FORBIDDEN = ("torch", "torchvision", "torchaudio", "tensorflow", "jax")


def pins_for(environment: Environment) -> dict[str, str]:
    """The lock's version of each package on one machine."""
    pins: dict[str, str] = {}
    for line in LOCK.read_text().splitlines():
        if not line or line.startswith("#"):
            continue
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate(environment.markers):
            pins[canonicalize_name(requirement.name)] = str(requirement.specifier).removeprefix("==")
    return pins


def resolve(environment: Environment) -> dict[str, str]:
    """What an install of the base dependencies would bring; CalledProcessError where it cannot."""
    output = run_uv(
        ["pip", "compile", "pyproject.toml", "--constraint", LOCK.name, "--only-binary", ":all:"]
        + ["--python-version", environment.python, "--python-platform", environment.platform]
        + ["--no-annotate", "--no-header", "--quiet"]
    )
    requirements = [Requirement(line) for line in output.splitlines() if line and not line.startswith("-")]
    return {canonicalize_name(r.name): str(r.specifier).removeprefix("==") for r in requirements}


def problems_of(environment: Environment) -> list[str]:
    """What is wrong on one machine, as lines for people."""
    try:
        found = resolve(environment)
    except subprocess.CalledProcessError as error:
        reason = " ".join(str(error.stderr).split())
        return [f"{environment}: cannot be resolved from wheels: {reason}"]
    pins = pins_for(environment)
    problems = [f"{environment}: {name} is not in {LOCK.name}" for name in found if name not in pins]
    problems += [
        f"{environment}: {name} is among the runtime's dependencies" for name in FORBIDDEN if name in found
    ]
    return problems


def main() -> int:
    started = time.monotonic()
    with ThreadPoolExecutor(4) as pool:  # each waits for the network most of the time
        problems = [problem for lines in pool.map(problems_of, GRID) for problem in lines]
    for problem in problems:
        print(f"lock: {problem}", file=sys.stderr)
    if problems:
        return 1
    print(f"lock: wheels for all {len(GRID)} machines ({time.monotonic() - started:.0f} s)")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
