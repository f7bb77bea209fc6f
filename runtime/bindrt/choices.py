"""Checks of what a caller of ``load`` and ``Model`` may choose."""

from __future__ import annotations

from collections.abc import Sequence

from bindrt.bundle import Bundle, sha256_of
from bindrt.errors import BundleError, OptionError
from bindrt.modalities import MODALITIES
from bindrt.preprocess.tokenizer import TOKENIZER_FILE


def is_skip(on_error: str) -> bool:
    if on_error not in ("raise", "skip"):
        raise OptionError(f"on_error={on_error!r}", "unknown", "use raise or skip")
    return on_error == "skip"


def chosen_modalities(bundle: Bundle, wanted: Sequence[str] | None) -> tuple[str, ...]:
    held = [m for m in MODALITIES if m in bundle.manifest.modalities]
    if wanted is None:
        return tuple(held)
    if isinstance(wanted, str) or not wanted:
        raise OptionError(
            f"modalities={wanted!r}", "not a list of modalities", 'for example ["image", "text"]'
        )
    for name in wanted:
        if name not in held:
            raise OptionError(f"modalities: {name!r}", "not in this bundle", f"it has {', '.join(held)}")
    return tuple(m for m in held if m in wanted)


def require_our_tokenizer(bundle: Bundle) -> None:
    """A tokenizer from elsewhere is data an engine would have to trust; ours is the only one there is."""
    entry = bundle.manifest.tokenizer
    if entry is None or entry.sha256 != sha256_of(TOKENIZER_FILE):
        raise BundleError(
            bundle.path.name,
            "it has no tokenizer" if entry is None else "its tokenizer is not CLIP's as bindrt ships it",
            "export it again with this version of bindrt",
        )
