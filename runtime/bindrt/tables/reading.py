"""What fails while a table or a shard is read, as errors that name it."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa

from bindrt.errors import Error, SourceError

_PROBLEMS = (OSError, EOFError, ValueError, KeyError, TypeError, tarfile.TarError, pa.ArrowException)


@contextmanager
def reading(place: str, what: str = "table") -> Iterator[None]:
    """Reads ``place`` while the block runs.

    Raises:
        SourceError: it is not there, or is no such ``what``.

    >>> with reading("photos.parquet"):
    ...     raise FileNotFoundError
    Traceback (most recent call last):
    bindrt.errors.SourceError: photos.parquet: there is no such file; check the path
    """
    try:
        yield
    except Error:
        raise
    except FileNotFoundError:
        raise SourceError(place, "there is no such file", "check the path") from None
    except _PROBLEMS as error:
        raise SourceError(place, f"the {what} cannot be read ({error})", "is it complete?") from error
