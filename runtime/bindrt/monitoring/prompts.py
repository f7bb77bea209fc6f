"""The vectors of prompts: texts, sounds, pictures, any items, or vectors that are there already."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import PIL.Image

from bindrt import arrays
from bindrt.embeddings import Vectors, unit_rows
from bindrt.errors import InputError, OptionError
from bindrt.modalities import MODALITIES
from bindrt.preprocess.detection import detect

if TYPE_CHECKING:
    from bindrt.model import Model

_EXAMPLE = 'for example {"glass": ["glass breaking"]}'
_KINDS = "a text, a Path, a wrapper such as bindrt.Audio(…), a Pillow image, or a vector"


def named_prompts(model: Model, prompts: object) -> dict[str, Vectors]:
    """The prompts of each name as unit vectors ``[n, D]``.

    Raises:
        OptionError: not a mapping of names to prompts, or a name without prompts.
        InputError: a prompt that is none, or that cannot be embedded.
    """
    if not isinstance(prompts, Mapping) or not prompts:
        raise OptionError("prompts", "not a mapping of names to prompts", _EXAMPLE)
    found = {}
    for name, given in prompts.items():
        if not isinstance(name, str) or not name:
            raise OptionError(f"prompts[{name!r}]"[:80], "a name is a text", _EXAMPLE)
        found[name] = prompt_vectors(model, given, f"prompts[{name!r}]"[:80])
        if not len(found[name]):
            raise OptionError(f"prompts[{name!r}]"[:80], "it has no prompts", _EXAMPLE)
    return found


def prompt_vectors(model: Model, given: object, where: str) -> Vectors:
    """Prompts, or one alone, as unit vectors ``[n, D]``; those of texts are embedded together."""
    each = _listed(given, where)
    kinds = [_kind(prompt, f"{where}[{i}]") for i, prompt in enumerate(each)]
    rows = np.zeros((len(each), model.embed_dim), np.float32)
    for kind in dict.fromkeys(kinds):
        at = [i for i, found in enumerate(kinds) if found == kind]
        make: Callable[..., Vectors] = _given_vectors if kind == "vector" else _embedded
        rows[at] = make(model, kind, [each[i] for i in at], [f"{where}[{i}]" for i in at])
    return unit_rows(rows)


def _listed(given: object, where: str) -> Sequence[Any]:
    if isinstance(given, (str, os.PathLike, PIL.Image.Image)) or _wrapped(given) is not None:
        return [given]
    if arrays.is_array(given):
        array = arrays.to_numpy(given, where)
        return list(array) if array.ndim == 2 else [array]
    if isinstance(given, Iterable) and not isinstance(given, (bytes, bytearray, Mapping)):
        return list(given)
    raise OptionError(where, f"{type(given).__name__} is not a list of prompts", f"each is {_KINDS}")


def _kind(prompt: object, where: str) -> str:
    """The modality of a prompt, or ``vector``."""
    if isinstance(prompt, str):
        return "text"
    if isinstance(prompt, PIL.Image.Image):
        return "image"
    if (modality := _wrapped(prompt)) is not None:
        return modality
    if isinstance(prompt, os.PathLike):
        if (found := detect(prompt)) is not None:
            return found
        raise InputError(where, f"{arrays.item_name(prompt)} may be of several modalities", "use a wrapper")
    if arrays.is_array(prompt):
        return "vector"
    raise InputError(where, f"{type(prompt).__name__} is not a prompt", f"give {_KINDS}")


def _wrapped(prompt: object) -> str | None:
    """The modality of a wrapper such as ``bindrt.Audio``."""
    for name, modality in MODALITIES.items():
        if modality.wrapper is not None and isinstance(prompt, modality.wrapper):
            return name
    return None


def _embedded(model: Model, modality: str, items: list[Any], _: list[str]) -> Vectors:
    embed: Callable[..., Any] = model.embed
    found: Vectors = embed(**{modality: items})[modality]
    return found


def _given_vectors(model: Model, _: str, vectors: list[Any], places: list[str]) -> Vectors:
    return np.stack(
        [checked_vector(v, model.embed_dim, place) for v, place in zip(vectors, places, strict=True)]
    )


def checked_vector(vector: object, length: int, where: str) -> Vectors:
    """A vector of the space, float32 ``[D]`` of unit length.

    Raises:
        InputError: it has another shape, or numbers that no vector has.
    """
    array = arrays.to_numpy(vector, where)
    if array.shape != (length,) or array.dtype.kind not in "fiu":
        raise InputError(
            where, f"{arrays.shape_text(array)} is not a vector", f"this model's have {length} numbers"
        )
    arrays.require_finite(array, where)
    unit: Vectors = unit_rows(array.astype(np.float32)[None])[0]
    if not unit.any():
        raise InputError(where, "the vector is zero", "it has no direction to compare")
    return unit
