"""The licence text that travels with the weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:  # it needs torch; who reads a finished bundle does not
    from bindrt_export.checkpoints import Checkpoint

RANDOM = "These weights are random numbers made by bindrt from a seed. They may be used freely (CC0 1.0).\n"
IMAGEBIND = """\
These weights were exported from a checkpoint in the official ImageBind layout.

If it was imagebind_huge.pth, as published by its authors: Creative Commons
Attribution-NonCommercial-ShareAlike 4.0 International (CC BY-NC-SA 4.0),
https://creativecommons.org/licenses/by-nc-sa/4.0/ - not for commercial use. The export is an
adaptation under the same licence; credit: R. Girdhar et al., "ImageBind: One Embedding Space To
Bind Them All", CVPR 2023.

If it was trained by somebody else, that checkpoint's own licence holds.
"""
OPENCLIP = """\
These weights were exported from a checkpoint in the OpenCLIP layout.

OpenCLIP's own ViT-H/14 trained on LAION-2B is published under the MIT licence. If the checkpoint
was another one, its own licence holds.
"""


def licence_text(checkpoint: Checkpoint) -> str:
    """What a user of the bundle must know about the weights; the file's own words where it has any."""
    if checkpoint.licence:
        return checkpoint.licence.rstrip() + "\n"
    if checkpoint.name.startswith("random:"):
        return RANDOM
    return IMAGEBIND if checkpoint.family == "imagebind" else OPENCLIP
