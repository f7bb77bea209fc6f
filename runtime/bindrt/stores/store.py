"""What every store does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from bindrt.stores.records import Records


class Rejected(Exception):  # noqa: N818 - a row is refused, which is no fault of the store
    """The store does not take a batch because of what is in it: to try it again would not help."""


class Store(Protocol):
    """A collection in a store. It is opened by a function that takes a :class:`StorePlace`.

    Attributes:
        batch: rows that are best handed over at once.
    """

    batch: int

    def prepare(self, dim: int, space: str) -> None:
        """Makes the collection where it is not there.

        Raises:
            SpaceError: it has vectors of another space.
            OptionError: it is there and was not made by bindrt.
        """

    def put(self, records: Records) -> Mapping[str, str]:
        """Adds rows; one whose id is there takes that one's place.

        Returns:
            Why single rows were refused, by id, where the store tells it so.

        Raises:
            Rejected: the store refused the batch. It has then taken none of it, or may be given it again.
            Exception: any other; :meth:`is_busy` says which are worth another try.
        """

    def finish(self) -> None:
        """Once all rows are there: makes what searching needs."""

    def is_busy(self, error: Exception) -> bool:
        """Whether an error says that the store is busy or cannot be reached for the moment."""

    def close(self) -> None: ...
