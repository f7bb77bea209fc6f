"""Which systems can be measured, and what is said about one that cannot."""

from __future__ import annotations

import re
from importlib.metadata import EntryPoint

import pytest

from bindrt.benchmark import registry
from bindrt.benchmark.systems import LoopSystem
from bindrt.errors import OptionError
from support.golden import HERE


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another package provides ``mine``."""
    (entry,) = [EntryPoint("mine", f"{__name__}:MINE", registry.GROUP)]

    def entry_points(group: str, name: str | None = None) -> list[EntryPoint]:
        return [entry] if group == registry.GROUP and name in (None, "mine") else []

    monkeypatch.setattr(registry, "entry_points", entry_points)
    monkeypatch.setattr(EntryPoint, "load", lambda self: MINE)


MINE = registry.Provider(
    lambda request: LoopSystem(request["model"]), ("numpy",), ("no_such_module",), "pip install mine"
)


@pytest.mark.usefixtures("installed")
def test_another_package_provides_a_system() -> None:
    assert registry.peer_names() == ("loop", "mine")
    assert registry.provider("mine") is MINE
    with pytest.raises(OptionError, match="it needs no_such_module, not installed here; pip install mine"):
        registry.require("mine")


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("name", ["eager", "bindrt", ""])
def test_what_nobody_provides_is_refused(name: str) -> None:
    with pytest.raises(OptionError, match=r"no installed package provides it; one of loop, mine"):
        registry.require(name)


def test_our_export_package_provides_three() -> None:
    project = (HERE.parent.parent / "pyproject.toml").read_text("utf-8")
    (table,) = re.findall(rf'^\[project\.entry-points\."{registry.GROUP}"\]\n(.*?)\n\n', project, re.M | re.S)
    declared = dict(re.findall(r'^(\w+) = "(.*)"$', table, re.M))
    assert set(declared) == {"eager", "ort", "openvino"}
    for name, value in declared.items():
        provider = EntryPoint(name, value, registry.GROUP).load()
        assert isinstance(provider, registry.Provider)
        assert "pip install 'torch>=" in provider.remedy
