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
    full = MODALITIES["text"].view[0] * (len(texts) - len(short))
    tokens = MODALITIES["text"].tokens
    assert tokens is not None
    return full + int(tokens.used(preprocess.text(short)).sum()) if short else full
