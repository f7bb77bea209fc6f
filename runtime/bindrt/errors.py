"""Every error that a user can cause.

Each error names the *item* (which input), the *problem* (what is wrong with it) and the *remedy*
(what would be right). bindrt raises nothing else for bad input.
"""

from __future__ import annotations


class Error(Exception):
    """The base of all bindrt errors.

    Attributes:
        item: the input at fault, for example ``cat.jpg``.
        problem: what is wrong with it.
        remedy: what would be right; may be empty.
        place: where the item stood in the caller's lists, for example ``image[3]``; may be empty.

    >>> str(Error("cat.jpg", "the file is empty", "check the path"))
    'cat.jpg: the file is empty; check the path'
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
        """The same error with the item's place in the caller's lists, which is written before its name.

        >>> str(Error("cat.jpg", "the file is empty").at("image[3]"))
        'image[3] cat.jpg: the file is empty'
        """
        moved = type(self)(self.item, self.problem, self.remedy)
        moved.place = place
        return moved


class InputError(Error, ValueError):
    """An item has the wrong kind, shape, dtype, range or metadata."""


class SourceError(InputError):
    """An item cannot be read or decoded: it is missing, empty, truncated or of another format."""


class LimitError(InputError):
    """An item is larger than the limit that protects memory; see :class:`bindrt.Limits`."""


class OptionError(Error, ValueError):
    """An argument of a function or a command has a value that it cannot have."""


class CheckpointError(Error):
    """A checkpoint cannot be read, or its tensors do not fit the architecture."""


class BundleError(Error):
    """A bundle is damaged or unsafe, or its schema is of another version."""


class ExportError(Error):
    """An export cannot be done, or its result differs from the checkpoint by more than the tolerance."""


class EngineError(Error):
    """An engine is not available, or failed on a batch."""


class SpaceError(Error):
    """Vectors of different embedding spaces were about to be compared or stored together."""


class Overloaded(Error):  # noqa: N818 - for the caller this is a state, not a fault
    """The queue is full; try again later, or let ``submit`` wait with ``block=True``."""


class MemoryBudgetExceeded(Error):  # noqa: N818
    """An encoder does not fit into the model's ``memory_budget``."""


class ClosedError(Error):
    """A model was used after it was closed, or was closed with the request in work."""


class ForkError(Error):
    """A model was used in a process that forked after it was loaded; load it in the child."""


class DeadlineExceeded(Error, TimeoutError):  # noqa: N818
    """A request's deadline passed before an engine began with it."""


def cannot_write(where: object, error: OSError) -> Error:
    """The error for what the operating system refuses to write.

    >>> str(cannot_write("a.npz", PermissionError(13, "Permission denied")))
    'a.npz: it cannot be written (Permission denied); check the path, rights and free space'
    """
    reason = error.strerror or error
    return Error(str(where), f"it cannot be written ({reason})", "check the path, rights and free space")
