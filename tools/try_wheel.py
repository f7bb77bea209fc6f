"""Try a wheel as a user would: ``python tools/try_wheel.py dist/bindrt-….whl``.

Installs it from wheels alone into an empty environment, outside the checkout. Only that environment and a
shell are on PATH, so there is no compiler. There it runs the README's first lines, the commands, and the
tests of the commands and of the page to watch, whose files lie in the wheel. The wheel's environment has no
torch: the bundle of those tests is made here before, and tests that export are skipped.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
#: The tests of bind-export, which needs torch, are left out.
TESTS = (
    "tests/runtime/commands",
    "tests/runtime/watching",
    "--ignore",
    "tests/runtime/commands/test_bind_export.py",
)
#: What the tests need beside the runtime's own dependencies.
FOR_TESTS = ("hypothesis", "psutil", "pytest")
COMMANDS = (
    ("bind-embed", "tiny", "bell.jpg", "bell.wav", "--text", "a bell", "-o", "vectors.parquet"),
    ("bind-embed", "tiny", "bell.jpg", "car.jpg", "--index", "images.index"),
    ("bind-search", "images.index", "--audio", "bell.wav"),
    ("bind-bench", "--help"),
    ("bind-export", "--help"),
    ("python", "-m", "bindrt", "doctor"),
)


class Environment:
    """An empty virtual environment in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._scripts = folder / "venv" / "bin"
        subprocess.run([sys.executable, "-m", "venv", str(folder / "venv")], check=True)
        (self._scripts / "sh").symlink_to(shutil.which("sh") or "/bin/sh")

    def run(self, *command: str, **variables: str) -> None:
        """Run a script of the environment in its folder; CalledProcessError where it fails."""
        ours = {name for name in os.environ if name.startswith(("PYTHON", "VIRTUAL"))}
        kept = {name: value for name, value in os.environ.items() if name not in ours}
        own = {"PATH": str(self._scripts), "XDG_CACHE_HOME": str(self.folder / "cache")}
        script = str(self._scripts / command[0])
        environment = kept | own | variables
        subprocess.run(
            [script, *command[1:]], cwd=self.folder, env=environment, stdin=subprocess.DEVNULL, check=True
        )

    def install(self, *requirements: str) -> None:
        """From wheels alone, in the versions of the lock."""
        pip = ("python", "-m", "pip", "--disable-pip-version-check", "install", "-q")
        self.run(*pip, "--only-binary", ":all:", "-c", str(ROOT / "constraints.txt"), *requirements)


def first_lines() -> str:
    """The README's first block of Python."""
    found = re.search(r"^```python\n(.*?)^```", (ROOT / "README.md").read_text(), re.DOTALL | re.MULTILINE)
    if not found:
        raise SystemExit("README.md has no block of Python")
    return found.group(1)


def small_bundle(folder: Path) -> Path:
    """The bundle that tests/conftest.py makes for the tests of the commands."""
    sys.path[:0] = [str(ROOT / "tests")]
    from support import bundles

    return bundles.export(bundles.small_checkpoint(folder), folder / "small.bind", bundles.SMALL_CONFIG)


def try_wheel(wheel: Path) -> int:
    """Exit code 0 if everything ran; says what failed otherwise."""
    try:
        _try_all(wheel)
    except subprocess.CalledProcessError as error:
        print(f"failed: {' '.join(error.cmd)}", file=sys.stderr)
        return 1
    return 0


def _try_all(wheel: Path) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        environment = Environment(folder)
        _say("installing into an empty environment")
        environment.install(str(wheel))
        _say("the README's first lines")
        environment.run("python", str(ROOT / "examples/first_files.py"))
        (folder / "first.py").write_text("import shutil\n\nassert not shutil.which('cc')\n" + first_lines())
        environment.run("python", "first.py")
        for command in COMMANDS:
            _say(" ".join(command))
            environment.run(*command)
        bundle = str(small_bundle(folder))
        _say("bind-export --check, and the tests of the other commands")
        environment.run("bind-export", "--check", bundle)
        environment.install(*FOR_TESTS)
        shutil.copytree(ROOT / "tests", folder / "tests", ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(ROOT / "pyproject.toml", folder)
        environment.run("python", "-m", "pytest", "-q", *TESTS, BINDRT_TEST_BUNDLE=bundle)


def _say(what: str) -> None:
    print(f"--- {what}", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("wheel", type=Path)
    return try_wheel(parser.parse_args().wheel.resolve())


if __name__ == "__main__":
    sys.exit(main())
