"""Every error a user can cause.

Each names the *item* (which input), the *problem* (what is wrong with it) and the *remedy*
(what would be right). Nothing else is raised for bad input.
"""

from __future__ import annotations


class Error(Exception):
    """Base of all bindrt errors.

    Attributes:
        item: the input at fault, for example ``cat.jpg``.
        problem: what is wrong with it.
        remedy: what would be right; may be empty.
        place: where the item stood in the caller's lists, for example ``image[3]``; may be empty.
    """

    place: str = ""

    def __init__(self, item: str, problem: str, remedy: str = "") -> None:
        super().__init__(item, problem, remedy)
        self.item = item
        self.problem = problem
        self.remedy = remedy

    def __str__(self) -> str:
        name = f"{self.place} {self.item}".strip()
        text = f"{name}: {self.problem}" if name else self.problem
        return f"{text}; {self.remedy}" if self.remedy else text

    def at(self, place: str) -> Error:
        """The same error with the item's place in the caller's lists, which stands before its name."""
        moved = type(self)(self.item, self.problem, self.remedy)
        moved.place = place
        return moved


class InputError(Error, ValueError):
    """An item has the wrong kind, shape, dtype, range or metadata."""


class SourceError(InputError):
    """An item cannot be read or decoded: missing, empty, truncated, of another format."""


class LimitError(InputError):
    """An item is larger than the limit that protects memory; see :class:`bindrt.Limits`."""


class OptionError(Error, ValueError):
    """An argument of a function or command is not one of its values."""


class CheckpointError(Error):
    """A checkpoint cannot be read, or its tensors do not fit the architecture."""


class BundleError(Error):
    """A bundle is damaged, unsafe, or of another schema version."""


class ExportError(Error):
    """An export cannot be done, or its result is outside the tolerance."""


class EngineError(Error):
    """An engine is not available, or failed on a batch."""


class SpaceError(Error):
    """Vectors of different embedding spaces were about to be mixed."""


class Overloaded(Error):  # noqa: N818 - a state, as the caller sees it
    """The queue is full; try again later, or let ``submit`` wait with ``block=True``."""


class MemoryBudgetExceeded(Error):  # noqa: N818
    """An encoder does not fit into the model's ``memory_budget``."""


class DeadlineExceeded(Error, TimeoutError):  # noqa: N818
    """A request's deadline passed before the engine had it; no work was spent on it."""
