"""Items prepared by csrc/prepare and by Python: both must give the same."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import av
import numpy as np
import pytest
import soundfile

from bindrt.errors import Error
from bindrt.limits import DEFAULT_LIMITS, Limits
from bindrt.modalities import MODALITIES, Modality, Views
from bindrt.preprocess import dispatch
from bindrt.sources.handover import hand_over_ffmpeg, hand_over_libavcodec, hand_over_libsndfile

# As it is once Python has read a file with each.
assert hand_over_libsndfile(), soundfile
assert hand_over_libavcodec(), av
hand_over_ffmpeg()


def require_same(found: Views, expected: Views) -> None:
    """Assert that two preparations of an item are equal, bit for bit."""
    np.testing.assert_array_equal(found.all(), expected.all())
    assert (found.array.dtype, found.array.shape) == (expected.array.dtype, expected.array.shape)
    if found.weights is None or expected.weights is None:
        assert found.weights is None
        assert expected.weights is None
    else:
        np.testing.assert_array_equal(found.weights, expected.weights)
    assert found.notes == expected.notes
    assert {k: type(v) for k, v in found.notes.items()} == {k: type(v) for k, v in expected.notes.items()}


def is_ordinary(modality: str, item: object, limits: Limits = DEFAULT_LIMITS) -> bool:
    """Whether csrc/prepare takes an item; if it does, both ways are compared."""
    let_python_look(MODALITIES[modality], item, limits)
    found = dispatch.prepare_ordinary(MODALITIES[modality], item, limits)
    if found is None:
        return False
    require_same(found, prepared_by_python(MODALITIES[modality], item, limits))
    return True


def is_steady(modality: str, item: object, limits: Limits = DEFAULT_LIMITS, times: int = 12) -> bool:
    """Whether Python makes the same of an item each time; FFmpeg's threads may conceal damage differently."""
    first = prepared_by_python(MODALITIES[modality], item, limits)
    try:
        for _ in range(times):
            require_same(prepared_by_python(MODALITIES[modality], item, limits), first)
    except AssertionError:
        return False
    return True


def let_python_look(modality: Modality, item: object, limits: Limits) -> None:
    """Python must have read a video of a kind: it tries how its frames are converted."""
    if modality.name == "video":
        with contextlib.suppress(Error):
            prepared_by_python(modality, item, limits)


def prepared_by_python(modality: Modality, item: object, limits: Limits = DEFAULT_LIMITS) -> Views:
    return modality.prepare(dispatch.wrapped(modality, item), limits, None)


def left(modality: str, items: Mapping[str, object]) -> set[str]:
    """The names of the items that csrc/prepare leaves to Python; the others are compared."""
    return {name for name, item in items.items() if not is_ordinary(modality, item)}


@contextmanager
def compared() -> Iterator[Callable[[], tuple[int, int]]]:
    """Within the block every item that bindrt prepares is prepared both ways, and compared.

    Yields what says how many items csrc/prepare took, and how many it left.
    """
    counts = {True: 0, False: 0}
    usual = dispatch.prepare_ordinary

    def prepare(modality: Modality, item: object, limits: Limits, reserve: Any = None) -> Views | None:
        let_python_look(modality, item, limits)
        found = usual(modality, item, limits)
        counts[found is not None] += 1
        if found is not None:
            require_same(found, prepared_by_python(modality, item, limits))
        return found if reserve is None else None

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dispatch, "prepare_ordinary", prepare)
        yield lambda: (counts[True], counts[False])
