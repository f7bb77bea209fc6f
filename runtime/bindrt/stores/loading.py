"""Rows into a store: in batches, tried again where that helps, with errors of single rows."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from bindrt.errors import Error, OptionError
from bindrt.stores.place import StorePlace
from bindrt.stores.records import Records
from bindrt.stores.store import Rejected, Store

Result = TypeVar("Result")
#: Seconds to wait before each further try; a random part is added, lest many loaders come back at once.
WAITS = (0.5, 2.0, 8.0, 30.0)


@dataclass
class Loaded:
    """What became of the rows.

    Attributes:
        rows: that the store has now.
        refused: of the others, what they are and why the store does not take them.
    """

    rows: int = 0
    refused: list[tuple[str, str]] = field(default_factory=list)


def load_records(
    store: Store,
    place: StorePlace,
    parts: Iterable[Records],
    dim: int,
    space: str,
    skip: bool = False,
    advance: Callable[[int], None] = lambda count: None,
) -> Loaded:
    """Puts all rows into a store. A later run with the same rows changes nothing.

    Args:
        skip: a row that the store refuses is listed; else it ends the run.
        advance: is told how many more rows are done.

    Raises:
        SpaceError, OptionError: as :meth:`Store.prepare`.
        Error: the store cannot be reached, after several tries; or it refused a row.
    """
    found = Loaded()
    try:
        _again(lambda: store.prepare(dim, space), store, place, WAITS[:1])
    except Rejected as error:
        raise OptionError(
            str(place), f"the store does not make it: {error}", "choose another name"
        ) from error
    for records in parts:
        for begin in range(0, len(records), store.batch):
            part = records.part(begin, begin + store.batch).without_doubles()
            refused = _put(store, place, part)
            for name, why in refused.items():
                row = part.ids.index(name)
                what = part.sources[row] or name
                if not skip:
                    remedy = "add --on-error skip to leave out such rows"
                    raise Error(what, f"{place} does not take it: {why}", remedy)
                found.refused.append((what, why))
            found.rows += len(part) - len(refused)
            advance(len(part))
    _again(store.finish, store, place)
    return found


def _put(store: Store, place: StorePlace, records: Records) -> dict[str, str]:
    """Why rows were refused, by id; of a batch that is refused as a whole, halves are tried."""
    try:
        return dict(_again(lambda: store.put(records), store, place))
    except Rejected as error:
        if len(records) == 1:
            return {records.ids[0]: str(error)}
        middle = len(records) // 2
        first, second = records.part(0, middle), records.part(middle, len(records))
        return {**_put(store, place, first), **_put(store, place, second)}


def _again(
    work: Callable[[], Result], store: Store, place: StorePlace, waits: Sequence[float] = WAITS
) -> Result:
    """Does what may fail for a moment, some times."""
    for wait in (*waits, None):
        try:
            return work()
        except (Rejected, Error):
            raise
        except Exception as error:
            if wait is None or not store.is_busy(error):
                reason = str(error).strip() or type(error).__name__
                remedy = "rows are kept: go on with --resume once it is there again"
                raise Error(str(place), f"the store cannot be used: {reason[:500]}", remedy) from error
            time.sleep(wait * random.uniform(1, 1.5))
    raise AssertionError  # the last turn returns or raises
