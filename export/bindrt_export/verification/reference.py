"""What PyTorch computes: the plain encoder on the probes, one module in memory at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

import torch
from torch import Tensor, nn

from bindrt.arrays import Array
from bindrt_export.architecture import Encoder, EncoderConfig
from bindrt_export.verification.comparison import Rows


def run_reference(
    config: EncoderConfig,
    parameters: Iterable[tuple[str, Tensor]],
    inputs: Mapping[str, Array],
    advance: Callable[[int], None] = lambda _: None,
) -> dict[str, Rows]:
    """Vectors of the plain model for named inputs ``[1, …]``, in float32.

    Parameters are taken from the stream when they are needed and dropped after it, so that the memory is
    that of one block, whatever the encoder's depth. ``advance`` hears of every finished block.
    """
    with torch.device("meta"):
        encoder = Encoder(config)
    encoder.eval().requires_grad_(False)
    given = {name: torch.from_numpy(array) for name, array in inputs.items()}
    load = loader(iter(parameters))
    with torch.inference_mode():
        load("stem", encoder.stem)
        tokens = {name: encoder.stem(x) for name, x in given.items()}
        encoder.stem.to("meta")
        masks = {name: encoder.mask(t) for name, t in tokens.items()}
        if encoder.pre_norm is not None:
            load("pre_norm", encoder.pre_norm)
            tokens = {name: encoder.pre_norm(t) for name, t in tokens.items()}
        for i, block in enumerate(encoder.blocks):
            load(f"blocks.{i}", block)
            tokens = {name: block(t, masks[name]) for name, t in tokens.items()}
            block.to("meta")
            advance(1)
        load("norm", encoder.norm)
        load("projection", encoder.projection)
        return {name: encoder.finish(encoder.head(t, given[name])).numpy() for name, t in tokens.items()}


def loader(stream: Iterator[tuple[str, Tensor]]) -> Callable[[str, nn.Module], None]:
    """A function that fills a module from the stream. A tensor that comes before it is wanted waits."""
    waiting: dict[str, Tensor] = {}

    def load(prefix: str, module: nn.Module) -> None:
        wanted = [f"{prefix}.{name}" for name in module.state_dict()]
        while not all(name in waiting for name in wanted):
            name, tensor = next(stream)
            waiting[name] = tensor
        module.load_state_dict(
            {name[len(prefix) + 1 :]: waiting.pop(name) for name in wanted}, assign=True, strict=True
        )

    return load
