"""Writes the CLIP tokenizer shipped in ``runtime/bindrt/data`` from the wheel of open_clip_torch.

    pip download open_clip_torch==3.3.0 --no-deps -d wheels
    python tools/make_tokenizer.py wheels/open_clip_torch-3.3.0-py3-none-any.whl

The vocabulary is, in this order: the 256 bytes as printable characters, the same with ``</w>``, the joined
merges, and the two special tokens. Each run writes the same bytes.
"""

from __future__ import annotations

import gzip
import json
import sys
import zipfile
from pathlib import Path

MERGES = "open_clip/bpe_simple_vocab_16e6.txt.gz"
LICENCE = "open_clip_torch-3.3.0.dist-info/licenses/LICENSE"
DATA = Path(__file__).resolve().parent.parent / "runtime" / "bindrt" / "data"
WORDS = 49408
START, END = "<|startoftext|>", "<|endoftext|>"
SPLIT = (
    r"(?i)<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d"
    r"|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"
)


def byte_characters() -> list[str]:
    """The printable characters that stand for bytes: printable ones first, then 256, 257, …"""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [b for b in range(256) if b not in printable]
    return [chr(b) for b in printable] + [chr(256 + i) for i in range(len(others))]


def tokenizer(merge_lines: list[str]) -> dict[str, object]:
    """The tokenizer in the JSON form of Hugging Face's ``tokenizers``."""
    letters = byte_characters()
    merges = [tuple(line.split()) for line in merge_lines[1 : 1 + WORDS - 2 * 256 - 2]]
    words = letters + [c + "</w>" for c in letters] + ["".join(m) for m in merges] + [START, END]
    vocabulary = {word: i for i, word in enumerate(words)}
    if len(words) != WORDS or len(vocabulary) != WORDS:
        raise SystemExit(f"expected {WORDS} different words, found {len(vocabulary)} of {len(words)}")
    special = [
        {
            "id": vocabulary[word],
            "content": word,
            "single_word": False,
            "lstrip": False,
            "rstrip": False,
            "normalized": False,
            "special": True,
        }
        for word in (START, END)
    ]
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": special,
        "normalizer": None,
        "pre_tokenizer": {
            "type": "Sequence",
            "pretokenizers": [
                {"type": "Split", "pattern": {"Regex": SPLIT}, "behavior": "Removed", "invert": True},
                {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False},
            ],
        },
        "post_processor": None,
        "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": None,
            "end_of_word_suffix": "</w>",
            "fuse_unk": False,
            "byte_fallback": False,
            "ignore_merges": False,
            "vocab": vocabulary,
            "merges": [" ".join(m) for m in merges],
        },
    }


def main(wheel: str) -> None:
    """Writes the tokenizer and its licence."""
    with zipfile.ZipFile(wheel) as archive:
        lines = gzip.decompress(archive.read(MERGES)).decode("utf-8").split("\n")
        licence = archive.read(LICENCE)
    text = json.dumps(tokenizer(lines), ensure_ascii=False, separators=(",", ":"))
    DATA.mkdir(parents=True, exist_ok=True)
    (DATA / "clip_tokenizer.json.gz").write_bytes(gzip.compress(text.encode("utf-8"), 9, mtime=0))
    (DATA / "clip_tokenizer.LICENSE").write_bytes(licence)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    main(sys.argv[1])
