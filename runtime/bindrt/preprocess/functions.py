"""One function a modality: an item to the array that its encoder takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import MISSING, fields, replace
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from bindrt.arrays import to_numpy
from bindrt.errors import OptionError
from bindrt.item_types import AudioItem, DepthItem, ImageItem, ImuItem, Items, ThermalItem, VideoItem
from bindrt.items import ArrayLike, Prepared
from bindrt.limits import DEFAULT_LIMITS, Limits
from bindrt.modalities import MODALITIES
from bindrt.modalities.audio import Audio
from bindrt.modalities.depth import CameraName, Depth, DepthUnit, Missing
from bindrt.modalities.image import Grey16, Image
from bindrt.modalities.imu import AccelUnit, GyroUnit, Imu
from bindrt.modalities.steps import constants as c
from bindrt.modalities.steps.motion import TimeUnit
from bindrt.modalities.text import prepare_all
from bindrt.modalities.thermal import Thermal, ThermalUnit
from bindrt.modalities.video import Video
from bindrt.preprocess.dispatch import modality_of, prepare_views

Floats = npt.NDArray[np.float32]


def prepare(modality: str, item: Any, limits: Limits = DEFAULT_LIMITS) -> Prepared:
    """One item of any modality as the model's input, ready to be embedded.

    Args:
        modality: ``image``, ``video``, ``text``, ``audio``, ``depth``, ``thermal`` or ``imu``.
        item: a path, bytes, a file object, a wrapper (:class:`bindrt.Image`, …), an array whose meaning is
            plain, for text a ``str``; or :class:`bindrt.Prepared`, which is checked and passed on.
        limits: what an item may decode to.

    Returns:
        :class:`bindrt.Prepared` whose ``array`` is what the function of that modality returns for one item:
        one view, or ``[views, ...]`` for video and audio; and ``notes`` on what was found.

    Raises:
        OptionError: there is no such modality.
        InputError: the item is of another kind, shape, dtype or range, or cannot be decoded.

    >>> bindrt.preprocess.prepare("audio", "bell.wav").array.shape
    (3, 1, 128, 204)
    """
    views = prepare_views(modality, item, limits)
    if isinstance(item, Prepared):
        return replace(item, array=views.array.reshape(to_numpy(item.array).shape))
    every = views.all()
    return Prepared(every if MODALITIES[modality].views > 1 else every[0], views.notes)


def _run(modality: str, src: Any, item: Any, limits: Limits) -> Any:
    """Prepares ``src`` if it is a wrapper or ready input, else ``item``, which wraps it with options.

    Raises:
        OptionError: ``src`` is a wrapper, and options stand beside it: they would be ignored.
    """
    if isinstance(src, Prepared):
        _refuse_options(modality, src, item, "leave it out")
        item = src
    elif modality_of(src) is not None:
        _refuse_options(modality, src, item, f"give it to bindrt.{type(src).__name__}")
        item = src
    return prepare(modality, item, limits).array


def _refuse_options(modality: str, src: Any, item: Any, remedy: str) -> None:
    if given := _given(item):
        raise OptionError(
            f"preprocess.{modality}: {given}=",
            f"it stands beside a bindrt.{type(src).__name__}, which has its own",
            remedy,
        )


def _given(item: Any) -> str:
    """The first of an item's options that is not at its default; empty if all are."""
    options = [field for field in fields(item) if field.default is not MISSING]
    values = ((field, getattr(item, field.name)) for field in options)
    return next((f.name for f, v in values if type(v) is not type(f.default) or v != f.default), "")


def image(
    src: ImageItem, exif: bool = False, grey16: Grey16 = "pillow", limits: Limits = DEFAULT_LIMITS
) -> Floats:
    """An image as the vision encoder's input.

    Decoded to RGB (alpha dropped, palette and grey expanded), shorter side to 224 (bicubic,
    antialiased, on 8 bits), centre crop, ``(p/255 - mean)/std`` of CLIP.

    Args:
        src: a path, bytes or file object (JPEG, PNG, WebP, AVIF, BMP, TIFF, GIF: the first
            frame; PNM; HEIC and JPEG XL with the extra ``formats``), uint8
            pixels ``[H, W]``, ``[H, W, 3]``, ``[H, W, 4]``, or :class:`bindrt.Image`.
        exif: turn the image as its EXIF orientation says; the original does not.
        grey16: 16-bit grey: ``"pillow"`` clips at 255 as the original does, ``"full"`` scales.

    Returns:
        float32 ``[3, 224, 224]``, about -1.8 to 2.2.

    >>> bindrt.preprocess.image("bell.jpg").shape
    (3, 224, 224)
    """
    out: Floats = _run("image", src, Image(cast(Any, src), exif=exif, grey16=grey16), limits)
    return out


