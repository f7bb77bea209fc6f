"""What is known of an engine before it is opened, and whether its library is here.

The library is looked for without importing it, since that takes up to a second.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any

from bindrt import hardware
from bindrt.engines.devices import device_kind
from bindrt.engines.protocols import Engine
from bindrt.engines.spec import FAST_RUN, EngineSettings, EngineSpec
from bindrt.errors import EngineError
from bindrt.installed import installed_version


@dataclass(frozen=True)
class EngineKind:
    """One engine that bindrt can open; ``bindrt.engines.registry`` lists them all.

    Attributes:
        name: in bundles, options and messages.
        modules: the modules that bring its library; the first that is installed is used.
        distributions: the packages that bring these modules.
        gives: what it is for, in a few words.
        remedy: how to install it, or a function that tells it, called only when it is asked.
        devices: kinds of device it runs on: ``cpu``, ``cuda``, ``gpu``, ``npu``.
        precisions: the precisions it runs.
        computes: precision of files on a CPU → the other precisions that it can compute in from them.
        reads: the engines whose files on a CPU it runs, if it has none of its own in bundles.
        first_for: precisions in which it stands before engines that the registry lists earlier.
        lacks: for a precision that files are not of, what this processor lacks to gain by it; empty: nothing.
        open: opens an engine; its library is imported only then. Raises EngineError or OptionError.
        included: the base installation brings it.
        needs_gpu: it runs only where an NVIDIA GPU is.
        startups: the ways to start that it has, of ``spec.STARTUPS``.
        reads_plans: it reads plans, which are built for named GPUs; others read the bundle's ONNX graphs.
        detail: what its imported module says about itself, for ``doctor``.
    """

    name: str
    modules: tuple[str, ...]
    distributions: tuple[str, ...]
    gives: str
    remedy: str | Callable[[], str]
    devices: tuple[str, ...]
    precisions: tuple[str, ...]
    open: Callable[[EngineSpec, EngineSettings], Engine]
    included: bool = False
    needs_gpu: bool = False
    startups: tuple[str, ...] = (FAST_RUN,)
    reads_plans: bool = False
    computes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    reads: tuple[str, ...] = ()
    first_for: tuple[str, ...] = ()
    lacks: Callable[[str], str] = lambda precision: ""
    detail: Callable[[Any], str] = lambda module: ""

    def module_name(self) -> str | None:
        """The installed module that brings it; None if there is none."""
        return next((name for name in self.modules if is_installed(name)), None)

    def how_to_install(self) -> str:
        """The remedy, as text."""
        return self.remedy if isinstance(self.remedy, str) else self.remedy()

    def import_library(self) -> Any:
        """The engine's own library.

        Raises:
            EngineError: it is not installed, or does not load.
        """
        name = self.module_name()
        if name is None:
            raise EngineError(f"engine={self.name!r}", "it is not installed", self.how_to_install())
        try:
            return importlib.import_module(name)
        except Exception as error:  # a library of another machine may fail in any way
            raise EngineError(
                f"engine={self.name!r}", f"{name} does not load: {error}", self.how_to_install()
            ) from None

    def absence(self) -> str:
        """Why it cannot run here; empty if it can."""
        if self.module_name() is None:
            return "not installed"
        if self.needs_gpu and not (driver := hardware.nvidia_driver()).gpus:
            return f"no NVIDIA GPU ({driver.problem})"
        return ""

    def version(self) -> str:
        """The version of the installed library; empty if unknown."""
        return installed_version(*self.distributions)

    def runs_on(self, device: str) -> bool:
        """Whether it knows the kind of device."""
        return device == "auto" or device_kind(device) in self.devices


def is_installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except (ImportError, ValueError):
        return False
