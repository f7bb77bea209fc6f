"""What systems are asked in turns and what becomes of it; pictures, tables and JSON of made-up results."""

from __future__ import annotations

import io
import json
import math
import xml.etree.ElementTree
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from bindrt.benchmark import comparison, results
from bindrt.benchmark.comparison import differences
from bindrt.benchmark.plots import svg
from bindrt.benchmark.svg import LogAxis
from bindrt.benchmark.tables import tables
from bindrt.benchmark.timing import duration
from bindrt.errors import OptionError

STAGES = {"queue": 1e-5, "prepare": 2e-3, "batch": 1e-5, "engine": 5e-3, "finish": 1e-4}
EFFORT = comparison.Effort(seconds=1.0, runs=3)


class FakeSide:
    """A side whose requests take ``seconds`` each; ``capacity`` requests a second hold any bound."""

    def __init__(self, name: str, seconds: float, log: list[str]) -> None:
        self.name = name
        self.seconds = seconds
        self.log = log
        self.asked: list[dict[str, Any]] = []

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        self.log.append(self.name)
        self.asked.append(request)
        modalities = request["modalities"]
        if request["do"] == "server":
            held = request["rate"] <= 0.8 / self.seconds
            found = {m: [self.seconds] * request["count"] for m in modalities}
            return {
                "rate": request["rate"], "held": held, "why": "" if held else "slow",
                "sent": request["count"], "latencies": found,
            }  # fmt: skip
        count = round(request["seconds"] / self.seconds)
        return {
            "latencies": {m: [self.seconds] * count for m in modalities},
            "items": dict.fromkeys(modalities, count),
            "seconds": dict.fromkeys(modalities, request["seconds"]),
            "stages": {m: STAGES if self.name == "bindrt" else {} for m in modalities},
        }


def sides() -> tuple[list[FakeSide], list[str]]:
    log: list[str] = []
    return [FakeSide("bindrt", 0.005, log), FakeSide("eager", 0.02, log)], log


def quiet(_: str) -> None: ...


def everything() -> dict[str, Any]:
    """A result with every scenario, a comparison, a mixed case, and a sweep."""
    both, _ = sides()
    alone, mixed = comparison.Case("text", ("text",)), comparison.Case("mixed", ("text", "image"))
    swept = [
        {**entry, "swept": True, "batch": batch, "wait": wait}
        for batch in (1, 8) for wait in (0, 2000)
        for entry in comparison.run_load(both[:1], "offline", alone, EFFORT, quiet)
    ]  # fmt: skip
    return {
        "machine": {"cpu": "A <fast> & quiet one", "cores": 2, "load_before": 0.1},
        "bundle": {"name": "tiny.bind", "precision": "fp32"},
        "bindrt": "0",
        "sides": [{"name": "bindrt"}, {"name": "eager"}],
        "single": [e for c in (alone, mixed) for e in comparison.run_load(both, "single", c, EFFORT, quiet)],
        "offline": swept
        + [e for c in (alone, mixed) for e in comparison.run_load(both, "offline", c, EFFORT, quiet)],
        "server": [e for c in (alone, mixed) for e in comparison.run_server(both, c, EFFORT, quiet)],
    }  # fmt: skip


def test_sides_take_turns_and_the_first_round_is_not_counted() -> None:
    both, log = sides()
    entries = comparison.run_load(both, "single", comparison.Case("text", ("text",)), EFFORT, quiet)
    assert log == ["bindrt", "eager"] * 4
    assert [e["side"] for e in entries] == ["bindrt", "eager"]
    assert entries[0]["all"]["count"] == 3 * 200
    assert entries[0]["stages"] == pytest.approx(STAGES)
    assert entries[1]["stages"] == {}
    assert entries[1]["bindrt_faster"]["runs"] == pytest.approx([4.0] * 3)
    assert "bindrt_faster" not in entries[0]


def test_offline_of_several_modalities_has_their_sum() -> None:
    both, _ = sides()
    entries = comparison.run_load(both, "offline", comparison.Case("mixed", ("text", "image")), EFFORT, quiet)
    rates = {(e["side"], e["modality"]): e["items_per_second"]["median"] for e in entries}
    assert rates["bindrt", "all"] == pytest.approx(400)
    assert rates["eager", "all"] == pytest.approx(100)
    faster = {e["modality"]: e["bindrt_faster"]["median"] for e in entries if e["side"] == "eager"}
    assert faster == pytest.approx({"text": 4, "image": 4, "all": 4})


