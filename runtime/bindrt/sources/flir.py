"""Radiometric JPEG files of FLIR cameras: the sensor's counts beside the picture, and what turns them to °C.

The APP1 segments that begin with ``FLIR`` hold one file in pieces: a header, a directory of records, the
records. One record is the raw image, another describes the camera. The layout is FLIR's; the formulas are
Planck's law and the usual model of the air between camera and object (docs/preprocessing.md).
"""

from __future__ import annotations

import io
import math
import struct
from dataclasses import dataclass

import numpy as np

from bindrt import _core
from bindrt.arrays import Array
from bindrt.errors import SourceError
from bindrt.limits import Limits
from bindrt.sources.jpegfile import segments
from bindrt.sources.opening import IF_CUT, Opened, decoding
from bindrt.sources.pixel_limits import check_memory, check_pixels

_APP1 = 0xE1
_RAW_IMAGE, _CAMERA = 1, 0x20
_ENTRY = 32  # bytes of a directory entry
_MOST_RECORDS = 1024
ZERO_CELSIUS: float = _core.item_numbers()["thermal"]["zero_celsius"]


@dataclass(frozen=True)
class Camera:
    """What turns counts to temperatures. Temperatures are in kelvin, the distance in metres."""

    r1: float
    r2: float
    b: float
    f: float
    o: float
    emissivity: float = 1.0
    distance: float = 0.0
    reflected: float = 293.15
    air: float = 293.15
    window: float = 293.15
    window_transmission: float = 1.0
    humidity: float = 0.0
    alpha: tuple[float, float] = (0.0, 0.0)
    beta: tuple[float, float] = (0.0, 0.0)
    x: float = 0.0

    def celsius(self, counts: Array) -> Array:
        """Temperatures in °C, float64, of the sensor's counts; NaN where the law gives none."""
        air = self._transmission()
        through = self.emissivity * air * self.window_transmission
        other = (
            (1 - self.emissivity) * air * self.window_transmission * self._signal(self.reflected)
            + (1 - air) * self.window_transmission * self._signal(self.air)
            + (1 - self.window_transmission) * self._signal(self.window)
        )
        signal = (counts + self.o - other) / through
        with np.errstate(divide="ignore", invalid="ignore"):
            kelvin = self.b / np.log(self.r1 / (self.r2 * signal) + self.f)
        return np.where(np.isfinite(kelvin) & (signal > 0), kelvin - ZERO_CELSIUS, np.nan)

    def _signal(self, kelvin: float) -> float:
        """The counts of a black body, without the offset."""
        return self.r1 / (self.r2 * (math.exp(self.b / kelvin) - self.f))

    def _transmission(self) -> float:
        """How much of the radiation comes through the air, 0 to 1."""
        t = self.air - ZERO_CELSIUS
        share = self.humidity if self.humidity <= 2 else self.humidity / 100  # some cameras write percent
        water = share * math.exp(1.5587 + 6.939e-2 * t - 2.7816e-4 * t**2 + 6.8455e-7 * t**3)
        root = math.sqrt(self.distance)
        first, second = (
            math.exp(-root * (a + b * math.sqrt(water))) for a, b in zip(self.alpha, self.beta, strict=True)
        )
        return min(self.x * first + (1 - self.x) * second, 1.0)


def read_celsius(opened: Opened, limits: Limits) -> Array | None:
    """The temperatures of a radiometric JPEG in °C, float64 ``[H, W]``; None for any other JPEG.

    Raises:
        SourceError: the records are damaged or truncated, or give no temperatures.
        LimitError: the raw image has more than ``limits.max_pixels``.
    """
    with opened.binary() as stream, decoding(opened.name, "radiometric JPEG"):
        data = stream.read(min(opened.size, limits.max_bytes))
        whole = _joined(data)
        if whole is None:
            return None
        records = _records(whole, opened.name)
        if _RAW_IMAGE not in records:
            return None
        counts = _raw_image(records[_RAW_IMAGE], opened.name, limits)
        celsius = _camera(records.get(_CAMERA, b""), opened.name).celsius(counts)
    if not np.isfinite(celsius).all():
        bad = int(np.count_nonzero(~np.isfinite(celsius)))
        raise SourceError(opened.name, f"{bad} of {celsius.size} counts of the sensor give no temperature")
    return celsius


def _joined(data: bytes) -> bytes | None:
    """The pieces of FLIR's file in their order; None if there are none."""
    pieces: dict[int, bytes] = {}
    for marker, start, end in segments(data):
        if marker == _APP1 and data.startswith(b"FLIR\0", start) and end - start > 8:
            pieces[data[start + 6]] = data[start + 8 : end]
    whole = b"".join(pieces[number] for number in sorted(pieces))
    return whole if whole[:4] in (b"FFF\0", b"AFF\0") else None


