from collections.abc import Sequence
from typing import TypedDict, type_check_only

import numpy as np
import numpy.typing as npt

@type_check_only
class BuildInfo(TypedDict):
    version: str
    compiler: str
    cxx_standard: int
    build_type: str
    cpu_features: dict[str, bool]
    cuda: bool

def build_info() -> BuildInfo: ...
def cpu_level() -> str: ...
def limit_cpu_level(name: str) -> str: ...
def pool_views(
    views: npt.NDArray[np.float32],
    counts: Sequence[int] | npt.NDArray[np.integer],
    weights: npt.NDArray[np.float32] | None = None,
    normalize: bool = True,
    out: npt.NDArray[np.float32] | None = None,
) -> npt.NDArray[np.float32]: ...
