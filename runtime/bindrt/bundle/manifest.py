"""``bundle.json`` as checked, typed values; docs/bundle.md describes the format."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from bindrt.bundle.json_object import JsonObject
from bindrt.engines.registry import listed_engines
from bindrt.errors import BundleError
from bindrt.modalities import MODALITIES, encoder_names
from bindrt.precisions import PRECISIONS

SCHEMA = 1
FORMAT = "bindrt-bundle"
MAX_DIM = 1 << 16
SHA256 = re.compile(r"[0-9a-f]{64}\Z")
NAME = re.compile(r"[A-Za-z0-9_.\-]+\Z")
SAFE_PATH = re.compile(r"[A-Za-z0-9_.\-]+(/[A-Za-z0-9_.\-]+)*\Z")


@dataclass(frozen=True)
class FileEntry:
    """One file: path relative to the bundle with ``/``, SHA-256 in hexadecimal, size in bytes."""

    path: str
    sha256: str
    bytes: int


@dataclass(frozen=True)
class EncoderInfo:
    """One encoder: sizes, the shape of one view of its input, the factor after the L2 norm."""

    name: str
    width: int
    depth: int
    heads: int
    parameters: int
    scale: float
    view: tuple[int, ...]
    dtype: str
    part: str


@dataclass(frozen=True)
class ModalityInfo:
    """One modality: its encoder, views per file, and the preprocessing constants."""

    name: str
    encoder: str
    views: int
    preprocessing: Mapping[str, object]


@dataclass(frozen=True)
class EngineFiles:
    """What one engine needs for one encoder; ``files[0]`` is the graph or plan.

    ``precision`` is what is computed in. ``version`` is that of the engine that a plan was built with, which
    alone reads it. ``stored`` is the precision of the files where an engine computes in another one; a
    manifest lists none of these (:mod:`bindrt.selection.derived`). ``input`` is what a plan reads instead of
    the encoder's dtype.
    """

    encoder: str
    engine: str
    precision: str
    target: str
    min_batch: int
    max_batch: int | None
    files: tuple[FileEntry, ...]
    version: str = ""
    stored: str = ""
    input: str = ""


@dataclass(frozen=True)
class Manifest:
    """The whole of ``bundle.json``."""

    space: str
    family: str
    embed_dim: int
    text_scale: float
    weights: str
    default_precision: str
    encoders: Mapping[str, EncoderInfo]
    modalities: Mapping[str, ModalityInfo]
    engines: tuple[EngineFiles, ...]
    tokenizer: FileEntry | None
    license: FileEntry

    def listed(self) -> Iterator[FileEntry]:
        """Every mention of a file."""
        for engine in self.engines:
            yield from engine.files
        yield self.license
        if self.tokenizer is not None:
            yield self.tokenizer

    def all_files(self) -> Iterator[FileEntry]:
        """Every file the manifest lists, each once."""
        yield from {f.path: f for f in self.listed()}.values()

    def precisions(self) -> list[str]:
        return sorted({e.precision for e in self.engines})


def parse_manifest(data: object, where: str) -> Manifest:
    """Check the parsed JSON of a manifest.

    Raises:
        BundleError: naming the field.
    """
    top = JsonObject(data, where)
    if top.get("format", str) != FORMAT:
        top.fail(f"format is {top.value['format'][:40]!r}, expected {FORMAT!r}")
    if (schema := top.get("schema", int)) != SCHEMA:
        raise BundleError(
            where, f"schema version {repr(schema)[:40]}", f"this bindrt reads version {SCHEMA}; export again"
        )
    model = top.child("model")
    encoders = {name: encoder_info(name, entry) for name, entry in top.children("encoders")}
    modalities = {name: modality_info(name, entry, encoders) for name, entry in top.children("modalities")}
    manifest = Manifest(
        space=top.matching("space", NAME),
        family=model.one_of("family", ("imagebind", "openclip")),
        embed_dim=model.integer("embed_dim", 1, MAX_DIM),
        text_scale=model.number("text_scale", 1e-6, 1e6),
        weights=model.matching("weights", SHA256),
        default_precision=top.one_of("default_precision", PRECISIONS),
        encoders=encoders,
        modalities=modalities,
        engines=tuple(engine_files(entry, encoders) for entry in top.items("engines", 10_000)),
        tokenizer=file_entry(top.child("tokenizer")) if top.value.get("tokenizer") is not None else None,
        license=file_entry(top.child("license")),
    )
    if not modalities or not manifest.engines:
        top.fail("it has no modalities or no engines")
    if manifest.default_precision not in manifest.precisions():
        top.fail(f"default_precision is {manifest.default_precision}, and no engine has it")
    refuse_contradictions(manifest, top)
    return manifest


def refuse_contradictions(manifest: Manifest, top: JsonObject) -> None:
    """A file that is listed twice must be listed as the same, or only one of them would be checked."""
    known = {f.path: f for f in manifest.all_files()}
    for entry in manifest.listed():
        if known[entry.path] != entry:
            top.fail(f"{entry.path} is listed twice, with different sizes or hashes")


def encoder_info(name: str, entry: JsonObject) -> EncoderInfo:
    if name not in encoder_names():
        entry.fail("unknown encoder")
    view, served = entry.get("view", list), [m for m in MODALITIES.values() if m.encoder == name]
    if not all(type(n) is int for n in view) or tuple(view) not in {m.view for m in served}:
        entry.fail(f"view is none of {', '.join(str(list(m.view)) for m in served)}")
    return EncoderInfo(
        name=name,
        width=entry.integer("width", 1, MAX_DIM),
        depth=entry.integer("depth", 0, MAX_DIM),
        heads=entry.integer("heads", 1, MAX_DIM),
        parameters=entry.integer("parameters", 0, 1 << 50),
        scale=entry.number("scale", 1e-6, 1e6),
        view=tuple(view),
        dtype=entry.one_of("dtype", (np.dtype(served[0].dtype).name,)),
        part=entry.matching("part", SHA256),
    )


def modality_info(name: str, entry: JsonObject, encoders: Mapping[str, EncoderInfo]) -> ModalityInfo:
    if name not in MODALITIES:
        entry.fail("unknown modality")
    encoder = entry.one_of("encoder", (MODALITIES[name].encoder,))
    if encoder not in encoders:
        entry.fail(f"its encoder {encoder} is not in the bundle")
    if len(encoders[encoder].view) < len(MODALITIES[name].view):
        entry.fail("its encoder takes single frames")
    return ModalityInfo(name, encoder, entry.integer("views", 1, 4096), entry.get("preprocessing", dict))


def engine_files(entry: JsonObject, encoders: Mapping[str, EncoderInfo]) -> EngineFiles:
    files = tuple(file_entry(f) for f in entry.items("files", 1000))
    if not files:
        entry.fail("it lists no files")
    most = entry.value.get("max_batch")
    return EngineFiles(
        encoder=entry.one_of("encoder", tuple(encoders)),
        engine=entry.one_of("engine", listed_engines()),
        precision=entry.one_of("precision", PRECISIONS),
        target=entry.matching("target", NAME),
        min_batch=entry.integer("min_batch", 1, MAX_DIM),
        max_batch=None if most is None else entry.integer("max_batch", 1, MAX_DIM),
        files=files,
        version=entry.matching("version", NAME) if "version" in entry.value else "",
        input=entry.one_of("input", ("float16",)) if "input" in entry.value else "",
    )


def file_entry(entry: JsonObject) -> FileEntry:
    path = entry.matching("path", SAFE_PATH)
    if any(part in (".", "..") for part in path.split("/")):
        entry.fail(f"path {path!r} leads out of the bundle")
    return FileEntry(path, entry.matching("sha256", SHA256), entry.integer("bytes", 0, 1 << 50))
