"""The golden small model: trimmed for the repository, and made whole again.

``python tools/small_checkpoint.py OUT.safetensors`` writes the whole checkpoint (8 MB) from
``tests/golden/model/small_trimmed.safetensors`` (2 MB), whose token table has only the rows
that the golden texts use; the other rows become zeros, so only those texts give the golden vectors.
``--trim SMALL.pth TOKENS.npy`` is how the trimmed file was made from the full golden data.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file

ROOT = Path(__file__).resolve().parent.parent
TRIMMED = ROOT / "tests" / "golden" / "model" / "small_trimmed.safetensors"
CONFIG = TRIMMED.with_name("small.json")
TABLE = "modality_preprocessors.text.token_embedding.weight"
ROWS, IDS = f"{TABLE}.rows", f"{TABLE}.ids"
VOCABULARY = 49_408


def trim(checkpoint: Path, tokens: Path, output: Path) -> None:
    """Keep the rows of the token table that ``tokens`` (int64 ``[N, 77]``) uses."""
    state = torch.load(checkpoint, weights_only=True)
    ids = torch.from_numpy(np.unique(np.load(tokens)))
    state[ROWS], state[IDS] = state.pop(TABLE)[ids].contiguous(), ids.to(torch.int32)
    save_file(state, output)


def make_whole(output: Path) -> None:
    """Write a checkpoint in the official layout."""
    state = load_file(TRIMMED)
    rows, ids = state.pop(ROWS), state.pop(IDS)
    table = torch.zeros(VOCABULARY, rows.shape[1])
    table[ids.long()] = rows
    state[TABLE] = table
    save_file(state, output)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("output", type=Path)
    parser.add_argument("--trim", nargs=2, type=Path, metavar=("SMALL.pth", "TOKENS.npy"))
    args = parser.parse_args()
    if args.trim:
        trim(args.trim[0], args.trim[1], args.output)
    else:
        make_whole(args.output)


if __name__ == "__main__":
    main()
