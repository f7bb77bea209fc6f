from collections.abc import Sequence
from typing import Any, TypedDict, final, type_check_only

import numpy as np
import numpy.typing as npt

from bindrt._core import Picture

class DriverError(RuntimeError):
    name: str

@type_check_only
class DriverInfo(TypedDict):
    path: str
    usable: bool
    problem: str
    version: int
    simulated: bool

@type_check_only
class DeviceInfo(TypedDict):
    index: int
    name: str
    capability: str
    memory: int
    multiprocessors: int
    integrated: bool
    bandwidth: float

@type_check_only
class OpTimes(TypedDict):
    rounds: npt.NDArray[np.float64]
    kernels: dict[str, npt.NDArray[np.float64]]

@final
class Queue:
    def __init__(self, device: int = 0) -> None: ...
    @property
    def stream(self) -> int: ...
    def take(self, bytes: int) -> int: ...
    def upload(self, target: int, source: npt.NDArray[np.generic]) -> None: ...
    def download(self, target: npt.NDArray[np.generic], source: int) -> None: ...
    def wait(self) -> None: ...
    def wait_for(self, stream: int) -> None: ...
    def go_before(self, stream: int) -> None: ...
    def rewind(self) -> None: ...
    def __enter__(self) -> Queue: ...
    def __exit__(self, *args: object) -> None: ...

@final
class Mark:
    def __init__(self, device: int, stream: int) -> None: ...

@final
class DeviceRows:
    def __init__(
        self,
        device: int,
        address: int,
        rows: int,
        parts: int,
        copies: int,
        part_bytes: int,
        ready: Mark | None,
        owner: object,
    ) -> None: ...

@final
class LentArray:
    def __init__(
        self,
        device: int,
        address: int,
        shape: Sequence[int],
        dtype: str,
        ready: Mark | None,
        owner: object,
    ) -> None: ...
    @property
    def shape(self) -> tuple[int, ...]: ...
    @property
    def dtype(self) -> str: ...
    @property
    def nbytes(self) -> int: ...
    def to_host(self) -> npt.NDArray[Any]: ...
    @property
    def __cuda_array_interface__(self) -> dict[str, Any]: ...

@final
class DeviceArray:
    def __init__(self, device: int, rows: int, dim: int) -> None: ...
    @property
    def shape(self) -> tuple[int, int]: ...
    @property
    def device(self) -> int: ...
    def __len__(self) -> int: ...
    def __dlpack_device__(self) -> tuple[int, int]: ...
    def __dlpack__(
        self,
        *,
        stream: object = None,
        max_version: tuple[int, int] | None = None,
        dl_device: tuple[int, int] | None = None,
        copy: bool | None = None,
    ) -> object: ...
    @property
    def __cuda_array_interface__(self) -> dict[str, Any]: ...

@type_check_only
class DlpackArray(TypedDict):
    address: int
    device: tuple[int, int]
    shape: tuple[int, ...]
    strides: tuple[int, ...] | None
    dtype: tuple[int, int, int]

def read_dlpack(capsule: object) -> DlpackArray: ...
def place(device: int, address: int) -> str: ...
def import_stream(device: int) -> int: ...
def synchronize(device: int) -> None: ...
def available() -> bool: ...
def problem() -> str: ...
def driver() -> DriverInfo: ...
def devices() -> list[DeviceInfo]: ...
def target(capability: str) -> str: ...
def graph_rows(most: int, item_rows: int = 1) -> list[int]: ...
def batch_device_bytes(rows: int, row_bytes: int, dim: int, sets: int) -> int: ...
def batch_whole_bytes(rows: int, row_bytes: int, dim: int) -> int: ...
def memory_limits() -> dict[str, int]: ...
def memory_free(device: int) -> int: ...
def load_kernels(device: int = 0) -> list[str]: ...
def round_trip(data: npt.NDArray[np.uint8], device: int = 0) -> npt.NDArray[np.uint8]: ...
def to_halves(
    rows: npt.NDArray[np.float32], *, rounds: int = 1, device: int = 0
) -> tuple[npt.NDArray[np.float16], OpTimes]: ...
def pool_views(
    views: npt.NDArray[np.float32],
    counts: Sequence[int] | npt.NDArray[np.integer],
    weights: npt.NDArray[np.float32] | None = None,
    *,
    normalize: bool = True,
    scale: float = 1.0,
    half: bool = False,
    rounds: int = 1,
    device: int = 0,
) -> tuple[npt.NDArray[np.floating], OpTimes]: ...
def imu_grid(
    samples: npt.NDArray[np.float32],
    rate: float,
    gain: Sequence[float],
    offset: Sequence[float],
    *,
    half: bool = False,
    rounds: int = 1,
    device: int = 0,
) -> tuple[npt.NDArray[np.floating], npt.NDArray[np.uint32], OpTimes]: ...
def resample(
    samples: npt.NDArray[np.float32], orig: int, target: int, *, rounds: int = 1, device: int = 0
) -> tuple[npt.NDArray[np.float32], OpTimes]: ...
def mel_clips(
    samples: npt.NDArray[np.float32],
    ranges: Sequence[tuple[int, int]],
    *,
    half: bool = False,
    rounds: int = 1,
    device: int = 0,
) -> tuple[npt.NDArray[np.floating], OpTimes]: ...
def image_input(
    pixels: Sequence[npt.NDArray[np.uint8]],
    layout: str = "RGB",
    *,
    half: bool = False,
    rounds: int = 1,
    device: int = 0,
) -> tuple[npt.NDArray[np.floating], OpTimes]: ...
def video_crops(
    pictures: Sequence[Picture],
    *,
    quarter_turns: int = 0,
    half: bool = False,
    rounds: int = 1,
    device: int = 0,
) -> tuple[npt.NDArray[np.floating], OpTimes]: ...
def depth_square(
    maps: Sequence[npt.NDArray[np.number]],
    unit: str,
    focal: float,
    baseline: float,
    depth_scale: float,
    missing_near: bool = False,
    *,
    half: bool = False,
    rounds: int = 1,
    device: int = 0,
) -> tuple[npt.NDArray[np.floating], npt.NDArray[np.uint64], OpTimes]: ...
def thermal_square(
    frames: Sequence[npt.NDArray[np.number]],
    low: float | None = None,
    high: float | None = None,
    *,
    half: bool = False,
    rounds: int = 1,
    device: int = 0,
) -> tuple[npt.NDArray[np.floating], OpTimes]: ...
