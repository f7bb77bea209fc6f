from collections.abc import Callable, Mapping, Sequence
from enum import IntEnum
from typing import Any, Literal, NoReturn, TypedDict, final, overload, type_check_only

import numpy as np
import numpy.typing as npt

from bindrt._core import gpu as gpu

@type_check_only
class GpuKernels(TypedDict):
    compiler: str
    targets: list[str]
    bytes: int
    kernels: list[str]

@type_check_only
class BuildInfo(TypedDict):
    version: str
    compiler: str
    cxx_standard: int
    build_type: str
    cpu_features: dict[str, bool]
    cuda: bool
    gpu_kernels: GpuKernels | None

@type_check_only
class ImuTimeReport(TypedDict):
    not_finite: int
    unordered: int
    last: float
    gap: int
    gap_seconds: float
    used: int

@final
class JpegReader:
    def __init__(self, module_path: str) -> None: ...
    def serve(self) -> None: ...
    def input(
        self,
        data: bytes,
        max_pixels: int,
        half: bool = False,
        out: npt.NDArray[np.float32] | npt.NDArray[np.float16] | None = None,
    ) -> npt.NDArray[Any] | None: ...

@final
class PngReader:
    def __init__(self, module_path: str) -> None: ...
    def serve(self) -> None: ...
    def input(
        self,
        data: bytes,
        max_pixels: int,
        half: bool = False,
        out: npt.NDArray[np.float32] | npt.NDArray[np.float16] | None = None,
    ) -> npt.NDArray[Any] | None: ...
    def grey(self, data: bytes, max_pixels: int) -> npt.NDArray[np.uint8] | npt.NDArray[np.uint16] | None: ...

@final
class Tokenizer:
    def __init__(
        self,
        inside: npt.NDArray[np.int32],
        at_end: npt.NDArray[np.int32],
        merges: npt.NDArray[np.int32],
        first: int,
        start: int,
        end: int,
    ) -> None: ...
    def encode(self, text: object, length: int) -> npt.NDArray[np.int64] | None: ...
    def encode_all(
        self, texts: list[Any], length: int, words: Words | None = None
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], dict[int, str]]: ...

@final
class Words:
    def __init__(self, known: npt.NDArray[np.bool_], texts: list[str]) -> None: ...
    def unknown(self, ids: npt.NDArray[np.int64]) -> str: ...

def use_libsndfile(path: str) -> bool: ...
def use_libavcodec(path: str) -> bool: ...
def use_ffmpeg(path: str) -> bool: ...
def keep_conversion(
    name: str,
    width: int,
    height: int,
    colorspace: int,
    color_range: int,
    color_trc: int,
    color_primaries: int,
    layout: str,
    standard: str,
    full: bool,
) -> None: ...
def conversion_size(size: int) -> int: ...
def decoder_threads(usable: int) -> int: ...

@final
class OrdinaryTrack:
    def __init__(self, *args: NoReturn, **kwargs: NoReturn) -> None: ...  # made by open alone
    @staticmethod
    def open(path: bytes, stream: int, rate: int, max_packets: int) -> OrdinaryTrack | None: ...
    def read(self, least: int) -> npt.NDArray[np.float32]: ...
    @property
    def has_more(self) -> bool: ...
    @property
    def is_whole(self) -> bool: ...

@final
class RunningVideo:
    def __init__(self) -> None: ...
    def __enter__(self) -> None: ...
    def __exit__(self, *error: object) -> None: ...

@type_check_only
class NativeAttention(TypedDict):
    name: str
    available: bool
    chosen: bool
    wrong: bool

@type_check_only
class NativeKernel(NativeAttention):
    numbers: str

@final
class NativeEncoder:
    def __init__(
        self,
        config: dict[str, Any],
        files: Sequence[str],
        tensors: Sequence[tuple[str, str, Sequence[int], int | None, int | bytes]],
        numbers: str,
        store: str,
        key: str,
        threads: int,
    ) -> None: ...
    def run(
        self, inputs: npt.NDArray[np.generic], out: npt.NDArray[np.float32], priority: int = 0
    ) -> None: ...
    @property
    def out(self) -> int: ...
    @property
    def found(self) -> bool: ...
    @property
    def packed_bytes(self) -> int: ...
    @property
    def problem(self) -> str: ...

