"""Which of several engines is kept, and how often each runs for that."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bindrt.bundle import Bundle, open_bundle
from bindrt.engines import EngineSettings
from bindrt.selection.contest import GAIN, LEAST_TURNS, MOST_TURNS, SECONDS, Contest, in_turns
from bindrt.selection.derived import usable_files
from support.stopwatch import Times, timed
from support.toy_engine import bundle_of


@pytest.fixture
def bundle(tmp_path: Path, imu_bundle: Path, toy_alone: Callable[..., None]) -> Bundle:
    toy_alone()
    return open_bundle(bundle_of(tmp_path / "made.bind", imu_bundle, "fp32"))


def held(
    bundle: Bundle,
    monkeypatch: pytest.MonkeyPatch,
    *times: Times,
    busy: Callable[[float], float] = lambda now: 1.0,
) -> Contest:
    """A contest of as many engines as there are times, named a, b, …"""
    files = usable_files(bundle.manifest)[: len(times)]
    timed(monkeypatch, {f"{e.engine} {e.precision}": t for e, t in zip(files, times, strict=True)}, busy)
    contest = Contest(bundle, EngineSettings())
    for name, one in zip("abc", files, strict=False):
        contest.enter(name, one)
    return contest


def test_the_faster_one_is_kept(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    contest = held(bundle, monkeypatch, 0.02, 0.01, 0.03)
    assert contest.best == "b"
    assert contest.seconds == pytest.approx({"a": 0.02, "b": 0.01, "c": 0.03})


def test_never_slower_than_another_by_three_percent(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    """However the gains of several add up: each that lost did so to one that stays or was beaten itself."""
    assert GAIN < 1.03
    assert held(bundle, monkeypatch, 0.0103, 0.01).best == "b"
    contest = held(bundle, monkeypatch, 0.0102, 0.01005, 0.01)
    assert contest.best is not None
    assert contest.seconds[contest.best] <= 1.03 * min(contest.seconds.values())


def test_engines_run_in_turns() -> None:
    calls: list[str] = []

    def run(name: str, seconds: float) -> float:
        calls.append(name)
        return seconds

    assert in_turns(lambda: run("a", 1.0), lambda: run("b", 2.0)) == (1.0, 2.0)
    assert calls == ["a", "b"] * LEAST_TURNS
    calls.clear()
    assert in_turns(lambda: run("a", 0.10), lambda: run("b", 0.11)) == (0.10, 0.11)  # not clear yet
    assert len(calls) == 2 * round(SECONDS / 0.21 + 0.5)
    calls.clear()
    in_turns(lambda: run("a", 0.001), lambda: run("b", 0.001))
    assert len(calls) == 2 * MOST_TURNS


def test_a_burst_of_other_work_decides_nothing(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    # warm-up, then runs; two of the later ones are disturbed
    contest = held(bundle, monkeypatch, [9.0, 0.3, 5.0, 5.0, 0.3], [9.0, 0.2])
    assert (contest.best, contest.seconds["a"]) == ("b", pytest.approx(0.3))


def test_a_busier_machine_decides_nothing(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything takes three times as long once the first has run: it still runs beside the others."""
    contest = held(bundle, monkeypatch, 0.3, 0.2, 0.25, busy=lambda now: 1.0 if now < 0.5 else 3.0)
    assert contest.best == "b"
    # And everything takes longer and longer.
    contest = held(bundle, monkeypatch, 0.03, 0.025, 0.02, busy=lambda now: 1.0 + now)
    assert contest.best == "c"


def test_winning_some_turns_by_chance_is_not_enough(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second is by far the faster in three of the first five turns, and never again."""
    lucky = [0.012, 0.012, *[0.005, 0.02, 0.005, 0.02, 0.005], 0.012]  # warm-up, a look, turns
    assert held(bundle, monkeypatch, 0.01, lucky).best == "a"


def test_a_slow_one_runs_no_more_than_it_must(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    contest = held(bundle, monkeypatch, 0.5, [0.9, 0.9, 0.9, 0.9, 1e-9])  # one more run, and it would win
    assert contest.best == "a"
    assert contest.seconds["b"] == pytest.approx(0.9)


def test_a_disturbed_first_run_is_repeated(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    assert held(bundle, monkeypatch, 0.5, [0.4, 3.0, 0.4]).best == "b"


def test_what_does_not_run_is_passed_over(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    contest = held(bundle, monkeypatch, "it broke", 0.5)
    assert contest.best == "b"
    assert {name: str(problem) for name, problem in contest.problems.items()} == {"a": "it broke"}
    assert held(bundle, monkeypatch, "it broke").best is None
