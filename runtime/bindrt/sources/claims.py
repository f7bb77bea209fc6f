"""Compares what a container's tables claim with what its file can hold, before FFmpeg takes memory."""

from __future__ import annotations

from bindrt.errors import LimitError, SourceError
from bindrt.limits import Limits
from bindrt.sources import claims_matroska, claims_mp4
from bindrt.sources.formats import Format
from bindrt.sources.opening import IF_CUT, Opened, decoding
from bindrt.sources.video_numbers import FASTEST, FREE_PACKETS, LEAST_PACKET


def check_tables(opened: Opened, file_format: Format, limits: Limits) -> None:
    """Looks through the tables of an MP4 and the first blocks of a Matroska file.

    FFmpeg makes entries for all that a table claims when it opens an MP4, and takes up to 5 MB of packets,
    of whatever number, from a file whose codec it does not recognize.

    Raises:
        SourceError: a table claims more packets, or more bytes of them, than the file can hold.
        LimitError: it has more packets than the limits allow.
    """
    if file_format.name == "mov":
        with opened.binary() as stream, decoding(opened.name, "tables"):
            claim = claims_mp4.look(stream, opened.size, _most(opened.size, limits))
    elif file_format.name == "matroska":
        with opened.binary() as stream, decoding(opened.name, "blocks"):
            claim = claims_matroska.look(stream, opened.size, _most(opened.size, limits))
    else:
        return
    check_packets(claim.packets, opened, limits)
    if claim.wrong:
        raise SourceError(opened.name, claim.wrong, IF_CUT)
    if claim.cut:
        opened.ends_early(claim.cut)


def check_packets(packets: int, opened: Opened, limits: Limits) -> None:
    """Raises an error if a file claims more packets than it can hold, or than the limits allow."""
    if packets > limits.max_packets:
        raise LimitError(
            opened.name, f"more than {limits.max_packets} packets", "raise Limits.max_packets, or cut it"
        )
    if packets > _most(opened.size, limits):
        raise SourceError(
            opened.name, f"{packets} packets in a file of {opened.size} bytes", "is the file damaged?"
        )


def check_rate(fps: float, name: str) -> None:
    """Raises SourceError for more frames a second than any camera has."""
    if fps > FASTEST:
        raise SourceError(name, f"{fps:g} frames a second", "write it again with its true rate")


def _most(size: int, limits: Limits) -> int:
    return int(min(limits.max_packets, FREE_PACKETS + size // LEAST_PACKET))
