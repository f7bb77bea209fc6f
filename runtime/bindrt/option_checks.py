"""Checks of what a caller of ``load`` and ``Model`` may choose."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set

import numpy as np

from bindrt.bundle import Bundle, sha256_of
from bindrt.bundle.space import space_of
from bindrt.errors import BundleError, InputError, OptionError
from bindrt.modalities import MODALITIES
from bindrt.preprocess import describe
from bindrt.preprocess.tokenizer import TOKENIZER_FILE


def is_skip(on_error: str) -> bool:
    if on_error not in ("raise", "skip"):
        raise OptionError(f"on_error={on_error!r}", "unknown", "use raise or skip")
    return on_error == "skip"


def is_normalized(normalize: object) -> bool:
    if not isinstance(normalize, (bool, np.bool_)):
        raise OptionError(f"normalize={normalize!r}", "neither True nor False", "True gives unit vectors")
    return bool(normalize)


def require_stream(items: object, prefetch: object) -> None:
    """Raises OptionError for what ``stream`` cannot take items from; of a str these would be its letters."""
    if not isinstance(prefetch, int) or not 1 <= prefetch <= 100_000:
        raise OptionError(f"prefetch={prefetch!r}", "not a number of items", "give 1 to 100000")
    if not isinstance(items, Iterable) or isinstance(items, (str, bytes, bytearray, memoryview, Mapping)):
        raise OptionError("stream", f"{type(items).__name__} is no iterable of items", "give a list, for one")


def chosen_labels(labels: object) -> list[str]:
    """The texts to choose from, in the order of the columns of what ``classify`` returns."""
    ordered = isinstance(labels, Iterable) and not isinstance(labels, (str, bytes, Mapping, Set))
    texts = list(labels) if ordered else []  # type: ignore[call-overload]
    if not texts:
        raise OptionError(
            "classify", "labels must be a list of texts", 'for example labels=["a dog", "a car"]'
        )
    for index, text in enumerate(texts):
        if not isinstance(text, str):
            raise InputError(
                f"labels[{index}]", f"a label is a str, not {type(text).__name__}", "decode or convert it"
            )
    return texts


def require_kind(name: str, value: object, kind: type) -> None:
    """Raises OptionError for an argument of ``load`` that is no ``kind``."""
    if not isinstance(value, kind):
        what = "a str" if kind is str else f"bindrt.{kind.__name__}(…)"
        raise OptionError(f"{name}={value!r}"[:80], f"not {what}", f"give {what}, or leave it out")


def chosen_modalities(bundle: Bundle, chosen: Iterable[str] | None) -> tuple[str, ...]:
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
    """A tokenizer from elsewhere is data an engine would have to trust; ours is the only one there is."""
    entry = bundle.manifest.tokenizer
    if entry is None or entry.sha256 != sha256_of(TOKENIZER_FILE):
        raise BundleError(
            bundle.path.name,
            "it has no tokenizer" if entry is None else "its tokenizer is not CLIP's as bindrt ships it",
            "export it again with this version of bindrt",
        )


def space_in(bundle: Bundle, precision: str) -> str:
    """The space of a bundle's vectors of one precision, by this version's preprocessing.

    Raises:
        BundleError: the bundle records another for its default precision.
    """
    manifest = bundle.manifest
    preprocessing = {m: describe(m) for m in MODALITIES}
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
