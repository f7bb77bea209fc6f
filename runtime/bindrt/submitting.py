"""``Model.submit``, with the items that each modality takes, and ``Model.stream``."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, TypeVar, overload

from bindrt.engines import Engine
from bindrt.errors import OptionError
from bindrt.item_options import as_item, check_options
from bindrt.item_types import (
    AudioItem,
    DepthItem,
    ImageItem,
    ImuItem,
    ModalityName,
    OnError,
    TextItem,
    ThermalItem,
    VideoItem,
)
from bindrt.option_checks import (
    chosen_bool,
    chosen_columns,
    is_normalized,
    is_skip,
    require_items,
    require_whole,
)
from bindrt.pipeline import EmbeddingFuture, Pipelines, Streamed, new_caller, request_options
from bindrt.pipeline.request_options import RequestOptions
from bindrt.pipeline.streaming import stream
from bindrt.preparation import Preparation

if TYPE_CHECKING:
    from bindrt.tables.streaming import StreamedRow

Item = TypeVar("Item")


class Submitting:
    """What can queue items."""

    pipelines: Pipelines
    _preparation: Preparation

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
        options = request_options(priority, deadline, normalize is True or is_normalized(normalize))
        return self._queue(modality, item, options, block is True or chosen_bool("block", block))

    def submit_many(
        self,
        modality: ModalityName,
        items: Iterable[object],
        priority: int = 0,
        deadline: float | None = None,
        normalize: bool = True,
    ) -> list[EmbeddingFuture]:
        """Queue some items of one modality: as :meth:`submit` for each in turn, in a fraction of the time.

        It waits while the queue is full.

        Args:
            items: items of the modality; none of them may change until its future is done.
            priority, deadline, normalize: as in :meth:`submit`; they hold for every item.

        Returns:
            The items' futures, in their order.

        >>> futures = model.submit_many("text", ["a bell ringing", "a car driving"])
        >>> [future.result().shape for future in futures]
        [(96,), (96,)]
        """
        self._require(modality)
        require_items("submit_many", items)
        options = request_options(priority, deadline, is_normalized(normalize))
        held = [self._preparation.taken(item) for item in items]
        return self.pipelines.submit_many(modality, held, self._engine, options)

    @overload
    def stream(
        self,
        modality: ModalityName,
        items: Iterable[Item],
        prefetch: int = 64,
        normalize: bool = True,
        on_error: OnError = "raise",
        priority: int = 0,
        options: Mapping[ModalityName, Mapping[str, str]] | None = None,
    ) -> Iterator[Streamed[Item]]: ...

    @overload
    def stream(
        self,
        modality: ModalityName,
        items: os.PathLike[str],
        prefetch: int = 64,
        normalize: bool = True,
        on_error: OnError = "raise",
        priority: int = 0,
        options: Mapping[ModalityName, Mapping[str, str]] | None = None,
    ) -> Iterator[Streamed[str]]: ...

    @overload
    def stream(
        self,
        modality: Mapping[ModalityName, str],
        items: object,
        prefetch: int = 64,
        normalize: bool = True,
        on_error: OnError = "raise",
        priority: int = 0,
        options: Mapping[ModalityName, Mapping[str, str]] | None = None,
    ) -> Iterator[StreamedRow]: ...

    def stream(
        self,
        modality: ModalityName | Mapping[ModalityName, str],
        items: Any,
        prefetch: int = 64,
        normalize: bool = True,
        on_error: OnError = "raise",
        priority: int = 0,
        options: Mapping[ModalityName, Mapping[str, str]] | None = None,
    ) -> Iterator[Any]:
        """Embed an iterable, however long, in constant memory: results in its order, as they are ready.

        Args:
            modality: of all items; or for tables the column of each modality that is embedded:
                ``{"image": "photo_path", "text": "caption"}``.
            items: an iterable of items; or where files are, as ``bind-embed`` takes them: the path of a
                folder or a zip or tar archive, or a URL that ends in ``/``. With columns: the path or URL of
                a table (Parquet, Arrow, CSV, JSON lines), of a saved dataset, a tar shard or a folder of
                such files; a list of them; or an Arrow table (docs/scale.md).
            prefetch: items or rows that are taken ahead of the result at hand; 1 to 100 000.
            on_error: ``raise`` at the first bad item, or ``skip`` it: its result has an ``error``.
            normalize, priority: as in :meth:`submit`.
            options: how files and cells are read, by modality: ``{"depth": {"unit": "mm"}}``.

        Returns:
            A :class:`Streamed` for each item or file; with columns a :class:`StreamedRow` for each row, with
            the row's other columns.

        Raises:
            InputError: an item is bad, or a table lacks a column.
            SourceError: a folder, archive or table cannot be read.

        >>> [one.vector.shape for one in model.stream("image", ["bell.jpg", "car.jpg"])]
        [(96,), (96,)]
        >>> import pyarrow as pa
        >>> rows = pa.table({"photo": ["bell.jpg"], "caption": ["a bell ringing"], "n": [1]})
        >>> for found in model.stream({"image": "photo", "text": "caption"}, rows):
        ...     print(found.columns["n"], *found.vectors)
        1 image text
        """
        given: dict[str, Mapping[str, str]] = {str(name): of for name, of in (options or {}).items()}
        columns = chosen_columns(modality) if isinstance(modality, Mapping) else {}
        for each in [*(columns or [str(modality)]), *given]:
            self._require(each)
        for each, of_modality in given.items():
            check_options(of_modality, each, f"options of {each}")
        skip, normalize = is_skip(on_error), is_normalized(normalize)
        require_whole("prefetch", prefetch, "items", 1, 100_000)
        asked = request_options(priority, None, normalize, new_caller())

        submit = partial(self.pipelines.submit_many, engine=self._engine, options=asked)
        if isinstance(modality, Mapping):
            from bindrt.tables.streaming import stream_rows  # only here: it imports pyarrow

            return stream_rows(items, columns, given, submit, prefetch, skip)
        if modality != "text" and isinstance(items, (str, os.PathLike)):
            from bindrt.sources.listing import files_of, is_place  # only here: it imports zipfile

            if is_place(items):
                paths = (path for path, _ in files_of(os.fsdecode(items)))
                hold = partial(as_item, modality, options=given.get(modality, {}))
                return stream(paths, hold, partial(submit, modality), prefetch, skip, modality)
            what = f"{type(items).__name__} is not an iterable of items, nor a folder or archive"
            remedy = "give a list, for example; of a table embed columns: stream({'image': 'NAME'}, …)"
            raise OptionError("stream", what, remedy)
        if given:
            raise OptionError("options", "they are for files of a folder and for tables", "leave them out")
        require_items("stream", items)
        return stream(items, self._preparation.taken, partial(submit, modality), prefetch, skip, modality)

    def _require(self, modality: str) -> None:
        raise NotImplementedError

    def _engine(self, encoder: str) -> Engine:
        raise NotImplementedError

    def _queue(self, modality: str, item: object, options: RequestOptions, block: bool) -> EmbeddingFuture:
        raise NotImplementedError
