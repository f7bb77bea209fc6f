"""How many tokens texts have, for protocols that tell it."""

from __future__ import annotations

from collections.abc import Sequence

from bindrt import preprocess
from bindrt.modalities import MODALITIES

#: A longer text fills the encoder's input, and would take long to count.
_LONG = 1000


def count_tokens(texts: Sequence[str]) -> int:
    """The tokens of texts as the text encoder takes them: start and end count, what is cut does not.

    >>> count_tokens(["a bell", "a bell ringing"])
    9
    """
    short = [text for text in texts if len(text) <= _LONG]
    length = MODALITIES["text"].view[-1]
    tokens = MODALITIES["text"].tokens
    assert tokens is not None
    _, counts, _ = tokens.tokenizer().encode_all(short, length)
    found = sum(counts.tolist()) + length * (len(texts) - len(short))
    left = [text for text, count in zip(short, counts, strict=True) if not count]  # they are not ASCII
    return found + int(tokens.used(preprocess.text(left)).sum()) if left else found
