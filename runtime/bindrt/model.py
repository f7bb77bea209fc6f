"""``bindrt.load`` and ``Model``: a bundle, ready to embed."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from bindrt.batching import Embedder, Outcome, as_items
from bindrt.bundle import Bundle, open_bundle, sha256_of
from bindrt.embeddings import Embeddings, unit_rows
from bindrt.engines import Engine, Settings, candidates, start
from bindrt.errors import BundleError, Error, InputError, OptionError
from bindrt.limits import DEFAULT_LIMITS, Limits
from bindrt.modalities import MODALITIES
from bindrt.preprocess import describe, prepare
from bindrt.preprocess.tokenizer import TOKENIZER_FILE
from bindrt.space import space_of
from bindrt.statistics import Statistics


def load(
    path: str | os.PathLike[str],
    engine: str = "auto",
    precision: str | None = None,
    device: str = "auto",
    modalities: Sequence[str] | None = None,
    threads: int | None = None,
    verify: bool = False,
    limits: Limits = DEFAULT_LIMITS,
    startup: str = "fast-run",
    engine_options: Mapping[str, Any] | None = None,
) -> Model:
    """Open a bundle. An encoder is loaded when it is first used, or by ``warm_up``.

    Args:
        path: the folder that ``bind-export`` wrote.
        engine: ``auto`` (of those that run here the fastest, measured once and remembered), or the name
            of an engine the bundle has files for.
        precision: ``fp32``, …; by default what the bundle records as its default.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:N``; with OpenVINO also ``gpu``, ``gpu.N``, ``npu``.
        modalities: embed only these; others are never read from disk. Default: all there are.
        threads: threads an engine computes with; default: one a physical core.
        verify: check the SHA-256 of every file first (reads all of it).
        limits: bounds on what one item may decode to.
        startup: ``fast-run``: weights are repacked once when an encoder is loaded, for the best speed.
            ``fast-start``: they run as they are mapped from disk: sooner to the first result and less
            memory, slower in the long run; docs/engines.md has the figures.
        engine_options: passed to the engine's own library as they are; docs/engines.md.

    Raises:
        BundleError: not a bundle, damaged or unsafe.
        EngineError: the bundle has no files for this engine and precision.
        OptionError: an argument has no such value.
    """
    settings = Settings(device, threads, startup, engine_options or {})
    return Model(open_bundle(path, verify), engine, precision, modalities, settings, limits)


class Model:
    """Embeds items of the bundle's modalities. Safe to use from several threads.

    Attributes:
        bundle: what it was loaded from.
        modalities: the modalities it embeds.
        precision: of its engines.
        space: fingerprint of its embedding space.
        embed_dim: length of a vector.
    """

    def __init__(
        self,
        bundle: Bundle,
        engine: str,
        precision: str | None,
        modalities: Sequence[str] | None,
        settings: Settings,
        limits: Limits,
    ) -> None:
        manifest = bundle.manifest
        self.bundle = bundle
        self.precision = precision or manifest.default_precision
        if self.precision not in manifest.precisions():
            raise OptionError(
                f"precision={self.precision!r}",
                "not in this bundle",
                f"it has {', '.join(manifest.precisions())}",
            )
        self.modalities = chosen_modalities(bundle, modalities)
        self.embed_dim = manifest.embed_dim
        self.space = space_of(
            manifest.family,
            manifest.embed_dim,
            manifest.weights,
            {m: describe(m) for m in MODALITIES},
            self.precision,
        )
        if self.precision == manifest.default_precision and self.space != manifest.space:
            raise BundleError(
                bundle.path.name,
                f"its space {manifest.space} is not what this version of bindrt computes ({self.space})",
                "it was exported with other preprocessing; export again",
            )
        if "text" in self.modalities:
            require_our_tokenizer(bundle)
        encoders = {MODALITIES[m].encoder for m in self.modalities}
        self._candidates = {
            e: candidates(bundle, e, engine, self.precision, settings.device) for e in encoders
        }
        self._settings = settings
        self._limits = limits
        self._lock = threading.Lock()
        self._engines: dict[str, Engine] = {}
        self._statistics = Statistics()
        self._closed = False

    def embed(
        self,
        *,
        image: object = None,
        video: object = None,
        text: object = None,
        audio: object = None,
        depth: object = None,
        thermal: object = None,
        imu: object = None,
        normalize: bool = True,
        on_error: str = "raise",
        **unknown: object,
    ) -> Embeddings:
        """Embed items of any modalities.

        Args:
            image, video, text, audio, depth, thermal, imu: one item or a list of items; see
                :mod:`bindrt.items` for what an item may be. An empty list gives ``[0, D]``.
            normalize: True: unit vectors. False: what the original model returns: scaled by the
                modality's factor, the mean over views not normalised again.
            on_error: ``raise`` the first bad item's error; or ``skip`` it: its row is NaN, its
                error stands in ``Embeddings.errors``, and its neighbours are not touched.

        Returns:
            float32 ``[N, D]`` per modality, in the order the modalities are listed here.

        Raises:
            Error: of a bad item (with ``raise``), an unknown modality or option, a failed engine.
        """
        if on_error not in ("raise", "skip"):
            raise OptionError(f"on_error={on_error!r}", "unknown", "use raise or skip")
        given = {
            "image": image, "video": video, "text": text, "audio": audio,
            "depth": depth, "thermal": thermal, "imu": imu, **unknown,
        }  # fmt: skip
        items = {m: as_items(m, value) for m, value in given.items() if value is not None}
        embedders = {m: self._embedder(m) for m in items}
        outcomes = {m: e.embed(items[m], normalize, on_error == "skip") for m, e in embedders.items()}
        return self._collect(outcomes, normalize)

    def classify(
        self, *, labels: Sequence[str], on_error: str = "raise", **items: object
    ) -> npt.NDArray[np.float32]:
        """Zero-shot classification of the items of one modality by text labels.

        Args:
            labels: the texts to choose from, for example ``["a dog", "a car"]``.
            on_error: as in :meth:`embed`.
            items: exactly one modality with its items, for example ``image=[…]``.

        Returns:
            float32 ``[N, labels]``: softmax over the labels of the text scale × cosine. Rows sum to one.
        """
        if len(items) != 1:
            raise OptionError(
                "classify", f"{len(items)} modalities given", "give exactly one, for example image=[…]"
            )
        if isinstance(labels, str) or len(labels) == 0:
            raise OptionError(
                "classify", "labels must be a list of texts", 'for example labels=["a dog", "a car"]'
            )
        (modality,) = items
        if modality == "text":
            queries = self.embed(text=items["text"], on_error=on_error)
        else:
            queries = self.embed(on_error=on_error, **items)  # type: ignore[arg-type]
        texts = self.embed(text=list(labels))
        logits = self.bundle.manifest.text_scale * (unit_rows(queries[modality]) @ unit_rows(texts["text"]).T)
        exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(exponentials / exponentials.sum(axis=1, keepdims=True), np.float32)

    def stats(self) -> dict[str, dict[str, float]]:
        """Counts of items, errors, views and batches, and seconds by stage, per modality used."""
        return self._statistics.snapshot()

    def warm_up(self) -> None:
        """Load every encoder now and run each once, so that no later call pays for it."""
        for modality in self.modalities:
            embedder = self._embedder(modality)
            view = embedder.encoder.view
            embedder.engine.run(
                np.ones((1, *view), embedder.encoder.dtype), np.empty((1, self.embed_dim), np.float32)
            )

    def unload(self, modality: str) -> None:
        """Free the encoder of a modality; image and video share one. It is loaded again when used."""
        self._require(modality)
        with self._lock:
            self._engines.pop(MODALITIES[modality].encoder, None)

    def close(self) -> None:
        """Free everything; the model cannot be used afterwards."""
        with self._lock:
            self._closed = True
            self._engines.clear()

    def __enter__(self) -> Model:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        what = f"{self.bundle.path.name}: {', '.join(self.modalities)}"
        return f"Model({what}; {self.precision}; [{self.embed_dim}]; space {self.space})"

    def _require(self, modality: str) -> None:
        if self._closed:
            raise Error(repr(self.bundle.path.name), "the model is closed", "load it again")
        if modality in self.modalities:
            return
        if modality not in MODALITIES:
            raise InputError(f"{modality}=", "unknown modality", f"one of {', '.join(MODALITIES)}")
        raise InputError(
            f"{modality}=", "this model was not loaded with it", f"it has {', '.join(self.modalities)}"
        )

    def _embedder(self, modality: str) -> Embedder:
        self._require(modality)
        encoder = MODALITIES[modality].encoder
        return Embedder(
            modality,
            self.bundle.manifest.encoders[encoder],
            self._engine(encoder),
            partial(prepare, modality, limits=self._limits),
            self.embed_dim,
            self._statistics,
        )

    def _engine(self, encoder: str) -> Engine:
        with self._lock:
            if encoder not in self._engines:
                self._engines[encoder] = start(self.bundle, self._candidates[encoder], self._settings)
            return self._engines[encoder]

    def _collect(self, outcomes: dict[str, Outcome], normalize: bool) -> Embeddings:
        return Embeddings(
            vectors={m: o.rows for m, o in outcomes.items()},
            space=self.space,
            normalized=normalize,
            errors={(m, i): error for m, o in outcomes.items() for i, error in o.errors.items()},
            notes={(m, i): notes for m, o in outcomes.items() for i, notes in o.notes.items()},
        )


def chosen_modalities(bundle: Bundle, wanted: Sequence[str] | None) -> tuple[str, ...]:
    held = [m for m in MODALITIES if m in bundle.manifest.modalities]
    if wanted is None:
        return tuple(held)
    if isinstance(wanted, str) or not wanted:
        raise OptionError(
            f"modalities={wanted!r}", "not a list of modalities", 'for example ["image", "text"]'
        )
    for name in wanted:
        if name not in held:
            raise OptionError(f"modalities: {name!r}", "not in this bundle", f"it has {', '.join(held)}")
    return tuple(m for m in held if m in wanted)


def require_our_tokenizer(bundle: Bundle) -> None:
    """A tokenizer from elsewhere is data an engine would have to trust; ours is the only one there is."""
    entry = bundle.manifest.tokenizer
    if entry is None or entry.sha256 != sha256_of(TOKENIZER_FILE):
        raise BundleError(
            bundle.path.name,
            "it has no tokenizer" if entry is None else "its tokenizer is not CLIP's as bindrt ships it",
            "export it again with this version of bindrt",
        )
