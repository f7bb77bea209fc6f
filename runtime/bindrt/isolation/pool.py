"""Items that are files, prepared in processes; every other item, here."""

from __future__ import annotations

import contextlib
import os
import pickle
import threading
import weakref
from collections.abc import Iterator
from dataclasses import fields, replace
from typing import Any

from bindrt.arrays import item_name
from bindrt.errors import ClosedError
from bindrt.isolation.messages import read_modality
from bindrt.isolation.process import DecodingProcess
from bindrt.items import Prepared
from bindrt.limits import DEFAULT_LIMITS, Limits
from bindrt.modalities import Views
from bindrt.modalities.steps.output_rows import Reserve
from bindrt.preprocess.dispatch import declaration, prepare_views, wrapped
from bindrt.sources import Opened, is_file_source, open_source
from bindrt.sources.foreign import NamedBytes
from bindrt.sources.opening import decoding


class Isolated:
    """Processes that decode, as many as items are prepared at a time.

    Args:
        timeout: seconds that one item may take; None: any.
    """

    def __init__(self, timeout: float | None) -> None:
        self._timeout = timeout
        self._lock = threading.Lock()
        self._idle: list[DecodingProcess] = []
        self._all: weakref.WeakSet[DecodingProcess] = weakref.WeakSet()
        self._closed = False
        self._end = weakref.finalize(self, _kill, self._all, self._lock)

    def views(
        self,
        modality: str,
        item: Any,
        limits: Limits,
        reserve: Reserve | None = None,
        is_left: bool = False,
    ) -> Views:
        """As :func:`bindrt.preprocess.dispatch.prepare_views`.

        Raises:
            LimitError: the item takes longer than the timeout.
            SourceError: its decoder crashed.
        """
        request = self._request(modality, item, limits)
        if request is None:
            return prepare_views(modality, item, limits, reserve, is_left)
        name, data = request
        with self._process() as process:
            return process.prepare(name, data, self._timeout)

    def detect(self, opened: Opened) -> str | None:
        """As :func:`bindrt.preprocess.detect`; raises as :meth:`views` does."""
        if opened.path is not None:
            source: Any = opened.path
        else:
            with opened.binary() as stream:
                source = NamedBytes(stream.read(), opened.name)
        data = pickle.dumps((os.getcwd(), None, source, DEFAULT_LIMITS), protocol=5)
        with self._process() as process:
            return process.ask(opened.name, data, self._timeout, read_modality)

    def close(self) -> None:
        """Kills the processes; what they work on fails."""
        with self._lock:
            self._closed = True
        self._end()

    def _request(self, modality: str, item: Any, limits: Limits) -> tuple[str, bytes] | None:
        """The item's name and what a process is sent; None for what no decoder reads."""
        declared = declaration(modality)
        if declared.wrapper is None or isinstance(item, Prepared):
            return None
        name = item_name(item)
        with decoding(name, modality):
            whole = wrapped(declared, item)
            first = fields(whole)[0].name
            source = getattr(whole, first)
            if not is_file_source(source):
                return None
            sent = replace(whole, **{first: _portable(source, limits)})
            return item_name(source), pickle.dumps((os.getcwd(), modality, sent, limits), protocol=5)

    @contextlib.contextmanager
    def _process(self) -> Iterator[DecodingProcess]:
        process = self._take()
        try:
            yield process
        finally:
            self._give_back(process)

    def _take(self) -> DecodingProcess:
        while True:
            with self._lock:
                if self._closed:
                    raise ClosedError("", "the model is closed", "load it again")
                process = self._idle.pop() if self._idle else None
            if process is None:
                break
            if process.alive:
                return process
            process.kill()
        made = DecodingProcess()
        with self._lock:
            self._all.add(made)
        return made

    def _give_back(self, process: DecodingProcess) -> None:
        with self._lock:
            if process.alive and not self._closed:
                self._idle.append(process)
                return
        process.kill()


def _portable(source: Any, limits: Limits) -> Any:
    """A path as it is; a file object's bytes, under its name."""
    if isinstance(source, (str, bytes)):
        return source
    if isinstance(source, os.PathLike):
        return os.fspath(source)
    if isinstance(source, (bytearray, memoryview)):
        return bytes(source)
    with open_source(source, limits).binary() as stream:
        return NamedBytes(stream.read(), item_name(source))


def _kill(processes: weakref.WeakSet[DecodingProcess], lock: threading.Lock) -> None:
    with lock:
        found = list(processes)
    for process in found:
        process.kill()
