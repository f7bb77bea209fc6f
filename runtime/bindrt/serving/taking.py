"""Items of requests: where they stand there, what they are made of, and how their errors are told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from bindrt.arrays import Array
from bindrt.embeddings import Embeddings
from bindrt.errors import Error, InputError, OptionError
from bindrt.item_options import as_item, check_options
from bindrt.items import Prepared
from bindrt.limits import Limits
from bindrt.modalities import MODALITIES
from bindrt.serving.faults import fault_of, told
from bindrt.sources import open_source
from bindrt.sources.foreign import NamedBytes
from bindrt.sources.numpyfile import read_array

#: Inputs of models are scaled pixels and spectra, or what a sensor measures: none is as large.
LARGEST = 1e6


class Placed(NamedTuple):
    """An item of a request, and where in the request it stands, for its errors: ``input[3]``."""

    place: str
    item: Any


def file_item(modality: str, data: bytes, place: str, options: Mapping[str, str] | None = None) -> Placed:
    """A file of a request, with what is to be known of it, for example its unit.

    Raises:
        OptionError: there is no such option, or it cannot have this value.
    """
    require_modality(modality, place)
    options = options or {}
    check_options(options, modality, place)
    return Placed(place, as_item(modality, data, options))


def ready_item(modality: str, data: bytes, place: str, limits: Limits) -> Placed:
    """A file of NumPy's that is the model's input already: one view, or ``[V, …]`` views of one item.

    Raises:
        SourceError: it is no such file.
        InputError: it has a number that no input has.
    """
    require_modality(modality, place)
    array = read_array(open_source(NamedBytes(data, place), limits), "array", limits)
    require_numbers(array, place)
    return Placed(place, Prepared(array, views=array.ndim > len(MODALITIES[modality].view)))


def require_numbers(array: Array, place: str) -> None:
    """Raises InputError for numbers that no model's input has: of them come vectors that are none.

    Without this an engine would seem to have failed.
    """
    if array.dtype.kind == "f" and array.size:
        low, high = float(array.min()), float(array.max())
        if not -LARGEST <= low <= high <= LARGEST:
            raise InputError(
                place, f"its numbers are {low:g} to {high:g}", "send what bindrt.preprocess returns"
            )


def require_modality(modality: str, place: str) -> None:
    """Raises OptionError unless there is such a modality."""
    if modality not in MODALITIES:
        raise OptionError(place, f"there is no modality {modality[:40]!r}", f"one of {', '.join(MODALITIES)}")


def told_of(found: Embeddings, items: Mapping[str, Sequence[Placed]]) -> dict[str, Any]:
    """Errors and notes of items as JSON can hold them, with their places in the request, if there are any."""
    errors = [told(fault_of(error.at(items[m][i].place))) for (m, i), error in found.errors.items()]
    notes = [{"item": items[m][i].place, **notes} for (m, i), notes in found.notes.items()]
    return {name: value for name, value in (("errors", errors), ("notes", notes)) if value}


def first_error(errors: Mapping[tuple[str, int], Error], items: Mapping[str, Sequence[Placed]]) -> Error:
    """The first error in the order of the request, with its place there."""
    order = {modality: number for number, modality in enumerate(items)}
    (modality, index), error = min(errors.items(), key=lambda each: (order[each[0][0]], each[0][1]))
    place = items[modality][index].place
    more = f"; {len(errors) - 1} more items fail" if len(errors) > 1 else ""
    return type(error)(error.item, error.problem, f"{error.remedy}{more}".removeprefix("; ")).at(place)
