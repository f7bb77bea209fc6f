"""What callers may give for each modality, as types: ``mypy`` and editors find wrong items by them.

A bare waveform, bare frames and bare inertial samples are not items: their wrappers say what they lack.
"""

from __future__ import annotations

from collections.abc import Iterator, KeysView, Sequence, ValuesView
from typing import Any, Literal, Protocol, TypedDict, TypeVar, Union

import numpy as np
import numpy.typing as npt

from bindrt.items import File, Prepared, Source
from bindrt.modalities.audio import Audio
from bindrt.modalities.depth import Depth
from bindrt.modalities.image import Image
from bindrt.modalities.imu import Imu
from bindrt.modalities.thermal import Thermal
from bindrt.modalities.video import Video

ModalityName = Literal["image", "video", "text", "audio", "depth", "thermal", "imu"]

ImageItem = Union[Source, Image, Prepared]
VideoItem = Union[File, Video, Prepared]
TextItem = Union[str, Prepared]
AudioItem = Union[File, Audio, Prepared]
DepthItem = Union[Source, Depth, Prepared]
ThermalItem = Union[Source, Thermal, Prepared]
ImuItem = Union[File, Imu, Prepared]


class _ListColumn(Protocol):
    """A column of pandas or polars."""

    def to_list(self) -> Any: ...


class _ArrowColumn(Protocol):
    """A column of pyarrow."""

    def to_pylist(self) -> Any: ...


Column = Union[npt.NDArray[np.str_], npt.NDArray[np.object_], _ListColumn, _ArrowColumn]
One = TypeVar("One", covariant=True)
#: One item, or many: a list, an iterator, or a column.
Items = Union[One, Sequence[One], Iterator[One], ValuesView[One], KeysView[One], Column]


class ItemsByModality(TypedDict, total=False):
    """The items of each modality, as ``embed`` takes them."""

    image: Items[ImageItem] | None
    video: Items[VideoItem] | None
    text: Items[TextItem] | None
    audio: Items[AudioItem] | None
    depth: Items[DepthItem] | None
    thermal: Items[ThermalItem] | None
    imu: Items[ImuItem] | None


OnError = Literal["raise", "skip"]
