"""What the doctor looks for: libraries, and distributions that exclude each other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bindrt.engines import EngineKind
from bindrt.extras import install, repair


@dataclass(frozen=True)
class Wanted:
    """A library to look for.

    Attributes:
        module: the module to import.
        gives, remedy: as in ``Part``.
        distributions: the packages that may bring it.
        detail: what the imported module says about itself.
        optional: the base installation does without it.
        imported: whether it is loaded, to see that it loads; not one that starts threads of its own.
    """

    name: str
    module: str
    gives: str
    remedy: str
    distributions: tuple[str, ...]
    detail: Callable[[Any], str] = lambda module: ""
    optional: bool = False
    imported: bool = True


#: Distributions that overwrite or exclude each other.
CONFLICTS = (
    (
        ("onnxruntime", "onnxruntime-gpu"),
        "both install the module onnxruntime: pip uninstall both, then install the one you want",
    ),
    (("tensorrt", "tensorrt-rtx"), "they read different plans: keep one of the extras gpu and rtx"),
)


def libraries() -> tuple[Wanted, ...]:
    """The libraries that bindrt itself uses, and those of its extras."""
    return (
        Wanted("NumPy", "numpy", "arrays", repair("numpy"), ("numpy",)),
        Wanted("Pillow", "PIL", "image files", repair("pillow"), ("pillow",)),
        Wanted(
            "deflate",
            "deflate",
            "faster reading of PNG files",
            repair("deflate"),
            ("deflate",),
            optional=True,
        ),
        Wanted(
            "soundfile",
            "soundfile",
            "WAV, FLAC and Ogg files",
            repair("soundfile"),
            ("soundfile",),
            lambda m: f"libsndfile {m.__libsndfile_version__}",
        ),
        Wanted(
            "PyAV",
            "av",
            "video files and compressed audio",
            repair("av"),
            ("av",),
            lambda m: f"FFmpeg {m.ffmpeg_version_info}",
        ),
        Wanted("tokenizers", "tokenizers", "text", repair("tokenizers"), ("tokenizers",)),
        Wanted("ftfy", "ftfy", "text", repair("ftfy"), ("ftfy",)),
        Wanted("pyarrow", "pyarrow", "Parquet output of bind-embed", repair("pyarrow"), ("pyarrow",)),
        Wanted("rich", "rich", "progress of the commands", repair("rich"), ("rich",)),
        Wanted(
            "nvImageCodec",
            "nvidia.nvimgcodec",
            "large JPEG files decoded on the GPU",
            install("gpu-decode"),
            ("nvidia-nvimgcodec-cu12", "nvidia-nvimgcodec-cu13"),
            optional=True,
            imported=False,  # it prints what it misses
        ),
        *(
            Wanted(
                name,
                f"nvidia.{library}",
                f"with nvImageCodec, {what} decoded on the GPU",
                install("gpu-decode"),
                tuple(f"nvidia-{library}-cu{release}" for release in (12, 13)),
                optional=True,
                imported=False,
            )
            for name, library, what in (
                ("nvJPEG2000", "nvjpeg2k", "large JPEG 2000 files"),
                ("nvTIFF", "nvtiff", "large TIFF files"),
                ("nvCOMP", "libnvcomp", "those with Deflate"),
            )
        ),
        Wanted("usearch", "usearch", "search indexes", install("index"), ("usearch",), optional=True),
        Wanted("fsspec", "fsspec", "items given as URLs", install("remote"), ("fsspec",), optional=True),
        Wanted(
            "pillow-heif",
            "pillow_heif",
            "HEIC and HEIF pictures",
            "pip install pillow-heif",
            ("pillow-heif",),
            optional=True,
        ),
        Wanted(
            "pillow-jxl-plugin",
            "pillow_jxl",
            "JPEG XL pictures",
            "pip install pillow-jxl-plugin",
            ("pillow-jxl-plugin",),
            optional=True,
        ),
        Wanted("OpenEXR", "OpenEXR", "EXR depth maps", "pip install OpenEXR", ("OpenEXR",), optional=True),
        Wanted("mcap", "mcap", "MCAP recordings", install("recordings"), ("mcap",), optional=True),
        Wanted("rosbags", "rosbags", "ROS bags", install("recordings"), ("rosbags",), optional=True),
        Wanted(
            "mcap-protobuf-support",
            "mcap_protobuf",
            "Foxglove's messages; what bind-stream writes",
            install("recordings"),
            ("mcap-protobuf-support",),
            optional=True,
        ),
        Wanted(
            "scikit-learn",
            "sklearn",
            "linear probes of bind-eval",
            install("eval"),
            ("scikit-learn",),
            optional=True,
        ),
        Wanted(
            "sounddevice",
            "sounddevice",
            "microphones (examples/microphone.py)",
            install("microphone"),
            ("sounddevice",),
            optional=True,
        ),
        Wanted(
            "eclipse-zenoh",
            "zenoh",
            "sensors on Zenoh (examples/zenoh)",
            install("zenoh"),
            ("eclipse-zenoh",),
            optional=True,
        ),
        *(
            Wanted(name, module, what, install(extra), (name,), optional=True, imported=False)
            for name, module, what, extra in (
                ("ray", "ray", "Ray Data", "ray"),
                ("daft", "daft", "Daft", "daft"),
                ("datasets", "datasets", "Hugging Face datasets", "huggingface"),
                ("lancedb", "lancedb", "LanceDB", "lancedb"),
                ("qdrant-client", "qdrant_client", "Qdrant", "qdrant"),
                ("pymilvus", "pymilvus", "Milvus", "milvus"),
                ("psycopg", "psycopg", "PostgreSQL with pgvector", "pgvector"),
                ("pyspark", "pyspark", "Spark", "spark"),
                ("mteb", "mteb", "MTEB", "mteb"),
            )
        ),
        Wanted(
            "prometheus_client",
            "prometheus_client",
            "metrics for Prometheus",
            install("metrics"),
            ("prometheus-client",),
            optional=True,
        ),
        *(
            Wanted(name, module, "bind-serve", install("serve"), (name,), optional=True)
            for name, module in (
                ("uvicorn", "uvicorn"),
                ("starlette", "starlette"),
                ("msgspec", "msgspec"),
                ("python-multipart", "python_multipart"),
            )
        ),
        Wanted(
            "OpenTelemetry",
            "opentelemetry.sdk",
            "bind-serve --traces",
            install("otel"),
            ("opentelemetry-sdk",),
            optional=True,
        ),
    )


def wanted_engine(kind: EngineKind) -> Wanted:
    """The library of an engine: the module that is installed, else the first that could be."""
    return Wanted(
        kind.name,
        kind.module_name() or kind.modules[0],
        kind.gives,
        kind.how_to_install(),
        kind.distributions,
        kind.detail,
        optional=not kind.included,
    )
