"""``bindrt.load``: a bundle's folder to a ``Model``."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any

from bindrt.bundle import open_bundle
from bindrt.engines import Engine, EngineSettings
from bindrt.item_types import ModalityName
from bindrt.limits import DEFAULT_LIMITS, Limits
from bindrt.load_options import EngineName, LoadOptions, Precision, Startup
from bindrt.model import Model
from bindrt.option_checks import chosen_bool, require_isolation, require_kind
from bindrt.pipeline import PipelineOptions


def load(
    path: str | os.PathLike[str],
    engine: EngineName = "auto",
    precision: Precision | None = None,
    device: str = "auto",
    modalities: Iterable[ModalityName] | None = None,
    threads: int | None = None,
    verify: bool = False,
    limits: Limits = DEFAULT_LIMITS,
    startup: Startup = "fast-run",
    engine_options: Mapping[str, Any] | None = None,
    pipeline: PipelineOptions = PipelineOptions(),  # noqa: B008 - frozen
    memory_budget: int | None = None,
    engines: Mapping[str, Engine] | None = None,
    isolate: bool = False,
    item_timeout: float | None = None,
) -> Model:
    """Open a bundle. An encoder is loaded when it is first used, or by ``warm_up``.

    Args:
        path: the folder that ``bind-export`` wrote, or ``"tiny"``: bind-tiny, which comes with the package.
        engine: ``auto``: the fastest of those that run here, measured once and remembered; or the name
            of an engine that the bundle has files for.
        precision: ``fp32``, …; by default what the bundle records as its default. ``bf16`` is also computed
            from fp32 and fp16 files, where the processor has units for it. ``fast``: the fastest of the
            default's space; ``fastest``: of all that the bundle has, one space for all encoders. Both are
            measured once and remembered; docs/precision.md.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:N``; with OpenVINO also ``gpu``, ``gpu.N``, ``npu``.
        modalities: embed only these; others are never read from disk. Default: all there are.
        threads: threads an engine computes with; default: one for each physical core that the process may
            use, with native one for each core; docs/cores.md.
        verify: check the SHA-256 of every file first (reads all of it).
        limits: bounds on what one item may decode to.
        startup: ``fast-run``: weights are repacked once when an encoder is loaded, for the best speed.
            ``fast-start``: they run as they are mapped from disk: sooner to the first result and less
            memory, slower in the long run. ``auto`` then keeps to engines that can. With native both are one.
            docs/engines.md.
        engine_options: passed to the engine's own library as they are; docs/engines.md.
        pipeline: how ``submit``, ``aembed`` and ``stream`` queue and batch; docs/pipeline.md.
        memory_budget: bytes for weights (as large as on disk), batches, and all else that is taken on a GPU.
            When an encoder would pass it, those used least recently go, once they have no work;
            docs/pipeline.md, docs/gpu.md.
        engines: engines of your own by encoder (``vision``, ``text``, …), used in place of the bundle's;
            see :class:`bindrt.Engine`. Their weights do not count against ``memory_budget``.
        isolate: decode files in processes of their own, for media of strangers: where a decoder crashes or
            takes too long, its process is killed, and the item alone fails; docs/security.md.
        item_timeout: with ``isolate``, seconds that preparing one file may take.

    Raises:
        BundleError: not a bundle, damaged or unsafe.
        EngineError: the bundle has no files for this engine and precision.
        OptionError: an argument has no such value, or the precision cannot be had here.

    Example:
        >>> with bindrt.load("tiny") as model:
        ...     model.embed(text="a bell ringing").text.shape
        (1, 96)
    """
    for name, value, kind in (
        ("engine", engine, str),
        ("device", device, str),
        ("limits", limits, Limits),
        ("pipeline", pipeline, PipelineOptions),
    ):
        require_kind(name, value, kind)
    given = {} if engine_options is None else engine_options
    settings = EngineSettings(device, threads, startup, given, spin=pipeline.spin_us > 0)
    bundle = open_bundle(path, chosen_bool("verify", verify))
    require_isolation(isolate, item_timeout)
    options = LoadOptions(
        engine,
        precision,
        modalities,
        settings,
        limits,
        pipeline,
        memory_budget,
        engines,
        isolate=isolate,
        item_timeout=item_timeout,
    )
    return Model(bundle=bundle, options=options)
