"""The notebook runs from top to bottom; its own asserts say what must come out."""

from __future__ import annotations

from pathlib import Path

import nbformat
from nbclient import NotebookClient

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def test_notebook_runs_and_shows_what_it_keeps() -> None:
    notebook = nbformat.read(EXAMPLES / "first_minutes.ipynb", as_version=4)
    kept = [cell.get("outputs") for cell in notebook.cells]
    assert any("assert" in cell.source for cell in notebook.cells)
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(EXAMPLES)}}).execute()
    shown = [cell.get("outputs") for cell in notebook.cells]
    assert [shape(outputs) for outputs in shown] == [shape(outputs) for outputs in kept]


def shape(outputs: list[nbformat.NotebookNode] | None) -> list[str] | None:
    """The kinds of a cell's outputs; numbers may differ in the last digit."""
    return None if outputs is None else [output.output_type for output in outputs]
