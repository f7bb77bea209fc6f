"""Whether this version of bindrt serves a bundle, and which of its modalities a caller wants."""

from __future__ import annotations

from collections.abc import Iterable

from bindrt.bundle import Bundle, sha256_of
from bindrt.bundle.space import space_of
from bindrt.errors import BundleError, OptionError
from bindrt.modalities import MODALITIES
from bindrt.modalities.steps.tokenizer import TOKENIZER_FILE
from bindrt.preprocess.dispatch import descriptions


def chosen_modalities(bundle: Bundle, chosen: Iterable[str] | None) -> tuple[str, ...]:
    """The modalities of a bundle that were chosen, in the usual order; all of them for None.

    Raises:
        OptionError: not a list of modalities, or one that the bundle does not have.
    """
    held = [m for m in MODALITIES if m in bundle.manifest.modalities]
    if chosen is None:
        return tuple(held)
    wanted = list(chosen) if isinstance(chosen, Iterable) and not isinstance(chosen, str) else []
    if not wanted:
        raise OptionError(
            f"modalities={chosen!r}", "not a list of modalities", 'for example ["image", "text"]'
        )
    for name in wanted:
        if name not in held:
            raise OptionError(f"modalities: {name!r}", "not in this bundle", f"it has {', '.join(held)}")
    return tuple(m for m in held if m in wanted)


def require_our_tokenizer(bundle: Bundle) -> None:
    """Raises BundleError unless the bundle's tokenizer is the one that comes with bindrt.

    Another tokenizer would be data from outside that bindrt would have to trust.
    """
    entry = bundle.manifest.tokenizer
    if entry is None or entry.sha256 != sha256_of(TOKENIZER_FILE):
        raise BundleError(
            bundle.path.name,
            "it has no tokenizer" if entry is None else "its tokenizer is not CLIP's as bindrt ships it",
            "export it again with this version of bindrt",
        )


def space_in(bundle: Bundle, precision: str) -> str:
    """The space of a bundle's vectors of one precision, with this version's preprocessing.

    Raises:
        BundleError: the bundle records another space for its default precision.
    """
    manifest = bundle.manifest
    preprocessing = descriptions(manifest.modalities)
    default, space = (
        space_of(manifest.family, manifest.embed_dim, manifest.weights, preprocessing, p)
        for p in (manifest.default_precision, precision)
    )
    if default != manifest.space:
        raise BundleError(
            bundle.path.name,
            f"its space {manifest.space} is not what this version of bindrt computes ({default})",
            "it was exported with other preprocessing; export again",
        )
    return space
