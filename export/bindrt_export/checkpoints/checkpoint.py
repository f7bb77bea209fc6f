"""A checkpoint: the tensors of a file or of ``random:SEED``, checked against a layout, as our parameters."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from bindrt.errors import CheckpointError
from bindrt.modalities.steps.constants import VOCABULARY
from bindrt_export.architecture import EncoderConfig
from bindrt_export.checkpoints import imagebind, openclip
from bindrt_export.checkpoints.files import Tensors, open_tensors
from bindrt_export.checkpoints.layout import Entry, Layout, check_strictly, shown
from bindrt_export.checkpoints.random_weights import RandomTensors

#: The original clamps the text factor here; the constants of the others are far below.
MAX_SCALE = 100.0


class Checkpoint:
    """A checkpoint that has passed the strict check."""

    def __init__(self, tensors: Tensors, layout: Layout) -> None:
        check_strictly(tensors.name, tensors.shapes(), layout.expected())
        for config in layout.encoders.values():
            check_sizes(tensors.name, config)
        self._tensors = tensors
        self._layout = layout
        self.name = tensors.name
        self.licence = tensors.licence
        self.family = layout.family
        scales = {e: self._scale(key) for e, key in layout.scale_keys.items()}
        self.encoders: dict[str, EncoderConfig] = {
            e: replace(config, scale=scales.get(e, 1.0)) for e, config in layout.encoders.items()
        }
        self.text_scale = scales["text"] if "text" in scales else self._scale(openclip.LOGIT_SCALE)
        if imagebind.MASK in layout.extra:
            self._check_mask()

    @property
    def embed_dim(self) -> int:
        """Length of a vector."""
        return self.encoders["text"].out

    def parameters(self, encoder: str) -> Iterator[tuple[str, Tensor]]:
        """Our parameters of one encoder, float32, one at a time."""
        for entry in self._layout.entries[encoder]:
            tensor = self._tensors.read(entry.key)
            if not bool(torch.isfinite(tensor).all()):
                raise CheckpointError(
                    self.name, f"{entry.key} has values that are not finite", "fetch it again"
                )
            yield entry.parameter, converted(entry, tensor)

    def parameter_count(self, encoder: str) -> int:
        return sum(math.prod(e.target) for e in self._layout.entries[encoder])

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over every tensor's name, shape and float32 values, whatever the file format.

        And over the numbers of heads: no tensor shows them, and others give other vectors.
        """
        heads = sorted((name, config.heads) for name, config in self.encoders.items())
        digest = hashlib.sha256(f"{self.family} {heads}\n".encode())
        if isinstance(self._tensors, RandomTensors):
            shapes = sorted(self._tensors.shapes().items())
            digest.update(f"{self.name} uniform-1 {shapes}".encode())
            return digest.hexdigest()
        for key, shape in sorted(self._layout.expected().items()):
            digest.update(f"{key} {list(shape)}\n".encode())
            tensor = self._tensors.read(key).reshape(-1)
            digest.update(tensor.numpy().data.cast("B"))
        return digest.hexdigest()

    def _scale(self, key: str) -> float:
        value = math.exp(min(float(self._tensors.read(key)), 10.0))
        if not math.isfinite(value) or value <= 0:
            raise CheckpointError(self.name, f"{key} gives the factor {value}", "fetch it again")
        return float(min(value, MAX_SCALE))

    def _check_mask(self) -> None:
        """Refuse a text encoder that does not attend causally: it is another model."""
        mask = self._tensors.read(imagebind.MASK)
        causal = torch.full_like(mask, float("-inf")).triu(1)
        if not torch.equal(mask, causal):
            raise CheckpointError(
                self.name,
                f"{imagebind.MASK} is not the causal mask",
                "it must be -inf above the diagonal, else 0",
            )


def check_sizes(name: str, c: EncoderConfig) -> None:
    """Refuse sizes that fit each other, but not the preprocessing or the architecture."""
    if min(c.width, c.hidden, c.out) < 1:
        raise CheckpointError(name, f"its {c.name} encoder has a width of 0", "fetch it again")
    if c.reads_tokens and c.vocabulary != VOCABULARY:
        raise CheckpointError(
            name,
            f"its vocabulary has {c.vocabulary} tokens",
            f"CLIP's has {VOCABULARY}, and texts are split by it",
        )
    if not c.reads_tokens and c.tokens < 2:
        raise CheckpointError(
            name,
            f"its {c.name} patches of {shape_text(c.kernel)} are larger than the input",
            "fetch it again",
        )
    if not c.reads_tokens and c.channels != c.view[0]:
        raise CheckpointError(
            name,
            f"its {c.name} encoder takes {c.channels} channels",
            f"bindrt gives it {c.view[0]}",
        )


def shape_text(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape))


def converted(entry: Entry, tensor: Tensor) -> Tensor:
    if entry.transform == "transpose":
        return tensor.t().contiguous()
    return tensor.reshape(entry.target)


@contextmanager
def open_checkpoint(spec: str, config: Mapping[str, Any] | None = None) -> Iterator[Checkpoint]:
    """Open ``spec``: a path, or ``random:SEED`` (imagebind_huge's sizes, or the config's).

    Raises:
        CheckpointError: see its text; nothing of the file was executed.
    """
    config = config or {}
    if spec.startswith("random:"):
        yield Checkpoint(random_tensors(spec, config), imagebind.layout_from_config(config))
        return
    with open_tensors(spec) as tensors:
        yield Checkpoint(tensors, find_layout(tensors, config))


def random_tensors(spec: str, config: Mapping[str, Any]) -> RandomTensors:
    seed, comma, kind = spec.removeprefix("random:").partition(",")
    if not (seed.isascii() and seed.isdigit() and len(seed) <= 18):
        raise CheckpointError(spec, "the seed is not a whole number", "write random:0, random:1, …")
    if comma and kind != "outliers":
        raise CheckpointError(spec, f"unknown kind {kind[:40]!r}", "write random:0 or random:0,outliers")
    return RandomTensors(int(seed), imagebind.layout_from_config(config), kind == "outliers")


def find_layout(tensors: Tensors, config: Mapping[str, Any]) -> Layout:
    shapes = tensors.shapes()
    if imagebind.is_imagebind(shapes):
        return imagebind.layout_of(tensors.name, shapes, config)
    if openclip.is_openclip(shapes):
        return openclip.layout_of(tensors.name, shapes, config)
    some = ", ".join(shown(key) for key in list(shapes)[:3])
    raise CheckpointError(
        tensors.name,
        f"its keys are of no supported layout (they begin {some})",
        "supported: the official ImageBind layout (modality_trunks.…) and OpenCLIP's (visual.…)",
    )
