"""What the notes say about a picture that was not taken upright."""

from __future__ import annotations

from bindrt.notes import Notes


def exif_notes(orientation: int, turned: bool) -> Notes:
    """The notes of a picture with this EXIF orientation; ``turned``: it was brought upright."""
    if orientation == 1:
        return {}
    return {"exif_turned" if turned else "exif_orientation": orientation}
