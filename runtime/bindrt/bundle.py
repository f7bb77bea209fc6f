"""The bundle on disk: a folder with ``bundle.json``, graphs, weights and tokenizer.

Bundles are untrusted: every path, size and number is checked before anything is opened with it.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bindrt.errors import BundleError
from bindrt.manifest import FileEntry, Manifest, parse_manifest

MANIFEST = "bundle.json"
MAX_MANIFEST_BYTES = 16 << 20


@dataclass(frozen=True)
class Bundle:
    """An opened bundle.

    Attributes:
        path: its folder.
        manifest: the checked contents of ``bundle.json``.
    """

    path: Path
    manifest: Manifest

    def file(self, entry: FileEntry) -> Path:
        """Where a listed file is; inside the bundle, also after following links.

        Raises:
            BundleError: missing, not a regular file, outside the bundle, or of another size.
        """
        name = f"{self.path.name}/{entry.path}"
        target = (self.path / entry.path).resolve()
        if not target.is_relative_to(self.path.resolve()):
            raise BundleError(
                name, "the path leads out of the bundle", "fetch the bundle from a source you trust"
            )
        if not target.is_file():
            raise BundleError(name, "the file is missing", "export or copy the bundle again")
        size = target.stat().st_size
        if size != entry.bytes:
            raise BundleError(
                name,
                f"the file has {size} bytes, the manifest says {entry.bytes}",
                "export or copy the bundle again",
            )
        return target

    def check(self, verify: bool = False) -> None:
        """Check that every listed file is there with its size and, with ``verify``, its SHA-256.

        Raises:
            BundleError: naming the first file that differs.
        """
        for entry in self.manifest.all_files():
            path = self.file(entry)
            if verify and (found := sha256_of(path)) != entry.sha256:
                raise BundleError(
                    f"{self.path.name}/{entry.path}",
                    f"its SHA-256 is {found[:16]}…, the manifest says {entry.sha256[:16]}…",
                    "the file was changed or damaged; export or copy the bundle again",
                )


def open_bundle(path: str | os.PathLike[str], verify: bool = False) -> Bundle:
    """Read a bundle's manifest and check paths and sizes; with ``verify`` every hash as well.

    Raises:
        BundleError: not a bundle, damaged, unsafe, or of another schema version.
    """
    folder = Path(path)
    manifest_path = folder / MANIFEST
    if not folder.is_dir():
        raise BundleError(str(folder), "no such folder", "a bundle is the folder that bind-export writes")
    if not manifest_path.is_file():
        raise BundleError(
            str(folder), f"it has no {MANIFEST}", "a bundle is the folder that bind-export writes"
        )
    size = manifest_path.stat().st_size
    if size > MAX_MANIFEST_BYTES:
        raise BundleError(
            f"{folder.name}/{MANIFEST}", f"it has {size} bytes", "a manifest has at most 16 MiB"
        )
    try:
        data = json.loads(manifest_path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise BundleError(
            f"{folder.name}/{MANIFEST}", f"not JSON ({error})", "export or copy it again"
        ) from None
    bundle = Bundle(folder, parse_manifest(data, f"{folder.name}/{MANIFEST}"))
    bundle.check(verify)
    return bundle


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal, read in pieces."""
    digest = hashlib.sha256()
    for block in blocks_of(path):
        digest.update(block)
    return digest.hexdigest()


def blocks_of(path: Path, size: int = 4 << 20) -> Iterator[memoryview]:
    buffer = bytearray(size)
    view = memoryview(buffer)
    with open(path, "rb", buffering=0) as file:
        while count := file.readinto(buffer):
            yield view[:count]
