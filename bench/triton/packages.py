"""An environment with NVIDIA's server and the older NumPy that it needs, over this environment."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

from bench.paths import BUILD

#: 75 MB to download, 220 MB on disk. What else the wheel asks for serves its own Python interface alone.
PACKAGES = ("nvidia-pytriton==0.7.0", "numpy==1.26.4")
FOLDER = BUILD / "triton"
#: Its Python, which finds these packages first and then all that are installed here.
PYTHON = FOLDER / "bin" / "python"
#: Seconds that pip may take: 20 where the network is fast.
PATIENCE = 90.0


def install(folder: Path = FOLDER, packages: tuple[str, ...] = PACKAGES) -> str:
    """Make the environment, unless it is there; why that cannot be, empty where it can.

    Processes that do it at the same time do it once.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with open(folder.with_name(f"{folder.name}.lock"), "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        stamp = folder / "installed.txt"
        wanted = "\n".join(packages)
        if stamp.is_file() and stamp.read_text("utf-8") == wanted:
            return ""
        venv.create(folder, clear=True)
        site = folder / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"
        here = f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})\n"
        (site / "bindrt_here.pth").write_text(here, "utf-8")
        if problem := _pip(site, packages):
            shutil.rmtree(folder, ignore_errors=True)
            return problem
        stamp.write_text(wanted, "utf-8")
        return ""


def _pip(site: Path, packages: tuple[str, ...]) -> str:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--retries", "1", "install", "-q"]
    command += ["--no-deps", "--only-binary", ":all:", "--target", str(site), *packages]
    try:
        done = subprocess.run(
            command,
            env={name: value for name, value in os.environ.items() if name != "PIP_CONSTRAINT"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=PATIENCE,
        )
    except subprocess.TimeoutExpired:
        return f"pip did not bring {packages[0]} within {PATIENCE:g} s"
    if not done.returncode:
        return ""
    lines = done.stdout.strip().splitlines() or ["pip failed"]
    why = next((line for line in lines if line.startswith("ERROR")), lines[-1])
    return f"pip cannot bring {packages[0]}: {why[:200]}"
