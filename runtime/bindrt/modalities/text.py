"""Text: a string to 77 CLIP tokens."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence

import ftfy
import numpy as np

from bindrt import arrays
from bindrt.arrays import Array
from bindrt.errors import InputError
from bindrt.items import Prepared
from bindrt.limits import Limits
from bindrt.modalities.steps import constants as c
from bindrt.modalities.steps.tokenizer import tokenizer

_SPACE = re.compile(r"\s+")


def prepare(item: object, limits: Limits) -> Prepared:
    """One text as ``[77]`` int64."""
    if not isinstance(item, str):
        raise InputError(
            arrays.item_name(item), f"a text is a str, not {type(item).__name__}", "decode or convert it"
        )
    return Prepared(tokens(item))


def prepare_all(texts: str | Sequence[str]) -> Array:
    """Texts as ``[N, 77]`` int64; an error names the index."""
    if isinstance(texts, str):
        texts = [texts]
    if not isinstance(texts, Sequence) or isinstance(texts, (bytes, bytearray, memoryview)):
        raise InputError(arrays.item_name(texts), "this is no list of texts", "pass a str or a list of str")
    out = np.zeros((len(texts), c.TEXT_LENGTH), np.int64)
    for index, text in enumerate(texts):
        if not isinstance(text, str):
            raise InputError(
                f"text[{index}]", f"a text is a str, not {type(text).__name__}", "decode or convert it"
            )
        out[index] = tokens(text)
    return out


def clean(text: str) -> str:
    """Repairs mojibake, unescapes HTML twice, collapses white space, lower-cases."""
    text = html.unescape(html.unescape(ftfy.fix_text(text))).strip()
    return _SPACE.sub(" ", text).strip().lower()


def tokens(text: str) -> Array:
    """Start, the text's tokens, end, zeros to 77; a longer text is cut and the end put last."""
    words = clean(text).split(" ", c.TEXT_LENGTH)[: c.TEXT_LENGTH]  # each word is a token or more
    cleaned = " ".join(words).encode("utf-8", "replace").decode("utf-8")
    ids = [c.TEXT_START, *tokenizer().encode(cleaned, add_special_tokens=False).ids][: c.TEXT_LENGTH - 1]
    ids.append(c.TEXT_END)
    out = np.zeros(c.TEXT_LENGTH, np.int64)
    out[: len(ids)] = ids
    return out
