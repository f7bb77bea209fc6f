"""Which windows go to the model when it is slower than the sensor."""

from __future__ import annotations

from collections import deque
from typing import Literal, Protocol, get_args

from bindrt.errors import OptionError
from bindrt.streams.arrivals import Arrival

PolicyName = Literal["latest", "all", "even"]
_SMOOTH = 0.1  # the weight of the newest time in a mean
_SPARE = 0.95  # of the model's speed is planned with


class Policy(Protocol):
    """Keeps the windows that wait for the model.

    Attributes:
        in_model: how many windows the model may have at once.
    """

    in_model: int

    def __len__(self) -> int: ...

    def offer(self, window: Arrival, now: float) -> int:
        """Take a window; how many are dropped for it, itself included."""
        ...

    def take(self) -> Arrival | None:
        """The next window for the model."""
        ...

    def put_back(self, window: Arrival) -> None:
        """What was just taken, and could not go to the model."""
        ...

    def computed(self, seconds: float) -> None:
        """The model took so long for one."""
        ...


class _OneWaits:
    """At most one window waits, and the model has one at a time."""

    in_model = 1

    def __init__(self) -> None:
        self._waiting: Arrival | None = None

    def __len__(self) -> int:
        return int(self._waiting is not None)

    def take(self) -> Arrival | None:
        window, self._waiting = self._waiting, None
        return window

    def put_back(self, window: Arrival) -> None:
        self._waiting = window


class Latest(_OneWaits):
    """The newest window wins: one waits, and a newer one takes its place."""

    def offer(self, window: Arrival, now: float) -> int:
        dropped = len(self)
        self._waiting = window
        return dropped

    def computed(self, seconds: float) -> None:
        pass


class All:
    """Every window, in order. The stream refuses what would make more than ``queue`` wait."""

    def __init__(self, queue: int) -> None:
        self.in_model = queue
        self._waiting: deque[Arrival] = deque()

    def __len__(self) -> int:
        return len(self._waiting)

    def offer(self, window: Arrival, now: float) -> int:
        self._waiting.append(window)
        return 0

    def take(self) -> Arrival | None:
        return self._waiting.popleft() if self._waiting else None

    def put_back(self, window: Arrival) -> None:
        self._waiting.appendleft(window)

    def computed(self, seconds: float) -> None:
        pass


class Even(_OneWaits):
    """As many windows as the model can compute, at even distances.

    Each window adds the share of windows that the model can compute: the time between two windows over the
    time that the model takes. Whenever a whole has come together, the window is taken.
    """

    def __init__(self) -> None:
        super().__init__()
        self._last: float | None = None
        self._between = self._takes = 0.0  # seconds; 0 until known
        self._credit = 1.0

    def offer(self, window: Arrival, now: float) -> int:
        if self._last is not None:
            self._between = _mean(self._between, now - self._last)
        self._last = now
        share = 1.0 if not self._takes or not self._between else _SPARE * self._between / self._takes
        self._credit = min(self._credit + min(share, 1.0), 1.0 if self._waiting is not None else 2.0)
        if self._credit < 1.0 or self._waiting is not None:
            return 1
        self._credit = min(self._credit - 1.0, 1.0)
        self._waiting = window
        return 0

    def computed(self, seconds: float) -> None:
        self._takes = _mean(self._takes, seconds)


def policy_of(name: PolicyName, queue: int) -> Policy:
    """The policy of that name.

    Raises:
        OptionError: there is none.
    """
    if name == "latest":
        return Latest()
    if name == "all":
        return All(queue)
    if name == "even":
        return Even()
    raise OptionError(f"policy={name!r}", "unknown", f"one of {', '.join(get_args(PolicyName))}")


def _mean(mean: float, value: float) -> float:
    return value if not mean else mean + _SMOOTH * (value - mean)
