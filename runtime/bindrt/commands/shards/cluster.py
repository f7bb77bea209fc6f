"""Blocks on a Ray cluster: actors with a model each take them, and are replaced when they die."""

from __future__ import annotations

import os
import sys
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from typing import Any

from bindrt.commands.shards.blocks import NumberedBlock
from bindrt.commands.shards.worker import Done, Job, Worker
from bindrt.errors import Error
from bindrt.integrations.libraries import tool
from bindrt.integrations.ray import actor_threads

#: Blocks that an actor has at once: one ends while the next begins.
BLOCKS_EACH = 2
#: An actor that dies so many times with the same block in work is not to blame.
MOST_DEATHS = 20


@dataclass(frozen=True)
class Cluster:
    """Where blocks go.

    Attributes:
        address: of a running Ray cluster; None: that of ``RAY_ADDRESS``, else one is started on this machine.
        actors: how many; None: one for each share of ``cpus`` or ``gpus`` that the cluster has.
        cpus, gpus: of each actor.
    """

    address: str | None = None
    actors: int | None = None
    cpus: float = 1
    gpus: float = 0


class RayWorker:
    """A :class:`Worker` in an actor, with as many threads as Ray gives it CPUs."""

    def __init__(self, job: Job) -> None:
        threads = job.load.get("threads") or actor_threads()
        self._worker = Worker(replace(job, load={**job.load, "threads": threads}))

    def write(self, block: NumberedBlock) -> Done:
        return self._worker.write(block)

    def process(self) -> int:
        """The id of its process."""
        return os.getpid()


def run_on_ray(job: Job, blocks: Iterable[NumberedBlock], cluster: Cluster) -> Iterator[Done]:
    """Embeds blocks on a cluster; what became of each, as they end.

    A block whose actor dies is given to another one. Only paths, small tables and counts go through the
    object store.

    Raises:
        Error: ray is not installed, the cluster cannot be reached or has no room, a block cannot be read, an
            engine failed, or one block kills every actor.
    """
    ray = tool("ray", "ray")
    with redirect_stdout(sys.stderr):  # Ray tells of dead actors on it, and it is for our results
        started = not ray.is_initialized()
        if started:
            _connect(ray, cluster.address)
        actors = _Actors(ray, job, cluster)
        try:
            yield from actors.run(iter(blocks))
        finally:
            actors.close()
            if started:
                ray.shutdown()


def _connect(ray: Any, address: str | None) -> None:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        if address or os.environ.get("RAY_ADDRESS"):
            ray.init(address=address, log_to_driver=False, logging_level="ERROR")
        else:
            ray.init(include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    except Exception as error:
        raise Error("--cluster ray", f"the cluster cannot be reached ({error})", "check --address") from error


class _Actors:
    """The actors of a run, and which blocks each has."""

    def __init__(self, ray: Any, job: Job, cluster: Cluster) -> None:
        self._ray = ray
        remote = ray.remote(RayWorker).options(
            num_cpus=cluster.cpus,
            num_gpus=cluster.gpus,
            max_restarts=-1,
            max_concurrency=BLOCKS_EACH,
        )
        self._actors = [remote.remote(job) for _ in range(_count(ray, cluster))]
        self._waiting: dict[Any, tuple[int, NumberedBlock]] = {}
        self._again: deque[NumberedBlock] = deque()
        self._deaths: Counter[int] = Counter()

    def run(self, blocks: Iterator[NumberedBlock]) -> Iterator[Done]:
        while True:
            while (actor := self._free()) is not None and (block := self._next(blocks)) is not None:
                self._waiting[self._actors[actor].write.remote(block)] = actor, block
            if not self._waiting:
                return
            ready, _ = self._ray.wait(list(self._waiting), num_returns=1)
            for reference in ready:
                if (done := self._take(reference)) is not None:
                    yield done

    def close(self) -> None:
        for actor in self._actors:
            self._ray.kill(actor)

    def _free(self) -> int | None:
        """The actor that has the fewest blocks; None if all have enough."""
        loads = Counter(actor for actor, _ in self._waiting.values())
        least = min(range(len(self._actors)), key=lambda actor: loads[actor])
        return least if loads[least] < BLOCKS_EACH else None

    def _next(self, blocks: Iterator[NumberedBlock]) -> NumberedBlock | None:
        return self._again.popleft() if self._again else next(blocks, None)

    def _take(self, reference: Any) -> Done | None:
        """What became of a block; None if it has to be done again."""
        _, block = self._waiting.pop(reference)
        exceptions = self._ray.exceptions
        try:
            found: Done = self._ray.get(reference)
            return found
        except exceptions.RayTaskError as error:
            cause = error.cause
            if isinstance(cause, Error):
                raise cause from None
            raise Error(f"block {block.number}", f"it failed ({cause!r})", "report this") from error
        except (exceptions.RayActorError, exceptions.WorkerCrashedError, exceptions.ObjectLostError) as error:
            self._deaths[block.number] += 1
            if self._deaths[block.number] > MOST_DEATHS:
                what = f"block {block.number} ({block.block.name[:200]})"
                problem = f"its actor died {MOST_DEATHS} times ({type(error).__name__})"
                raise Error(what, problem, "add --isolate: a decoder may crash") from error
            self._again.append(block)
            return None


def _count(ray: Any, cluster: Cluster) -> int:
    if cluster.actors is not None:
        return cluster.actors
    resources = ray.cluster_resources()
    name, each = ("GPU", cluster.gpus) if cluster.gpus else ("CPU", cluster.cpus)
    found = int(resources.get(name, 0) // each) if each else 1
    if found < 1:
        problem = f"no machine has {each:g} {name}s for an actor"
        raise Error("--cluster ray", problem, "lower --cpus or --gpus")
    return found
