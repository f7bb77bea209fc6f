"""Exact rewrites of an encoder before it is traced; each gives the same vectors up to rounding.

A pass is a module with two functions: ``rewrite`` changes an :class:`Encoder` without parameters (on
torch's meta device), ``parameters`` the stream of named tensors that becomes the weights file. The plain
model in :mod:`bindrt_export.architecture` stays what results are compared with.

That nothing after a text's end token is computed needs no pass: the graph takes any length, and
the runtime cuts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from types import ModuleType

import torch
from torch import Tensor

from bindrt_export.architecture import Encoder, EncoderConfig
from bindrt_export.passes import folded_norms, pooled_row, stem_product

__all__ = ["PASSES", "rewritten", "rewritten_parameters"]

#: In this order: pooled_row splits a projection that folded_norms must see whole.
PASSES = (stem_product, folded_norms, pooled_row)


def rewritten(config: EncoderConfig, passes: Sequence[ModuleType] = PASSES) -> Encoder:
    """The encoder after all passes, on the meta device: names and shapes of parameters, but no numbers."""
    with torch.device("meta"):
        encoder = Encoder(config)
    for each in passes:
        encoder = each.rewrite(encoder)
    return encoder


def rewritten_parameters(
    config: EncoderConfig, parameters: Iterable[tuple[str, Tensor]], passes: Sequence[ModuleType] = PASSES
) -> Iterator[tuple[str, Tensor]]:
    """The rewritten encoder's parameters, made from the plain one's, one at a time."""
    stream = iter(parameters)
    for each in passes:
        stream = each.parameters(config, stream)
    return stream
