"""Names of devices: ``cpu``, ``cuda``, ``cuda:N``, ``gpu``, ``gpu.N``, ``npu``."""

from __future__ import annotations


def cuda_index(device: str) -> int | None:
    """N of ``cuda:N``, 0 of ``cuda``; None if the device is not a CUDA device."""
    name, _, number = device.partition(":")
    if name != "cuda" or not (number == "" or (is_number(number) and len(number) < 4)):
        return None
    return int(number or 0)


def device_kind(device: str) -> str:
    """A device's name without its number: ``cuda`` of ``cuda:1``, ``gpu`` of ``gpu.1``."""
    if cuda_index(device) is not None:
        return "cuda"
    name, _, number = device.partition(".")
    return name if name == "gpu" and is_number(number) else device


def is_number(text: str) -> bool:
    return text.isascii() and text.isdigit()
