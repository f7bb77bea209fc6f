"""A bundle's files to an open engine."""

from __future__ import annotations

import hashlib
import json

from bindrt.bundle import Bundle
from bindrt.bundle.manifest import EngineFiles
from bindrt.ending import engine_gate
from bindrt.engines import ENGINES, Engine, EngineSettings, EngineSpec
from bindrt.errors import OptionError


def open_engine(bundle: Bundle, files: EngineFiles, settings: EngineSettings | None = None) -> Engine:
    """Start an engine on its files.

    Raises:
        BundleError: a file is unsafe or damaged.
        EngineError: the engine is not here, or refuses the files, the precision or the device.
        OptionError: the engine has no such device or option.
    """
    settings = settings or EngineSettings()
    kind = ENGINES[files.engine]
    if not kind.runs_on(settings.device):
        raise OptionError(f"device={settings.device!r}", f"{files.engine} has none", "use device='auto'")
    kind.import_library()
    with engine_gate:
        return kind.open(spec_of(bundle, files), settings)


def spec_of(bundle: Bundle, files: EngineFiles) -> EngineSpec:
    encoder = bundle.manifest.encoders[files.encoder]
    return EngineSpec(
        files=[bundle.file(entry) for entry in files.files],
        encoder=encoder.name,
        dtype=encoder.dtype,
        embed_dim=bundle.manifest.embed_dim,
        precision=files.precision,
        target=files.target,
        version=files.version,
        max_batch=files.max_batch,
        key=files_key(files),
        heads=encoder.heads,
        view=encoder.view,
    )


def files_key(files: EngineFiles) -> str:
    """A hash of all that the engine reads: equal wherever the same bundle lies."""
    listed = [(entry.path, entry.sha256, entry.bytes) for entry in files.files]
    return hashlib.sha256(json.dumps(listed).encode()).hexdigest()
