"""The libraries by which csrc/prepare decodes pictures."""

from __future__ import annotations

from bindrt.modalities.steps import jpeg, png


def serve_pictures() -> None:
    """Names libjpeg-turbo and libdeflate to csrc/prepare; files of a library that is not there are left."""
    jpeg.serve()
    png.serve()
