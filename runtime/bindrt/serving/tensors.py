"""Tensors of the Open Inference Protocol, which REST and gRPC share: one model a modality.

A model takes ``data``, files or texts as BYTES, or ``tensor``, what :mod:`bindrt.preprocess` returns. Its
answer is ``embedding``.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NoReturn, Union

import numpy as np

from bindrt.arrays import Array
from bindrt.embeddings import Vectors
from bindrt.errors import InputError, LimitError, OptionError
from bindrt.item_options import check_options
from bindrt.items import Prepared
from bindrt.modalities import MODALITIES
from bindrt.serving.faults import Fault
from bindrt.serving.media import file_in_base64, file_in_uri
from bindrt.serving.service import Served, Service
from bindrt.serving.taking import Placed, file_item, require_numbers
from bindrt.sources.locations import is_data

DATA, TENSOR, EMBEDDING, VERSION = "data", "tensor", "embedding", "1"
_TYPES: dict[str, np.dtype[Any]] = {"FP32": np.dtype("<f4"), "INT64": np.dtype("<i8")}
#: A shape has at most so many numbers, each of at most so much: their product is found at once.
MOST_DIMS, _LARGEST_DIM = 8, 2**31
#: Bytes of JSON, or numbers as Python's objects, that are read beside the event loop: they take milliseconds.
LONG = 1 << 18
#: Parameters of a request that are no options of its items.
_OWN = (
    "normalize",
    "priority",
    "timeout",
    "binary_data_output",
    "sequence_id",
    "sequence_start",
    "sequence_end",
)


@dataclass
class Tensor:
    """A tensor of a request.

    Attributes:
        elements: its numbers or texts, flat or as nested lists; or its bytes, little-endian: each element
            of BYTES has its length in four bytes before it.
    """

    name: str
    datatype: str
    shape: list[int]
    elements: Union[bytes, Sequence[Any]]


@dataclass(frozen=True)
class ModalityModel:
    """A modality of a bundle, as a model of this protocol."""

    name: str
    served: Served
    modality: str

    @property
    def tensor_type(self) -> str:
        return "INT64" if MODALITIES[self.modality].tokens is not None else "FP32"

    def about(self) -> dict[str, Any]:
        """Its metadata."""
        view = MODALITIES[self.modality]
        views = [-1] if view.views > 1 else []
        return {
            "name": self.name,
            "versions": [VERSION],
            "platform": "bindrt",
            "inputs": [
                {"name": DATA, "datatype": "BYTES", "shape": [-1]},
                {"name": TENSOR, "datatype": self.tensor_type, "shape": [-1, *views, *view.view]},
            ],
            "outputs": [{"name": EMBEDDING, "datatype": "FP32", "shape": [-1, self.served.model.embed_dim]}],
        }


def model_named(service: Service, name: str, version: str = "") -> ModalityModel:
    """The model of a name: ``image`` of the first bundle, or ``NAME.image``.

    Raises:
        Fault: there is none, or not this version of it.
    """
    bundle, _, modality = name.rpartition(".")
    served = service.models.get(bundle) if bundle else next(iter(service.models.values()))
    if served is None or modality not in served.model.modalities or version not in ("", VERSION):
        known = ", ".join(next(iter(service.models.values())).model.modalities)
        raise Fault(
            404, f"model {f'{name} {version}'.strip()[:80]!r}: there is none; there are {known}", "NoModel"
        )
    return ModalityModel(name, served, modality)


def items_in(tensors: Sequence[Tensor]) -> int:
    """The items of a request as its first shape tells, for the log; 0 where it tells none that can be."""
    said = tensors[0].shape[:1] if tensors else []
    return said[0] if said and type(said[0]) is int and 0 <= said[0] <= _LARGEST_DIM else 0


async def infer(
    service: Service,
    model: ModalityModel,
    tensors: Sequence[Tensor],
    parameters: Mapping[str, Any],
    when: Mapping[str, Any],
) -> Vectors:
    """The vectors ``[N, D]`` of a request's items.

    Args:
        parameters: ``normalize``, and options of the items.
        when: its ``priority`` and ``deadline``, if there are any.

    Raises:
        Error: a tensor, a parameter or an item is bad.
    """
    start = time.perf_counter()
    read = partial(_items, service, model, tensors, parameters)
    items = await service.aside(read) if any(map(_is_long, tensors)) else read()
    if "deadline" in when:
        when = {**when, "deadline": when["deadline"] - (time.perf_counter() - start)}
    normalize = parameters.get("normalize", True)
    if not isinstance(normalize, bool):
        raise OptionError("normalize", "it is not true or false", "leave it out for true")
    found = await service.embed_items(model.served, {model.modality: items}, when, normalize)
    return found[model.modality]


def _is_long(tensor: Tensor) -> bool:
    return not isinstance(tensor.elements, bytes) and math.prod(tensor.shape[: MOST_DIMS + 1]) > LONG


def _items(
    service: Service, model: ModalityModel, tensors: Sequence[Tensor], parameters: Mapping[str, Any]
) -> list[Placed]:
    if len(tensors) != 1 or tensors[0].name not in (DATA, TENSOR):
        names = ", ".join(tensor.name[:40] for tensor in tensors[:4]) or "none"
        raise InputError("inputs", f"there are {names}", f"send one: {DATA} or {TENSOR}")
    (tensor,) = tensors
    options = {name: _text(value) for name, value in parameters.items() if name not in _OWN}
    if tensor.name == TENSOR:
        if options:
            raise OptionError(next(iter(options)), "input that is ready has no options", f"send {DATA}")
        return _ready(service, model, tensor)
    check_options(options, model.modality, "parameters")
    return _files(service, model, tensor, options)


def _files(
    service: Service, model: ModalityModel, tensor: Tensor, options: Mapping[str, str]
) -> list[Placed]:
    count = _count(service, tensor, "BYTES")
    given = _split(tensor.elements, count) if isinstance(tensor.elements, bytes) else flat(tensor, count)
    if len(given) != count:
        has = f"more than {count}" if len(given) > count else len(given)
        raise InputError(DATA, f"it has {has} elements, its shape says {count}", "make them agree")
    items = []
    for index, element in enumerate(given):
        place = f"{DATA}[{index}]"
        if MODALITIES[model.modality].tokens is not None:
            items.append(service.text(_decoded(element, place), place))
        else:
            data = element if isinstance(element, bytes) else _file(service, element, place)
            items.append(file_item(model.modality, data, place, options))
    return items


def _ready(service: Service, model: ModalityModel, tensor: Tensor) -> list[Placed]:
    """Items that are the model's input: a view each, or ``[V, …]`` views."""
    view = MODALITIES[model.modality].view
    count = _count(service, tensor, model.tensor_type)
    shape = tensor.shape
    if tuple(shape[-len(view) :]) != view or len(shape) - len(view) not in (1, 2):
        wanted = ", ".join(map(str, view))
        raise InputError(TENSOR, f"its shape is {shape[:8]}", f"it is [N, {wanted}] or [N, V, {wanted}]")
    array = _array(tensor, count, _TYPES[model.tensor_type]).reshape(shape)
    for index, one in enumerate(array):
        require_numbers(one, f"{TENSOR}[{index}]")
    has_views = array.ndim > len(view) + 1
    return [Placed(f"{TENSOR}[{i}]", Prepared(one, views=has_views)) for i, one in enumerate(array)]


