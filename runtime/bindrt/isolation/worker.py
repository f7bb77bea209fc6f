"""The process that decodes: it answers requests on its input until that ends."""

from __future__ import annotations

import os
import pickle
import signal
import threading
import time
from contextlib import suppress
from typing import BinaryIO

from bindrt.errors import Error, SourceError
from bindrt.isolation.messages import read_frame, reply_of, reply_of_error, reply_of_modality
from bindrt.preprocess import detect
from bindrt.preprocess.dispatch import prepare_views
from bindrt.sources.opening import library

READY = b"ready"


def main() -> None:
    """Serves the parent, which may kill it at any moment."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    requests, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)  # what a library prints is not a reply
    for name in ("av", "soundfile"):  # now, so that no item's time is spent on it
        with suppress(Error):
            library(name)
    replies.write(READY)
    replies.flush()
    with suppress(EOFError, BrokenPipeError):
        while True:
            for part in _answer(read_frame(lambda count: _exactly(requests, count))):
                replies.write(part)
            replies.flush()


def _answer(request: bytes) -> list[bytes]:
    folder, modality, item, limits = pickle.loads(request)
    try:
        os.chdir(folder)
        if modality is None:
            return reply_of_modality(detect(item, limits))
        return reply_of(prepare_views(modality, item, limits))
    except Error as error:
        return reply_of_error(error)
    except Exception as error:
        return reply_of_error(SourceError("", f"cannot be prepared: {error!r}"))


def _exactly(stream: BinaryIO, count: int) -> bytes:
    data = stream.read(count)
    if len(data) < count:
        raise EOFError
    return data


def _end_with(parent: int) -> None:
    """A killed parent cannot close the pipe while this process decodes."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(0)
