"""Checks of the arguments that callers give; they know nothing of bundles and engines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from typing import Any

import numpy as np

from bindrt.columns import as_items
from bindrt.errors import InputError, OptionError
from bindrt.numeric import is_number


def require_whole(
    name: str, value: object, what: str, least: int, most: int | None = None, optional: bool = False
) -> None:
    """Raises OptionError unless ``value`` is a whole number in its range; True and False are not.

    Args:
        name: the argument's name.
        what: what it counts, for example ``threads``.
        least: the smallest value.
        most: the largest value; None: any.
        optional: None is allowed too.

    >>> require_whole("threads", 4, "threads", 1, 1024)
    >>> require_whole("threads", True, "threads", 1, 1024)
    Traceback (most recent call last):
    bindrt.errors.OptionError: threads=True: not a number of threads; give a whole number from 1 to 1024
    """
    if optional and value is None:
        return
    whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    number = int(value) if whole else None  # type: ignore[call-overload]
    if number is None or number < least or (most is not None and number > most):
        bounds = f"from {least} to {most}" if most is not None else f"of at least {least}"
        raise OptionError(
            f"{name}={value!r}",
            f"not a number of {what}",
            f"give a whole number {bounds}{', or None' if optional else ''}",
        )


def is_skip(on_error: str) -> bool:
    """Whether ``on_error`` is ``"skip"`` and not ``"raise"``.

    Raises:
        OptionError: it is neither.
    """
    if on_error not in ("raise", "skip"):
        raise OptionError(f"on_error={on_error!r}", "unknown", "use raise or skip")
    return on_error == "skip"


def chosen_output(output: object) -> str:
    """Where vectors go: ``host`` or ``device``.

    Raises:
        OptionError: it is neither.
    """
    if output not in ("host", "device"):
        raise OptionError(f"output={output!r}"[:80], "unknown", "use host or device")
    return str(output)


def is_normalized(normalize: object) -> bool:
    """``normalize`` as a bool.

    Raises:
        OptionError: it is not a bool of Python or NumPy.
    """
    return chosen_bool("normalize", normalize, "True gives unit vectors")


def chosen_bool(name: str, value: object, remedy: str = "give one of them") -> bool:
    """An argument as a bool: a text such as "no" would count as True.

    Raises:
        OptionError: it is not a bool of Python or NumPy.

    >>> chosen_bool("verify", "no")
    Traceback (most recent call last):
    bindrt.errors.OptionError: verify='no': must be True or False; give one of them
    """
    if not isinstance(value, (bool, np.bool_)):
        raise OptionError(f"{name}={value!r}"[:80], "must be True or False", remedy)
    return bool(value)


def require_items(name: str, items: object) -> None:
    """Raises OptionError for what is no iterable of items. The items of a str would be letters.

    Args:
        name: the method's name.
    """
    if not isinstance(items, Iterable) or isinstance(items, (str, bytes, bytearray, memoryview, Mapping)):
        raise OptionError(
            name, f"{type(items).__name__} is not an iterable of items", "give a list, for example"
        )


def chosen_columns(columns: Mapping[Any, Any]) -> dict[str, str]:
    """The column of each modality that is embedded.

    Raises:
        OptionError: there is none, or one is not a name.
    """
    if not columns or not all(isinstance(name, str) for each in columns.items() for name in each):
        raise OptionError("columns", "not a column for each modality", "give for example {'image': 'path'}")
    return {str(modality): str(column) for modality, column in columns.items()}


def chosen_labels(labels: object) -> list[str]:
    """The texts that ``classify`` chooses from, in the order of its columns.

    Raises:
        OptionError: not a list, or an empty one; a dict or set has no order to rely on.
        InputError: a label is not a str.
    """
    ordered = isinstance(labels, Iterable) and not isinstance(labels, (str, bytes, Mapping, Set))
    texts = as_items("labels", labels) if ordered else []
    if not texts:
        raise OptionError(
            f"labels={labels!r}"[:80],
            "labels must be a list of texts",
            'for example labels=["a dog", "a car"]',
        )
    for index, text in enumerate(texts):
        if not isinstance(text, str):
            raise InputError(
                f"labels[{index}]", f"a label is a str, not {type(text).__name__}", "decode or convert it"
            )
    return [str(text) for text in texts]


def require_kind(name: str, value: object, kind: type) -> None:
    """Raises OptionError for an argument of ``load`` that is not a ``kind``."""
    if not isinstance(value, kind):
        what = "a str" if kind is str else f"bindrt.{kind.__name__}(…)"
        raise OptionError(f"{name}={value!r}"[:80], f"not {what}", f"give {what}, or leave it out")


def require_isolation(isolate: object, item_timeout: object) -> None:
    """Raises OptionError unless the two arguments of ``load`` go together."""
    chosen_bool("isolate", isolate)
    if item_timeout is None:
        return
    if not is_number(item_timeout) or not 0 < float(item_timeout) < float("inf"):
        raise OptionError(f"item_timeout={item_timeout!r}", "not a time", "give a number of seconds above 0")
    if not isolate:
        raise OptionError(f"item_timeout={item_timeout!r}", "only a process can be ended", "add isolate=True")
