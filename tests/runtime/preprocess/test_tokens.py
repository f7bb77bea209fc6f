"""Tokens of any text are those of ``tokenizers``, though plain texts never come there."""

from __future__ import annotations

import random

import numpy as np
import pytest

from bindrt import _core, preprocess
from bindrt.modalities.steps import tokenizer
from bindrt.modalities.steps.constants import TEXT_LENGTH, VOCABULARY
from support.texts import plain_text, random_text, tokens_of

CAPTIONS = ["a photo of a dog", "A bell ringing, twice!", "it's 3 o'clock", "", " \t\r\n"]


@pytest.mark.parametrize("make", [random_text, plain_text])
def test_random_texts(make: object) -> None:
    rng = random.Random(20)
    texts = [make(rng) for _ in range(5000)]  # type: ignore[operator]
    for text, found in zip(texts, preprocess.text(texts), strict=True):
        assert found.tolist() == tokens_of(text), repr(text)


def test_plain_texts_need_no_library(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = [tokens_of(text) for text in CAPTIONS]

    def other() -> None:
        raise AssertionError("asked")

    monkeypatch.setattr("bindrt.modalities.text.tokenizer", other)
    assert preprocess.text(CAPTIONS).tolist() == expected
    with pytest.raises(Exception, match="asked"):
        preprocess.text("café")


def test_all_at_once_and_one_by_one() -> None:
    plain = tokenizer.plain_tokenizer()
    rng = random.Random(1)
    texts: list[object] = [*(random_text(rng) for _ in range(300)), 3, None, b"a dog"]
    ids, counts, _ = plain.encode_all(texts, TEXT_LENGTH)
    assert 50 < np.count_nonzero(counts) < len(texts) - 50
    assert counts[-3:].tolist() == [0, 0, 0]
    for text, row, count in zip(texts, ids, counts, strict=True):
        alone = plain.encode(text, TEXT_LENGTH)
        assert (alone is None) == (count == 0)
        if alone is not None:
            np.testing.assert_array_equal(alone, row)
            assert row[count - 1] == VOCABULARY - 1
            assert not row[count:].any()


def test_what_is_not_known_is_told() -> None:
    plain = tokenizer.plain_tokenizer()
    written = tokenizer.texts_of_tokens()
    known = np.ones(VOCABULARY, np.bool_)
    ids = preprocess.text("a dog on a zebra")[0]
    known[ids[2]] = False  # dog
    words = _core.Words(known, written)
    texts: list[object] = ["a dog", "a zebra", "dog, dog!", "!", "ä dog"]
    _, counts, unknown = plain.encode_all(texts, TEXT_LENGTH, words)
    assert counts.tolist() == [4, 4, 6, 3, 0]
    assert unknown == {0: "dog", 2: "dog dog"}
    assert words.unknown(ids) == "dog"
    assert plain.encode_all(texts, TEXT_LENGTH)[2] == {}
    known[0] = False  # the first entry of the vocabulary is !, and stands for nothing as well
    assert plain.encode_all(["x!x"], TEXT_LENGTH, _core.Words(known, written))[2] == {}
    with pytest.raises(ValueError, match="known or not"):
        _core.Words(known[:-1], written)


def test_the_text_of_a_token_is_the_one_of_the_library() -> None:
    library = tokenizer.tokenizer()
    assert tokenizer.texts_of_tokens() == [library.id_to_token(token) for token in range(VOCABULARY)]