def native_kernels() -> list[NativeKernel]: ...
def limit_native_kernel(numbers: str, name: str) -> None: ...
def native_attention() -> list[NativeAttention]: ...
def limit_native_attention(name: str) -> None: ...
def native_product(
    numbers: str,
    inputs: int,
    outputs: int,
    rows: int,
    weights: int = 1,
    threads: int = 1,
    repeats: int = 5,
) -> float: ...
def native_threads() -> int: ...
def usable_cores(root: str = "") -> float: ...
def usable_threads(root: str = "") -> int: ...
def physical_cores(root: str = "") -> int: ...
def limit_cores(most: float) -> None: ...
def start_native_threads() -> None: ...

class ForkedError(RuntimeError): ...

@final
class Workers:
    def __init__(self, threads: int) -> None: ...
    def lend(self, cores: int) -> None: ...
    def take_back(self, cores: int) -> None: ...

class Outcome(IntEnum):
    __pybind11_native_enum__: Any  # pybind11 marks its enums so
    DONE = 0
    FAILED = 1
    CANCELLED = 2
    EXPIRED = 3
    CLOSED = 4

@final
class PipelineRequest:
    def __init__(self, *args: NoReturn, **kwargs: NoReturn) -> None: ...  # made by Pipeline.submit alone
    def cancel(self) -> None: ...
    def is_running(self) -> bool: ...
    def wait(self, seconds: float) -> bool: ...

@final
class ItemRows:
    def __init__(self, *args: NoReturn, **kwargs: NoReturn) -> None: ...  # made by the pipeline alone
    def reserve(self, rows: int, length: int = 0) -> npt.NDArray[Any]: ...
    def borrow(self, rows: npt.NDArray[Any]) -> None: ...
    def count_copied(self, rows: int) -> None: ...
    def weigh(self, weights: Sequence[float]) -> None: ...
    @property
    def left(self) -> bool: ...
    @property
    def refused(self) -> str: ...
    def note(self, notes: Mapping[str, Any]) -> None: ...
    def is_wanted(self) -> bool: ...

@final
class OrdinaryPreparer:
    def __init__(
        self,
        modality: str,
        view: Sequence[int],
        wrapper: type,
        source: str,
        fields: dict[str, Any],
        views: int,
        bare_arrays: bool,
        named_bytes: type,
    ) -> None: ...
    def prepare(
        self, item: object, limits: object, reserve: Callable[[int], npt.NDArray[Any]] | None = None
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64] | None, dict[str, Any]] | None: ...

def ordinary_modalities() -> list[str]: ...
def item_numbers() -> dict[str, dict[str, Any]]: ...
def mean_acceleration(input: npt.NDArray[np.float32]) -> float: ...

@final
class Bulk:
    def __init__(
        self, items: list[Any], rows: npt.NDArray[np.float32], target: gpu.DeviceArray | None = None
    ) -> None: ...
    def open(self) -> int: ...
    def cancel_after(self, index: int) -> None: ...
    def wait(self, seconds: float, most: int) -> bool: ...
    def call_when(self, most: int, wake: Callable[[], object]) -> bool: ...
    def take_ended(self) -> list[tuple[int, Outcome, Any]]: ...
    def take_notes(self) -> dict[int, Mapping[str, Any]]: ...
    def stages(self) -> tuple[tuple[int, int], tuple[int, int]] | None: ...

@final
class BulkOptions:
    def __init__(
        self, lane: int, priority: int, caller: int, deadline: float | None, normalize: bool, here: bool
    ) -> None: ...

