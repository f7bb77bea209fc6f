"""The parts of sharing by themselves: what counts as equal, the cache, and who waits for whom."""

from __future__ import annotations

from collections import OrderedDict
from concurrent.futures import InvalidStateError
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import bindrt
from bindrt.pipeline.futures import EmbeddingFuture
from bindrt.pipeline.sharing import Deduplicator, ResultCache, SharedFuture, identity
from bindrt.pipeline.sharing.cache import Result
from bindrt.statistics import SHARING, Counts
from support.golden import HERE

INPUTS = HERE / "inputs"
PHOTO, PALETTE = INPUTS / "image/photo.webp", INPUTS / "image/palette.png"


def test_what_changes_the_vector_changes_the_key() -> None:
    pixels = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    depth = np.ones((4, 4), np.float32)
    samples = np.ones((6, 9), np.float32)
    different: list[tuple[str, Any, bool]] = [
        ("image", PHOTO, True),
        ("image", PHOTO, False),
        ("image", PALETTE, True),
        ("image", bindrt.Image(PHOTO, exif=True), True),
        ("image", bindrt.Image(PHOTO, grey16="full"), True),
        ("image", pixels, True),
        ("image", pixels + 1, True),
        ("image", pixels.reshape(2, 8, 3), True),
        ("image", bindrt.Image(pixels, layout="BGR"), True),
        ("video", bindrt.Video(pixels[None], fps=1), True),
        ("video", bindrt.Video(pixels[None], fps=2), True),
        ("video", bindrt.Video([pixels, pixels], fps=1), True),
        ("text", "a", True),
        ("text", "b", True),
        ("text", "", True),
        ("depth", depth, True),
        ("depth", depth.astype(np.float64), True),
        ("depth", bindrt.Depth(depth, unit="mm"), True),
        ("depth", bindrt.Depth(depth, focal=519.0), True),
        ("thermal", depth, True),
        ("imu", bindrt.Imu(samples, rate=100), True),
        ("imu", bindrt.Imu(samples, timestamps=np.arange(9.0)), True),
        ("imu", bindrt.Imu(samples, timestamps=np.arange(9.0) * 2), True),
        ("imu", bindrt.Imu(samples, rate=100, standardize=([0] * 6, [1] * 6)), True),
        ("imu", bindrt.Imu(samples, rate=100, standardize=([0] * 6, [2] * 6)), True),
        ("image", bindrt.Prepared(np.zeros((3, 224, 224), np.float32)), True),
        ("image", bindrt.Prepared(np.zeros((3, 224, 224), np.float32), {"a": 1}), True),
    ]
    keys = []
    for modality, item, normalize in different:
        found = identity.identify(modality, item, normalize)
        assert found is not None, (modality, item)
        again = identity.identify(modality, item, normalize)
        assert again is not None
        assert again.key == found.key
        keys.append(found.key)
    assert len(set(keys)) == len(keys)
    same = (PHOTO, str(PHOTO), PHOTO.read_bytes(), bytearray(PHOTO.read_bytes()), bindrt.Image(PHOTO))
    assert {identity.identify("image", item, True).key for item in same} == {keys[0]}  # type: ignore[union-attr]


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda s: st.lists(s)), st.data())
def test_values_hash_alike_only_if_equal(value: Any, data: st.DataObject) -> None:
    other = data.draw(st.just(value) | st.recursive(st.none() | st.booleans() | st.integers(), st.lists))

    def key(of: Any) -> bytes:
        contents = identity.Contents()
        contents.plain(of)
        return contents.key()

    assert (key(value) == key(other)) == (repr(value) == repr(other))


def test_no_identity_for_what_cannot_be_hashed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Odd(int):
        pass

    items: list[Any] = ["missing.jpg", 3.5, None, PHOTO.open("rb"), tmp_path]
    items += [np.array([object()]), bindrt.Image(PHOTO, exif=Odd(1))]  # type: ignore[arg-type]
    assert [identity.identify("image", item, True) for item in items] == [None] * len(items)
    no_texts = [item for item in items if not isinstance(item, str)]
    assert [identity.identify("text", item, True) for item in no_texts] == [None] * len(no_texts)
    items[3].close()
    monkeypatch.setattr(identity, "MOST_BYTES", 100)
    assert identity.identify("image", PHOTO, True) is None
    assert identity.identify("image", np.zeros((10, 11), np.uint8), True) is None
    assert identity.identify("image", np.zeros((10, 10), np.uint8), True) is not None


