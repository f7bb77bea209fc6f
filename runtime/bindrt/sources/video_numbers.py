"""Bounds of videos that csrc/video shares: csrc/video/film_numbers.h says what each is."""

from __future__ import annotations

from bindrt import _core

_NUMBERS = _core.item_numbers()["video"]

FREE_PIXELS: float = _NUMBERS["free_pixels"]  # that any video may decode to
FASTEST: float = _NUMBERS["fastest"]  # frames a second
FREE_PACKETS: int = _NUMBERS["free_packets"]  # that any file may have, however small
LEAST_PACKET: int = _NUMBERS["least_packet"]  # bytes a packet has on average beyond these
PACKED_TIMES: int = _NUMBERS["packed_times"]  # bytes of packets for each of the file
MISSING: int = _NUMBERS["missing"]  # frames by which a container's count may be wrong
LARGE: int = _NUMBERS["large"]  # pixels of a frame beyond which one thread decodes
HELD_EACH: int = _NUMBERS["held_each"]  # bytes of frames for each of the file's beyond the limit
KEPT: dict[str, int] = _NUMBERS["kept"]  # frames that a decoder may keep, by its name
FEW_KEPT: int = _NUMBERS["few_kept"]  # that others keep
