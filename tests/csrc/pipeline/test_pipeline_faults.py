"""Faults planted in the pipeline: the random schedules of stress_pipeline.cpp must find each."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from support import cpp, planted

SCHEDULES = 3000
PIPELINE = cpp.ROOT / "csrc" / "pipeline"
Fault = partial(planted.Fault, PIPELINE)


FAULTS = (
    Fault("batch sent before its rows are written", "executing.cpp", "batch.pending > 0 || ", ""),
    Fault("slots overlap", "preparing.cpp", "batch.row(batch.used)", "batch.row(batch.used / 2)"),
    Fault(
        "slots reused while the engine reads them",
        "executing.cpp",
        "  batch->run_begin = Clock::now();\n",
        "  batch->run_begin = Clock::now();\n"
        "  {\n"
        "    const Lock early(mutex_);\n"
        "    of.open[batch->length_class] = batch.get();\n"
        "  }\n",
    ),
    Fault("rows stay when holes are closed", "batch.cpp", "std::memmove(", "(void)sizeof("),
    Fault("holes counted but not closed", "executing.cpp", "batch->close_holes()", "0"),
    Fault("vectors of neighbours", "executing.cpp", "entry.first * dim,", "(entry.first ^ 1) * dim,"),
    Fault("rows of a longer class", "preparing.cpp", "to += rows.row_bytes();", "to += ready.row_bytes;"),
    Fault("weights forgotten", "executing.cpp", "request.weights.empty() ?", "true ?"),
    Fault(
        "cancelled twice",
        "pipeline.cpp",
        "    return false;\n  }\n  tell_engine(",
        "  }\n  tell_engine(",
    ),
    Fault("whole batch blamed", "run_batch.cpp", "|| past - first == 1) {", "|| past - first > 0) {"),
    Fault("limit never lowered", "run_batch.cpp", "limit = count / 2;", "limit = std::min(limit, count);"),
    Fault("room told to one", "pipeline.cpp", "lane.space.notify_all();", "lane.space.notify_one();"),
    Fault(
        "engine not told of a commit",
        "preparing.cpp",
        "    executor_.wake.notify_one();  //",
        "    //",
    ),
    Fault(
        "engine not told of what a guest left",
        "submitting.cpp",
        "has_batches)) {\n    tell_engine();",
        "has_batches)) {",
    ),
    Fault("holes in the caller's rows", "batch.cpp", "from + entry.first *", "from + to *"),
    Fault("rows stay counted", "executing.cpp", "of.in_flight -= batch->credit;", ""),
    Fault("deliveries out of count", "pipeline.cpp", "static_cast<std::int64_t>(deliveries.size())", "1"),
)
IN_MAKE_TEST = ("batch sent before its rows are written", "slots overlap")


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if reason := cpp.missing("", tmp_path_factory.mktemp("probe")):
        pytest.skip(reason)
    return cpp.build("", "stress_pipeline")


def run_with(tree: Path, damaged: Path, program: Path, seconds: int) -> str:
    built = planted.link(tree, "stress_pipeline", damaged, ["pipeline", "kernels"], program)
    return cpp.run([str(built), str(SCHEDULES)], env={"BINDRT_STRESS_SECONDS": str(seconds)}).stdout


def test_without_a_fault(tree: Path, tmp_path: Path) -> None:
    copy = tmp_path / "executing.cpp"
    copy.write_text((PIPELINE / "executing.cpp").read_text())
    assert f"{SCHEDULES} cases\n" in (out := run_with(tree, copy, tmp_path / "run", 60))
    assert ", 0 failed" in out


def test_each_fault_can_be_planted() -> None:
    """Code that was written anew leaves none without its text, which `make test` tries in part only."""
    assert all(fault.damaged() for fault in FAULTS)


@pytest.mark.parametrize(
    "fault",
    [pytest.param(f, id=f.name, marks=() if f.name in IN_MAKE_TEST else pytest.mark.deep) for f in FAULTS],
)
def test_fault_is_found(tree: Path, tmp_path: Path, fault: planted.Fault) -> None:
    damaged = tmp_path / fault.file
    damaged.write_text(fault.damaged())
    out = run_with(tree, damaged, tmp_path / "run", 5)
    assert f"{SCHEDULES} cases\n" not in out or ", 0 failed" not in out  # failed, crashed or hung
