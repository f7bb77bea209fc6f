"""Probes: the inputs on which an exported encoder is compared with torch; needs no torch.

Some are random. Others are the files in ``samples/``, prepared as a user's files are.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from pathlib import Path

import numpy as np

from bindrt.arrays import Array
from bindrt.modalities import MODALITIES, Modality, for_encoder
from bindrt.modalities.steps.constants import TEXT_END, TEXT_START
from bindrt.preprocess.dispatch import prepare_views

#: A folder with a file for each modality.
SAMPLES = Path(str(files("bindrt_export") / "samples"))
#: Random tokens are below this number, so never the start or end token.
WORDS = 49152


def sample(name: str) -> Path:
    """A sample file's path."""
    return SAMPLES / name


def sample_of(modality: str) -> Path | None:
    """The sample file of a modality, which has its name: ``image.jpg``; None if there is none."""
    return next(iter(sorted(SAMPLES.glob(f"{modality}.*"))), None)


@cache
def sample_texts() -> list[str]:
    texts: list[str] = json.loads(sample("texts.json").read_text("utf-8"))
    return texts


def probe_inputs(encoder: str, view: tuple[int, ...]) -> dict[str, Array]:
    """Inputs ``[1, *view]`` of an encoder by name; ``view`` is the shape of its input."""
    if len(view) == 1:  # token ids
        return text_probes()
    found: dict[str, Array] = {"random": random_view(view)}
    for modality in MODALITIES.values():
        file = sample_of(modality.name)
        if modality.encoder == encoder and is_served(modality, view) and file is not None:
            views = prepare_views(modality.name, str(file)).array[:1]
            found[modality.name] = np.ascontiguousarray(for_encoder(views, view))
    return found


def is_served(modality: Modality, encoder_view: tuple[int, ...]) -> bool:
    """Whether an encoder with this input takes a modality's views; one of single frames takes no video."""
    return len(modality.view) <= len(encoder_view)


def random_view(view: tuple[int, ...]) -> Array:
    """One view ``[1, *view]`` of uniform numbers with unit variance, the same on every machine."""
    generator = np.random.Generator(np.random.PCG64(20230509))
    uniform = generator.random((1, *view), dtype=np.float32)
    return np.asarray((uniform - np.float32(0.5)) * np.float32(12**0.5))


def text_probes() -> dict[str, Array]:
    generator = np.random.Generator(np.random.PCG64(20230509))
    words = generator.integers(0, WORDS, 75)
    found: dict[str, Array] = {
        "random-77": np.concatenate([[TEXT_START], words, [TEXT_END]])[None].astype(np.int64),
        "random-9": np.concatenate([[TEXT_START], words[:7], [TEXT_END]])[None].astype(np.int64),
    }
    for i, text in enumerate(sample_texts()):
        found[f"text-{i}"] = prepare_views("text", text).array
    return found
