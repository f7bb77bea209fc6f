"""How a notebook shows embeddings: a table of items, with small pictures of those that are picture files."""

from __future__ import annotations

import base64
import html
import io
import os
from collections.abc import Mapping

import numpy as np
import PIL.Image

from bindrt.embeddings.sources import Sources
from bindrt.embeddings.vectors import Vectors
from bindrt.errors import Error

#: Items of a modality that are shown, and the longer side of their pictures.
_SHOWN, _SIDE = 12, 96
_MAX_PIXELS, _MAX_BYTES = 50_000_000, 50_000_000
_PICTURES = ("image", "depth", "thermal")
#: Pillow's modes with more than 8 bits: depth and thermal frames.
_DEEP = ("I;16", "I;16B", "I", "F")
_CELL = 'style="text-align:left;vertical-align:middle"'


def as_html(
    title: str,
    vectors: Mapping[str, Vectors],
    sources: Mapping[str, Sources],
    errors: Mapping[tuple[str, int], Error],
) -> str:
    rows = []
    for modality, found in vectors.items():
        names = sources.get(modality, ())
        for i in range(min(len(found), _SHOWN)):
            name = names[i] if i < len(names) else None
            error = errors.get((modality, i))
            shown = _item(modality, name) if error is None else f"<b>{html.escape(str(error))}</b>"
            rows.append(f"<tr><td>{html.escape(modality)} {i}</td><td {_CELL}>{shown}</td></tr>")
        if len(found) > _SHOWN:
            rows.append(f"<tr><td></td><td {_CELL}>… {len(found) - _SHOWN} more</td></tr>")
    return f"<div>{html.escape(title)}<table>{''.join(rows)}</table></div>"


def _item(modality: str, name: str | None) -> str:
    if name is None:
        return "an array or bytes"
    text = html.escape(name if len(name) <= 120 else f"{name[:119]}…")
    picture = _thumbnail(name) if modality in _PICTURES else None
    return text if picture is None else f'<img src="{picture}" alt="{text}" title="{text}"> {text}'


def _thumbnail(path: str) -> str | None:
    """A small picture as a ``data:`` URI; None for anything else than a local picture file of common size."""
    try:
        if not os.path.isfile(path) or os.path.getsize(path) > _MAX_BYTES:
            return None
        with PIL.Image.open(path) as picture:
            if picture.width * picture.height > _MAX_PIXELS:
                return None
            picture.draft("RGB", (2 * _SIDE, 2 * _SIDE))
            small = _stretched(picture) if picture.mode in _DEEP else picture.convert("RGB")
        small.thumbnail((_SIDE, _SIDE))
        data = io.BytesIO()
        small.save(data, "JPEG")
    except Exception:  # a notebook shows the name then
        return None
    return "data:image/jpeg;base64," + base64.b64encode(data.getvalue()).decode("ascii")


def _stretched(picture: PIL.Image.Image) -> PIL.Image.Image:
    """Grey from black to white over the range of a picture's values."""
    values = np.asarray(picture, np.float32)
    low, high = float(values.min()), float(values.max())
    grey = (values - low) * (255 / (high - low or 1))
    return PIL.Image.fromarray(grey.astype(np.uint8))
