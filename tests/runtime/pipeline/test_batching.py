"""Texts of a list grouped by length, and equal views computed once: the vectors stay what they were."""

from __future__ import annotations

import io
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import bindrt
from bindrt import preparation
from bindrt.batching import TEXT_WINDOW, cuts
from bindrt.preprocess import audio as clips
from bindrt.preprocess import text as tokens
from support.engines import SimulatedEngine
from support.golden import HERE

SOUND = HERE / "inputs" / "audio/short_8k.wav"
LONG_SOUND = HERE / "inputs" / "audio/dc_offset_16k.wav"
#: Another batch size, another padding: sums in another order.
NEIGHBOURS = 5e-6


@pytest.fixture
def model(small_bundle: Path) -> Iterator[bindrt.Model]:
    with bindrt.load(small_bundle) as loaded:
        yield loaded


def cost(lengths: np.ndarray, ends: list[int], most: int, call: int) -> int:
    groups = np.split(lengths, ends[:-1])
    return sum(len(g) * int(g[-1]) + -(-len(g) // most) * call for g in groups)


@given(
    st.lists(st.integers(2, 9), min_size=1, max_size=9),
    st.integers(1, 5),
    st.integers(0, 30),
)
def test_no_other_cuts_cost_less(numbers: list[int], most: int, call: int) -> None:
    lengths = np.sort(np.array(numbers))
    ends = cuts(lengths, most, call)
    assert ends[-1] == len(lengths)
    assert ends == sorted(set(ends))
    inner = np.flatnonzero(np.diff(lengths)) + 1
    found = cost(lengths, ends, most, call)
    for chosen in range(1 << len(inner)):
        other = [int(end) for i, end in enumerate(inner) if chosen >> i & 1]
        assert found <= cost(lengths, [*other, len(lengths)], most, call)


def test_grouped_texts_keep_their_order_and_vectors(model: bindrt.Model) -> None:
    texts = [" ".join(["dog"] * (1 + (i * 7) % 40)) for i in range(50)]
    texts[3] = ""
    alone = np.concatenate([model.embed(text=t).text for t in texts])
    together = model.embed(text=texts).text
    np.testing.assert_allclose(together, alone, atol=NEIGHBOURS)
    assert len(np.unique(alone.round(4), axis=0)) > 30  # a swap would be seen


def test_few_tokens_are_padding(load_with: Callable[..., bindrt.Model]) -> None:
    texts = ["dog " * n for n in (60, 1, 60, 1, 1, 60, 1, 1)] * 8
    seen: list[tuple[int, int]] = []
    model = load_with(text=SimulatedEngine(max_batch=64, before=lambda rows: seen.append(rows.shape)))
    model.embed(text=texts)
    assert seen == [(40, 3), (24, 62)]


def test_views_of_one_text_stay_together(model: bindrt.Model) -> None:
    ids = tokens(["a dog", "a very long caption of a dog that runs", "a cat"])
    items = [bindrt.Prepared(ids[1]), bindrt.Prepared(ids, views=True), bindrt.Prepared(ids[0])]
    got = model.embed(text=items, normalize=False).text
    single = model.embed(text=[bindrt.Prepared(each) for each in ids], normalize=False).text
    scale = float(np.abs(single).max())
    np.testing.assert_allclose(got[1], single.mean(axis=0), atol=NEIGHBOURS * scale)
    np.testing.assert_allclose(got[[0, 2]], single[[1, 0]], atol=NEIGHBOURS * scale)


def test_more_texts_than_a_window(load_with: Callable[..., bindrt.Model]) -> None:
    engine = SimulatedEngine(max_batch=512)
    model = load_with(text=engine)
    texts: list[object] = ["a dog" if i % 3 else "a dog on a road" for i in range(TEXT_WINDOW + 100)]
    texts[TEXT_WINDOW] = 3.5
    found = model.embed(text=texts, on_error="skip", normalize=False)
    assert set(found.errors) == {("text", TEXT_WINDOW)}
    want = np.array([float(tokens(str(t)).sum()) for t in ("a dog on a road", "a dog")])
    expected = want[[min(i % 3, 1) for i in range(len(texts))]]
    expected[TEXT_WINDOW] = np.nan
    np.testing.assert_allclose(found.text[:, 0], expected)
    assert len(engine.batches) < 14


@pytest.mark.parametrize("normalize", [True, False])
def test_equal_clips_are_computed_once(model: bindrt.Model, normalize: bool) -> None:
    prepared = [clips(SOUND), clips(LONG_SOUND)]
    assert len(np.unique(prepared[0], axis=0)) == 1
    want = model.embed(audio=[bindrt.Prepared(p) for p in prepared], normalize=normalize).audio
    before = model.stats()["audio"]["views"]
    got = model.embed(audio=[SOUND, LONG_SOUND], normalize=normalize).audio
    assert model.stats()["audio"]["views"] - before == 1 + len(np.unique(prepared[1], axis=0))
    np.testing.assert_allclose(got, want, atol=NEIGHBOURS * max(1.0, float(np.abs(want).max())))


def test_the_next_items_are_prepared_while_the_engine_runs(
    load_with: Callable[..., bindrt.Model], monkeypatch: pytest.MonkeyPatch
) -> None:
    prepared = 0
    usual = preparation.prepare_views

    def prepare(*args: Any, **options: Any) -> Any:
        nonlocal prepared
        found = usual(*args, **options)
        prepared += 1
        return found

    monkeypatch.setattr(preparation, "prepare_views", prepare)

    def run(rows: np.ndarray) -> None:
        if not seen:  # the first batch is done when more items are ready than it has
            deadline = time.monotonic() + 60
            while prepared <= 2 and time.monotonic() < deadline:
                time.sleep(0.001)
        seen.append(prepared)

    seen: list[int] = []
    model = load_with(imu=SimulatedEngine(max_batch=2, before=run))
    files = [HERE / "inputs" / "imu/s2.npz"] * 12
    model.embed(imu=files)
    assert seen[0] > 2
    assert len(seen) == 6
    assert all(now <= 2 * (i + 1) + 2 * (os.cpu_count() or 1) + 2 for i, now in enumerate(seen))  # not all


def test_the_first_bad_item_is_named_and_nothing_reads_on(model: bindrt.Model) -> None:
    reading = threading.Lock()
    after: list[bytes] = []

    class Slow(io.BytesIO):
        def read(self, *args: Any) -> bytes:
            if not reading.locked():
                after.append(b"read")
            time.sleep(0.05)
            return super().read(*args)

    photo = (HERE / "inputs" / "image/photo.webp").read_bytes()
    for _ in range(3):
        items: list[object] = [photo, Slow(photo), Slow(b"no picture"), b"neither", *[Slow(photo)] * 5]
        with reading, pytest.raises(bindrt.InputError, match=r"image\[2\]"):
            model.embed(image=items)
        time.sleep(0.1)
    assert after == []
    found = model.embed(image=[photo, b"no", photo], on_error="skip")
    assert set(found.errors) == {("image", 1)}
    np.testing.assert_array_equal(found.image[0], found.image[2])
