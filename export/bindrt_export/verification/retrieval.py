"""What a precision costs in retrieval: files that belong together must still find each other.

``--pairs DIR`` has a folder for each modality, as ``--calibration`` has. Files whose names are the same up
to the first dot belong together: ``DIR/image/1.jpg``, ``DIR/audio/1.wav``, ``DIR/text/1.txt`` (one text).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

import bindrt
from bindrt.engines import ENGINES
from bindrt.errors import Error, ExportError, OptionError
from bindrt.modalities import MODALITIES
from bindrt_export.request import ENGINE, PRECISION
from bindrt_export.verification.folders import files_in, read_text

Vectors = Mapping[str, npt.NDArray[np.float32]]
#: How much of float32's recall a precision may lose, in points of a hundred.
MOST_POINTS = 1.0
LAYOUT = "it needs folders named as modalities with files of the same names: DIR/image/1.jpg, DIR/text/1.txt"


@dataclass(frozen=True)
class Recall:
    """How many of ``pairs`` items find their partner of modality ``to`` first, as a share.

    Attributes:
        fp32: the same with float32 vectors on ONNX Runtime.
    """

    to: str
    pairs: int
    recall: float
    fp32: float

    @property
    def lost(self) -> float:
        """What is lost against float32, in points of a hundred."""
        return 100 * (self.fp32 - self.recall)


def find_pairs(folder: Path, modalities: Sequence[str]) -> dict[str, list[object]]:
    """Items by modality, those of one scene at the same place; texts are read.

    Raises:
        OptionError: no folder, or fewer than two scenes that two modalities have.
    """
    if not folder.is_dir():
        raise OptionError(f"--pairs {folder}", "no such folder", LAYOUT)
    files = {m: by_name(folder / m) for m in modalities if (folder / m).is_dir()}
    names = sorted(set.intersection(*map(set, files.values()))) if files else []
    if len(files) < 2 or len(names) < 2:
        raise OptionError(
            f"--pairs {folder}", f"{len(names)} scenes in {len(files)} modalities of the bundle", LAYOUT
        )
    return {m: [item(m, f[n]) for n in names] for m, f in files.items()}


def by_name(folder: Path) -> dict[str, Path]:
    """The files of a folder by their names up to the first dot."""
    return {p.name.split(".")[0]: p for p in files_in(folder)}


def item(modality: str, path: Path) -> str:
    """What is embedded: the path, or the text in the file."""
    return read_text(path, "--pairs", "give a text a file").strip() if modality == "text" else str(path)


def add_recalls(bundle: Path, results: list[dict[str, Any]], folder: Path, allow: bool) -> None:
    """Adds ``retrieval`` to the report's entries whose engine runs here. The bundle must have float32.

    Raises:
        OptionError: a file cannot be read.
        ExportError: a precision loses more than ``MOST_POINTS``, and ``allow`` is not set.
    """
    items = find_pairs(folder, [m for r in results for m in r["modalities"]])
    ways = sorted({(r["engine"], r["precision"]) for r in results if not ENGINES[r["engine"]].reads_plans})
    vectors = {way: embed(bundle, *way, items) for way in ways}
    plain = recalls(vectors[ENGINE, PRECISION])
    for result in results:
        found = recalls(vectors.get((result["engine"], result["precision"]), {}))
        for modality in result["modalities"]:
            if modality in found:
                to, recall = found[modality]
                score = Recall(to, len(items[modality]), recall, plain[modality][1])
                result["retrieval"][modality] = asdict(score)
                if score.lost > MOST_POINTS:
                    result["within_limit"] = False
                    refuse(result, modality, score, allow)


def refuse(result: Mapping[str, Any], modality: str, score: Recall, allow: bool) -> None:
    if not allow:
        raise ExportError(
            f"{result['encoder']} {result['precision']} {result['engine']}",
            f"{modality} finds its {score.to} in {score.recall:.1%} of {score.pairs} pairs, "
            f"float32 in {score.fp32:.1%}",
            f"it may lose {MOST_POINTS:g} point; --allow exports it all the same",
        )


def embed(bundle: Path, engine: str, precision: str, items: Mapping[str, list[object]]) -> Vectors:
    """Unit vectors of the modalities that this engine has."""
    load: Any = bindrt.load  # the export's names are texts
    with load(bundle, engine, precision, "cpu", list(items)) as model:
        try:
            found = model.embed(**{m: items[m] for m in model.modalities})
        except Error as error:
            raise OptionError("--pairs", str(error), "remove that scene's files") from None
        return {m: found[m] for m in model.modalities}


def recalls(vectors: Vectors) -> dict[str, tuple[str, float]]:
    """For each modality its partner, and the share of rows whose nearest row there is their own."""
    found = {}
    for modality, rows in vectors.items():
        others = [m for m in ("image", "text", *MODALITIES) if m in vectors and m != modality]
        if others:
            nearest = (rows @ vectors[others[0]].T).argmax(axis=1)
            found[modality] = others[0], float(np.mean(nearest == np.arange(len(rows))))
    return found


def recall_text(result: Mapping[str, Any]) -> str:
    """The recalls of one line of the report, in words."""
    return "; ".join(
        f"{modality}→{score['to']} {score['recall']:.1%} (fp32 {score['fp32']:.1%})"
        for modality, score in result["retrieval"].items()
    )
