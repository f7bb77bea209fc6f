"""Which releases of TensorRT bindrt's calls are those of."""

from __future__ import annotations

from bindrt import hardware

#: JetPack 6 has 10.3.
OLDEST, NEWEST = (10, 3), (11, 4)
#: The first major release that there is none of for Jetson boards: packages of it for Arm are for servers.
NOT_ON_JETSON = 11


def release(version: str) -> tuple[int, int]:
    """Major and minor number; zeros where there are none.

    >>> release("10.13.3.9")
    (10, 13)
    """
    major, minor = (version.split(".") + ["", ""])[:2]
    return _number(major), _number(minor)


def release_problem(version: str) -> str:
    """Why bindrt does not use a release; empty if it does, also if it is not known which it is.

    >>> release_problem("10.3.0")
    ''
    >>> release_problem("8.6.1")
    'TensorRT 8.6.1 is older than 10.3'
    """
    is_old = (0, 0) < release(version) < OLDEST
    return f"TensorRT {version} is older than {shown(OLDEST)}" if is_old else ""


def release_note(version: str) -> str:
    """What is to be known of a release that may not work; empty for those that bindrt was written for here.

    >>> release_note("11.4.0"), release_note("12.0")
    ('', 'newer than 11.4, which bindrt was written for')
    """
    found = release(version)
    if found == (0, 0):
        return (
            f"its version {version!r} is not known; bindrt was written for {shown(OLDEST)} to {shown(NEWEST)}"
        )
    if found[0] >= NOT_ON_JETSON and hardware.is_jetson():
        return (
            f"there is no TensorRT {found[0]} for Jetson boards; uninstall it (pip uninstall tensorrt) and"
            " use JetPack's: sudo apt install python3-libnvinfer"
        )
    return f"newer than {shown(NEWEST)}, which bindrt was written for" if found > NEWEST else ""


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and text.isascii() else 0


def shown(numbers: tuple[int, int]) -> str:
    return ".".join(map(str, numbers))
