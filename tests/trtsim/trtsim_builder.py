"""What the stand-in for TensorRT builds plans with. A plan is the graph, and beside it what was asked for."""

from __future__ import annotations

import ctypes
import enum
import json
import os
import shutil
import struct
import tempfile
from pathlib import Path
from typing import Any

import onnx

from support.device_calls import driver

MAGIC = b"trtsim"


class ILogger:
    class Severity(enum.Enum):
        INTERNAL_ERROR, ERROR, WARNING, INFO, VERBOSE = range(5)

    def log(self, severity: Severity, message: str) -> None: ...


class NetworkDefinitionCreationFlag(enum.IntEnum):
    STRONGLY_TYPED = 1


class BuilderFlag(enum.Enum):
    TF32 = 0


def capability() -> int:
    number, found = ctypes.c_int(), 0
    for attribute in (75, 76):
        assert driver().cuDeviceGetAttribute(ctypes.byref(number), attribute, 0) == 0
        found = 10 * found + number.value
    return found


class Network:
    model: Any = None


class Profile:
    def __init__(self) -> None:
        self.shapes: dict[str, list[list[int]]] = {}

    def set_shape(self, name: str, low: Any, usual: Any, high: Any) -> None:
        self.shapes[name] = [list(low), list(usual), list(high)]


class TimingCache:
    def __init__(self, content: bytes) -> None:
        self.content = content

    def serialize(self) -> bytes:
        return self.content


class Config:
    def __init__(self) -> None:
        self.tf32 = True
        self.profiles: list[Profile] = []
        self.timing = TimingCache(b"")

    def clear_flag(self, flag: BuilderFlag) -> None:
        self.tf32 = False

    def add_optimization_profile(self, profile: Profile) -> int:
        self.profiles.append(profile)
        return len(self.profiles) - 1

    def create_timing_cache(self, content: bytes) -> TimingCache:
        return TimingCache(content)

    def set_timing_cache(self, cache: TimingCache, ignore_mismatch: bool) -> bool:
        self.timing = cache
        return True

    def get_timing_cache(self) -> TimingCache:
        return self.timing


class OnnxParser:
    num_errors = 0

    def __init__(self, network: Network, logger: ILogger) -> None:
        self.network = network

    def parse_from_file(self, path: str) -> bool:
        with tempfile.TemporaryDirectory() as folder:  # onnx refuses weights that an earlier export has too
            for file in Path(path).parent.iterdir():
                if file.is_file():
                    shutil.copy(file, folder)
            self.network.model = onnx.load(Path(folder) / Path(path).name)
        return True


class Builder:
    def __init__(self, logger: ILogger) -> None:
        self.logger = logger

    def create_network(self, flags: int) -> Network:
        assert flags == 1 << int(NetworkDefinitionCreationFlag.STRONGLY_TYPED)
        return Network()

    def create_builder_config(self) -> Config:
        return Config()

    def create_optimization_profile(self) -> Profile:
        return Profile()

    def build_serialized_network(self, network: Network, config: Config) -> bytes | None:
        if os.environ.get("TRTSIM_ERROR"):  # TensorRT may log an error and give a plan all the same
            self.logger.log(ILogger.Severity.ERROR, os.environ["TRTSIM_ERROR"])
        if os.environ.get("TRTSIM_NO_PLAN"):
            return None
        config.timing.content += b"timed "
        about = {
            "capability": capability(),
            "tf32": config.tf32,
            "profiles": [p.shapes for p in config.profiles],
        }
        head = json.dumps(about).encode()
        return MAGIC + struct.pack("<I", len(head)) + head + network.model.SerializeToString()
