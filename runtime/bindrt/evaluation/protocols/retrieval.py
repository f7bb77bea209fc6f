"""Does a text find its item? All items are ordered by their cosine with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from bindrt.embeddings import Vectors, unit_rows
from bindrt.errors import InputError, OptionError
from bindrt.evaluation.measures import mean_of
from bindrt.evaluation.protocols.zero_shot import WORST
from bindrt.evaluation.results import Case, Found, Score, resampled_score
from bindrt.evaluation.sets import Pairs
from bindrt.evaluation.vectors import VectorStore, good_rows

NAME = "retrieval"
AT = (1, 5, 10)
_ROWS = 512  # queries that are compared at once


def evaluate(content: Pairs, store: VectorStore, sums: Sequence[Mapping[str, float]] = ()) -> Found:
    """R@1, R@5 and R@10 for each of the sums that an item's vector may be.

    Raises:
        OptionError: a weight is of a modality that the items do not have.
    """
    chosen = tuple(sums) or content.sums
    for modality in (modality for weights in chosen for modality in weights):
        if modality not in content.items:
            there = ", ".join(content.items)
            raise OptionError(f"--weight {modality}", "the items do not have it", f"they have {there}")
    queries = store(content.queries)
    rows = list(good_rows(queries))
    parts = {modality: _part(content, modality, store) for modality in content.items}
    scores: list[Score] = []
    worst: tuple[Case, ...] = ()
    for weights in chosen:
        items = summed(parts, weights)
        ranks, said = ranked(queries[rows], items, [content.wanted[row] for row in rows])
        name = "" if len(chosen) == 1 and len(content.items) == 1 else f" {named(weights)}"
        groups = [content.wanted[row] for row in rows]
        scores += [resampled_score(f"R@{k}{name}", mean_of(ranks < k), len(rows), tuple(groups)) for k in AT]
        worst = worst or _worst(content, rows, ranks, said, next(iter(weights)))
    return Found(NAME, tuple(scores), worst=worst)


def named(weights: Mapping[str, float]) -> str:
    """A sum as reports call it.

    >>> named({"video": 0.5, "audio": 0.5}), named({"video": 1.0})
    ('0.5 video + 0.5 audio', 'video')
    """
    if len(weights) == 1:
        return next(iter(weights))
    return " + ".join(f"{weight:g} {modality}" for modality, weight in weights.items())


def _part(content: Pairs, modality: str, store: VectorStore) -> Vectors:
    """The vectors of all items by one modality; zeros for an item without it, and for one that failed."""
    entries = content.items[modality]
    there = [row for row, entry in enumerate(entries) if entry is not None]
    found = store([entry for entry in entries if entry is not None])
    vectors = np.zeros((len(entries), found.shape[1]), np.float32)
    vectors[there] = np.nan_to_num(found)
    return vectors


def summed(parts: Mapping[str, Vectors], weights: Mapping[str, float]) -> Vectors:
    """Each item's weighted sum of unit vectors, of unit length; zeros where it has none of the modalities."""
    total = sum(np.float32(weight) * unit_rows(parts[modality]) for modality, weight in weights.items())
    return unit_rows(np.asarray(total, np.float32))


def ranked(
    queries: Vectors, items: Vectors, wanted: Sequence[int]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """How many items are nearer to each query than the wanted one or as near, and the nearest item."""
    if not len(queries):
        raise InputError("the texts", "none could be embedded")
    ranks, nearest = [], []
    for at in range(0, len(queries), _ROWS):
        cosines = queries[at : at + _ROWS] @ items.T
        of_wanted = cosines[np.arange(len(cosines)), list(wanted[at : at + _ROWS])]
        ranks.append((cosines >= of_wanted[:, None]).sum(axis=1) - 1)
        nearest.append(cosines.argmax(axis=1))
    return np.concatenate(ranks), np.concatenate(nearest)


def _worst(
    content: Pairs,
    rows: Sequence[int],
    ranks: npt.NDArray[np.int64],
    said: npt.NDArray[np.int64],
    modality: str,
) -> tuple[Case, ...]:
    """The texts that have most items before the right one; the margin is minus their number."""
    entries = content.items[modality]

    def name(item: int) -> str:
        entry = entries[item]
        return entry.name if entry is not None else f"item {item}"

    order = [at for at in np.argsort(-ranks, kind="stable")[:WORST].tolist() if ranks[at] > 0]
    return tuple(
        Case(
            content.queries[rows[at]].name,
            name(int(said[at])),
            name(content.wanted[rows[at]]),
            -float(ranks[at]),
        )
        for at in order
    )
