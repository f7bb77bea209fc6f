"""Pictures decoded on an engine's GPU by NVIDIA's nvImageCodec: JPEGs by the GPU's decoder where it has one.

Not run on a GPU from here yet: the tests run it on the simulated driver with a stand-in for the library.
"""

from __future__ import annotations

import importlib
import importlib.util
import logging
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from bindrt import _core
from bindrt.arrays import Array
from bindrt.cores import usable_threads
from bindrt.errors import EngineError
from bindrt.extras import install
from bindrt.pipeline.gpu_trials import CALLED, SIDE, Trial, trials

LOG = logging.getLogger(__name__)

MODULE = "nvidia.nvimgcodec"
#: Pixels from which a picture is decoded on the GPU, by its coding as csrc/prepare tells it. Cores decode
#: smaller ones as fast as an encoder wants them: beside an H100 16 cores decoded 2.9 gigapixels of JPEG a
#: second, and a ViT-H took 1030 pictures, so pictures of 2.8 megapixels and more starved it. Of the others
#: sixteen times what one core decodes (docs/gpu.md).
LEAST_PIXELS = {
    "jpeg": 2_500_000,
    "jpeg2000": 250_000,
    "tiff-lzw": 1_000_000,
    "tiff-deflate": 1_000_000,
}
#: What libjpeg-turbo does as Pillow calls it: colours of fewer samples are interpolated.
OPTIONS = ":fancy_upsampling=1"


def picture_decoder(device: int, decode: str) -> PictureDecoder | None:
    """What decodes on a GPU, as the option ``decode`` says; None: the CPU does.

    Raises:
        EngineError: it has to be the GPU, and cannot.
    """
    if decode == "exact":
        return None
    try:
        return PictureDecoder(device)
    except EngineError as error:
        if decode == "gpu":
            raise
        if not isinstance(error, _NotInstalledError):
            LOG.warning("%s; the CPU decodes", error)
    return None


def planned_bytes(decode: str) -> int:
    """Bytes of a GPU's memory that decoding there may take, as far as is known before it is begun.

    Pictures that are decoded at once and their rows; what the library keeps besides is not among them. 0 if
    the option ``decode`` forbids it, or the library is not installed.
    """
    return _core.gpu.memory_limits()["pictures"] if decode != "exact" and _is_installed() else 0


def _is_installed() -> bool:
    try:
        return importlib.util.find_spec(MODULE) is not None
    except ModuleNotFoundError:  # not even the package that it is in
        return False


def decode_params(library: Any) -> Any:
    """8 bits of red, green and blue, as they are stored."""
    return library.DecodeParams(
        apply_exif_orientation=False, color_spec=library.ColorSpec.SRGB, allow_any_depth=False
    )


class _NotInstalledError(EngineError):
    """nvImageCodec is not here."""


class _RefusedError(RuntimeError):
    """It refuses a file that is as it should be."""


class DevicePicture(NamedTuple):
    """Pixels ``[H, W, 3]`` in a GPU's memory: where they are, bytes from row to row, and what keeps them.

    Address 0: they are none that we can use, but memory that the library may still write to.
    """

    address: int
    row_stride: int
    owner: object


