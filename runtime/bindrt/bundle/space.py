"""The embedding space's fingerprint: vectors may be mixed exactly when their spaces are equal."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from bindrt.errors import SpaceError
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


def require_same_space(ours: str, theirs: str, what: str) -> None:
    """Refuse to mix.

    Raises:
        SpaceError: naming both spaces.
    """
    if ours != theirs:
        raise SpaceError(
            what, f"its vectors are of space {theirs}, these are of {ours}", "use one bundle for both"
        )