def video(
    src: VideoItem,
    limits: Limits = DEFAULT_LIMITS,
    *,
    start: float | None = None,
    end: float | None = None,
    strict: bool = False,
    views: int = 15,
) -> Floats:
    """A video as the vision encoder's input.

    Five clips of 2 s spread over the duration, of each the first and the last frame; shorter side
    to 224 (bilinear, not antialiased), three crops along the longer side, normalised as images.

    Args:
        src: a path, bytes or file object (MP4, MKV, WebM, AVI, MPEG-TS, MPEG-PS, FLV, WMV), or
            :class:`bindrt.Video`, which also carries frames with their rate.
        start: the second at which to begin; None: at the beginning.
        end: the second at which to end; None: at the video's end.
        strict: refuse a file of which a packet is damaged; by default what can be decoded is used.
        views: 15, or 5, 3 or 1 of them: see :class:`bindrt.Video`.

    Returns:
        float32 ``[views, 3, 2, 224, 224]``: clip by clip, three crops in each; colours, frames.

    >>> bindrt.preprocess.video("bell.mp4").shape
    (15, 3, 2, 224, 224)
    """
    item = Video(cast(Any, src), start=start, end=end, strict=strict, views=views)
    out: Floats = _run("video", src, item, limits)
    return out


def audio(
    src: AudioItem,
    limits: Limits = DEFAULT_LIMITS,
    *,
    start: float | None = None,
    end: float | None = None,
    strict: bool = False,
) -> Floats:
    """A recording as the audio encoder's input.

    Resampled to 16 kHz; three clips of 2 s spread over the duration; each clip's mean over all
    channels subtracted, the first channel's log-mel spectrum (Kaldi's definition, 128 bands, 25 ms
    every 10 ms), padded or cut to 204 frames, ``(x + 4.268)/9.138``.

    Args:
        src: a path, bytes or file object (WAV, FLAC, OGG, MP3, AAC in MP4, a video's sound track),
            or :class:`bindrt.Audio`, which also carries a waveform with its rate.
        start: the second at which to begin; None: at the beginning.
        end: the second at which to end; None: at the recording's end.
        strict: refuse a file with damaged packets; else the rest of it is read.

    Returns:
        float32 ``[3, 1, 128, 204]``.

    >>> bindrt.preprocess.audio("bell.wav").shape
    (3, 1, 128, 204)
    """
    out: Floats = _run("audio", src, Audio(cast(Any, src), start=start, end=end, strict=strict), limits)
    return out


def text(texts: Items[str], limits: Limits = DEFAULT_LIMITS) -> npt.NDArray[np.int64]:
    """Texts as the text encoder's input: CLIP's byte-pair tokens.

    Args:
        texts: a list of ``str``; one ``str`` counts as a list of one.

    Returns:
        int64 ``[N, 77]``: start 49406, tokens, end 49407, zeros. Longer texts are cut to 77 with
        the end last. An empty list gives ``[0, 77]``.

    Raises:
        InputError: an entry is not a ``str``; the error names its index.

    >>> bindrt.preprocess.text(["a bell"])[0, :5].tolist()
    [49406, 320, 3718, 49407, 0]
    """
    return prepare_all(texts)


def depth(
    src: DepthItem,
    unit: DepthUnit | None = None,
    focal: float = c.DEPTH_FOCAL,
    baseline: float = c.DEPTH_BASELINE,
    model_scale: float = c.DEPTH_SCALE,
    missing: Missing = "farthest",
    limits: Limits = DEFAULT_LIMITS,
    *,
    camera: CameraName | None = None,
    counts_per_metre: float | None = None,
    depth_scale: float = c.DEPTH_SCALE,
    exif: bool = False,
    as_grey: bool = False,
) -> Floats:
    """A depth map as the depth encoder's input: normalised disparity.

    ``e = model_scale · metres`` within 0.01..50; disparity ``baseline · focal / e`` within 0.01..75
    pixels, over 75; shorter side to 224 (bilinear, antialiased), centre crop, ``(x - 0.0418)/0.0295``.

    Args:
        src: 16-bit PNG, TIFF or PGM, PFM, EXR, ``.npy``, ``.npz`` with field ``depth``, an array ``[H, W]``,
            or :class:`bindrt.Depth`.
        unit: ``"m"``, ``"mm"``, ``"sunrgbd"`` (packed counts), ``"kitti"`` (1/256 m), ``"tum"`` (1/5000 m),
            ``"disparity"`` (pixels); by default millimetres for integers, metres for floats.
        focal: the camera's focal length in pixels, of the map's own width.
        baseline: metres between the camera's two eyes.
        model_scale: what the model takes a metre for: 8 as the published statistics imply; 1 for a model
            trained on metres.
        missing: 0, negative, NaN and infinite values count as ``"farthest"`` or ``"nearest"``.
        camera: focal length and baseline of a known camera: ``"kinect"``, ``"kinect_v2"``, ``"realsense"``,
            ``"xtion"``; see ``CAMERAS``.
        counts_per_metre: how many of the map's counts are a metre, where no ``unit`` says it.
        depth_scale: the old name of ``model_scale``.
        exif: turn a picture as its EXIF orientation says.
        as_grey: take a picture of 8 bits as it is; see :class:`bindrt.Depth`.

    Returns:
        float32 ``[1, 224, 224]``, -1.42 to 32.5.

    >>> bindrt.preprocess.depth("bell.depth.png", unit="mm").shape
    (1, 224, 224)
    """
    item = Depth(
        cast(Any, src),
        unit,
        focal,
        baseline,
        model_scale,
        missing,
        camera,
        counts_per_metre,
        depth_scale,
        exif,
        as_grey,
    )
    out: Floats = _run("depth", src, item, limits)
    return out


