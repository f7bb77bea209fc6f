"""Which releases of TensorRT bindrt's calls are those of."""

from __future__ import annotations

#: JetPack 6 has 10.3; there is no 11 for Jetson boards.
OLDEST, NEWEST = (10, 3), (11, 4)


def release(version: str) -> tuple[int, int]:
    """Major and minor number; zeros where there are none.

    >>> release("10.13.3.9")
    (10, 13)
    """
    major, minor = (version.split(".") + ["", ""])[:2]
    return _number(major), _number(minor)


def release_problem(version: str) -> str:
    """Why bindrt does not use a release; empty if it does.

    >>> release_problem("10.3.0")
    ''
    >>> release_problem("8.6.1")
    'TensorRT 8.6.1 is older than 10.3'
    """
    return f"TensorRT {version} is older than {shown(OLDEST)}" if release(version) < OLDEST else ""


def release_note(version: str) -> str:
    """What is to be known of a release that may work; empty for those that bindrt was written for."""
    return f"newer than {shown(NEWEST)}, which bindrt was written for" if release(version) > NEWEST else ""


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and text.isascii() else 0


def shown(numbers: tuple[int, int]) -> str:
    return ".".join(map(str, numbers))