def test_server_finds_each_sides_rate_under_one_bound() -> None:
    both, log = sides()
    entries = comparison.run_server(both, comparison.Case("text", ("text",)), EFFORT, quiet)
    assert [e["bound"] for e in entries] == pytest.approx([0.08, 0.08])  # of the slower side
    for entry, side in zip(entries, both, strict=True):
        assert entry["rate"] == pytest.approx(0.8 / side.seconds, rel=0.05)
        assert entry["rate"] < entry["not_held"] <= entry["rate"] * 1.06
        seeds = [r["seed"] for r in side.asked if r["do"] == "server"]
        assert len(set(seeds)) == len(seeds)
        assert sum(t["rate"] == entry["rate"] for t in entry["trials"]) == EFFORT.runs
    assert entries[1]["bindrt_faster"] == pytest.approx(4, rel=0.1)
    assert Counter(log[:10]) == {"bindrt": 5, "eager": 5}
    assert all(r["count"] >= 100 for r in both[1].asked if r["do"] == "server")


def test_a_bound_of_the_users_is_kept() -> None:
    both, _ = sides()
    effort = comparison.Effort(1.0, 1, bound=0.25)
    (entry,) = comparison.run_server(both[:1], comparison.Case("text", ("text",)), effort, quiet)
    assert entry["bound"] == 0.25


def test_cases() -> None:
    names = {
        how: [c.name for c in comparison.cases_of(["text", "image"], how)] for how in ("also", "only", "no")
    }
    assert names == {"also": ["text", "image", "mixed"], "only": ["mixed"], "no": ["text", "image"]}
    assert [c.name for c in comparison.cases_of(["text"], "also")] == ["text"]


def test_vectors_of_two_sides_are_compared() -> None:
    assert differences({"text": [0.6, 0.8]}, {"text": [0.6, 0.75]}) == {"text": pytest.approx(0.05)}


def test_the_chart_is_well_formed_and_has_every_panel() -> None:
    picture = svg(everything())
    root = xml.etree.ElementTree.fromstring(picture)
    texts = " ".join("".join(node.itertext()) for node in root)
    for word in ("A <fast> & quiet one", "Latency", "Throughput", "batch and wait", "Server", "engine",
                 "text, eager", "mixed: image", "2000 µs"):  # fmt: skip
        assert word in texts, word
    height = float(root.attrib["viewBox"].split()[3])
    for node in root.iter():
        for name in ("x", "y", "x1", "y1", "x2", "y2", "width", "height"):
            if name in node.attrib:
                value = float(node.attrib[name])
                assert math.isfinite(value)
                assert 0 <= value <= max(height, 1000)


def test_a_chart_of_what_was_measured_only() -> None:
    result = {**everything(), "offline": [], "server": []}
    texts = " ".join(xml.etree.ElementTree.fromstring(svg(result)).itertext())
    assert "Latency" in texts
    assert "Throughput" not in texts


def test_tables_name_sides_and_what_cannot_be_told() -> None:
    console = Console(file=io.StringIO(), width=200)
    for table in tables(everything()):
        console.print(table)
    text = console.file.getvalue()  # type: ignore[attr-defined]
    for word in ("Latency", "Throughput", "Server", "4.00×", "5 ms", "±0%", "–", "8", "2000 µs"):
        assert word in text, word


@pytest.mark.parametrize(("low", "high"), [(1e-6, 1e2), (3, 4), (5, 5), (0.9, 1100)])
def test_a_logarithmic_axis(low: float, high: float) -> None:
    axis = LogAxis(low, high, 100, 900)
    assert axis.at(low) == 100
    assert axis.at(max(high, low * 1.01)) == 900
    ticks = axis.ticks()
    assert len(ticks) <= 9
    assert all(100 <= axis.at(t) <= 900 for t in ticks)


def test_times_in_words() -> None:
    assert [duration(s) for s in (2.5, 0.0123, 4.2e-5, 0.0)] == ["2.5 s", "12.3 ms", "42 µs", "0 µs"]


def test_plots_of_other_kinds_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    results.check_plot(tmp_path / "a.svg")
    with pytest.raises(OptionError, match=r"\.svg or \.png"):
        results.check_plot(tmp_path / "a.pdf")
    monkeypatch.setattr(results.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(OptionError, match="pip install cairosvg"):
        results.check_plot(tmp_path / "a.png")


def test_json_is_json(tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    results.write_json(path, everything())
    found = json.loads(path.read_text(), parse_constant=lambda text: pytest.fail(f"{text} is not JSON"))
    assert found["single"][0]["all"]["p99"] == 0.005