OPERATIONS = st.lists(
    st.tuples(st.sampled_from("gp"), st.integers(0, 9), st.integers(0, 40)), min_size=1, max_size=60
)


@given(st.integers(0, 3000), OPERATIONS)
def test_cache_is_a_plain_lru(limit: int, operations: list[tuple[str, int, int]]) -> None:
    counts = Counts(SHARING)
    cache, plain = ResultCache(limit, counts), OrderedDict[bytes, Result]()
    for what, number, length in operations:
        key = bytes([number])
        if what == "g":
            if key in plain:
                plain.move_to_end(key)
            assert cache.get(key) == plain.get(key)
            continue
        result = Result("image" if number % 2 else "text", bytes(4 * length), {"n": number})
        cache.put(key, result)
        if result.size() <= limit:
            plain.pop(key, None)
            plain[key] = result
            while sum(r.size() for r in plain.values()) > limit:
                plain.popitem(last=False)
        held = list(counts.snapshot().values())
        assert sum(c["cached_bytes"] for c in held) == sum(r.size() for r in plain.values()) <= limit
        assert sum(c["cached"] for c in held) == len(plain)
    assert [k for k in (bytes([n]) for n in range(10)) if cache.get(k)] == sorted(plain)


ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("ask"), st.integers(0, 2), st.integers(0, 2)),
        st.tuples(st.just("cancel"), st.integers(0, 30), st.just(0)),
        st.tuples(st.sampled_from(["give", "fail"]), st.integers(0, 30), st.just(0)),
        st.tuples(st.just("full"), st.integers(0, 1), st.just(0)),
    ),
    max_size=40,
)


@given(ACTIONS, st.booleans())
def test_desk_against_a_plain_model(actions: list[tuple[str, int, int]], cached: bool) -> None:
    """Whatever is asked, cancelled, computed or fails in whatever order: each ends once, with its own."""
    deduplicator = Deduplicator(deduplicate=True, cache_bytes=1 << 20 if cached else 0)
    attempts: list[tuple[EmbeddingFuture, str]] = []
    asked: list[tuple[SharedFuture, str]] = []
    ends: dict[SharedFuture, int] = {}
    known: set[str] = set()
    full = False

    def submit(attempt: EmbeddingFuture, item: object) -> bool:
        if not full:
            attempts.append((attempt, str(item)))
        return not full

    for what, number, priority in actions:
        if what == "full":
            full = bool(number)
        elif what == "ask":
            text = f"text {number}"
            future = SharedFuture("text")
            Deduplicator.identify(future, text, True)
            alive = any(t == text and not a.done() for a, t in attempts)
            taken = deduplicator.share(future, priority, None, submit)
            assert taken or full
            if text in known:
                assert future.done()
            elif taken:
                assert not future.done()
                assert alive or attempts[-1][1] == text
                assert any(t == text and not a.done() for a, t in attempts)
            if taken:
                asked.append((future, text))
                future.add_done_callback(lambda f: ends.update({f: ends.get(f, 0) + 1}))  # type: ignore[dict-item]
        elif what == "cancel" and asked:
            future, text = asked[number % len(asked)]
            others = [f for f, t in asked if t == text and f is not future and not f.done()]
            future.cancel()
            assert not any(f.done() for f in others)
            if not others and text not in known:
                assert all(a.done() for a, t in attempts if t == text)
        elif what in ("give", "fail") and attempts:
            attempt, text = attempts[number % len(attempts)]
            if attempt.done():
                continue
            waiting = [f for f, t in asked if t == text and not f.done()]
            with suppress(InvalidStateError):
                attempt.set_running_or_notify_cancel()
                if what == "fail":
                    attempt.set_exception(bindrt.EngineError(text, "no"))
                else:
                    attempt.set_result(np.array([number_of(text)], np.float32))
                    known |= {text} if cached else set()
            assert all(f.done() for f in waiting)
            for future in waiting:
                if what == "give":
                    assert future.result() == number_of(text)
                else:
                    with pytest.raises(bindrt.EngineError):
                        future.result()
            assert all(a.done() for a, t in attempts if t == text)
    assert all(count == 1 for count in ends.values())
    assert len(ends) == sum(f.done() for f, _ in asked)
    per_text = [[a for a, t in attempts if t == text and not a.done()] for text in {t for _, t in asked}]
    for alive in per_text:
        assert len(alive) <= 1  # one that is overtaken is cancelled


def number_of(text: str) -> float:
    return float(text.split()[1])