class PictureDecoder:
    """Decodes files on one GPU; several threads may call at once.

    Attributes:
        codings: that it decodes there, of ``LEAST_PIXELS``; JPEG is one.
        kept_bytes: of the GPU's memory that the library took when it decoded its first picture, as far as the
            driver tells. What others took or gave back meanwhile is in it.
    """

    def __init__(self, device: int) -> None:
        """Open the library and decode small pictures on the GPU.

        Raises:
            EngineError: the library is not installed, does not load, or does not decode JPEG on this GPU.
        """
        name = f"decoding on GPU {device}"
        try:
            self._library: Any = importlib.import_module(MODULE)
        except ModuleNotFoundError:
            raise _NotInstalledError(name, "nvImageCodec is not installed", install("gpu-decode")) from None
        except ImportError as error:
            raise EngineError(name, f"nvImageCodec does not load ({error})", install("gpu-decode")) from None
        self._device = device
        self._idle: list[Any] = []
        self._warned = False
        try:
            self._params = decode_params(self._library)
            free = _core.gpu.memory_free(device)
            self._require_decodes("jpeg")
            self.codings = {"jpeg", *(each for each in LEAST_PIXELS if each != "jpeg" and self._can(each))}
            self.kept_bytes = max(free - _core.gpu.memory_free(device), 0)
        except Exception as error:  # the library's own are of many kinds
            raise EngineError(
                name,
                f"nvImageCodec does not decode there ({error})",
                f"decode='exact', or {install('gpu-decode')}",
            ) from error

    def least_pixels(self, decode: str) -> dict[str, int]:
        """By coding, how many pixels a picture has at least that is decoded there."""
        return {each: 0 if decode == "gpu" else LEAST_PIXELS[each] for each in sorted(self.codings)}

    def device_bytes(self) -> int:
        """Bytes of the GPU's memory that it may take: those of the plan, and what the library keeps."""
        return _core.gpu.memory_limits()["pictures"] + self.kept_bytes

    def __call__(
        self, files: Sequence[bytes | memoryview], sizes: Sequence[tuple[int, int]], stream: int
    ) -> list[DevicePicture | None]:
        """The pictures, as work that ``stream`` gets from now on finds them; None for what is refused.

        Args:
            files: of ``codings``; not kept.
            sizes: width and height of each.
        """
        try:
            return self._decode(files, sizes, stream)
        except Exception as error:  # they are decoded on the CPU then
            if not self._warned:
                self._warned = True
                LOG.warning("nvImageCodec failed, and the CPU decodes: %s", error)
            return [None] * len(files)

    def _decode(
        self, files: Sequence[bytes | memoryview], sizes: Sequence[tuple[int, int]], stream: int
    ) -> list[DevicePicture | None]:
        decoder = self._take()
        given = [self._library.CodeStream(np.frombuffer(file, np.uint8)) for file in files]
        images = decoder.decode(given, params=self._params, cuda_stream=stream)
        self._idle.append(decoder)  # not one that failed
        if len(images) != len(files):  # early releases leave out what they refuse
            return [DevicePicture(0, 0, images)] * len(files)
        return [_picture(image, size) for image, size in zip(images, sizes, strict=True)]

    def _take(self) -> Any:
        try:
            return self._idle.pop()
        except IndexError:
            return self._open()

    def _open(self) -> Any:
        """A decoder for one thread at a time; none of its ways is the CPU's, which we have ourselves."""
        kinds = self._library.BackendKind
        return self._library.Decoder(
            device_id=self._device,
            max_num_cpu_threads=max(usable_threads() - 1, 1),  # it warns of more
            backends=[
                self._library.Backend(kind)
                for kind in (kinds.HW_GPU_ONLY, kinds.GPU_ONLY, kinds.HYBRID_CPU_GPU)
            ],
            options=OPTIONS,
        )

    def _can(self, coding: str) -> bool:
        """Whether it decodes a coding beside JPEG. What it does not the CPU decodes, as without it."""
        try:
            self._require_decodes(coding)
        except _RefusedError as error:
            LOG.info("nvImageCodec: %s; the CPU decodes it", error)
            return False
        except Exception as error:  # the library's own are of many kinds
            LOG.warning("nvImageCodec fails for %s, which the CPU decodes: %s", CALLED[coding][0], error)
            return False
        return True

    def _require_decodes(self, coding: str) -> None:
        """The library loads without those that it calls, and then refuses every file of their codings."""
        for trial in trials(coding):
            pixels = self._decoded(trial)
            if pixels is None:
                name, missing = CALLED[coding]
                raise _RefusedError(f"it refuses a plain {name}: {missing}")
            apart = int(np.abs(pixels.astype(int) - trial.pixels).max())
            if apart > trial.most_apart:
                raise RuntimeError(f"its pixels are {apart} levels from what was stored")

    def _decoded(self, trial: Trial) -> Array | None:
        pixels = np.empty((SIDE, SIDE, 3), np.uint8)
        with _core.gpu.Queue(self._device) as queue:
            found = self._decode([trial.file], [(SIDE, SIDE)], queue.stream)
            good = found[0] is not None and found[0].address != 0
            if found[0] is not None and good:
                queue.download(pixels, found[0].address)
            found.clear()  # the library frees it on this stream
        return pixels if good else None


def _picture(image: Any, size: tuple[int, int]) -> DevicePicture | None:
    if image is None:
        return None
    about = image.__cuda_array_interface__
    row = described(about, size)
    return DevicePicture(int(about["data"][0]) if row else 0, row, image)


def described(about: Mapping[str, Any], size: tuple[int, int]) -> int:
    """Bytes from row to row of what an array interface describes; 0 if it is no such picture.

    Args:
        size: width and height.
    """
    width, height = size
    strides = tuple(about.get("strides") or (3 * width, 3, 1))
    fits = about["typestr"] == "|u1" and tuple(about["shape"]) == (height, width, 3)
    return int(strides[0]) if fits and strides[0] >= 3 * width and strides[1:] == (3, 1) else 0
