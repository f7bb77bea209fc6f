"""Headers of tar files: one that is damaged is an error, where the standard library takes it for the end."""

from __future__ import annotations

import tarfile


class Header(tarfile.TarInfo):
    """For ``tarfile.open(tarinfo=Header)``."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Header:
        """
        Raises:
            ReadError: the header is damaged, or the file ends within it.
        """
        try:
            return super().frombuf(buf, encoding, errors)
        except tarfile.HeaderError as error:
            if bytes(buf).strip(b"\0"):  # neither the end of the archive nor that of the file
                raise tarfile.ReadError(f"a header is damaged: {error}") from None
            raise
