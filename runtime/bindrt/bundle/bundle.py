"""The bundle on disk: a folder with ``bundle.json``, graphs, weights and tokenizer.

Bundles are untrusted: every path, size and number is checked before anything is opened with it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from bindrt.bundle.files import os_errors, regular_file, sha256_of
from bindrt.bundle.json_object import parse_json
from bindrt.bundle.manifest import FileEntry, Manifest, parse_manifest
from bindrt.errors import BundleError
from bindrt.heldfile import HeldFile

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
        verified: files whose hashes were checked, kept open; by their path in the manifest.
    """

    path: Path
    manifest: Manifest
    verified: dict[str, HeldFile] = field(default_factory=dict, compare=False, repr=False)

    def file(self, entry: FileEntry) -> Path:
        """Where a listed file is; inside the bundle, also after following links.

        Raises:
            BundleError: missing, not a regular file, outside the bundle, of another size, or changed since
                its hash was checked.
        """
        name = f"{self.path.name}/{entry.path}"
        with os_errors(name):
            target = regular_file(self.path, entry.path)
            size = target.stat().st_size
            held = self.verified.get(entry.path)
            replaced = held is not None and held.replaced(target)
        if size != entry.bytes:
            raise BundleError(
                name,
                f"the file has {size} bytes, the manifest says {entry.bytes}",
                "export or copy the bundle again",
            )
        if replaced:
            raise BundleError(
                name,
                "the file was changed after its hash was checked",
                "restore it and load the bundle again",
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
                held = HeldFile(path)
                found = sha256_of(path)
            self.verified[entry.path] = held
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
