"""Inputs that ranges and sensitive linears are measured on: the probes, and files of ``--calibration DIR``.

``DIR`` has a folder for each modality (``image``, ``audio``, …) with files in it; ``text`` has text files, a
text a line. They go through :mod:`bindrt.preprocess`, as what is embedded later does. Needs no torch.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import onnx

from bindrt.arrays import Array
from bindrt.bundle.manifest import EncoderInfo
from bindrt.errors import Error, OptionError
from bindrt.modalities import MODALITIES, for_encoder
from bindrt.precisions import EIGHT_BITS
from bindrt.preprocess.dispatch import prepare_views
from bindrt_export.precision import EncoderTypes, choose_types
from bindrt_export.precision.graphs import linears
from bindrt_export.precision.survey import Survey, run_survey
from bindrt_export.verification.folders import files_in, read_text
from bindrt_export.verification.probes import is_served, probe_inputs

#: Files of one modality that are taken, by name; more hardly move the largest magnitude.
MOST_FILES = 64
LAYOUT = "it needs folders named as modalities, for example DIR/image/a.jpg, DIR/text/captions.txt"


class Calibration:
    """The inputs that 8-bit ranges are measured on, and what was measured.

    Attributes:
        has_files: there are files of one's own. Then int8 activations on a CPU get fixed ranges; without
            files, each token has its own range.
        key: hash of the files' names and contents; empty without files.
    """

    def __init__(self, folder: Path | None) -> None:
        """
        Raises:
            OptionError: no such folder, or none of its folders is a modality's.
        """
        self.has_files = folder is not None
        self._files: dict[str, list[Path]] = {} if folder is None else files_by_modality(folder)
        self._surveys: dict[Path, Survey] = {}
        digest = hashlib.sha256()
        for modality, files in self._files.items():
            for file in files:
                digest.update(f"{modality}/{file.name}\n".encode("utf-8", "surrogateescape"))
                digest.update(file.read_bytes())
        self.key = digest.hexdigest() if self.has_files else ""

    def types_for(
        self, graph: Path, encoder: EncoderInfo, precision: str, fixed: bool, early: int = 0
    ) -> EncoderTypes:
        """What an encoder computes in, from its float32 graph; measured where the precision asks for it.

        Args:
            fixed: int8 activations have fixed ranges; see :func:`bindrt_export.precision.choose_types`.
            early: so many blocks from the first stay in floats; see there.

        Raises:
            OptionError: a file cannot be read as what its folder says.
        """
        model = onnx.load(str(graph), load_external_data=False)
        measured = self._survey(graph, encoder) if precision in EIGHT_BITS else None
        return choose_types(precision, [name for name, _ in linears(model)], measured, fixed, early)

    def _survey(self, graph: Path, encoder: EncoderInfo) -> Survey:
        """What was measured on a graph's inputs; each graph is measured once."""
        if graph not in self._surveys:
            inputs = [*probe_inputs(encoder.name, encoder.view).values(), *self._inputs(encoder)]
            self._surveys[graph] = run_survey(graph, inputs)
        return self._surveys[graph]

    def _inputs(self, encoder: EncoderInfo) -> Iterator[Array]:
        for modality, files in self._files.items():
            declared = MODALITIES[modality]
            if declared.encoder != encoder.name or not is_served(declared, encoder.view):
                continue
            for item in items(modality, files):
                try:
                    views = prepare_views(modality, item).all()
                except Error as error:
                    raise OptionError(f"--calibration {item}", str(error), "remove it") from None
                yield from (view[None] for view in for_encoder(views, encoder.view))


def files_by_modality(folder: Path) -> dict[str, list[Path]]:
    if not folder.is_dir():
        raise OptionError(f"--calibration {folder}", "no such folder", LAYOUT)
    found = {}
    for modality in MODALITIES:
        if files := files_in(folder / modality):
            found[modality] = files[:MOST_FILES]
    if not found:
        raise OptionError(f"--calibration {folder}", "nothing to calibrate with", LAYOUT)
    return found


def items(modality: str, files: list[Path]) -> Iterator[str]:
    """Paths; for text, the lines of the files."""
    if modality != "text":
        yield from map(str, files)
        return
    for file in files:
        lines = read_text(file, "--calibration", "give a text a line").splitlines()
        yield from [line for line in lines if line.strip()][:MOST_FILES]
