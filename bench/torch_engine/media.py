"""What is embedded of one model: files, JPEG bytes of three sizes, a video of 1920×1080, other ways."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import bindrt
from bench.torch_engine import measure, usual_way
from bench.torch_engine.engine import TorchEngine
from bench.torch_engine.items import PICTURES, pictures
from bindrt.benchmark import made_inputs

Found = dict[str, Any]
FILM = (1920, 1080)


class Served(NamedTuple):
    """A model whose encoder an engine of ours is.

    Attributes:
        measured: whether rates are measured; else vectors alone are compared.
        seconds: of each measurement.
        tolerance: the largest difference of vectors that is good.
    """

    model: bindrt.Model
    engine: TorchEngine
    measured: bool
    seconds: float
    tolerance: float


def files(served: Served, modality: str, items: Sequence[Any], case: str) -> Found:
    """Vectors beside the module's own, and rates."""

    def work() -> Found:
        found = measure.compare(served.model, served.engine, modality, items)
        found["good"] = max(found["differences"].values()) <= served.tolerance
        if served.measured:
            found |= rates(served, modality, items)
        return found

    return _result(modality, case, work)


def jpegs(served: Served) -> Iterator[Found]:
    """JPEG bytes of each size: rates of the pipeline."""
    yield from _of_sizes(served, lambda given: rates(served, "image", given))


def others(served: Served) -> Iterator[Found]:
    """JPEG bytes of each size by the pipeline, and the usual ways with the same engine.

    Raises:
        ImportError: torchvision is not installed.
    """

    def beside(given: Sequence[bytes]) -> Found:
        measure.settle(served.model, "image", given, served.seconds)
        ours = measure.stream_rate(served.model, "image", given, served.seconds)
        return {"items_per_second": {"stream": ours, **usual_way.rates(served.engine, given, served.seconds)}}

    yield from _of_sizes(served, beside)


def rates(served: Served, modality: str, items: Sequence[Any]) -> Found:
    """Items a second, and how many pictures and videos the device has decoded for them."""
    found = measure.rates(served.model, served.engine, modality, items, served.seconds)
    counts = served.model.stats()[modality]["pipeline"]
    decoded = counts["pictures_decoded_on_device"] + counts["videos_decoded_on_device"]
    return {"items_per_second": found, "decoded on the device": decoded}


def film(folder: Path) -> str:
    """The path of a video of five seconds, made in a folder."""
    path = folder / "film.mp4"
    made_inputs.video(path, 0, *FILM)
    return str(path)


FILM_CASE = "H.264 {}×{}, 5 s".format(*FILM)


def _of_sizes(served: Served, measured: Callable[[list[bytes]], Found]) -> Iterator[Found]:
    for size in PICTURES if served.measured else PICTURES[:1]:
        given = pictures(*size)

        def work(given: list[bytes] = given) -> Found:
            if not served.measured:
                return {"bytes": sum(map(len, given)) // len(given), "not run": "there is no GPU"}
            return measured(given)

        yield _result("image", "JPEG {}×{}".format(*size), work)


def _result(modality: str, case: str, work: Callable[[], Found]) -> Found:
    found: Found = {"modality": modality, "case": case, "good": True}
    try:
        return found | work()
    except (bindrt.Error, RuntimeError) as error:  # torch's are RuntimeErrors
        return found | {"good": False, "error": f"{type(error).__name__}: {error}"[:500]}