def _records(whole: bytes, name: str) -> dict[int, bytes]:
    """The first record of each kind. Cameras differ in the order of the bytes: the version tells it."""
    if len(whole) < 64:
        raise SourceError(name, "FLIR's header is truncated", IF_CUT)
    order = next((o for o in "><" if 100 <= struct.unpack_from(o + "I", whole, 20)[0] < 200), None)
    if order is None:
        raise SourceError(name, "FLIR's header is of an unknown version")
    start, count = struct.unpack_from(order + "II", whole, 24)
    found: dict[int, bytes] = {}
    for number in range(min(count, _MOST_RECORDS)):
        at = start + number * _ENTRY
        if at + _ENTRY > len(whole):
            raise SourceError(name, "FLIR's directory of records is truncated", IF_CUT)
        kind = struct.unpack_from(order + "H", whole, at)[0]
        offset, length = struct.unpack_from(order + "II", whole, at + 12)
        if kind == 0 or kind in found or length == 0:
            continue
        if kind in (_RAW_IMAGE, _CAMERA) and offset + length > len(whole):
            raise SourceError(name, "a record of FLIR's data is truncated", IF_CUT)
        found[kind] = whole[offset : offset + length]
    return found


def _order(record: bytes, name: str) -> str:
    """The order of a record's bytes: its first number is 2, whichever way it is written."""
    if len(record) >= 32 and record[:2] in (b"\2\0", b"\0\2"):
        return "<" if record[0] == 2 else ">"
    raise SourceError(name, "a record of FLIR's data is damaged", IF_CUT)


def _raw_image(record: bytes, name: str, limits: Limits) -> Array:
    order = _order(record, name)
    width, height = struct.unpack_from(order + "HH", record, 2)
    if width == 0 or height == 0:
        raise SourceError(name, f"the raw image has {width} x {height} pixels")
    check_pixels(width, height, name, limits)
    check_memory("FLIR", width, height, name, limits)
    pixels = record[32:]
    if pixels.startswith(b"\x89PNG"):
        return _png_counts(pixels, (height, width), name, limits)
    if len(pixels) < 2 * width * height:
        raise SourceError(
            name,
            f"truncated: {len(pixels)} of {2 * width * height} bytes of the raw image",
            IF_CUT,
        )
    return np.frombuffer(pixels, order + "u2", width * height).reshape(height, width).astype(np.float64)


def _png_counts(data: bytes, shape: tuple[int, int], name: str, limits: Limits) -> Array:
    """The counts of a raw image that is a PNG.

    Most cameras write the two bytes of its counts the wrong way round. Neighbours in a picture are alike, and
    those of swapped bytes are not.
    """
    from PIL import PngImagePlugin

    with PngImagePlugin.PngImageFile(io.BytesIO(data)) as picture:
        check_pixels(picture.width, picture.height, name, limits)
        values = np.asarray(picture, np.uint16)
    if values.shape != shape:
        raise SourceError(name, f"the raw image is {values.shape}, not {shape} as its record says")
    ways = (values.byteswap().astype(np.float64), values.astype(np.float64))
    return min(ways, key=lambda counts: float(np.abs(np.diff(counts, axis=1)).sum()))


def _camera(record: bytes, name: str) -> Camera:
    order = _order(record, name)
    if len(record) < 0x310:
        raise SourceError(name, "the record of the camera is truncated", IF_CUT)

    def number(at: int) -> float:
        return float(struct.unpack_from(order + "f", record, at)[0])

    def positive(at: int, otherwise: float) -> float:
        value = number(at)
        return value if math.isfinite(value) and value > 0 else otherwise

    camera = Camera(
        r1=number(0x58),
        b=number(0x5C),
        f=number(0x60),
        o=float(struct.unpack_from(order + "i", record, 0x308)[0]),
        r2=number(0x30C),
        emissivity=min(positive(0x20, 1.0), 1.0),
        distance=positive(0x24, 0.0),
        reflected=positive(0x28, 293.15),
        air=positive(0x2C, 293.15),
        window=positive(0x30, 293.15),
        window_transmission=min(positive(0x34, 1.0), 1.0),
        humidity=positive(0x3C, 0.0),
        alpha=(number(0x70), number(0x74)),
        beta=(number(0x78), number(0x7C)),
        x=number(0x80),
    )
    planck = (camera.r1, camera.r2, camera.b, camera.f)
    if not all(math.isfinite(v) and v > 0 for v in planck):
        raise SourceError(name, f"the camera's Planck constants are {planck}", "its data are damaged")
    return camera
