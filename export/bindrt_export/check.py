"""``bind-export --check``: is a bundle whole, and does it compute here what torch computed at export?

Needs no torch.
"""

from __future__ import annotations

import zipfile
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from bindrt.bundle import Bundle, open_bundle
from bindrt.engines import choose, open_engine
from bindrt.errors import BundleError, Error
from bindrt_export.probes import probes
from bindrt_export.verify import TOLERANCE, Rows, compare, run_engine

MAX_PARITY_BYTES = 64 << 20


def check(path: Path) -> dict[str, Any]:
    """Hashes, schema and a parity run of every encoder.

    Returns:
        ``{"bundle", "space", "ok", "encoders": {name: {"max_abs", …, "ok"} or {"error", "ok"}}}``.

    Raises:
        BundleError: a file or the manifest is not what it must be.
    """
    bundle = open_bundle(path, verify=True)
    results = {encoder: check_encoder(bundle, encoder) for encoder in bundle.manifest.encoders}
    return {
        "bundle": str(path),
        "space": bundle.manifest.space,
        "files": sum(1 for _ in bundle.manifest.all_files()),
        "bytes": sum(f.bytes for f in bundle.manifest.all_files()),
        "encoders": results,
        "ok": all(r["ok"] for r in results.values()),
    }


def check_encoder(bundle: Bundle, encoder: str) -> dict[str, Any]:
    start = perf_counter()
    precision = bundle.manifest.default_precision
    try:
        inputs = probes(encoder, bundle.manifest.encoders[encoder].view)
        reference = read_reference(bundle, encoder, list(inputs))
        engine = open_engine(bundle, choose(bundle, encoder, "auto", precision, "auto"), None)
        found = compare(reference, run_engine(engine, inputs, bundle.manifest.embed_dim))
    except Error as error:
        return {"ok": False, "error": str(error)}
    return {
        **found.as_dict(),
        "tolerance": TOLERANCE[precision],
        "ok": found.within(precision),
        "seconds": round(perf_counter() - start, 3),
    }


def read_reference(bundle: Bundle, encoder: str, names: list[str]) -> dict[str, Rows]:
    """Torch's vectors for the probes, as the export recorded them."""
    where = f"{bundle.path.name}/parts/{encoder}.npz"
    path = bundle.path / "parts" / f"{encoder}.npz"
    remedy = "export the bundle again"
    if not path.is_file():
        raise BundleError(where, "torch's vectors are missing, so there is nothing to compare with", remedy)
    if path.stat().st_size > MAX_PARITY_BYTES:
        raise BundleError(where, "it is too large for what it holds", remedy)
    shape = (1, bundle.manifest.embed_dim)
    try:
        with np.load(path, allow_pickle=False) as archive:
            found = {name: np.asarray(archive[name]) for name in names}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise BundleError(where, f"damaged ({error})", remedy) from None
    for name, rows in found.items():
        if rows.shape != shape or rows.dtype != np.float32:
            raise BundleError(
                where, f"{name} is {rows.dtype} {list(rows.shape)}, not float32 {list(shape)}", remedy
            )
    return found
