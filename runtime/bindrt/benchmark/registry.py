"""Which systems can be measured: bindrt, a plain loop over it, and what other packages provide.

A package provides one with an entry point of the group ``bindrt.benchmark.peers``: the entry point's name is
what ``bind-bench --against`` takes, and its object is a :class:`Provider`. ``bindrt_export`` provides
``eager``, ``ort`` and ``openvino`` in this way, so the runtime neither imports it nor knows its modules.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Any

from bindrt.benchmark.comparison import BINDRT
from bindrt.benchmark.systems import LoopSystem, ModelSystem, System
from bindrt.errors import OptionError
from bindrt.extras import install
from bindrt.loading import load
from bindrt.model import Model
from bindrt.pipeline import PipelineOptions

GROUP = "bindrt.benchmark.peers"
LOOP = "loop"


@dataclass(frozen=True)
class Provider:
    """How to open one kind of system.

    Attributes:
        open: makes the system in the process that will run it. Its argument is the worker's first request
            (see :func:`bindrt.benchmark.worker.serve`).
        packages: the distributions whose versions a result records.
        modules: what must be installed besides the runtime.
        remedy: the command that installs them.
        makes_graphs: opening also exports a graph. The peak memory of such a process says nothing about
            running the model, so it is not reported.
    """

    open: Callable[[dict[str, Any]], System]
    packages: tuple[str, ...]
    modules: tuple[str, ...] = ()
    remedy: str = ""
    makes_graphs: bool = False


def peer_names() -> tuple[str, ...]:
    """What bindrt can be compared with here."""
    return (LOOP, *sorted({entry.name for entry in entry_points(group=GROUP)}))


def provider(name: str) -> Provider:
    """The provider of this name, one of :func:`peer_names` or ``bindrt``."""
    if name in BUILT_IN:
        return BUILT_IN[name]
    (entry, *_) = entry_points(group=GROUP, name=name)
    found: Provider = entry.load()
    return found


def require(name: str) -> None:
    """Refuse a peer that cannot run here.

    Raises:
        OptionError: no package provides it, or modules that it needs are not installed.
    """
    if name not in peer_names():
        raise OptionError(
            f"--against {name}",
            "no installed package provides it",
            f"one of {', '.join(peer_names())}; {install('export')} adds eager, ort and openvino",
        )
    wanted = provider(name)
    missing = [module for module in wanted.modules if importlib.util.find_spec(module) is None]
    if missing:
        raise OptionError(
            f"--against {name}", f"it needs {', '.join(missing)}, not installed here", wanted.remedy
        )


def open_model(request: dict[str, Any]) -> Model:
    options = {"max_wait_us": request["wait"], "max_batch": request["batch"]}
    return load(
        request["bundle"],
        engine=request["engine"],
        precision=request["precision"],
        modalities=list(request["sources"]),
        threads=request["threads"],
        pipeline=PipelineOptions(**{name: value for name, value in options.items() if value is not None}),
    )


_PACKAGES = ("bindrt", "numpy", "onnxruntime", "openvino")
BUILT_IN = {
    BINDRT: Provider(lambda request: ModelSystem(open_model(request)), _PACKAGES),
    LOOP: Provider(lambda request: LoopSystem(open_model(request)), _PACKAGES),
}
