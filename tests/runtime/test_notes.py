"""Notes say what of an item the model did not see, and every key has a sentence for users."""

from __future__ import annotations

import numpy as np
import pytest

import bindrt
from bindrt.notes import NOTES
from bindrt.preprocess import prepare
from support.golden import HERE

LONG = "one two three four five six seven eight nine ten " * 20

ITEMS = {
    "depth": bindrt.Depth(np.ones((8, 8), np.float32)),
    "thermal": np.ones((8, 8), np.uint8),
    "image": np.ones((8, 8, 3), np.uint8),
    "audio": bindrt.Audio(np.zeros(160_000, np.float32), rate=16_000),
    "video": bindrt.Video(np.zeros((25, 8, 8, 3), np.uint8), fps=2),
    "imu": bindrt.Imu(np.ones((6, 2000)), rate=400),
    "text": LONG,
}


@pytest.mark.parametrize("modality", ITEMS)
def test_every_key_has_a_sentence(modality: str) -> None:
    assert set(prepare(modality, ITEMS[modality]).notes) <= set(NOTES)


def test_sentences() -> None:
    for key, sentence in NOTES.items():
        assert key.isidentifier()
        assert key == key.lower()
        assert sentence.endswith(".")


def test_a_cut_text() -> None:
    read = " ".join(LONG.split()[:75])  # each of these words is one token
    assert prepare("text", LONG).notes == {"characters_cut": len(LONG.strip()) - len(read)}
    assert (prepare("text", LONG).array == prepare("text", read).array).all()
    assert prepare("text", read).notes == {}


@pytest.mark.parametrize(("seconds", "unheard"), [(5.0, None), (6.0, None), (10.0, 4.0), (60.5, 54.5)])
def test_a_long_sound(seconds: float, unheard: float | None) -> None:
    sound = bindrt.Audio(np.zeros(int(16_000 * seconds), np.float32), rate=16_000)
    assert prepare("audio", sound).notes.get("seconds_unheard") == unheard


def test_a_video() -> None:
    assert prepare("video", ITEMS["video"]).notes == {"frames_unseen": 15}
    assert prepare("video", HERE / "inputs/video/short_1s2.mp4").notes["frames_unseen"] > 0
    assert prepare("video", bindrt.Video(np.zeros((2, 8, 8, 3), np.uint8), fps=1)).notes == {}


def test_notes_come_with_each_way_to_embed() -> None:
    with bindrt.load("tiny", modalities=["text"]) as model:
        embedded = model.embed(text=["a bell", LONG])
        assert list(embedded.notes) == [("text", 1)]
        assert embedded.notes["text", 1]["characters_cut"] > 0
        future = model.submit("text", LONG)
        future.result()
        assert future.notes == embedded.notes["text", 1]
        assert [r.notes for r in model.stream("text", ["a bell", LONG])] == [{}, future.notes]


def test_words_that_the_model_never_saw() -> None:
    """Whichever way they come: together, through the pipeline, too long to be quick, as ready tokens."""
    with bindrt.load("tiny", modalities=["text", "image"]) as model:
        ready = bindrt.Prepared(bindrt.preprocess.text("a zebra")[0], {"own": 1})
        slow = "a bell " * 200 + "a zebra"
        embedded = model.embed(text=["a bell", "a zebra", slow, ready], image=np.ones((8, 8, 3), np.uint8))
        assert embedded.notes["text", 1] == {"unknown_words": "zebra"}
        assert "unknown_words" not in embedded.notes["text", 2]  # it was cut before
        assert embedded.notes["text", 3] == {"own": 1, "unknown_words": "zebra"}
        assert ("text", 0) not in embedded.notes
        for item, note in (("a zebra", "zebra"), (" " * 2000 + "a zebra", "zebra"), (ready, "zebra")):
            future = model.submit("text", item)
            future.result()
            assert future.notes["unknown_words"] == note
