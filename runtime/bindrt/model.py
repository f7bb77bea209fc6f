"""``bindrt.load`` and ``Model``: a bundle, ready to embed."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from bindrt.batching import Embedder, Outcome, as_items
from bindrt.bundle import Bundle, open_bundle
from bindrt.choices import chosen_modalities, is_skip, require_our_tokenizer
from bindrt.embeddings import Embeddings, unit_rows
from bindrt.engines import Engine, Settings, candidates, start
from bindrt.errors import BundleError, Error, InputError, OptionError
from bindrt.limits import DEFAULT_LIMITS, Limits
from bindrt.modalities import MODALITIES
from bindrt.pipeline import EmbeddingFuture, Front, PipelineOptions, Streamed
from bindrt.pipeline.gather import gather, next_caller
from bindrt.pipeline.streaming import stream
from bindrt.preprocess import describe
from bindrt.preprocess.prepare import prepare_distinct
from bindrt.space import space_of
from bindrt.statistics import Statistics, with_pipeline

Item = TypeVar("Item")


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
    pipeline: PipelineOptions = PipelineOptions(),  # noqa: B008 - frozen
) -> Model:
    """Open a bundle. An encoder is loaded when it is first used, or by ``warm_up``.

    Args:
        path: the folder that ``bind-export`` wrote, or ``"tiny"``: bind-tiny, which comes with the package.
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
        pipeline: how ``submit``, ``aembed`` and ``stream`` queue and batch; docs/pipeline.md.

    Raises:
        BundleError: not a bundle, damaged or unsafe.
        EngineError: the bundle has no files for this engine and precision.
        OptionError: an argument has no such value.
    """
    settings = Settings(device, threads, startup, engine_options or {})
    return Model(open_bundle(path, verify), engine, precision, modalities, settings, limits, pipeline)


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
        pipeline: PipelineOptions,
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
        self._process = os.getpid()
        self._front = Front(
            repr(bundle.path.name), self.modalities, manifest.encoders, manifest.embed_dim, limits, pipeline
        )

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
        skip = is_skip(on_error)
        given = {
            "image": image, "video": video, "text": text, "audio": audio,
            "depth": depth, "thermal": thermal, "imu": imu, **unknown,
        }  # fmt: skip
        items = {m: as_items(m, value) for m, value in given.items() if value is not None}
        embedders = {m: self._embedder(m) for m in items}
        outcomes = {m: e.embed(items[m], normalize, skip) for m, e in embedders.items()}
        return self._collect(outcomes, normalize)

    async def aembed(
        self,
        *,
        normalize: bool = True,
        on_error: str = "raise",
        priority: int = 0,
        deadline: float | None = None,
        **items: object,
    ) -> Embeddings:
        """As :meth:`embed`, for asyncio: batched with other requests, and no thread waits for it.

        Where a queue is full it awaits room. When its task is cancelled, so are its requests.

        Args:
            items: modalities with one item or a list of items each.
            priority, deadline: of every item, as in :meth:`submit`.
        """
        skip = is_skip(on_error)
        given = {m: as_items(m, items[m]) for m in (*MODALITIES, *items) if items.get(m) is not None}
        for modality in given:
            self._require(modality)
            await asyncio.to_thread(self._engine, MODALITIES[modality].encoder)
        outcomes = await gather(
            self._front, self._engine, given, self.embed_dim, normalize, skip, priority, deadline
        )
        return self._collect(outcomes, normalize)

    def submit(
        self,
        modality: str,
        item: object,
        priority: int = 0,
        deadline: float | None = None,
        block: bool = True,
        normalize: bool = True,
    ) -> EmbeddingFuture:
        """Queue one item; other requests share its batch.

        Args:
            modality: of the item.
            item: see :mod:`bindrt.items`. It must not change until the future is done.
            priority: higher goes first; -1000 to 1000.
            deadline: seconds from now; if the engine does not have the item by then, it is dropped.
            block: wait while the queue is full.
            normalize: as in :meth:`embed`.

        Returns:
            A ``concurrent.futures.Future`` of float32 ``[D]``. It raises the item's ``Error``, or
            :class:`DeadlineExceeded`. ``cancel()`` works until the engine has the item.

        Raises:
            Overloaded: the queue is full, with ``block=False``.
        """
        self._require(modality)
        return self._front.submit(modality, item, self._engine, priority, deadline, block, normalize)

    def stream(
        self,
        modality: str,
        items: Iterable[Item],
        prefetch: int = 64,
        normalize: bool = True,
        on_error: str = "raise",
        priority: int = 0,
    ) -> Iterator[Streamed[Item]]:
        """Embed an iterable, however long, in constant memory: results in its order, as they are ready.

        Args:
            prefetch: items that are taken ahead of the result at hand; 1 to 100 000.
            on_error: ``raise`` at the first bad item, or ``skip`` it: its result has an ``error``.
            normalize, priority: as in :meth:`submit`.
        """
        self._require(modality)
        skip = is_skip(on_error)
        if not isinstance(prefetch, int) or not 1 <= prefetch <= 100_000:
            raise OptionError(f"prefetch={prefetch!r}", "not a number of items", "give 1 to 100000")
        caller = next_caller()

        def submit(item: Item) -> EmbeddingFuture:
            self._require(modality)
            return self._front.submit(
                modality, item, self._engine, priority=priority, caller=caller, normalize=normalize
            )

        return stream(items, submit, prefetch, skip, modality)

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

    def stats(self) -> dict[str, dict[str, Any]]:
        """Counts of items, errors, views and batches, and seconds by stage, per modality used.

        What went through the pipeline is among them, and stands under ``"pipeline"`` in detail: requests by
        outcome, depth of the queue, batch sizes, percentiles of each stage; docs/pipeline.md.
        """
        return with_pipeline(self._statistics.snapshot(), self._front.stats())

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
        encoder = MODALITIES[modality].encoder
        self._front.close(drain=True, encoder=encoder)
        with self._lock:
            self._engines.pop(encoder, None)

    def close(self, drain: bool = False) -> None:
        """Free everything; the model cannot be used afterwards.

        Args:
            drain: first finish what was submitted. Else requests that the engine does not have yet fail.
        """
        self._closed = True
        if self._process != os.getpid():
            return  # the engines' threads are the parent's, and cannot be ended here
        self._front.close(drain)
        with self._lock:
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
        if self._process != os.getpid():
            raise Error(
                repr(self.bundle.path.name),
                "the model was loaded before this process forked",
                "load it in the child",
            )
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
            partial(prepare_distinct, modality, limits=self._limits),
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
