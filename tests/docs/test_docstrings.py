"""The examples in docstrings print what they say."""

from __future__ import annotations

import doctest
import importlib
from pathlib import Path

import numpy as np
import pytest

import bindrt
from support.pages import ROOT

RUNTIME = ROOT / "runtime"
WITH_EXAMPLES = [
    ".".join(path.relative_to(RUNTIME).with_suffix("").parts).removesuffix(".__init__")
    for path in sorted((RUNTIME / "bindrt").rglob("*.py"))
    if ">>> " in path.read_text("utf-8")
]


@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_examples(name: str, files: Path, model: bindrt.Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(files)
    module = importlib.import_module(name)
    names = {**vars(module), "bindrt": bindrt, "np": np, "model": model}
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    runner = doctest.DocTestRunner(optionflags=flags)
    for test in doctest.DocTestFinder(exclude_empty=True).find(module, name, globs=names):
        runner.run(test)
    assert not runner.failures
