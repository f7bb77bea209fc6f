"""The bundle: a folder of graphs, weights and a manifest, and the space of the vectors it gives."""

from bindrt.bundle.bundle import MANIFEST, SHIPPED, Bundle, open_bundle
from bindrt.bundle.files import regular_file, sha256_of
from bindrt.bundle.json_object import parse_json, unique_keys

__all__ = [
    "MANIFEST",
    "SHIPPED",
    "Bundle",
    "open_bundle",
    "parse_json",
    "regular_file",
    "sha256_of",
    "unique_keys",
]
