"""Pictures decoded on the GPU by nvImageCodec: levels from Pillow's pixels, and files a second.

The rate is the library's, as the pipeline calls it: groups of files, by one thread and by two at once.
``python -m bench torch`` has files to vectors with decoding on the GPU and on the CPU. Over the simulated
driver, which needs the stand-in of tests/nvimgsim, pixels are compared and nothing is measured.
"""

from __future__ import annotations

import argparse
import io
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import cycle, islice
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
import PIL.Image

from bench.gpu.here import announce_gpu
from bench.paths import RESULTS, SIMULATED, slug
from bindrt import _core
from bindrt.benchmark import synthetic
from bindrt.benchmark.results import write_json
from bindrt.errors import EngineError
from bindrt.pipeline.gpu_pictures import LEAST_PIXELS, PictureDecoder
from bindrt.pipeline.gpu_trials import LOSSY_APART

#: Files as phones of 20 years ago made them, frames of HD video, and 12 megapixels.
SIZES = ((640, 480), (1920, 1080), (4000, 3000))
GROUP = 16


class Way(NamedTuple):
    """How files are packed: a name, the coding, Pillow's options, and the levels that docs/gpu.md allows."""

    name: str
    coding: str
    options: Mapping[str, Any]
    most_apart: int


#: ``subsampling`` is Pillow's number of the colours' samples; 0: as many as pixels.
WAYS = (
    *(
        Way(f"quality {quality}, samples {samples}", "jpeg", {"quality": quality, "subsampling": samples}, 3)
        for quality, samples in ((90, 2), (75, 2), (95, 0), (85, 1))
    ),
    Way("JPEG 2000 without loss", "jpeg2000", {"mct": 1}, 0),
    Way(
        "JPEG 2000 with loss, 10:1",
        "jpeg2000",
        {"mct": 1, "irreversible": True, "quality_layers": [10]},
        LOSSY_APART,
    ),
    Way("TIFF with LZW", "tiff-lzw", {"compression": "tiff_lzw"}, 0),
    Way("TIFF with Deflate", "tiff-deflate", {"compression": "tiff_adobe_deflate"}, 0),
)
_FORMATS = {"jpeg": "JPEG", "jpeg2000": "JPEG2000"}


@lru_cache(maxsize=1)  # it takes seconds to make a large one
def photograph(width: int, height: int) -> PIL.Image.Image:
    return PIL.Image.fromarray(synthetic.photograph(width, height, 1))


def packed(width: int, height: int, way: Way) -> bytes:
    file = io.BytesIO()
    photograph(width, height).save(file, _FORMATS.get(way.coding, "TIFF"), **way.options)
    return file.getvalue()


def levels(decoder: PictureDecoder, file: bytes, size: tuple[int, int]) -> dict[str, float]:
    """The largest and the mean difference from Pillow's pixels.

    Raises:
        RuntimeError: the library refuses the file.
    """
    with PIL.Image.open(io.BytesIO(file)) as picture:
        want = np.asarray(picture)
    got = np.empty_like(want)
    with _core.gpu.Queue() as queue:
        pictures = decoder([file], [size], queue.stream)
        if pictures[0] is None or not pictures[0].address:
            raise RuntimeError("nvImageCodec refuses the file")
        queue.download(got, pictures[0].address)
        pictures.clear()  # freed on the queue's stream
    apart = np.abs(got.astype(np.int16) - want)
    return {"largest": float(apart.max()), "mean": float(apart.mean())}


def rate(decoder: PictureDecoder, file: bytes, size: tuple[int, int], threads: int, seconds: float) -> float:
    """Files a second of groups, each waited for."""
    given = list(islice(cycle([file]), GROUP))
    done = [0] * threads
    end = perf_counter() + seconds

    def run(number: int) -> None:
        with _core.gpu.Queue() as queue:
            while not done[number] or perf_counter() < end:
                pictures = decoder(given, [size] * GROUP, queue.stream)
                queue.wait()
                done[number] += sum(picture is not None for picture in pictures)
                pictures.clear()

    run(0)
    done[0] = 0
    begin = perf_counter()
    end = begin + seconds
    running = [threading.Thread(target=run, args=(number,)) for number in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    return sum(done) / (perf_counter() - begin)


def measure(
    decoder: PictureDecoder, sizes: Sequence[tuple[int, int]], seconds: float
) -> Iterator[dict[str, Any]]:
    """A result for each file that the library decodes; ``files_per_second`` only where seconds are given."""
    for size in sizes:
        for way in WAYS:
            if way.coding not in decoder.codings:
                continue
            file = packed(*size, way)
            found: dict[str, Any] = {"size": size, "bytes": len(file), "way": way.name}
            found |= {"levels": levels(decoder, file, size), "most_apart": way.most_apart}
            if seconds:
                found["files_per_second"] = {
                    f"{threads} at once": rate(decoder, file, size, threads, seconds) for threads in (1, 2)
                }
            yield found


def main(arguments: Sequence[str]) -> int:
    """Exit status 0: all are as near as docs/gpu.md says; 1: some are not; 2: no GPU, or no library."""
    parser = argparse.ArgumentParser(prog="python -m bench gpu-decode", description=__doc__)
    parser.add_argument("--seconds", type=float, default=2.0, help="of each measurement")
    parser.add_argument(
        "--json", type=Path, metavar="OUT", help="default: bench/results/decode-<device>.json"
    )
    args = parser.parse_args(arguments)
    if (here := announce_gpu()) is None:
        return 2
    name, simulated = here
    try:
        decoder = PictureDecoder(0)
    except EngineError as error:
        print(error, file=sys.stderr)
        return 2
    results = []
    for found in measure(decoder, SIZES[:1] if simulated else SIZES, 0 if simulated else args.seconds):
        results.append(found)
        rates = "".join(f"  {n}: {value:.0f}/s" for n, value in found.get("files_per_second", {}).items())
        about = "{0[0]}×{0[1]} {1}".format(found["size"], found["way"])
        apart = found["levels"]
        print(
            f"{about:<36} at most {apart['largest']:.0f} levels, mean {apart['mean']:.4f}{rates}", flush=True
        )
    out = args.json or (SIMULATED if simulated else RESULTS) / f"decode-{slug(name)}.json"
    out.parent.mkdir(parents=True, exist_ok=True)
    write_json(out, {"device": name, "simulated": simulated, "results": results})
    left = sorted(set(LEAST_PIXELS) - decoder.codings)
    if left:
        print(f"not decoded there: {', '.join(left)}")
    return int(any(found["levels"]["largest"] > found["most_apart"] for found in results))
