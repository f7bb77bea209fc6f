"""Tensors of a checkpoint file, memory-mapped, without executing anything it holds."""

from __future__ import annotations

import os
import pickle
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Protocol

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from bindrt.errors import CheckpointError
from bindrt_export.checkpoints.layout import Shape, shown
from bindrt_export.checkpoints.pages import MappedPages

FLOATS = (torch.float32, torch.float16, torch.bfloat16)
#: Where a .safetensors file may carry its own licence, and how much of it is kept.
LICENCE_KEY, MAX_LICENCE = "license_text", 20_000
FORMATS = "a .pth/.bin file saved by torch.save, a .safetensors file, or random:SEED"


class Tensors(Protocol):
    """Named tensors that are read one at a time."""

    name: str
    licence: str  # the text that the file carries; empty if none

    def shapes(self) -> dict[str, Shape]: ...

    def read(self, key: str) -> Tensor:
        """The tensor, float32, contiguous; a private copy only where it must be converted."""
        ...


class PthTensors:
    """A state dict saved by ``torch.save``: unpickled with weights only, mapped."""

    def __init__(self, name: str, state: Mapping[str, Tensor]) -> None:
        self.name = name
        self.licence = ""
        self._state = state
        self._pages = MappedPages(name)

    def shapes(self) -> dict[str, Shape]:
        return {key: tuple(tensor.shape) for key, tensor in self._state.items()}

    def read(self, key: str) -> Tensor:
        tensor = self._state[key]
        self._pages.used(tensor.nbytes)
        return as_float32(self.name, key, tensor)


class SafeTensors:
    """A ``.safetensors`` file."""

    def __init__(self, name: str, file: safe_open) -> None:
        self.name = name
        self.licence = (file.metadata() or {}).get(LICENCE_KEY, "")[:MAX_LICENCE]
        self._file = file
        self._pages = MappedPages(name)

    def shapes(self) -> dict[str, Shape]:
        return {key: tuple(self._file.get_slice(key).get_shape()) for key in self._file.keys()}  # noqa: SIM118

    def read(self, key: str) -> Tensor:
        try:
            tensor = self._file.get_tensor(key)
        except (SafetensorError, AttributeError, TypeError, ValueError, RuntimeError) as error:
            # Formats of fewer than eight bits, which this torch may not know.
            raise CheckpointError(
                self.name, f"{key} cannot be read ({first_line(error)})", "fetch it again"
            ) from None
        self._pages.used(tensor.nbytes)
        return as_float32(self.name, key, tensor)


def as_float32(name: str, key: str, tensor: Tensor) -> Tensor:
    if tensor.dtype not in FLOATS:
        raise CheckpointError(
            name, f"{key} has dtype {tensor.dtype}", "weights must be float32, float16 or bfloat16"
        )
    # A negated view is contiguous, and NumPy would refuse it.
    return tensor.detach().resolve_neg().to(torch.float32).contiguous()


@contextmanager
def open_tensors(path: str) -> Iterator[Tensors]:
    """Open a checkpoint file by its content.

    Raises:
        CheckpointError: no such file, not a checkpoint, damaged, or with objects beside tensors.
    """
    with ExitStack() as stack:
        yield open_file(path, stack)


def open_file(path: str, stack: ExitStack) -> Tensors:
    if not os.path.isfile(path):
        problem = "it is not a regular file" if os.path.exists(path) else "no such file"
        raise CheckpointError(path, problem, f"give {FORMATS}")
    if not os.access(path, os.R_OK):
        raise CheckpointError(path, "it cannot be read (Permission denied)", "check its rights")
    if os.path.getsize(path) == 0:
        raise CheckpointError(path, "the file is empty", f"give {FORMATS}")
    if is_zip(path):
        return PthTensors(path, load_pth(path))
    with open(path, "rb") as file:
        head = file.read(9)
    if len(head) == 9 and head[8:9] == b"{":
        try:
            return SafeTensors(path, stack.enter_context(safe_open(path, framework="pt")))
        except (SafetensorError, OSError) as error:
            raise CheckpointError(path, f"a damaged .safetensors file ({error})", "fetch it again") from None
    if head[:1] == b"\x80":
        raise CheckpointError(
            path,
            "a bare pickle or torch's old format, which cannot be mapped",
            "save it again with torch.save(state_dict) of torch 1.6 or later, or as .safetensors",
        )
    raise CheckpointError(path, "not a checkpoint, or a truncated one", f"give {FORMATS}")


def is_zip(path: str) -> bool:
    try:
        return zipfile.is_zipfile(path)
    except zipfile.BadZipFile:  # a damaged archive: the reader will say so
        return True


def load_pth(path: str) -> dict[str, Tensor]:
    try:
        refuse_compressed(path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about kinds of tensors that are refused below
            state = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except pickle.UnpicklingError:
        raise CheckpointError(
            path,
            "it holds pickled objects other than tensors, which could run code; they are never loaded",
            "save only the state dict: torch.save(model.state_dict(), path)",
        ) from None
    except CheckpointError:
        raise
    except Exception as error:  # torch and zipfile raise a dozen kinds for damaged bytes
        raise CheckpointError(path, f"a damaged .pth file ({first_line(error)})", "fetch it again") from None
    if not isinstance(state, dict) or not state:
        raise CheckpointError(
            path, f"it holds a {type(state).__name__}", "it must hold a state dict of tensors"
        )
    for key, tensor in state.items():
        if not isinstance(key, str) or not isinstance(tensor, Tensor):
            raise CheckpointError(
                path, f"entry {shown(key)} is a {type(tensor).__name__}", "every entry must be a tensor"
            )
        check_storage(path, key, tensor)
    return state


def refuse_compressed(path: str) -> None:
    """``torch.save`` compresses nothing, and what is compressed may unpack to any size."""
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            if info.compress_type != zipfile.ZIP_STORED or info.file_size != info.compress_size:
                raise CheckpointError(
                    path, f"its entry {shown(info.filename)} is compressed", "save it again with torch.save"
                )


def check_storage(path: str, key: str, tensor: Tensor) -> None:
    """A view may claim more elements than the file holds; expanding it would take any memory."""
    dense = tensor.layout == torch.strided and not tensor.is_quantized and tensor.device.type == "cpu"
    if not dense or tensor.numel() * tensor.element_size() > tensor.untyped_storage().nbytes():
        raise CheckpointError(path, f"{shown(key)} is not a plain dense tensor", "save plain tensors only")


def first_line(error: BaseException) -> str:
    lines = str(error).splitlines()
    return lines[0][:200] if lines else type(error).__name__