def thermal(
    src: ThermalItem,
    low: float | None = None,
    high: float | None = None,
    percentiles: tuple[float, float] | None = None,
    limits: Limits = DEFAULT_LIMITS,
    *,
    unit: ThermalUnit | None = None,
    exif: bool = False,
    as_grey: bool = False,
) -> Floats:
    """A thermal frame as the thermal encoder's input.

    8-bit frames divided by 255; others stretched from ``low..high`` to 0..1. Shorter side to 224
    (bicubic, antialiased), centre crop, no mean or deviation.

    Args:
        src: a grey image, a radiometric JPEG of FLIR's, PFM, EXR, ``.npy``, ``.npz`` with field ``thermal``,
            an array ``[H, W]``, or :class:`bindrt.Thermal`.
        low, high: the range in the frame's own units, or in °C if its unit is known; needed unless 8-bit.
        percentiles: take the range from these percentiles of the frame instead, as ``(1, 99)``.
        unit: ``"celsius"``, ``"kelvin"``, ``"decikelvin"`` or ``"centikelvin"``; see :class:`bindrt.Thermal`.
        exif: turn a picture as its EXIF orientation says.
        as_grey: take a picture of 8 bits as it is; see :class:`bindrt.Thermal`.

    Returns:
        float32 ``[1, 224, 224]``, 0 to 1.

    >>> bindrt.preprocess.thermal("bell.thermal.png").shape
    (1, 224, 224)
    """
    item = Thermal(cast(Any, src), low, high, percentiles, unit, exif, as_grey)
    out: Floats = _run("thermal", src, item, limits)
    return out


def imu(
    samples: ImuItem | ArrayLike,
    rate: float | None = None,
    timestamps: ArrayLike | None = None,
    standardize: tuple[Sequence[float], Sequence[float]] | None = None,
    max_gap: float = 0.1,
    accel_unit: AccelUnit | None = None,
    gyro_unit: GyroUnit | None = None,
    min_seconds: float = 4.95,
    columns: Sequence[str] | None = None,
    time_unit: TimeUnit | None = None,
    limits: Limits = DEFAULT_LIMITS,
    *,
    unit: AccelUnit | None = None,
) -> Floats:
    """The first 5 s of inertial samples as the IMU encoder's input.

    2000 steps at ``i/400`` s after the first sample, interpolated linearly; after the last sample
    its value is held. For longer recordings see :func:`windows`.

    Args:
        samples: ``[6, N]``, accelerometer x, y, z then gyroscope x, y, z; a ``.npz`` with fields
            ``samples`` and ``t`` or ``rate``; a CSV or Parquet table; or :class:`bindrt.Imu`.
        rate: samples per second; or
        timestamps: seconds of each sample, increasing; only differences matter.
        standardize: ``(mean, std)``, six numbers each, applied last.
        max_gap: the longest gap in seconds that is interpolated.
        accel_unit, gyro_unit: ``"m/s2"`` or ``"g"``; ``"rad/s"`` or ``"deg/s"``; by default what a table's
            header says, else the first.
        min_seconds: the shortest recording accepted; a sample counts for one period.
        columns, time_unit: of a table, see :class:`bindrt.Imu`.
        unit: short for ``accel_unit``.

    Returns:
        float32 ``[6, 2000]`` in m/s² and rad/s.

    >>> bindrt.preprocess.imu(np.ones((6, 1000)), rate=200).shape
    (6, 2000)
    """
    item = Imu(
        samples,
        rate,
        timestamps,
        standardize,
        max_gap,
        accel_unit,
        gyro_unit,
        min_seconds,
        columns,
        time_unit,
        unit,
    )
    out: Floats = _run("imu", samples, item, limits)
    return out
