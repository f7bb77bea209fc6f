"""``Model``: a bundle, ready to embed."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, NoReturn, cast
from weakref import WeakSet

import numpy as np
import numpy.typing as npt

from bindrt.background import batch_class
from bindrt.bundle import Bundle
from bindrt.bundle.words import Words
from bindrt.bundle_checks import chosen_modalities, require_our_tokenizer, space_in
from bindrt.collecting import collected
from bindrt.columns import as_items
from bindrt.embeddings import Embeddings
from bindrt.engines import Engine
from bindrt.engines.own import own_engines
from bindrt.errors import OptionError
from bindrt.holding import Holding
from bindrt.isolation import Isolated
from bindrt.item_types import (
    AudioItem,
    DepthItem,
    ImageItem,
    ImuItem,
    Items,
    ItemsByModality,
    ModalityName,
    OnError,
    TextItem,
    ThermalItem,
    VideoItem,
)
from bindrt.label_vectors import LabelVectors
from bindrt.lifetime import Lifetime
from bindrt.load_options import LoadOptions
from bindrt.loaded_encoders import LoadedEncoders
from bindrt.modalities import MODALITIES
from bindrt.option_checks import chosen_bool, chosen_output, is_normalized, is_skip
from bindrt.pipeline import EmbeddingFuture, Pipelines, new_caller, request_options
from bindrt.pipeline.bulk import Bulk
from bindrt.pipeline.memory import Held
from bindrt.pipeline.options import PipelineOptions
from bindrt.pipeline.request_options import RequestOptions
from bindrt.pipeline.tracing import traced
from bindrt.precisions import FASTEST
from bindrt.preparation import Preparation
from bindrt.selection.meaning import precisions_meant, require_precision
from bindrt.selection.openers import Opener, choice_text, chosen_precision, openers
from bindrt.selection.spaces import fastest_space
from bindrt.sensing import Sensing
from bindrt.statistics import Counts, merged
from bindrt.submitting import Submitting
from bindrt.windowing import Windowing
from bindrt.zero_shot import ZeroShot, chosen_probe, only_modality

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from bindrt.probe import Probe


class Model(Holding, Submitting, Windowing, Sensing):
    """Embeds items of the bundle's modalities. :func:`bindrt.load` makes it; several threads may use it.

    Attributes:
        bundle: the bundle it was loaded from.
        modalities: the modalities it embeds.
        space: fingerprint of its embedding space.
        embed_dim: length of a vector.
        pipelines: internal; the pipelines of its encoders.

    >>> with bindrt.load("tiny") as model:
    ...     found = model.embed(image="bell.jpg", text=["a bell ringing", "a car driving"])
    >>> found.similarity("image", "text").argmax(axis=1).tolist()
    [0]
    """

    def __init__(self, *, bundle: Bundle, options: LoadOptions) -> None:
        manifest = bundle.manifest
        self.bundle = bundle
        require_precision(manifest, options.precision)
        precisions = precisions_meant(manifest, options.precision)
        self.modalities = cast(tuple[ModalityName, ...], chosen_modalities(bundle, options.modalities))
        self.embed_dim = manifest.embed_dim
        if "text" in self.modalities:
            require_our_tokenizer(bundle)
        encoders = {MODALITIES[m].encoder for m in self.modalities}
        own, why = own_engines(options.engines, encoders, precisions), ""
        if options.precision == FASTEST:
            # It may measure: the first engine that is opened starts threads that stay, those of native.
            with batch_class(options.pipeline.scheduling == "batch"):
                precisions, why = fastest_space(bundle, encoders, options.engine, options.settings, own)
        self.space = space_in(bundle, precisions[0])
        background = options.pipeline.background_encoders()
        self._openers = openers(
            bundle, encoders, options.engine, precisions, options.settings, own, why, background
        )
        self._asked = options.precision or manifest.default_precision
        self._isolated = Isolated(options.item_timeout) if options.isolate else None
        words = Words(bundle) if "text" in self.modalities else None
        self._preparation = Preparation(options.limits, words, self._isolated)
        self._counts = Counts()
        self._label_vectors = LabelVectors()
        self._streams = WeakSet()
        self._lifetime = Lifetime(repr(bundle.path.name))
        self.pipelines = Pipelines(
            self._lifetime,
            self.modalities,
            manifest.encoders,
            manifest.embed_dim,
            self._preparation,
            options.pipeline,
        )
        self._loaded = LoadedEncoders(
            repr(bundle.path.name),
            options.memory_budget,
            {encoder: opener.weights for encoder, opener in self._openers.items()},
            partial(_open, self._openers, options.pipeline),
            partial(_expected, self._openers, self.pipelines),
            self.pipelines.held,
            self.pipelines.less_by,
            self.pipelines.is_idle,
            partial(self.pipelines.close, True),
        )
        self._bulk = partial(
            Bulk, self.pipelines, self._preparation, self._counts, self._loaded.engine, self.embed_dim
        )
        if options.memory_budget is not None:
            self.pipelines.call_on_use(self._loaded.used.touch)

    @property
    def precision(self) -> str:
        """What its engines compute in, for example ``fp32``.

        With ``load(precision="fast")`` what was chosen: ``fast`` until an encoder is measured, and one
        precision for each encoder where they differ.

        >>> model.precision
        'fp32'
        """
        return chosen_precision(self._openers, self._asked)

    def embed(
        self,
        *,
        image: Items[ImageItem] | None = None,
        video: Items[VideoItem] | None = None,
        text: Items[TextItem] | None = None,
        audio: Items[AudioItem] | None = None,
        depth: Items[DepthItem] | None = None,
        thermal: Items[ThermalItem] | None = None,
        imu: Items[ImuItem] | None = None,
        normalize: bool = True,
        on_error: OnError = "raise",
        output: Literal["host", "device"] = "host",
        **own: NoReturn,
    ) -> Embeddings:
        """Embed items of any modalities.

        Args:
            image, video, text, audio, depth, thermal, imu: one item or a list of items; see
                :mod:`bindrt.items` for what an item may be. An empty list gives ``[0, D]``.
            normalize: True: unit vectors. False: what the original model returns: scaled by the
                modality's factor, the mean over views not normalised again.
            on_error: ``raise`` the first bad item's error; or ``skip`` it: its row is NaN, its
                error stands in ``Embeddings.errors``, and its neighbours are not touched.
            output: ``host``; or ``device``: the vectors stay on the GPU, as :class:`DeviceEmbeddings`.

        Returns:
            float32 ``[N, D]`` per modality, in the order in which the modalities are listed here.

        Raises:
            Error: an item is bad (with ``raise``), a modality or option is not known, or an engine failed.

        >>> model.embed(audio=["bell.wav", "car.wav"], imu="bell.npz")
        Embeddings(audio [2, 96], imu [1, 96]; unit length; space imagebind-96-float-...)
        """
        skip, normalize, to = is_skip(on_error), is_normalized(normalize), chosen_output(output)
        given = {
            "image": image, "video": video, "text": text, "audio": audio,
            "depth": depth, "thermal": thermal, "imu": imu, **own,
        }  # fmt: skip
        items = {m: as_items(m, value) for m, value in given.items() if value is not None or m in own}
        for modality in items:
            self._require(modality)
        options = request_options(0, None, normalize, new_caller())
        outcomes = {}
        for modality, given_items in items.items():
            with self._loaded.using(MODALITIES[modality].encoder):
                bulk = self._bulk(modality, given_items, options, skip, here=True, output=to)
                outcomes[modality] = bulk.run()
        return collected(self.space, items, outcomes, normalize)

    async def aembed(
        self,
        *,
        normalize: bool = True,
        on_error: OnError = "raise",
        priority: int = 0,
        deadline: float | None = None,
        output: Literal["host", "device"] = "host",
        **items: Unpack[ItemsByModality],
    ) -> Embeddings:
        """As :meth:`embed`, for asyncio: batched with other requests, and no thread waits for it.

        Where a queue is full it awaits room. When its task is cancelled, so are its requests.

        Args:
            items: modalities with one item or a list of items each.
            priority, deadline: as in :meth:`submit`; they hold for every item.
            output: as in :meth:`embed`. With ``device`` equal items are computed each, as there.

        >>> import asyncio
        >>> asyncio.run(model.aembed(text="a bell ringing", deadline=5.0)).text.shape
        (1, 96)
        """
        import asyncio  # when asked: who searches once does not wait for its import

        from bindrt.pipeline.aembed import embed_each, embed_together

        skip, normalize, to = is_skip(on_error), is_normalized(normalize), chosen_output(output)
        options = request_options(priority, deadline, normalize, new_caller())
        all_given: Mapping[str, object] = items
        names = (m for m in (*MODALITIES, *items) if all_given.get(m) is not None or m not in MODALITIES)
        given = {m: as_items(m, all_given[m]) for m in names}
        for modality in given:
            self._require(modality)
            encoder = MODALITIES[modality].encoder
            if self._loaded.opened(encoder) is None:  # opening takes long; else a thread would only cost time
                await asyncio.to_thread(self._engine, encoder)
        if self.pipelines.shares and to == "host":
            outcomes = await embed_each(self.pipelines, self._engine, given, self.embed_dim, options, skip)
        else:
            bulks = {}
            for m, of in given.items():
                make = partial(self._bulk, m, of, options, skip, here=False, output=to)
                bulks[m] = make() if to == "host" else await asyncio.to_thread(make)  # it allocates on a GPU
            outcomes = await embed_together(bulks)
        return collected(self.space, given, outcomes, normalize)

    def _queue(self, modality: str, item: object, options: RequestOptions, block: bool) -> EmbeddingFuture:
        self._require(modality)
        item = self._preparation.taken(item)
        return self.pipelines.submit(modality, item, self._engine, options, block)

    def zero_shot(self, labels: Sequence[str], templates: str | Sequence[str] | None = None) -> ZeroShot:
        """Embed text labels once, and compare items of any modality with them as often as wanted.

        Args:
            labels: the texts to choose from, for example ``["a dog", "a car"]``; their vectors are kept.
            templates: texts with ``{}`` where the label goes; a label's vector is the mean over them.
                ``"imagenet"`` names CLIP's 80 sentences, which ImageBind's paper takes for every modality.

        Returns:
            A :class:`ZeroShot`: ``z(image=[…])`` gives probabilities, ``z(image=[…]).topk(3)`` names.

        Example:
            >>> with bindrt.load("tiny") as model:
            ...     model.zero_shot(["a bell", "a car"])(text="a bell ringing").topk()[0][0][0]
            'a bell'
        """
        scale = self.bundle.manifest.text_scale
        return ZeroShot(self.embed, scale, labels, templates, self._label_vectors)

    def classify(
        self,
        *,
        labels: Sequence[str] | None = None,
        templates: str | Sequence[str] | None = None,
        probe: Probe | str | os.PathLike[str] | None = None,
        on_error: OnError = "raise",
        **items: Unpack[ItemsByModality],
    ) -> npt.NDArray[np.float32]:
        """Which label fits each item of one modality: labels are texts, or learned from examples.

        Args:
            labels, templates: as in :meth:`zero_shot`.
            probe: a :class:`bindrt.Probe` or its file, instead of labels.
            on_error: as in :meth:`embed`.
            items: exactly one modality with its items, for example ``image=[…]``.

        Returns:
            float32 ``[N, labels]``: softmax over the labels of the text scale × cosine, or of what the probe
            says. Rows sum to one.

        >>> int(model.classify(image="bell.jpg", labels=["a bell ringing", "a car driving"]).argmax())
        0
        """
        only_modality("classify", items)
        if (known := chosen_probe(probe, labels, templates)) is not None:
            return known.probabilities(self.embed(on_error=on_error, **items))
        return self.zero_shot(() if labels is None else labels, templates)(
            on_error=on_error, **items
        ).probabilities

    def stats(self) -> dict[str, dict[str, Any]]:
        """Counts of items, errors, views and batches, and seconds by stage, per modality used.

        What went through the pipeline is among them, and stands under ``"pipeline"`` in detail: requests by
        outcome, depth of the queue, batch sizes, percentiles of each stage; docs/pipeline.md. ``"engine"``
        has the name and the precision of what computes it, and why this was chosen.

        >>> with bindrt.load("tiny") as model:
        ...     _ = model.embed(text=["a bell ringing", "a car driving"])
        ...     model.stats()["text"]["items"]
        2
        """
        self._lifetime.require_here()
        found = merged(self._counts.snapshot(), self.pipelines.stats())
        for modality, counts in found.items():
            if chosen := self._openers[MODALITIES[modality].encoder].chosen():
                counts["engine"] = chosen._asdict()
        return found

    @contextmanager
    def trace(self, path: str | os.PathLike[str], spans: int = 100_000) -> Iterator[None]:
        """Record what the pipeline's threads do while the block runs, for ui.perfetto.dev or chrome://tracing.

        Args:
            path: the JSON file to write, at the end of the block.
            spans: so many spans of each encoder are kept, the first ones, about 100 bytes each. The file says
                how many were left out.

        >>> with model.trace("trace.json"):
        ...     _ = model.submit("text", "a bell ringing").result()
        """
        self._lifetime.require_here()
        with traced(self.pipelines, path, spans):
            yield

    def close(self, drain: bool = False) -> None:
        """Free everything; the model cannot be used afterwards.

        Args:
            drain: first finish what was submitted. Otherwise requests that the engine does not have yet fail.

        >>> model = bindrt.load("tiny")
        >>> model.close()
        >>> model.embed(text="a bell ringing")
        Traceback (most recent call last):
        bindrt.errors.ClosedError: ...
        """
        drain = chosen_bool("drain", drain)
        if self._lifetime.here():
            self._end_streams(drain)
        self._lifetime.close()
        if not self._lifetime.here():
            return  # the engines' threads are the parent's, and cannot be ended here
        self._end_streams(False)  # those that were opened meanwhile
        self.pipelines.close(drain)
        self._loaded.clear()
        if self._isolated is not None:
            self._isolated.close()

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise OptionError(
            repr(self),
            "a model cannot be pickled or copied: its engines and threads belong to this process",
            "send its path, and call bindrt.load with it there",
        )

    def __enter__(self) -> Model:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        what = f"{self.bundle.path.name}: {', '.join(self.modalities)}"
        chosen = choice_text(self._openers, self._asked)
        return f"Model({what}; {chosen}; [{self.embed_dim}]; space {self.space})"

    def _engine(self, encoder: str) -> Engine:
        return self._loaded.engine(encoder)


def _open(found: Mapping[str, Opener], options: PipelineOptions, encoder: str) -> Engine:
    return options.start(encoder, found[encoder].open)


def _expected(found: Mapping[str, Opener], pipelines: Pipelines, encoder: str) -> Held:
    place = found[encoder].expected()
    return Held() if place is None else pipelines.held(encoder, place)
