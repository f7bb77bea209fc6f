"""The tables of README.md and docs are those of the kept results."""

from __future__ import annotations

import json
import xml.etree.ElementTree
from pathlib import Path
from typing import Any

import pytest

from bench import readme
from bench.engines import tables


@pytest.mark.parametrize("page", dict.fromkeys(table.page for table in readme.TABLES), ids=lambda p: p.name)
def test_the_page_shows_what_was_measured(page: Path) -> None:
    text = page.read_text("utf-8")
    assert readme.renewed(page) == text


def test_the_results_are_of_the_benches() -> None:
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


def test_only_what_is_between_the_marks_changes() -> None:
    text = "before\n<!-- a -->\nold\n<!-- end of a -->\nafter\n"
    assert readme.between_marks(text, "a", "new\n") == text.replace("old", "new")


def way(precision: str, seconds: float, **more: float) -> dict[str, Any]:
    return {"precision": precision, "seconds": seconds, "ratio_to_eager": 1 / seconds, **more}


def engines_result() -> dict[str, Any]:
    ways = {
        "eager": way("fp32", 1.0),
        "ort": way("fp32", 0.5),
        "bindrt-onnxruntime": way("fp32", 0.4),
        "bindrt-openvino": way("fp32", 0.25, share_of_limit=0.5),
        "compile-bf16": way("bf16", 0.2),
        "eager-bf16": way("bf16", 0.3),
        "bindrt-native-bf16": way("bf16", 0.1),
        "bindrt-fast": way("bf16", 0.11),
        "bindrt-fastest": way("int8", 0.01),
        "bindrt-native-int8": way("int8", 0.02),
    }
    limits = {"fp32": {"seconds": 0.125, "by": "a unit"}}
    return {
        "cases": [{"encoder": "imu", "batch": batch, "ways": ways, "limits": limits} for batch in (1, 8)],
        "machine": {"cpu": "a cpu", "cores": 2, "load_before": 0.1},
        "settings": {"turns": 2, "rounds": 3},
        "peaks": {"units": {"fp32": {"name": "a unit", "operations": 2e11}}},
    }


def test_first_table_sets_like_beside_like() -> None:
    lines = tables.first_table(engines_result(), (1, 8)).splitlines()
    cells = "1000 ms | 250 ms (4.0×) | 500 ms, ONNX Runtime | 110 ms (9.1×) | 200 ms, torch.compile"
    assert lines[2] == f"| 5 s of motion | {cells} | 20.0 ms (50.0×) | – |"
    assert lines[3].startswith("| 8 times 5 s of motion | 1000 ms")
    assert "fp32 200 GOP/s" in lines[-1]


def test_every_way_has_its_share_of_the_limit() -> None:
    lines = tables.all_ways(engines_result()).splitlines()
    assert lines[0].startswith("| fp32: encoder, batch | limit | eager | ort |")
    assert (
        lines[2]
        == "| imu, 1 | 125 ms | 1000 ms (1.00×) | 500 ms (2.00×) | 400 ms (2.50×) | 250 ms (4.00×), 50% |"
    )
    assert "| imu, 8 | – | 200 ms (5.00×) |" in "\n".join(lines)
