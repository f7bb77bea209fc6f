"""``bindrt.Probe``: classes learned from a few labelled items, on a model's vectors."""

from __future__ import annotations

import io
import json
import os
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Union

import numpy as np
import numpy.typing as npt

from bindrt import linear
from bindrt.bundle.space import require_comparable
from bindrt.embeddings import Embeddings, Vectors
from bindrt.errors import InputError, OptionError, SourceError, cannot_write
from bindrt.limits import most_unpacked
from bindrt.option_checks import chosen_labels

if TYPE_CHECKING:
    from typing import TypeGuard

#: A label for each item; with several modalities a list for each.
ItemLabels = Union[Sequence[str], Mapping[str, Sequence[str]]]
_VERSION = 1


@dataclass(frozen=True, eq=False, repr=False)
class Probe:
    """A linear layer on unit vectors, learned from labelled items. :meth:`fit` makes it.

    Attributes:
        labels: what it can say, in the order of its columns.
        weights: float32 ``[labels, D]``.
        bias: float32 ``[labels]``.
        space: fingerprint of the embedding space that it belongs to.
        modalities: what it learned from.

    >>> layer = np.zeros((2, model.embed_dim), np.float32), np.zeros(2, np.float32)  # knows nothing yet
    >>> probe = bindrt.Probe(("bell", "car"), *layer, model.space, ("audio",))
    >>> model.classify(probe=probe, audio="bell.wav").tolist()
    [[0.5, 0.5]]
    """

    labels: tuple[str, ...]
    weights: Vectors
    bias: npt.NDArray[np.float32]
    space: str
    modalities: tuple[str, ...]

    @staticmethod
    def fit(embeddings: Embeddings, labels: ItemLabels) -> Probe:
        """Learns labels from embedded items; one or two of each are a beginning, eight do well.

        Args:
            embeddings: the items. Those that failed are left out.
            labels: the label of each item, in order; a mapping with a list for each modality if there are
                several modalities.

        Raises:
            OptionError: scikit-learn is not installed.
            InputError: there are not as many labels as items, or fewer than two different ones.

        >>> found = model.embed(audio=["bell.wav", "car.wav"])
        >>> bindrt.Probe.fit(found, ["bell", "car"]).labels  # doctest: +SKIP
        ('bell', 'car')
        """
        by_modality = _by_modality(embeddings, labels)
        said = [label for modality in embeddings for label in by_modality[modality]]
        rows = np.concatenate([embeddings[modality] for modality in embeddings])
        good = np.isfinite(rows).all(axis=1)
        names = sorted({label for label, there in zip(said, good, strict=True) if there})
        place = {name: index for index, name in enumerate(names)}
        numbers = np.array([place[label] for label, there in zip(said, good, strict=True) if there], np.int64)
        layer = linear.fit(rows[good], numbers)
        return Probe(tuple(names), layer.weights, layer.bias, embeddings.space, tuple(embeddings))

    def probabilities(self, embeddings: Embeddings) -> npt.NDArray[np.float32]:
        """The probability of each label for each item of one modality.

        Returns:
            float32 ``[N, labels]``; rows sum to one. NaN for an item that failed.

        Raises:
            SpaceError: the items are of another space.
            InputError: there are several modalities, or none.

        >>> layer = np.zeros((2, model.embed_dim), np.float32), np.zeros(2, np.float32)
        >>> probe = bindrt.Probe(("bell", "car"), *layer, model.space, ("audio",))
        >>> probe.probabilities(model.embed(audio="bell.wav")).shape
        (1, 2)
        """
        require_comparable(self.space, embeddings.space, "the items")
        if len(embeddings) != 1:
            raise InputError("the items", f"they are of {len(embeddings)} modalities", "give one modality")
        (vectors,) = embeddings.values()
        layer = linear.Linear(self.weights, self.bias, np.arange(len(self.labels)))
        logits = layer.logits(vectors)
        exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(exponentials / exponentials.sum(axis=1, keepdims=True), np.float32)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes a file that :meth:`load` reads; one that is there is replaced.

        Raises:
            Error: the system refuses to write.

        >>> layer = np.zeros((2, model.embed_dim), np.float32), np.zeros(2, np.float32)
        >>> bindrt.Probe(("bell", "car"), *layer, model.space, ("audio",)).save("sounds.probe")
        """
        told = {
            "version": _VERSION,
            "labels": self.labels,
            "space": self.space,
            "modalities": self.modalities,
        }
        content = io.BytesIO()
        np.savez(content, weights=self.weights, bias=self.bias, told=np.array(json.dumps(told)))
        target = Path(path)
        beside = target.with_name(f".{target.name}.{os.getpid()}")
        try:
            beside.write_bytes(content.getvalue())
            os.replace(beside, target)
        except OSError as error:
            beside.unlink(missing_ok=True)
            raise cannot_write(path, error) from None

    @staticmethod
    def load(path: str | os.PathLike[str]) -> Probe:
        """Reads what :meth:`save` wrote.

        Raises:
            SourceError: the file is missing, damaged, or something else.

        >>> layer = np.zeros((2, model.embed_dim), np.float32), np.zeros(2, np.float32)
        >>> bindrt.Probe(("bell", "car"), *layer, model.space, ("audio",)).save("sounds.probe")
        >>> bindrt.Probe.load("sounds.probe").labels
        ('bell', 'car')
        """
        try:
            with zipfile.ZipFile(path) as archive:
                if sum(each.file_size for each in archive.infolist()) > most_unpacked(os.path.getsize(path)):
                    raise ValueError("it would take too much memory")
            with np.load(path, allow_pickle=False) as kept:
                told = json.loads(str(kept["told"]))
                return _checked(told, np.asarray(kept["weights"]), np.asarray(kept["bias"]))
        except OSError as error:
            raise SourceError(str(path), f"it cannot be read ({error.strerror or error})") from None
        except (ValueError, KeyError, EOFError, TypeError, zipfile.BadZipFile) as error:
            raise SourceError(str(path), f"it is no probe ({error})", "bind-probe writes one") from None

    def __repr__(self) -> str:
        shown = ", ".join(self.labels[:5]) + (", …" if len(self.labels) > 5 else "")
        return (
            f"Probe({len(self.labels)} labels: {shown}; of {', '.join(self.modalities)}; space {self.space})"
        )


def as_probe(given: object) -> Probe:
    """A probe, or that of a file.

    Raises:
        OptionError: it is neither.
        SourceError: the file cannot be read.
    """
    if isinstance(given, Probe):
        return given
    if isinstance(given, (str, os.PathLike)):
        return Probe.load(given)
    raise OptionError(f"probe={given!r}"[:80], "neither a Probe nor a path", "bind-probe writes one")


def _by_modality(embeddings: Embeddings, labels: ItemLabels) -> dict[str, list[str]]:
    """A label for each item."""
    given: object = labels
    if isinstance(labels, Mapping):
        given = {modality: labels.get(modality) for modality in embeddings}
    elif len(embeddings) == 1:
        given = dict.fromkeys(embeddings, labels)
    if not isinstance(given, Mapping) or not given:
        problem = f"one list for {len(embeddings)} modalities"
        raise OptionError("labels", problem, 'give {"image": [...], "audio": [...]}')
    found = {}
    for modality, each in given.items():
        found[modality] = chosen_labels(each)
        if len(found[modality]) != len(embeddings[modality]):
            counts = f"{len(found[modality])} labels for {len(embeddings[modality])} items"
            raise InputError(f"labels of {modality}", counts, "give one for each")
    return found


def _checked(told: object, weights: Vectors, bias: npt.NDArray[np.float32]) -> Probe:
    """What a file holds, if it makes sense."""
    if not isinstance(told, dict) or told.get("version") != _VERSION:
        raise ValueError("it is of another version")
    labels, modalities, space = told.get("labels"), told.get("modalities"), told.get("space")
    if not _are_texts(labels) or not _are_texts(modalities) or not isinstance(space, str):
        raise ValueError("its labels, modalities or space are missing")
    if weights.ndim != 2 or weights.dtype != np.float32 or bias.dtype != np.float32:
        raise ValueError("its weights are not float32 [labels, D]")
    if not len(labels) == len(weights) == len(bias) or bias.ndim != 1:
        raise ValueError(f"{len(labels)} labels, {len(weights)} rows")
    if not np.isfinite(weights).all() or not np.isfinite(bias).all():
        raise ValueError("its weights are not finite")
    return Probe(tuple(labels), weights, bias, space, tuple(modalities))


def _are_texts(listed: object) -> TypeGuard[list[str]]:
    return isinstance(listed, list) and bool(listed) and all(isinstance(text, str) for text in listed)
