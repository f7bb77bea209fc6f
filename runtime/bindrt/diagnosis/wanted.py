"""What the doctor looks for: libraries, and distributions that exclude each other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bindrt.engines import EngineKind

#: How to repair what the base installation brings.
REINSTALL = "pip install --force-reinstall bindrt"


@dataclass(frozen=True)
class Wanted:
    """A library to look for.

    Attributes:
        module: the module to import.
        gives, remedy: as in ``Part``.
        distributions: the packages that may bring it.
        detail: what the imported module says about itself.
        optional: the base installation does without it.
    """

    name: str
    module: str
    gives: str
    remedy: str
    distributions: tuple[str, ...]
    detail: Callable[[Any], str] = lambda module: ""
    optional: bool = False


LIBRARIES = (
    Wanted("NumPy", "numpy", "arrays", REINSTALL, ("numpy",)),
    Wanted("Pillow", "PIL", "image files", REINSTALL, ("pillow",)),
    Wanted(
        "soundfile",
        "soundfile",
        "WAV, FLAC and Ogg files",
        REINSTALL,
        ("soundfile",),
        lambda m: f"libsndfile {m.__libsndfile_version__}",
    ),
    Wanted(
        "PyAV",
        "av",
        "video files and compressed audio",
        REINSTALL,
        ("av",),
        lambda m: f"FFmpeg {m.ffmpeg_version_info}",
    ),
    Wanted("tokenizers", "tokenizers", "text", REINSTALL, ("tokenizers",)),
    Wanted("ftfy", "ftfy", "text", REINSTALL, ("ftfy",)),
    Wanted("pyarrow", "pyarrow", "Parquet output of bind-embed", REINSTALL, ("pyarrow",)),
    Wanted("rich", "rich", "progress of the commands", REINSTALL, ("rich",)),
    Wanted(
        "usearch", "usearch", "search indexes", "pip install 'bindrt[index]'", ("usearch",), optional=True
    ),
    Wanted(
        "fsspec", "fsspec", "items given as URLs", "pip install 'bindrt[remote]'", ("fsspec",), optional=True
    ),
    Wanted(
        "prometheus_client",
        "prometheus_client",
        "metrics for Prometheus",
        "pip install 'bindrt[metrics]'",
        ("prometheus-client",),
        optional=True,
    ),
)
#: Distributions that overwrite or exclude each other.
CONFLICTS = (
    (
        ("onnxruntime", "onnxruntime-gpu"),
        "both install the module onnxruntime: pip uninstall both, then install the one you want",
    ),
    (("tensorrt", "tensorrt-rtx"), "they read different plans: keep one of the extras gpu and rtx"),
)


def wanted_engine(kind: EngineKind) -> Wanted:
    """The library of an engine: the module that is installed, else the first that could be."""
    return Wanted(
        kind.name,
        kind.module_name() or kind.modules[0],
        kind.gives,
        kind.remedy,
        kind.distributions,
        kind.detail,
        optional=not kind.included,
    )
