"""imagebind_huge, an encoder a line: its numbers, and what the official layout calls its tensors.

An encoder for a modality of one's own is one more line here.
"""

from __future__ import annotations

from dataclasses import dataclass

OUT = 1024
MLP_RATIO = 4


@dataclass(frozen=True)
class HugeEncoder:
    """One encoder of imagebind_huge.

    Attributes:
        width, depth, heads: width of tokens, number of blocks and of heads.
        kernel, stride: size of the patches and the step between them; empty for token ids.
        stem: key of the patches' weight, after ``modality_preprocessors.NAME.``; empty for token ids.
        position: key of the position table, after the same prefix.
        head: names of the head's norm and projection, after ``modality_heads.NAME.``.
        bias_token: a learned key and value join every attention, and a norm follows the patches.
        pre_norm: a norm stands before the blocks.
        scale: factor after the division by the length; None: it has none.
    """

    width: int
    depth: int
    heads: int
    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    stem: str = ""
    position: str = "pos_embedding_helper.pos_embed"
    head: tuple[str, str] = ("0", "2")
    bias_token: bool = True
    pre_norm: bool = False
    scale: float | None = None

    @property
    def overlaps(self) -> bool:
        """Whether the patches overlap. Then no tensor shows their stride."""
        return self.kernel != self.stride


ENCODERS: dict[str, HugeEncoder] = {
    "vision": HugeEncoder(1280, 32, 16, (2, 14, 14), (2, 14, 14), stem="rgbt_stem.proj.1.weight",
                          bias_token=False, pre_norm=True),
    "text": HugeEncoder(1024, 24, 16, (), (), position="pos_embed", head=("proj.0", "proj.1"),
                        bias_token=False, scale=100.0),
    "audio": HugeEncoder(768, 12, 12, (16, 16), (10, 10), stem="rgbt_stem.proj.weight", scale=20.0),
    "depth": HugeEncoder(384, 12, 8, (16, 16), (16, 16), stem="depth_stem.proj.weight", scale=5.0),
    "thermal": HugeEncoder(768, 12, 12, (16, 16), (16, 16), stem="rgbt_stem.proj.weight", scale=10.0),
    "imu": HugeEncoder(512, 6, 8, (8,), (8,), stem="imu_stem.proj.weight", position="pos_embed",
                       head=("0", "3"), scale=5.0),
}  # fmt: skip
