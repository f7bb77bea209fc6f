"""An encoder's finished graph, which other precisions and engines are made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bindrt.bundle.manifest import EncoderInfo
from bindrt_export.artifacts.store import Artifact, FileEntry, key_of
from bindrt_export.verification.comparison import Rows, read_vectors

#: Raise it when a recipe makes something else of the same graph.
RECIPE_VERSION = 1


@dataclass(frozen=True)
class EncoderGraph:
    """One encoder's ONNX graph in a half-made bundle, already compared with torch.

    Attributes:
        root: the bundle's folder.
        encoder: the encoder's entry in the manifest.
        embed_dim: length of a vector.
        artifact: what the graph is; its files are the graph and the weights.
    """

    root: Path
    encoder: EncoderInfo
    embed_dim: int
    artifact: Artifact

    @property
    def name(self) -> str:
        """The encoder's name."""
        return self.encoder.name

    @property
    def precision(self) -> str:
        return str(self.artifact.entry["precision"])

    def paths(self) -> list[Path]:
        """The graph, then its weights."""
        return [self.root / f["path"] for f in self.artifact.files]

    def torch_vectors(self) -> dict[str, Rows]:
        """What torch computes for the probes, as the export has written it."""
        return read_vectors(self.root, self.name)

    def key_for(self, engine: str, version: str, precision: str, target: str, form: str) -> str:
        """The key of what is made from this graph.

        Args:
            engine, version: the engine, and its release where only that release reads what is made.
            form: what decides how the graph is rewritten; empty where it stays as it is.
        """
        return key_of(
            {
                "graph": [f["sha256"] for f in self.artifact.files],
                "engine": [engine, version],
                "precision": precision,
                "target": target,
                "build": RECIPE_VERSION,
                "form": form,
            }
        )


def cpu_entry(encoder: str, engine: str, precision: str, files: Sequence[FileEntry]) -> dict[str, Any]:
    """The manifest's entry of an engine that runs a graph on a CPU."""
    return {
        "encoder": encoder,
        "engine": engine,
        "precision": precision,
        "target": "cpu",
        "min_batch": 1,
        "max_batch": None,
        "files": [dict(f) for f in files],
    }


def encoder_info(entry: Mapping[str, Any]) -> EncoderInfo:
    """An encoder's entry in the manifest as the runtime has it."""
    return EncoderInfo(**{**entry, "view": tuple(entry["view"])})
