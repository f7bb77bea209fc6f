from collections.abc import Sequence
from typing import TypedDict, final, type_check_only

import numpy as np
import numpy.typing as npt

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

@final
class Queue:
    def __init__(self, device: int = 0) -> None: ...
    @property
    def stream(self) -> int: ...
    def take(self, bytes: int) -> int: ...
    def upload(self, target: int, source: npt.NDArray[np.generic]) -> None: ...
    def download(self, target: npt.NDArray[np.generic], source: int) -> None: ...
    def rewind(self) -> None: ...
    def __enter__(self) -> Queue: ...
    def __exit__(self, *args: object) -> None: ...

def available() -> bool: ...
def problem() -> str: ...
def driver() -> DriverInfo: ...
def devices() -> list[DeviceInfo]: ...
def target(capability: str) -> str: ...
def load_kernels(device: int = 0) -> list[str]: ...
def round_trip(data: npt.NDArray[np.uint8], device: int = 0) -> npt.NDArray[np.uint8]: ...
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
) -> tuple[npt.NDArray[np.floating], npt.NDArray[np.float64]]: ...
def imu_grid(
    samples: npt.NDArray[np.float32],
    rate: float,
    gain: Sequence[float],
    offset: Sequence[float],
    *,
    half: bool = False,
    rounds: int = 1,
    device: int = 0,
) -> tuple[npt.NDArray[np.floating], npt.NDArray[np.uint32], npt.NDArray[np.float64]]: ...
