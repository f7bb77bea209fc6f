"""What a modality is: the declaration that the rest of the runtime iterates over."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any, TypeVar

import numpy as np

from bindrt import _core
from bindrt.arrays import Array
from bindrt.limits import Limits
from bindrt.modalities.steps.output_rows import Reserve
from bindrt.notes import Notes
from bindrt.sources.content import Content
from bindrt.sources.foreign import NamedBytes

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True)
class Views:
    """One item, ready for its encoder: its views, each different one once.

    Attributes:
        array: ``[V, *view]``: the different views.
        index: int64 ``[N]``: ``array[index]`` are all views of the item in their order. None: each view of
            ``array`` counts once, in its order.
        notes: what preprocessing found and a user should know (missing depth pixels, the range used).
    """

    array: Array
    index: Array | None = None
    notes: Notes = field(default_factory=dict)

    @property
    def weights(self) -> Array | None:
        """How much each view counts in the mean over views, float32 ``[V]``; None if all count alike."""
        if self.index is None or len(self.array) == 1:
            return None
        counts = np.bincount(self.index, minlength=len(self.array))
        return None if (counts == counts[0]).all() else counts.astype(np.float32)

    def all(self) -> Array:
        """``[N, *view]``: every view of the item, equal ones repeated."""
        if self.index is None or np.array_equal(self.index, np.arange(len(self.array))):
            return self.array
        repeated: Array = self.array[self.index]
        return repeated


def one_view(array: Array, notes: Notes | None = None) -> Views:
    """The views of an item that is one view, given without a view axis."""
    return Views(array[None], notes=notes or {})


def number_equal(keys: Iterable[Key]) -> tuple[list[Key], Array]:
    """The different ones of ``keys`` in the order in which they come, and which of them each key is.

    This is the one definition of "equal views are made once": a key says what makes a view.

    Returns:
        The different keys, and int64 ``[N]`` with ``different[index[i]] == keys[i]``.
    """
    numbers: dict[Key, int] = {}
    index = [numbers.setdefault(key, len(numbers)) for key in keys]
    return list(numbers), np.array(index, np.int64)


@dataclass(frozen=True)
class Tokens:
    """How a modality's inputs are token ids: only the ids up to the end token change the vector.

    Attributes:
        count: number of entries of the vocabulary. The end token is the last and largest of them.
        lengths: rows of a batch are padded to the next of these lengths.
        tokenizer: makes ids of plain items without the interpreter; opened when first used.
        quick: makes ready ids from any other item so fast that the thread which submits the item may do it:
            the ids and the item's notes. None for an item that takes longer, or that is not valid.
    """

    count: int
    lengths: tuple[int, ...]
    tokenizer: Callable[[], _core.Tokenizer]
    quick: Callable[[object], tuple[Array, Notes] | None]

    @staticmethod
    def used(ids: Array) -> Array:
        """How many ids of each row ``[N, length]`` can change its vector: those up to the end token.

        The pooled position is the first largest id. With causal attention nothing after it can change it.
        """
        ends: Array = ids.argmax(axis=1) + 1
        return ends

    def is_row(self, ids: Array, length: int) -> bool:
        """Whether these are ids of one text, with an end."""
        fits = ids.dtype == np.int64 and ids.shape == (length,)
        return fits and bool(ids.min() >= 0) and bool(ids.max() == self.count - 1)


@dataclass(frozen=True)
class Modality:
    """One modality, declared once. :data:`bindrt.modalities.MODALITIES` lists all.

    Attributes:
        name: the public name: a keyword of ``embed``.
        encoder: the encoder that serves it; image and video share ``vision``.
        view: shape of one view as :mod:`bindrt.preprocess` returns it.
        prepare: makes the views of one item. It takes the item (a ``wrapper`` if there is one), the limits,
            and None or what reserves rows of a batch. It raises :class:`bindrt.InputError`.
        description: the constants of its preprocessing, as JSON can hold them. They are part of the space.
        wrapper: the class that carries an item with its metadata; None: items are plain, as texts are.
        views: views of one item as the original samples it. With 1, :mod:`bindrt.preprocess` returns no view
            axis.
        dtype: NumPy dtype of a view.
        recognizes: whether a file is of this modality by its content alone.
        bare_array: for arrays whose meaning is not plain: what is missing, and what to pass instead. None: an
            array is an item.
        tokens: for token ids; None for all else.
        original: ImageBind itself has it. The constants of all original modalities are part of every space:
            bundles of only some of them share one. Those of another modality are part of its bundles' spaces.
        check_ready: a further check of input that is handed in ready; it takes the array and the item's name.
        libraries: names to csrc/prepare the libraries by which it decodes files, those that are there.
    """

    name: str
    encoder: str
    view: tuple[int, ...]
    prepare: Callable[[Any, Limits, Reserve | None], Views]
    description: Mapping[str, object]
    wrapper: type[Any] | None = None
    views: int = 1
    dtype: type[np.generic] = np.float32
    recognizes: Callable[[Content], bool] = lambda content: False
    bare_array: tuple[str, str] | None = None
    tokens: Tokens | None = None
    original: bool = False
    check_ready: Callable[[Array, str], None] = lambda array, name: None
    libraries: Callable[[], None] = lambda: None

    @cached_property
    def ordinary(self) -> _core.OrdinaryPreparer | None:
        """What prepares its ordinary items without the interpreter's lock; None: ``prepare`` takes all items.

        It gives what ``prepare`` gives, or leaves the item to it.
        """
        if self.wrapper is None or not self.original or self.name not in _core.ordinary_modalities():
            return None
        self.libraries()
        source, *others = fields(self.wrapper)
        usual = {each.name: each.default for each in others}
        return _core.OrdinaryPreparer(
            self.name,
            self.view,
            self.wrapper,
            source.name,
            usual,
            self.views,
            self.bare_array is None,
            NamedBytes,
        )

    def with_view_axis(self, array: Array) -> Array:
        """``[V, *view]`` from one view or several."""
        return array if array.ndim > len(self.view) else array[None]


def for_encoder(views: Array, encoder_view: tuple[int, ...]) -> Array:
    """Views ``[V, *view]`` in the shape of the encoder's input, ``[V, *encoder_view]``, without a copy.

    This is the one definition of "a still image is one frame shown several times": the vision encoder takes
    ``[3, frames, 224, 224]`` where an image's view is ``[3, 224, 224]``.
    """
    if views.ndim != len(encoder_view):
        return views
    return np.broadcast_to(views[:, :, None], (len(views), *encoder_view))
