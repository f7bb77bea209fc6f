"""Text: a string to 77 CLIP tokens."""

from __future__ import annotations

import re

import numpy as np

from bindrt import arrays
from bindrt.arrays import Array
from bindrt.columns import as_items
from bindrt.errors import InputError
from bindrt.limits import Limits
from bindrt.modalities.modality import Modality, Tokens, Views, one_view
from bindrt.modalities.steps import constants as c
from bindrt.modalities.steps.output_rows import Reserve
from bindrt.modalities.steps.tokenizer import plain_tokenizer, tokenizer
from bindrt.notes import Notes

_SPACE = re.compile(r"\s+")
#: A text of so many characters is tokenised in about 0.1 ms.
_SHORT = 1000


def prepare(item: object, limits: Limits, reserve: Reserve | None = None) -> Views:
    """One text as ``[77]`` int64."""
    if not isinstance(item, str):
        raise InputError(
            arrays.item_name(item), f"a text is a str, not {type(item).__name__}", "decode or convert it"
        )
    return one_view(*_read(item))


def prepare_all(texts: object) -> Array:
    """Texts as ``[N, 77]`` int64; an error names the index."""
    items = as_items("text", texts)
    if len(items) == 1 and items[0] is texts and not isinstance(texts, str):
        raise InputError(
            arrays.item_name(texts), "this is not a list of texts", "pass a str or a list of str"
        )
    out, counts, _ = plain_tokenizer().encode_all(items, c.TEXT_LENGTH)
    for index in np.flatnonzero(counts == 0):
        text = items[index]
        if not isinstance(text, str):
            raise InputError(
                f"text[{index}]", f"a text is a str, not {type(text).__name__}", "decode or convert it"
            )
        out[index] = tokens(text)
    return out


def clean(text: str) -> str:
    """Repairs mojibake, unescapes HTML twice, collapses white space, lower-cases."""
    import html  # when a text needs them: they take long to import

    import ftfy

    text = html.unescape(html.unescape(ftfy.fix_text(text))).strip()
    return _SPACE.sub(" ", text).strip().lower()


def tokens(text: str) -> Array:
    """Start, the text's tokens, end, zeros to 77; a longer text is cut and the end put last."""
    return _read(text)[0]


def _read(text: str) -> tuple[Array, Notes]:
    """The ids of a text, and a note if it was cut."""
    plain = plain_tokenizer().encode(text, c.TEXT_LENGTH)
    return _read_any(text) if plain is None else (plain, {})


def _read_any(text: str) -> tuple[Array, Notes]:
    cleaned = clean(text).encode("utf-8", "replace").decode("utf-8")
    words = cleaned.split(" ", c.TEXT_LENGTH)[: c.TEXT_LENGTH]  # each word is a token or more
    encoded = tokenizer().encode(" ".join(words), add_special_tokens=False)
    found = encoded.ids
    ids = [c.TEXT_START, *found[: c.TEXT_LENGTH - 2], c.TEXT_END]
    out = np.zeros(c.TEXT_LENGTH, np.int64)
    out[: len(ids)] = ids
    if len(found) <= c.TEXT_LENGTH - 2:
        return out, {}
    return out, {"characters_cut": len(cleaned) - encoded.offsets[c.TEXT_LENGTH - 3][1]}


def _quick(item: object) -> tuple[Array, Notes] | None:
    """A short text."""
    return _read(item) if type(item) is str and len(item) <= _SHORT else None


def _check_ids(ids: Array, name: str) -> None:
    if ids.min() < 0 or ids.max() >= c.VOCABULARY:
        raise InputError(name, "a token is outside the vocabulary", f"tokens are 0 to {c.VOCABULARY - 1}")
    if not (ids == c.TEXT_END).any(axis=-1).all():
        raise InputError(name, "the end token is missing", f"a text ends with token {c.TEXT_END}")


TEXT = Modality(
    name="text",
    encoder="text",
    view=(c.TEXT_LENGTH,),
    prepare=prepare,
    original=True,
    description={
        "length": c.TEXT_LENGTH,
        "start": c.TEXT_START,
        "end": c.TEXT_END,
        "tokenizer": f"clip-bpe-{c.VOCABULARY}",
    },
    dtype=np.int64,
    tokens=Tokens(c.VOCABULARY, (8, 12, 16, 24, 32, 48, c.TEXT_LENGTH), plain_tokenizer, _quick),
    check_ready=_check_ids,
)
