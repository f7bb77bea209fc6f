"""Writes a result: JSON, and a chart as SVG or PNG."""

from __future__ import annotations

import importlib
import importlib.util
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bindrt.benchmark.plots import svg
from bindrt.errors import OptionError

#: The name and version of the JSON format that docs/bind-bench.md describes.
FORMAT, SCHEMA = "bindrt-bench", 1
NUMBERS = re.compile(r"\[[\s\d.,eE+\-\[\]]*\]")


def check_plot(path: Path) -> None:
    """Refuse a chart that cannot be written here.

    Raises:
        OptionError: it is neither SVG nor PNG, or it is PNG and cairosvg is not installed.
    """
    if path.suffix not in (".svg", ".png"):
        raise OptionError(f"--plot {path}", "a chart is .svg or .png", "for example --plot latency.svg")
    if path.suffix == ".png" and importlib.util.find_spec("cairosvg") is None:
        raise OptionError(
            f"--plot {path}", "a PNG needs cairosvg, not installed here",
            "pip install cairosvg (it needs the system's libcairo2), or give a path that ends in .svg",
        )  # fmt: skip


def write_json(path: Path, result: Mapping[str, Any]) -> None:
    """Write any result as JSON: indented, with each list of numbers on one line."""
    text = NUMBERS.sub(
        lambda found: " ".join(found[0].split()), json.dumps(result, indent=1, ensure_ascii=False)
    )
    path.write_text(text + "\n", encoding="utf-8")


def write_plot(path: Path, result: Mapping[str, Any]) -> None:
    """Draw a ``bind-bench`` result.

    Raises:
        OptionError: cairosvg is installed, but not the library it needs.
    """
    chart = svg(result)
    if path.suffix == ".svg":
        path.write_text(chart, encoding="utf-8")
        return
    try:
        cairosvg = importlib.import_module("cairosvg")
    except OSError as error:
        raise OptionError(
            f"--plot {path}", f"cairosvg does not start ({error})", "install libcairo2, or give a .svg"
        ) from None
    path.write_bytes(cairosvg.svg2png(bytestring=chart.encode(), scale=2))
