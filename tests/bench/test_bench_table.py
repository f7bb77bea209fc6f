"""``python -m bench``: each name of the table runs, and two results are compared row by row."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench import compare
from bench.__main__ import COMMANDS, main, usage
from bench.paths import RESULTS, ROOT, slug


@pytest.mark.parametrize("name", COMMANDS)
def test_each_bench_has_options(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert callable(importlib.import_module(COMMANDS[name].module).main)
    with pytest.raises(SystemExit, match="0"):
        main([name, "--help"])
    assert f"python -m bench {name}" in capsys.readouterr().out


def test_the_table_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    listed = capsys.readouterr().out
    assert all(f"  {name} " in listed and command.summary in listed for name, command in COMMANDS.items())
    assert main(["no-such-bench"]) == 2
    assert usage() in capsys.readouterr().err


def test_listing_imports_no_bench() -> None:
    code = "import sys; from bench.__main__ import main; main(['--help']); print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "False"


@pytest.mark.parametrize(
    ("file", "row"),
    [
        ("kernels-amd-epyc.json", "mel, bindrt: seconds"),
        ("engines-amd-epyc.json", "text, batch 1, bindrt-onnxruntime: seconds"),
        ("pipeline-core-amd-epyc.json", "submit to result p50: us"),
        ("bind-bench-tiny.json", "text, text, offline: items a second"),
    ],
)
def test_kept_results_can_be_compared(file: str, row: str) -> None:
    result = json.loads((RESULTS / file).read_text("utf-8"))
    rows = compare.pooled([result, result])
    assert rows[row].median == compare.rows_of(result)[row].median > 0
    assert len(rows[row].values) == 2 * len(compare.rows_of(result)[row].values)
    assert "geometric mean of the ratios 1.000×" in compare.table(rows, rows)


def test_faster_is_above_one() -> None:
    old = {"time": compare.Row([2.0]), "rate": compare.Row([10.0], True), "gone": compare.Row([1.0])}
    new = {"time": compare.Row([1.0, 1.0]), "rate": compare.Row([20.0], True)}
    lines = compare.table(old, new).splitlines()
    assert [line.split()[0] for line in lines[1:3]] == ["time", "rate"]
    assert all("2.00×" in line for line in lines[1:3])
    with pytest.raises(ValueError, match="not a result"):
        compare.rows_of({"machine": {}})


def test_trees_take_turns(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for name, seconds in (("old", 2.0), ("new", 1.0)):
        (tmp_path / name / "bench").mkdir(parents=True)
        (tmp_path / name / ".venv/bin").mkdir(parents=True)
        (tmp_path / name / ".venv/bin/python").symlink_to(sys.executable)
        case = {"encoder": "imu", "batch": 1, "ways": {"bindrt": {"seconds": seconds}}}
        program = f"import sys; open(sys.argv[-1], 'w').write({json.dumps({'cases': [case]})!r})"
        (tmp_path / name / "bench/__main__.py").write_text(program)
    trees = [str(tmp_path / "old"), str(tmp_path / "new")]
    assert compare.main([*trees, "--turns", "2", "--", "engines", "--quick"]) == 0
    said = capfd.readouterr().out
    turns = [line.rsplit("/", 1)[-1] for line in said.splitlines() if line.startswith("turn ")]
    assert turns == ["old", "new", "new", "old"]
    assert "2.00×" in said


def test_names_of_processors_in_file_names() -> None:
    assert slug("AMD EPYC 9B14 (96 cores)") == "amd-epyc-9b14-96-cores"
    assert slug("?") == "unnamed"
