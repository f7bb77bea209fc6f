"""Images, depth maps and thermal frames."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from bindrt.arrays import Array
from bindrt.errors import InputError
from bindrt.limits import Limits
from bindrt.modalities.depth import Depth
from bindrt.modalities.image import Image
from bindrt.modalities.thermal import Thermal
from bindrt.recordings.messages.compressed_depth import depth_of
from bindrt.recordings.messages.context import Camera
from bindrt.recordings.messages.fields import data_of, number, text
from bindrt.recordings.messages.kinds import kind_of
from bindrt.recordings.messages.pixels import DEPTH_ENCODINGS, RawPicture, as_map, as_pixels
from bindrt.recordings.messages.topic_reader import NotYet, TopicReader
from bindrt.recordings.sample import Sample


class PictureTopic(TopicReader):
    """Image and RawImage; CompressedImage of both, with ``compressedDepth``."""

    def read(self, message: Any, recorded: int) -> Iterator[Sample]:
        raw = kind_of(self.topic.type) in ("sensor_msgs/Image", "foxglove/RawImage")
        form = text(message, "encoding" if raw else "format")
        is_depth = form in DEPTH_ENCODINGS if raw else "compressedDepth" in form
        modality = self.choice.modality or ("depth" if is_depth else "image")
        make = self._raw(message, form, modality) if raw else self._packed(data_of(message), form, modality)
        time = self.time_of(message, recorded)
        yield Sample(modality, self.topic.name, time, recorded, make)

    def _raw(self, message: Any, encoding: str, modality: str) -> Callable[[], Any]:
        big_endian = bool(getattr(message, "is_bigendian", 0))
        width, height, step = (number(message, name) for name in ("width", "height", "step"))
        picture = RawPicture(data_of(message), encoding, width, height, step, big_endian)
        if modality in ("depth", "thermal"):
            return self._map(partial(as_map, picture, self.limits), modality)
        return lambda: Image(as_pixels(picture, self.limits))

    def _packed(self, data: bytes, form: str, modality: str) -> Callable[[], Any]:
        if "compressedDepth" in form:
            if modality not in ("depth", "thermal"):
                raise InputError("", f"{form[:40]!r} is depth, not {modality}", "leave the modality out")
            return self._map(partial(depth_of, data, form, self.limits), modality)
        if modality == "video":
            return partial(decoded_image, data, self.limits)
        if modality == "image":
            return lambda: Image(data)
        return self._map(lambda: data, modality)

    def _map(self, make: Callable[[], Any], modality: str) -> Callable[[], Any]:
        options = dict(self.choice.options)
        if modality == "thermal":
            return lambda: Thermal(make(), **options)
        camera = None if "focal" in options or "camera" in options else self._camera()
        return lambda: _depth(make(), camera, self._is_rectified(), options)

    def _camera(self) -> Camera | None:
        camera, comes = self.context.camera(self.topic.name)
        if camera is None and comes and self.waits:
            raise NotYet
        if camera is None:
            self.note("no CameraInfo tells the focal length: the first Kinect's was taken")
        return camera

    def _is_rectified(self) -> bool:
        return "rect" in self.topic.name


def _depth(values: Any, camera: Camera | None, rectified: bool, options: dict[str, Any]) -> Depth:
    """A depth map with its camera's focal length, in pixels of the map's own width."""
    if camera is None:
        return Depth(values, **options)
    focal = (camera.rectified if rectified else camera.raw) or camera.raw or camera.rectified
    width = values.shape[1] if hasattr(values, "shape") else camera.width
    if not focal or not camera.width:
        return Depth(values, **options)
    return Depth(values, focal=focal * width / camera.width, **options)


def decoded_image(data: bytes, limits: Limits) -> Image:
    """The pixels of a compressed picture."""
    import numpy as np

    from bindrt.sources import open_source
    from bindrt.sources.image import open_picture

    with open_picture(open_source(data, limits), limits) as picture:
        pixels: Array = np.asarray(picture.convert("RGB"))
    return Image(pixels, layout="RGB")
