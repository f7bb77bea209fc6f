"""What a request to a Python model holds, and what is answered."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from functools import lru_cache
from importlib import import_module
from typing import Any

from bindrt.arrays import Array
from bindrt.errors import (
    ClosedError,
    DeadlineExceeded,
    Error,
    InputError,
    MemoryBudgetExceeded,
    OptionError,
    Overloaded,
)
from bindrt.items import ARRAYS_ONLY, Prepared
from bindrt.modalities import MODALITIES

#: The inputs and outputs of a model that embeds.
DATA, TENSOR, EMBEDDING = "data", "tensor", "embedding"
#: Errors that pass: the same request may succeed later.
_LATER = (Overloaded, ClosedError, MemoryBudgetExceeded, DeadlineExceeded)


@lru_cache(maxsize=1)
def backend_utils() -> Any:
    """Triton's module for Python models, which is there in the backend's processes only."""
    return import_module("triton_python_backend_utils")


def array_of(request: Any, name: str) -> Array | None:
    """An input of a request; None where it is not given."""
    tensor = backend_utils().get_input_tensor_by_name(request, name)
    return None if tensor is None else tensor.as_numpy()


def options_of(request: Any) -> dict[str, Any]:
    """The parameters of a request that the model reads itself.

    Raises:
        InputError: they are no JSON object.
    """
    text = request.parameters()
    if not text:
        return {}
    found = json.loads(text)
    if not isinstance(found, dict):
        raise InputError("parameters", "not an object", "give names with values")
    return found


def items_of(request: Any, modality: str, options: Mapping[str, Any]) -> list[object]:
    """The items of a request, each with the request's options.

    Args:
        options: fields of the modality's wrapper, for example ``unit`` for depth.

    Raises:
        InputError: there are no items, a text is not UTF-8, or both inputs are given.
        OptionError: the modality has no such option.
    """
    data, tensor = array_of(request, DATA), array_of(request, TENSOR)
    if (data is None) == (tensor is None):
        found = "neither" if data is None else "both"
        raise InputError(
            modality,
            f"{found} of {DATA} and {TENSOR} given",
            f"give files as {DATA}, or ready input as {TENSOR}",
        )
    if tensor is not None:
        _require_options(modality, options, ())
        return list(Prepared.batch(tensor.copy()))  # Triton's memory is another request's later
    assert data is not None
    wrapper = MODALITIES[modality].wrapper
    given = data.reshape(-1).tolist()
    if not given:
        raise InputError(modality, "no items", f"give at least one file or text as {DATA}")
    if wrapper is None:
        _require_options(modality, options, ())
        return [_text(item, i) for i, item in enumerate(given)]
    _require_options(
        modality, options, [f.name for f in fields(wrapper)[1:] if ARRAYS_ONLY not in f.metadata]
    )
    return [wrapper(item, **options) for item in given] if options else given


def _text(item: bytes, index: int) -> str:
    try:
        return item.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"text[{index}]", f"not UTF-8 ({error.reason})", "encode texts as UTF-8") from None


def _require_options(modality: str, options: Mapping[str, Any], known: Any) -> None:
    for name in options:
        if name not in known:
            has = ", ".join(["normalize", *known])
            raise OptionError(f"parameter {name!r}", f"{modality} has none here", f"it has {has}")


def vectors(rows: Array, name: str = EMBEDDING) -> Any:
    """The response with one output."""
    pb = backend_utils()
    return pb.InferenceResponse(output_tensors=[pb.Tensor(name, rows)])


def failed(error: BaseException) -> Any:
    """The response of a request that failed: the error's text, with the code that Triton has for its kind."""
    pb = backend_utils()
    if isinstance(error, (InputError, OptionError)):
        code = pb.TritonError.INVALID_ARG
    elif isinstance(error, _LATER):
        code = pb.TritonError.UNAVAILABLE
    else:
        code = pb.TritonError.INTERNAL
    text = str(error) if isinstance(error, Error) else f"{type(error).__name__} in bindrt"
    return pb.InferenceResponse(output_tensors=[], error=pb.TritonError(text, code))


def cancelled() -> Any:
    """The response of a request whose client is gone."""
    pb = backend_utils()
    return pb.InferenceResponse(
        output_tensors=[], error=pb.TritonError("cancelled", pb.TritonError.CANCELLED)
    )
