"""The embedding space's fingerprint: vectors may be mixed exactly when their spaces are equal."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping

from bindrt.errors import SpaceError
from bindrt.notes import FEWER_VIEWS
from bindrt.precisions import PRECISION_CLASS


def space_of(
    family: str, embed_dim: int, weights: str, preprocessing: Mapping[str, object], precision: str
) -> str:
    """A short, readable name: family, width, precision class and a hash of weights and preprocessing.

    Args:
        family: ``imagebind`` or ``openclip``.
        embed_dim: length of a vector.
        weights: fingerprint of all weights of the checkpoint and its numbers of heads, in hexadecimal.
        preprocessing: the constants of :func:`bindrt.preprocess.describe`, by modality.
        precision: ``fp32``, ``fp16``, ``bf16``, ``int8`` or ``fp8``.
    """
    kind = PRECISION_CLASS[precision]
    text = json.dumps([weights, preprocessing, kind], sort_keys=True, separators=(",", ":"))
    return f"{family}-{embed_dim}-{kind}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def with_fewer_views(space: str, notes: Mapping[str, Iterable[Mapping[str, object]]]) -> str:
    """The space of vectors some of which were made of fewer views than the model takes.

    They can be compared with those of the space itself, but do not belong into one index with them.

    Args:
        notes: those of each modality's items; ``views`` among them says that an item has fewer.

    >>> with_fewer_views("imagebind-1024-fp32-1a2b", {"video": [{"views": 5}, {"views": 5}, {}]})
    'imagebind-1024-fp32-1a2b+video5'
    """
    for modality, of_items in sorted(notes.items()):
        if counts := {str(found[FEWER_VIEWS]) for found in of_items if FEWER_VIEWS in found}:
            space += f"+{modality}{','.join(sorted(counts))}"
    return space


def require_comparable(ours: str, theirs: str, what: str) -> None:
    """Refuse to compare vectors of different spaces; those of fewer views can be compared.

    Raises:
        SpaceError: naming both spaces.
    """
    if ours.split("+")[0] != theirs.split("+")[0]:
        require_same_space(ours, theirs, what)


def require_same_space(ours: str, theirs: str, what: str) -> None:
    """Refuse to mix.

    Raises:
        SpaceError: naming both spaces.
    """
    if ours != theirs:
        raise SpaceError(
            what, f"its vectors are of space {theirs}, these are of {ours}", "use one bundle for both"
        )