@final
class Pipeline:
    def __init__(
        self,
        lanes: list[dict[str, Any]],
        prepare: Callable[[int, Any, ItemRows], object],
        run: Callable[[int, npt.NDArray[Any], npt.NDArray[np.float32]], object],
        deliver: Callable[[list[Any]], object],
        workers: Workers,
        gpu: dict[str, Any] | None = None,
    ) -> None: ...
    def submit(
        self,
        future: object,
        lane: int,
        item: object,
        ready: npt.NDArray[Any] | None = None,
        priority: int = 0,
        caller: int = 0,
        deadline: float | None = None,
        normalize: bool = True,
    ) -> bool: ...
    def submit_text(
        self,
        future: object,
        lane: int,
        item: object,
        priority: int,
        caller: int,
        deadline: float | None,
        normalize: bool,
    ) -> bool | None: ...
    def submit_many(
        self,
        futures: Sequence[object],
        lane: int,
        items: Sequence[object],
        ids: npt.NDArray[np.int64] | None,
        counts: npt.NDArray[np.int64] | None,
        priority: int,
        caller: int,
        deadline: float | None,
        normalize: bool,
    ) -> int: ...
    def submit_items(
        self,
        bulk: Bulk,
        first: int,
        count: int,
        options: BulkOptions,
        ids: npt.NDArray[np.int64] | None = None,
        lengths: npt.NDArray[np.int64] | None = None,
    ) -> int: ...
    def submit_ids(
        self,
        bulk: Bulk,
        ids: npt.NDArray[np.int64],
        rows: npt.NDArray[np.int64],
        length: int,
        indexes: npt.NDArray[np.int64],
        counts: npt.NDArray[np.int64],
        options: BulkOptions,
    ) -> None: ...
    def wait_for_room(self, lane: int, seconds: float) -> bool: ...
    def begin_close(self, drain: bool) -> None: ...
    def wait_delivered(self, seconds: float) -> bool: ...
    def close(self, drain: bool) -> None: ...
    def snapshot(self, lane: int) -> dict[str, Any]: ...
    def below_powers(self, lane: int, least: int, most: int) -> dict[str, list[int]]: ...
    def engine_seconds(self) -> float: ...
    def start_trace(self, spans: int, origin: int) -> None: ...
    def stop_trace(self) -> tuple[str, int]: ...

@final
class Arrays:
    def __init__(self, most_bytes: int) -> None: ...
    def make(self, shape: Sequence[int]) -> npt.NDArray[np.float32]: ...

@final
class MelPlan:
    def __init__(
        self,
        first: int,
        count: int,
        shared: Sequence[tuple[int, int]],
        own: Sequence[tuple[int, int]],
    ) -> None: ...

@final
class MelStore:
    def __init__(self, orig: int, target: int, phase: int, add: float, times: float) -> None: ...
    def start_at(self, frame: int) -> None: ...
    def fill(
        self,
        out: npt.NDArray[np.float32],
        signal: npt.NDArray[Any],
        begin: int,
        part: tuple[int, int],
        frame: int,
        plan: MelPlan,
        steps: Sequence[tuple[int, float]] = (),
    ) -> None: ...
    @property
    def computed(self) -> int: ...

@final
class Inbox:
    def __init__(
        self,
        kind: Literal["blocks", "frames", "samples"],
        made: Callable[..., Any],
        rate: float = 0.0,
        keep: Literal["newest", "recent", "all"] = "recent",
        most_bytes: int = ...,
    ) -> None: ...
    def expect(self, like: npt.NDArray[Any]) -> None: ...
    def push(self, data: Any, time: Any) -> int: ...
    def put(self, piece: Any, bytes: int, seconds: float) -> bool: ...
    def put_back(self, piece: Any, bytes: int, seconds: float) -> None: ...
    def take(self) -> Any: ...
    def grow(self, newest: float) -> float: ...
    def has_room(self, bytes: int) -> bool: ...
    def close(self) -> None: ...
    def set_due(self, due: float) -> None: ...
    def __len__(self) -> int: ...
    @property
    def seconds(self) -> float: ...
    @property
    def pushed(self) -> int: ...
    @property
    def dropped(self) -> int: ...

