"""The parts of `make test` are all tests, each once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import run_tests

ROOT = run_tests.ROOT


def test_the_parts_are_all_tests() -> None:
    rest, *runtime = run_tests.parts()
    assert rest == ["tests", "--ignore=tests/runtime"]
    named = [Path(path) for part in runtime for path in part]
    assert len(named) == len(set(named))
    assert all(part for part in runtime)
    files = {path.relative_to(ROOT) for path in (ROOT / "tests" / "runtime").rglob("test_*.py")}
    covered = {path for path in files if any(path == each or each in path.parents for each in named)}
    assert covered == files


def test_a_path_is_run_alone_and_failures_are_told(tmp_path: Path) -> None:
    good, bad, ends = (tmp_path / f"test_{name}.py" for name in ("good", "bad", "ends"))
    good.write_text("def test_it(): pass\n")
    bad.write_text("def test_it(): assert False\n")
    ends.write_text("import os\ndef test_it(): os.abort()\n")
    for path, code, said in ((good, 0, ""), (bad, 1, "exit code 1"), (ends, 1, "ended by signal 6")):
        words = [sys.executable, "tools/run_tests.py", str(path), "-p", "no:cacheprovider"]
        done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == code, done.stdout
        assert said in done.stderr
        assert "1 passed" in done.stdout or code
