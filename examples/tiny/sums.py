"""The picture of one event plus the sound of another: what the sum of their vectors finds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, permutations
from pathlib import Path

import numpy as np

import bindrt

#: Queries that are compared.
WAYS = ("picture + sound", "picture alone", "sound alone")
#: Examples that find both events, and that do not.
EXAMPLES = 2


@dataclass(frozen=True)
class Sums:
    """What was found among pictures of every two kinds.

    Attributes:
        shares: for each of ``WAYS``, the shares of queries whose nearest picture has both events, only the
            one that was seen, only the one that was heard, neither.
        examples: picture, sound, the picture that they find, all of it in words, whether it has both.
    """

    kinds: Sequence[str]
    pictures: int
    queries: int
    shares: dict[str, tuple[float, float, float, float]]
    examples: list[tuple[Path, Path, Path, str, bool]]


def measure(
    kinds: Sequence[str],
    files: Sequence[dict[str, Path]],
    found: bindrt.Embeddings,
    pairs: Sequence[Path],
    vectors: np.ndarray,
) -> Sums:
    """Every ordered pair of kinds: the first scene of one with the first of the other, and so on.

    Args:
        kinds, files, found: the kind, files and vectors of each scene of one event.
        pairs, vectors: pictures of two events, in the order of ``combinations`` of kinds, and their vectors.
    """
    names = list(dict.fromkeys(kinds))
    shown = [set(pair) for pair in combinations(names, 2)]
    outcomes: dict[str, list[int]] = {way: [] for way in WAYS}
    examples: list[tuple[Path, Path, Path, str, bool]] = []
    for seen, heard in permutations(names, 2):
        for at, other in zip(rows_of(seen, kinds), rows_of(heard, kinds), strict=True):
            picture, sound = found["image"][at], found["audio"][other]
            for way, query in zip(WAYS, (picture + sound, picture, sound), strict=True):
                best = int((vectors @ query).argmax())
                outcomes[way].append(2 * (seen not in shown[best]) + (heard not in shown[best]))
                if way == WAYS[0]:
                    right = outcomes[way][-1] == 0
                    said = f"picture of a {seen} + sound of a {heard} → {' and '.join(sorted(shown[best]))}"
                    examples.append((files[at]["image"], files[other]["audio"], pairs[best], said, right))
    step = max(1, len(examples) // 12)  # not all of one kind
    spread = [example for start in range(step) for example in examples[start::step]]
    good = [example for example in spread if example[-1]][:EXAMPLES]
    bad = [example for example in spread if not example[-1]][:EXAMPLES]
    shares = {way: shares_of(found_by) for way, found_by in outcomes.items()}
    return Sums(names, len(pairs), len(examples), shares, [*good, *bad])


def rows_of(kind: str, kinds: Sequence[str]) -> list[int]:
    return [row for row, name in enumerate(kinds) if name == kind]


def shares_of(outcomes: Sequence[int]) -> tuple[float, float, float, float]:
    """0: both events, 1: only the one seen, 2: only the one heard, 3: neither."""
    counts = np.bincount(outcomes, minlength=4) / len(outcomes)
    return float(counts[0]), float(counts[1]), float(counts[2]), float(counts[3])