def build_info() -> BuildInfo: ...
def constants() -> dict[str, dict[str, Any]]: ...
def cpu_level() -> str: ...
def limit_cpu_level(name: str) -> str: ...
def json_rows(rows: npt.NDArray[np.float32]) -> list[bytes]: ...
def owned(array: npt.NDArray[Any]) -> npt.NDArray[Any]: ...
def arrow_pixels(capsule: object, height: int, width: int) -> npt.NDArray[np.uint8]: ...
def image_input(
    pixels: npt.NDArray[np.uint8],
    layout: str = "RGB",
    half: bool = False,
    threads: int = 1,
    out: npt.NDArray[np.float32] | npt.NDArray[np.float16] | None = None,
) -> npt.NDArray[Any]: ...
def resize_u8(
    pixels: npt.NDArray[np.uint8], layout: str = "RGB", side: int = 224, threads: int = 1
) -> npt.NDArray[np.uint8]: ...
def log_mel(
    samples: npt.NDArray[np.float32],
    *,
    columns: int | None = None,
    add: float = 0.0,
    times: float = 1.0,
    half: bool = False,
    out: npt.NDArray[np.floating] | None = None,
    threads: int = 1,
) -> npt.NDArray[np.floating]: ...
def mel_clips(
    samples: npt.NDArray[np.float32],
    ranges: Sequence[tuple[int, int]],
    means: Sequence[float],
    *,
    half: bool = False,
    out: npt.NDArray[np.floating] | None = None,
    threads: int = 1,
) -> npt.NDArray[np.floating]: ...
def mel_steps(ranges: Sequence[tuple[int, int]], means: Sequence[float]) -> list[list[tuple[int, float]]]: ...
def needs_means(ranges: Sequence[tuple[int, int]]) -> list[bool]: ...
def peak(samples: npt.NDArray[np.float32 | np.int16 | np.int32]) -> float: ...
def pool_views(
    views: npt.NDArray[np.float32],
    counts: Sequence[int] | npt.NDArray[np.integer],
    weights: npt.NDArray[np.float32] | None = None,
    normalize: bool = True,
    out: npt.NDArray[np.float32] | None = None,
    scale: float = 1.0,
) -> npt.NDArray[np.float32]: ...
def vector_problems(rows: npt.NDArray[np.float32], normalized: bool) -> list[tuple[int, str]]: ...
def check_imu_times(times: float | npt.NDArray[np.number], count: int, max_gap: float) -> ImuTimeReport: ...
def imu_grid(
    samples: npt.NDArray[np.floating],
    times: float | npt.NDArray[np.number],
    gain: Sequence[float],
    offset: Sequence[float],
    half: bool = False,
    out: npt.NDArray[np.floating] | None = None,
) -> tuple[npt.NDArray[np.floating], int]: ...
def resample(
    samples: npt.NDArray[np.float32 | np.int16 | np.int32],
    orig: int,
    target: int,
    *,
    channel: int | None = None,
    start: int = 0,
    stop: int | None = None,
    begin: int = 0,
    out: npt.NDArray[np.float32] | None = None,
    threads: int = 1,
) -> npt.NDArray[np.float32]: ...
def resample_sum(
    samples: npt.NDArray[np.float32 | np.int16 | np.int32],
    orig: int,
    target: int,
    channel: int,
    start: int,
    stop: int,
    begin: int = 0,
) -> float: ...
def count_not_finite(map: npt.NDArray[np.number], threads: int = 1) -> int: ...
def map_percentiles(map: npt.NDArray[np.number], low: float, high: float) -> tuple[float, float]: ...
def thermal_square(
    frame: npt.NDArray[np.number],
    low: float | None = None,
    high: float | None = None,
    half: bool = False,
    threads: int = 1,
    out: npt.NDArray[np.floating] | None = None,
) -> npt.NDArray[np.floating]: ...
def depth_square(
    map: npt.NDArray[np.number],
    unit: str,
    focal: float,
    baseline: float,
    depth_scale: float,
    missing_near: bool = False,
    half: bool = False,
    threads: int = 1,
    out: npt.NDArray[np.floating] | None = None,
) -> tuple[npt.NDArray[np.floating], int]: ...

@final
class Picture:
    @overload
    def __init__(self, array: npt.NDArray[np.uint8]) -> None: ...
    @overload
    def __init__(
        self,
        format: str,
        width: int,
        height: int,
        planes: Sequence[Any],
        line_sizes: Sequence[int],
        standard: str = "bt601",
        full_range: bool = False,
    ) -> None: ...

def picture_to_rgb(picture: Picture, threads: int = 1) -> npt.NDArray[np.uint8]: ...
def video_crops(
    picture: Picture,
    out: npt.NDArray[np.float32] | npt.NDArray[np.float16],
    places: Sequence[tuple[int, int, int]],
    quarter_turns: int = 0,
    threads: int = 1,
) -> None: ...
def video_crop_offsets(width: int, height: int) -> list[int]: ...
