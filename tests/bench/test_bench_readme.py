"""The table in docs/measured.md is that of the kept results."""

from __future__ import annotations

import json
import xml.etree.ElementTree

import pytest

from bench import readme
from bench.paths import ROOT


def test_the_page_shows_what_was_measured() -> None:
    text = readme.PAGE.read_text("utf-8")
    assert readme.with_table(text) == text
    kept = json.loads(readme.TINY.read_text("utf-8"))
    assert (kept["format"], kept["schema"]) == ("bindrt-bench", 1)
    assert [side["name"] for side in kept["sides"]] == ["bindrt", "eager", "loop"]
    xml.etree.ElementTree.fromstring(readme.PICTURE.read_text("utf-8"))


def test_table() -> None:
    faster = {"median": 2.5}
    offline = [
        {"case": "text", "modality": "text", "side": side, "items_per_second": {"median": rate}} | more
        for side, rate, more in (("bindrt", 100.0, {}), ("eager", 40.0, {"bindrt_faster": faster}))
    ]
    result = {
        "sides": [{"name": "bindrt"}, {"name": "eager"}],
        "inputs": {"text": "captions"},
        "single": [
            {"case": "text", "modality": "text", "side": "bindrt", "all": {"p50": 0.002, "p99": None}}
        ],
        "offline": offline,
        "machine": {"cpu": "a cpu", "cores": 2, "load_before": 0.1},
        "settings": {"runs": 3, "seconds": 0.5},
    }
    lines = readme.table(result).splitlines()
    assert lines[2] == "| text, captions | 2 ms | – | 100 | 40 (2.5×) |"


def test_only_what_is_between_the_marks_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readme, "table", lambda result: "new\n")
    monkeypatch.setattr(readme.json, "loads", lambda text: {})
    monkeypatch.setattr(readme, "TINY", ROOT / "README.md")
    text = f"before\n{readme.BEGIN}old\n{readme.END}after\n"
    assert readme.with_table(text) == f"before\n{readme.BEGIN}new\n{readme.END}after\n"
