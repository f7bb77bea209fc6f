"""``Model.submit``, with the items that each modality takes."""

from __future__ import annotations

from typing import Literal, overload

from bindrt.item_types import AudioItem, DepthItem, ImageItem, ImuItem, TextItem, ThermalItem, VideoItem
from bindrt.option_checks import chosen_bool, is_normalized
from bindrt.pipeline import EmbeddingFuture, request_options
from bindrt.pipeline.request_options import RequestOptions


class Submitting:
    """What can queue one item."""

    @overload
    def submit(
        self,
        modality: Literal["image"],
        item: ImageItem,
        priority: int = 0,
        deadline: float | None = None,
        block: bool = True,
        normalize: bool = True,
    ) -> EmbeddingFuture: ...

    @overload
    def submit(
        self,
        modality: Literal["video"],
        item: VideoItem,
        priority: int = 0,
        deadline: float | None = None,
        block: bool = True,
        normalize: bool = True,
    ) -> EmbeddingFuture: ...

    @overload
    def submit(
        self,
        modality: Literal["text"],
        item: TextItem,
        priority: int = 0,
        deadline: float | None = None,
        block: bool = True,
        normalize: bool = True,
    ) -> EmbeddingFuture: ...

    @overload
    def submit(
        self,
        modality: Literal["audio"],
        item: AudioItem,
        priority: int = 0,
        deadline: float | None = None,
        block: bool = True,
        normalize: bool = True,
    ) -> EmbeddingFuture: ...

    @overload
    def submit(
        self,
        modality: Literal["depth"],
        item: DepthItem,
        priority: int = 0,
        deadline: float | None = None,
        block: bool = True,
        normalize: bool = True,
    ) -> EmbeddingFuture: ...

    @overload
    def submit(
        self,
        modality: Literal["thermal"],
        item: ThermalItem,
        priority: int = 0,
        deadline: float | None = None,
        block: bool = True,
        normalize: bool = True,
    ) -> EmbeddingFuture: ...

    @overload
    def submit(
        self,
        modality: Literal["imu"],
        item: ImuItem,
        priority: int = 0,
        deadline: float | None = None,
        block: bool = True,
        normalize: bool = True,
    ) -> EmbeddingFuture: ...

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
            modality: the item's modality, for example ``image``.
            item: see :mod:`bindrt.items`. It must not change until the future is done.
            priority: higher goes first; -1000 to 1000.
            deadline: seconds from now; if the engine does not have the item by then, it is dropped.
            block: wait while the queue is full.
            normalize: as in :meth:`Model.embed`.

        Returns:
            A ``concurrent.futures.Future`` of float32 ``[D]``. It raises the item's ``Error``, or
            :class:`DeadlineExceeded`. ``cancel()`` works until the engine has the item.

        Raises:
            Overloaded: the queue is full, with ``block=False``.

        >>> future = model.submit("audio", "bell.wav", priority=5, deadline=10.0)
        >>> future.result().shape
        (96,)
        """
        options = request_options(priority, deadline, is_normalized(normalize))
        return self._queue(modality, item, options, chosen_bool("block", block))

    def _queue(self, modality: str, item: object, options: RequestOptions, block: bool) -> EmbeddingFuture:
        raise NotImplementedError
