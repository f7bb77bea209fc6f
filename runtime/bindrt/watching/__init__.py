"""A page that shows what streams give while they run: scores, the current frame, events. docs/watching.md."""

from bindrt.watching.page import Page

__all__ = ["Page"]
