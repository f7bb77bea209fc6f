"""How much memory a video's decoder may take: it keeps the frames that later ones refer to."""

from __future__ import annotations

from typing import Any

from bindrt.errors import LimitError
from bindrt.limits import Limits
from bindrt.sources.opening import Opened
from bindrt.sources.video_numbers import FEW_KEPT, HELD_EACH, KEPT, LARGE


def check_held(context: Any, opened: Opened, limits: Limits) -> None:
    """Raises LimitError if the frames that a decoder may keep take too much memory.

    Args:
        context: the decoder's context, before it is opened.
    """
    kept = KEPT.get(context.name, FEW_KEPT) * _frame_bytes(context)
    if kept > limits.max_picture_bytes + HELD_EACH * opened.size:
        raise LimitError(
            opened.name,
            f"decoding frames of {context.width} x {context.height} may take {kept >> 20} MiB",
            "raise Limits.max_picture_bytes if you trust the file",
        )


def is_large(context: Any) -> bool:
    """Whether each further thread that decodes would cost much memory."""
    return int(context.width * context.height) > LARGE


def _frame_bytes(context: Any) -> int:
    import av

    pixels = int(context.width * context.height)
    if not context.pix_fmt:
        return 2 * pixels
    form = av.VideoFormat(context.pix_fmt, context.width, context.height)
    return sum(part.width * part.height * -(-part.bits // 8) for part in form.components)
