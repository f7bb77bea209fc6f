"""The CLIP tokenizer, shipped as data, loaded at its first use.

Plain texts, of ASCII, are tokenised in C++ (csrc/text); all others by Hugging Face's ``tokenizers``.
"""

from __future__ import annotations

import gzip
import json
import threading
from pathlib import Path
from typing import Any

import numpy as np

from bindrt import _core
from bindrt.modalities.steps.constants import TEXT_END, TEXT_START
from bindrt.sources.opening import library

TOKENIZER_FILE = Path(__file__).resolve().parent.parent.parent / "data" / "clip_tokenizer.json.gz"
_lock = threading.Lock()
_loaded: Any = None
_plain: _core.Tokenizer | None = None


def tokenizer_json() -> bytes:
    """The tokenizer in the JSON form of Hugging Face's ``tokenizers``, as a bundle carries it."""
    return gzip.decompress(TOKENIZER_FILE.read_bytes())


def tokenizer() -> Any:
    """The one ``tokenizers.Tokenizer`` of this process; encoding with it is thread-safe."""
    global _loaded
    if _loaded is None:
        with _lock:
            if _loaded is None:
                _loaded = library("tokenizers").Tokenizer.from_str(tokenizer_json().decode("utf-8"))
    return _loaded


def plain_tokenizer() -> _core.Tokenizer:
    """The one of this process for plain texts; it gives the same tokens as :func:`tokenizer`."""
    global _plain
    if _plain is None:
        with _lock:
            if _plain is None:
                _plain = _made_plain()
    return _plain


def texts_of_tokens() -> list[str]:
    """The text of each token; ``</w>`` ends a word.

    >>> texts_of_tokens()[1929]
    'dog</w>'
    """
    numbers: dict[str, int] = json.loads(tokenizer_json())["model"]["vocab"]
    return sorted(numbers, key=numbers.__getitem__)


def _made_plain() -> _core.Tokenizer:
    model = json.loads(tokenizer_json())["model"]
    numbers: dict[str, int] = model["vocab"]
    merges = [[numbers[part] for part in merge.split(" ")] for merge in model["merges"]]
    characters = [chr(code) for code in range(128)]
    return _core.Tokenizer(
        np.array([numbers.get(c, -1) for c in characters], np.int32),
        np.array([numbers.get(f"{c}</w>", -1) for c in characters], np.int32),
        np.array(merges, np.int32),
        numbers[model["merges"][0].replace(" ", "")],
        TEXT_START,
        TEXT_END,
    )
