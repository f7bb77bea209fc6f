"""The bundle: a folder of graphs, weights and a manifest, and the space of the vectors it gives."""

from bindrt.bundle.bundle import (
    BUNDLE_IS,
    MANIFEST,
    MAX_MANIFEST_BYTES,
    SHIPPED,
    Bundle,
    blocks_of,
    open_bundle,
    os_errors,
    parse_json,
    refuse_constant,
    regular_file,
    sha256_of,
    unique_keys,
)

__all__ = [
    "BUNDLE_IS",
    "MANIFEST",
    "MAX_MANIFEST_BYTES",
    "SHIPPED",
    "Bundle",
    "blocks_of",
    "open_bundle",
    "os_errors",
    "parse_json",
    "refuse_constant",
    "regular_file",
    "sha256_of",
    "unique_keys",
]