def _count(service: Service, tensor: Tensor, datatype: str) -> int:
    """The elements that a tensor's shape says, which are checked before anything is made of them."""
    shape, most = tensor.shape, service.options.max_items
    if tensor.datatype != datatype:
        raise InputError(tensor.name, f"its datatype is {tensor.datatype[:20]!r}", f"it is {datatype}")
    if len(shape) > MOST_DIMS:
        raise InputError(
            tensor.name, f"its shape has more than {MOST_DIMS} numbers", "send the number of items first"
        )
    if not shape or any(type(n) is not int or not 0 <= n <= _LARGEST_DIM for n in shape):
        raise InputError(tensor.name, "its shape is none", "send the number of items first")
    count = math.prod(shape)
    items = count if tensor.name == DATA else shape[0]
    if items > most:
        raise LimitError(tensor.name, f"it has {items} items, {most} are the most", "send several")
    return count


def _array(tensor: Tensor, count: int, dtype: np.dtype[Any]) -> Array:
    if isinstance(tensor.elements, bytes):
        size = count * dtype.itemsize
        if len(tensor.elements) != size:
            raise InputError(
                tensor.name, f"it has {len(tensor.elements)} bytes, its shape needs {size}", "make them agree"
            )
        return np.frombuffer(tensor.elements, dtype)
    given = flat(tensor, count)
    if len(given) != count or not all(type(value) in (int, float) for value in given):
        raise InputError(
            tensor.name, f"its data are not the {count} numbers that its shape needs", "make them agree"
        )
    try:
        return np.array(given, dtype)
    except OverflowError:
        raise InputError(tensor.name, "a number is too large", f"numbers are {tensor.datatype}") from None


def _split(raw: bytes, count: int) -> list[bytes]:
    """The elements of a tensor of BYTES."""
    found: list[bytes] = []
    at = 0
    while at < len(raw) and len(found) <= count:
        size = int.from_bytes(raw[at : at + 4], "little")
        at += 4 + size
        if at > len(raw):
            raise InputError(f"{DATA}[{len(found)}]", "it ends too early", "each has its length before it")
        found.append(raw[at - size : at])
    return found


def flat(tensor: Tensor, count: int) -> list[Any]:
    """The elements of a tensor's lists in their order, one more than ``count`` at most.

    Raises:
        InputError: the lists are nested deeper than the shape.
    """
    found: list[Any] = []
    inside = [iter(tensor.elements)]
    while inside and len(found) <= count:
        for element in inside[-1]:
            if isinstance(element, list):
                if len(inside) == len(tensor.shape):
                    raise InputError(
                        tensor.name, "its lists are deeper than its shape", "nest them as it, or not at all"
                    )
                inside.append(iter(element))
                break
            found.append(element)
            if len(found) > count:
                break
        else:
            inside.pop()
    return found


def _decoded(element: Any, place: str) -> str:
    if isinstance(element, str):
        return element
    try:
        return element.decode("utf-8") if isinstance(element, bytes) else _refuse(place)
    except UnicodeDecodeError:
        return _refuse(place)


def _refuse(place: str) -> NoReturn:
    raise InputError(place, "it is no text in UTF-8", "encode texts as UTF-8")


def _file(service: Service, element: Any, place: str) -> bytes:
    """A file in a text of JSON."""
    if not isinstance(element, str):
        raise InputError(place, "it is no text", "send the file as base64, or as binary data")
    take = file_in_uri if is_data(element) else file_in_base64
    return take(element, place, service.limits)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)[:1000]
