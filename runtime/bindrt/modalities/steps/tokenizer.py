"""The CLIP tokenizer, shipped as data, loaded at its first use."""

from __future__ import annotations

import gzip
import threading
from pathlib import Path
from typing import Any

from bindrt.sources.opening import library

TOKENIZER_FILE = Path(__file__).resolve().parent.parent.parent / "data" / "clip_tokenizer.json.gz"
_lock = threading.Lock()
_loaded: Any = None


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
