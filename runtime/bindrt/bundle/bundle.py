"""The bundle on disk: a folder with ``bundle.json``, graphs, weights and tokenizer.

Bundles are untrusted: every path, size and number is checked before anything is opened with it.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bindrt.bundle.manifest import FileEntry, Manifest, parse_manifest
from bindrt.errors import BundleError

MANIFEST = "bundle.json"
MAX_MANIFEST_BYTES = 16 << 20
#: Bundles that come with the package, by the name that ``load`` takes.
SHIPPED = {"tiny": Path(__file__).resolve().parent.parent / "data" / "tiny.bind"}
BUNDLE_IS = f"a bundle is the folder that bind-export writes, or comes with bindrt: {', '.join(SHIPPED)}"


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
        with os_errors(name):
            target = regular_file(self.path, entry.path)
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
            if not verify:
                continue
            name = f"{self.path.name}/{entry.path}"
            with os_errors(name):
                found = sha256_of(path)
            if found != entry.sha256:
                raise BundleError(
                    name,
                    f"its SHA-256 is {found[:16]}…, the manifest says {entry.sha256[:16]}…",
                    "the file was changed or damaged; export or copy the bundle again",
                )


def open_bundle(path: str | os.PathLike[str], verify: bool = False) -> Bundle:
    """Read a bundle's manifest and check paths and sizes; with ``verify`` every hash as well.

    The name of a shipped bundle stands for its folder where no folder of that name is here.

    Raises:
        BundleError: not a bundle, damaged, unsafe, or of another schema version.
    """
    try:
        # Absolute: encoders are opened later, maybe from another working directory.
        folder = Path(os.fsdecode(path)).absolute()
        if os.fsdecode(path) in SHIPPED and not folder.exists():
            folder = SHIPPED[os.fsdecode(path)]
    except TypeError:
        raise BundleError(repr(path)[:80], "not a path", BUNDLE_IS) from None
    shown = os.fsdecode(path) or "''"
    with os_errors(shown[:200]):
        if not folder.is_dir():
            problem = "no such folder, but a file" if folder.exists() else "no such folder"
            raise BundleError(shown, problem, BUNDLE_IS)
        if MANIFEST not in os.listdir(folder):
            raise BundleError(shown, f"it has no {MANIFEST}", BUNDLE_IS)
    name = f"{folder.name}/{MANIFEST}"
    with os_errors(name), open(regular_file(folder, MANIFEST), "rb") as file:
        content = file.read(MAX_MANIFEST_BYTES + 1)
    if len(content) > MAX_MANIFEST_BYTES:
        raise BundleError(name, "it is larger than 16 MiB", "no manifest needs that")
    bundle = Bundle(folder, parse_manifest(parse_json(content, name), name))
    bundle.check(verify)
    return bundle


def parse_json(content: bytes, name: str) -> object:
    """JSON as the standard has it: UTF-8, no NaN or Infinity, no key twice in one object."""
    try:
        return json.loads(
            content.decode("utf-8"), parse_constant=refuse_constant, object_pairs_hook=unique_keys
        )
    except (ValueError, RecursionError) as error:
        raise BundleError(name, f"not JSON ({error})", "export or copy it again") from None


def refuse_constant(text: str) -> None:
    raise ValueError(f"{text} is no number")


def unique_keys(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key is there twice")
    return found


def regular_file(folder: Path, relative: str) -> Path:
    """A regular file inside a folder, links followed.

    Raises:
        BundleError: missing, not a regular file, or outside the folder.
    """
    name = f"{folder.name}/{relative}"
    target = (folder / relative).resolve()
    if not target.is_relative_to(folder.resolve()):
        raise BundleError(
            name, "the path leads out of the bundle", "fetch the bundle from a source you trust"
        )
    if not target.is_file():
        problem = "it is not a regular file" if target.exists() else "the file is missing"
        raise BundleError(name, problem, "export or copy the bundle again")
    return target


@contextmanager
def os_errors(name: str) -> Iterator[None]:
    """What the system refuses, as a BundleError."""
    try:
        yield
    except (OSError, RuntimeError) as error:  # before Python 3.13, a loop of links is a RuntimeError
        problem = getattr(error, "strerror", None) or error
        raise BundleError(name, f"cannot be read ({problem})", "check the path and its permissions") from None


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
