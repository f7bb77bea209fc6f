"""``bind-export --check``: whether a bundle is whole and computes here what torch computed at export.

Needs no torch.
"""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from bindrt.bundle import Bundle, open_bundle, regular_file
from bindrt.bundle_checks import require_our_tokenizer, space_in
from bindrt.errors import BundleError, Error
from bindrt.selection import choose, open_engine
from bindrt.selection.derived import usable_precisions
from bindrt_export.verification.comparison import (
    Rows,
    compare,
    have_direction,
    limit,
    run_engine,
    vectors_path,
)
from bindrt_export.verification.probes import probe_inputs

#: The longest header of an .npy file.
MAX_HEADER = 4096


def check_bundle(path: Path) -> dict[str, Any]:
    """Hashes, schema and a parity run of every encoder, in each precision that it can be loaded in here.

    Returns:
        ``{"bundle", "space", "ok", "encoders", "computed"}``. ``encoders`` is
        ``{name: {"max_abs", …, "ok"} or {"error", "ok"}}``; names are those of encoders, with a precision
        that is not the default one behind. ``computed`` has the same for precisions that an engine here
        makes of the bundle's files. It does not count for ``ok``: the bundle is whole without them.

    Raises:
        BundleError: a file or the manifest is not what it must be.
    """
    bundle = open_bundle(path, verify=True)
    default, held = bundle.manifest.default_precision, bundle.manifest.precisions()
    space = space_in(bundle, default)
    if "text" in bundle.manifest.modalities:
        require_our_tokenizer(bundle)
    results = {
        encoder if precision == default else f"{encoder} {precision}": check_encoder(
            bundle, encoder, precision
        )
        for precision in [default, *(p for p in held if p != default)]
        for encoder in bundle.manifest.encoders
    }
    computed = {
        f"{encoder} {precision}": check_encoder(bundle, encoder, precision)
        for precision in usable_precisions(bundle.manifest)
        if precision not in held
        for encoder in bundle.manifest.encoders
    }
    return {
        "bundle": str(path),
        "space": space,
        "files": sum(1 for _ in bundle.manifest.all_files()),
        "bytes": sum(f.bytes for f in bundle.manifest.all_files()),
        "encoders": results,
        "computed": computed,
        "ok": all(r["ok"] for r in results.values()),
    }


def check_encoder(bundle: Bundle, encoder: str, precision: str) -> dict[str, Any]:
    start = perf_counter()
    try:
        inputs = probe_inputs(encoder, bundle.manifest.encoders[encoder].view)
        reference = read_reference(bundle, encoder, list(inputs))
        engine = open_engine(bundle, choose(bundle, encoder, "auto", precision, "auto"))
        results = run_engine(engine, inputs, bundle.manifest.embed_dim)
        if not all(have_direction(rows) for rows in [*reference.values(), *results.values()]):
            raise BundleError(
                f"{bundle.path.name} {encoder}",
                "its vectors are zero or not finite",
                "export the bundle again",
            )
        found = compare(reference, results)
    except Error as error:
        return {"ok": False, "error": str(error)}
    return {
        **found.as_dict(),
        "precision": precision,
        "limit": limit(precision),
        "ok": found.within(precision),
        "seconds": round(perf_counter() - start, 3),
    }


def read_reference(bundle: Bundle, encoder: str, names: list[str]) -> dict[str, Rows]:
    """Torch's vectors for the probes, as the export recorded them."""
    relative = vectors_path(encoder)
    where = f"{bundle.path.name}/{relative}"
    remedy = "export the bundle again"
    if not (bundle.path / relative).is_file():
        raise BundleError(
            where,
            "torch's vectors are missing, so there is nothing to compare with",
            f"{remedy}, without --profile edge",
        )
    path = regular_file(bundle.path, relative)
    shape = (1, bundle.manifest.embed_dim)
    try:
        with zipfile.ZipFile(path) as archive:
            found = {name: read_rows(archive, f"{name}.npy", 4 * shape[1] + MAX_HEADER) for name in names}
    except Exception as error:  # zipfile, zlib and NumPy raise a dozen kinds for damaged bytes
        raise BundleError(where, f"damaged ({error})", remedy) from None
    for name, rows in found.items():
        if rows.shape != shape or rows.dtype != np.float32:
            raise BundleError(
                where, f"{name} is {rows.dtype} {list(rows.shape)}, not float32 {list(shape)}", remedy
            )
    return found


def read_rows(archive: zipfile.ZipFile, member: str, most: int) -> Rows:
    """One array; a small file may claim to unpack to any size."""
    if archive.getinfo(member).file_size > most:
        raise ValueError(f"{member} is larger than what it holds")
    rows: Rows = np.load(io.BytesIO(archive.read(member)), allow_pickle=False)
    return rows
