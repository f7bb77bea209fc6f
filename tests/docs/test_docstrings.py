"""The examples in docstrings print what they say, and everything public has one."""

from __future__ import annotations

import doctest
import importlib
import inspect
from pathlib import Path

import numpy as np
import pytest

import bindrt
import bindrt.index
import bindrt.metrics
import bindrt.watching
from support.pages import ROOT

RUNTIME = ROOT / "runtime"
WITH_EXAMPLES = [
    ".".join(path.relative_to(RUNTIME).with_suffix("").parts).removesuffix(".__init__")
    for path in sorted((RUNTIME / "bindrt").rglob("*.py"))
    if ">>> " in path.read_text("utf-8")
]


@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_examples(
    name: str,
    files: Path,
    model: bindrt.Model,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    monkeypatch.chdir(files)
    module = importlib.import_module(name)
    names = {**vars(module), "bindrt": bindrt, "np": np, "model": model}
    if name == "bindrt.client.client":
        names["server"] = request.getfixturevalue("server_url")
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    runner = doctest.DocTestRunner(optionflags=flags)
    for test in doctest.DocTestFinder(exclude_empty=True).find(module, name, globs=names):
        runner.run(test)
    assert not runner.failures


def public() -> list[tuple[str, str, str]]:
    """Name, docstring, and its class's docstring, of each public class, function, method and property."""
    found = []
    for module in (bindrt, bindrt.index, bindrt.preprocess, bindrt.metrics, bindrt.watching):
        for name in getattr(module, "__all__", ["PrometheusCollector"]):
            thing = getattr(module, name)
            if isinstance(thing, type) and issubclass(thing, Exception):
                continue  # bindrt.Error has one for all
            if callable(thing):
                found.append((name, inspect.getdoc(thing) or "", ""))
            if isinstance(thing, type) and not getattr(thing, "_is_protocol", False):
                found += [(f"{name}.{m}", doc, inspect.getdoc(thing) or "") for m, doc in methods(thing)]
    return found


def methods(thing: type) -> list[tuple[str, str]]:
    """Public methods and properties with a docstring, those of our base classes too."""
    names = {n for base in thing.__mro__ if base.__module__.startswith("bindrt") for n in vars(base)}
    members = [(name, inspect.getattr_static(thing, name)) for name in sorted(names) if name[0] != "_"]
    kinds = (staticmethod, classmethod, property)
    of_code = [(n, getattr(thing, n)) for n, m in members if inspect.isfunction(m) or isinstance(m, kinds)]
    return [(name, inspect.getdoc(member) or "") for name, member in of_code if inspect.getdoc(member)]


@pytest.mark.parametrize(("name", "text", "of_class"), public(), ids=lambda v: v if len(v) < 40 else "")
def test_everything_public_has_an_example(name: str, text: str, of_class: str) -> None:
    """A method's may be a line of its class's."""
    shown = [line for line in of_class.splitlines() if line.startswith((">>>", "..."))]
    assert ">>>" in text or any(f".{name.partition('.')[2]}" in line for line in shown), name
