"""Whether ``bind-serve --workers`` holds for long: load, bad requests, and each minute a worker is killed.

Requests come at 80 % of the rate that the server held just before, whether earlier ones are answered or not.
Each good one must be answered rightly; where its connection breaks or the answer is 503 or 429 it is sent
again, as a client would. One in a hundred is bad and must be refused.

The worker that began last is killed, so that the other ones run from the beginning to the end: their memory
would show what grows.
"""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import random
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import psutil

import bindrt
from bench.serve.items import head, request
from bench.serve.percentiles import percentiles
from bench.serve.server import HOST, Server, is_ready

SHARE = 0.8
BAD = 0.01
#: What bind-serve is run with: a queue that says 429 where items would wait for long.
OPTIONS = ("--no-access-log", "--queue-seconds", "2")
#: Requests that wait for an answer at once; those beyond wait to be sent, and are counted as late.
_CONNECTIONS = 400
#: Seconds of load before the rate is measured, and while it is.
_WARM, _MEASURED = 5.0, 15.0
_TRIES = 40
_SLEEP = 0.25
_BUSY = (429, 503)
#: Whose memory is told; the oldest worker is never killed.
WHOSE = ("supervisor", "oldest_worker", "largest_worker")
_TOLERANCE = 1e-3


@dataclass(frozen=True)
class Ask:
    """A request, and the vector that it must be answered with; None: it is bad."""

    sent: bytes
    modality: str = ""
    vector: np.ndarray | None = None


@dataclass
class Counts:
    """What happened to the requests of a run."""

    good: int = 0
    right: int = 0
    right_after_retries: int = 0
    given_up: int = 0
    wrong: list[str] = field(default_factory=list)
    bad: int = 0
    refused: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    kills: int = 0
    not_ready: int = 0
    ready_asked: int = 0
    seconds: list[float] = field(default_factory=list)  # from when each good one was due
    answer_seconds: list[float] = field(default_factory=list)  # of each answer, from when it was asked for
    late_seconds: list[float] = field(
        default_factory=list
    )  # of each request, after it was due: the generator's
    memory: list[tuple[int, int, int]] = field(default_factory=list)  # supervisor, oldest worker, largest


def good_asks(model: bindrt.Model, of: dict[str, list[Any]], modalities: Sequence[str]) -> list[Ask]:
    found = []
    for modality in modalities:
        vectors = model.embed(**{modality: of[modality]})[modality]
        sent = [request(modality, [item], HOST) for item in of[modality]]
        found += [Ask(each, modality, vector) for each, vector in zip(sent, vectors, strict=True)]
    return found


def bad_asks() -> list[Ask]:
    """Broken JSON, wrong types, damaged files, a cut form, a path that is none."""
    form = {"Content-Type": "multipart/form-data; boundary=b"}
    damaged = b"\xff\xd8\xff\xe0" + b"\x00" * 200
    part = b'--b\r\nContent-Disposition: form-data; name="image"; filename="x"\r\n\r\n'
    data = "data:image/jpeg;base64," + base64.b64encode(damaged).decode()
    return [
        Ask(_post("/v1/embeddings", b'{"input": ["a"')),
        Ask(_post("/v1/embeddings", json.dumps({"input": {"a": 1}}).encode())),
        Ask(_post("/v1/embeddings", json.dumps({"input": data, "modality": "image"}).encode())),
        Ask(_post("/v1/embed", part + damaged + b"\r\n--b--\r\n", form)),
        Ask(_post("/v1/embed", part + damaged, form)),
        Ask(_post("/vectorize", json.dumps({"images": ["!"]}).encode())),
        Ask(_post("/v1/nothing", b"{}")),
    ]


def _post(route: str, body: bytes, headers: dict[str, str] | None = None) -> bytes:
    kind = headers or {"Content-Type": "application/json"}
    return head(route, HOST, {**kind, "Content-Length": str(len(body))}) + body


class Soak:
    """One run against a server."""

    def __init__(self, server: Server, good: list[Ask], bad: list[Ask], seed: int = 0) -> None:
        self._server = server
        self._good, self._bad = good, bad
        self._random = random.Random(seed)
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
        self._places = asyncio.Semaphore(_CONNECTIONS)
        self.counts = Counts()

    async def most(self, seconds: float, connections: int = 16) -> float:
        """Good requests a second, where each connection asks again once it is answered."""
        end, done = time.perf_counter() + seconds, itertools.count()

        async def turns() -> None:
            while time.perf_counter() < end:
                await self._settle(self._random.choice(self._good))
                next(done)

        start = time.perf_counter()
        await asyncio.gather(*(turns() for _ in range(connections)))
        return next(done) / (time.perf_counter() - start)

    async def run(self, rate: float, seconds: float, between_kills: float) -> None:
        """Requests for so many seconds, and all else that is watched meanwhile."""
        self.counts = Counts()
        beside = [asyncio.create_task(each) for each in (self._kill(between_kills), self._watch())]
        tasks: set[asyncio.Task[None]] = set()
        start = due = time.perf_counter()
        while due < start + seconds:
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            task = asyncio.create_task(self._one(due))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
            due += self._random.expovariate(rate)
        await asyncio.gather(*tasks)
        for each in beside:
            each.cancel()
        await asyncio.gather(*beside, return_exceptions=True)

    async def _one(self, due: float) -> None:
        self.counts.late_seconds.append(time.perf_counter() - due)
        is_bad = self._random.random() < BAD
        await self._settle(self._random.choice(self._bad if is_bad else self._good))
        if not is_bad:
            self.counts.seconds.append(time.perf_counter() - due)

    async def _settle(self, ask: Ask) -> None:
        """Sends a request until it is answered, and looks at the answer."""
        counts = self.counts
        if ask.vector is None:
            counts.bad += 1
        else:
            counts.good += 1
        for tries in range(_TRIES):
            async with self._places:
                asked = time.perf_counter()
                try:
                    status, body = await self._exchange(ask.sent)
                except (OSError, asyncio.IncompleteReadError):
                    status, body = 0, b""
                counts.answer_seconds.append(time.perf_counter() - asked)
            counts.statuses[str(status) if status else "connection broke"] += 1
            if status == 0 or status in _BUSY:
                await asyncio.sleep(_SLEEP * self._random.random())
                continue
            self._judge(ask, status, body, tries)
            return
        counts.given_up += 1

    def _judge(self, ask: Ask, status: int, body: bytes, tries: int) -> None:
        counts = self.counts
        if ask.vector is None:
            if 400 <= status < 500:
                counts.refused += 1
            else:
                counts.wrong.append(f"a bad request was answered {status}")
        elif status != 200:
            counts.wrong.append(f"{ask.modality}: {status} {body[:200]!r}")
        elif np.allclose(_vector(ask.modality, body), ask.vector, atol=_TOLERANCE):
            counts.right += 1
            counts.right_after_retries += tries > 0
        else:
            counts.wrong.append(f"{ask.modality}: another vector")

    async def _exchange(self, sent: bytes) -> tuple[int, bytes]:
        while self._idle:
            # Any of them: the one used last would mostly be the same, and so would be its worker.
            connection = self._idle.pop(self._random.randrange(len(self._idle)))
            if not connection[0].at_eof():
                break
            connection[1].close()
        else:
            connection = await asyncio.open_connection(HOST, self._server.port, limit=1 << 22)
        reader, writer = connection
        try:
            writer.write(sent)
            lines = (await reader.readuntil(b"\r\n\r\n")).lower().split(b"\r\n")
            length = next(int(line[15:]) for line in lines if line.startswith(b"content-length:"))
            body = await reader.readexactly(length)
        except BaseException:
            writer.close()
            raise
        if b"connection: close" in lines:
            writer.close()
        else:
            self._idle.append(connection)
        return int(lines[0].split(b" ")[1]), body

    async def _kill(self, seconds: float) -> None:
        while True:
            await asyncio.sleep(seconds)
            workers = self._server.workers()
            if workers:
                workers[-1].kill()
                self.counts.kills += 1

    async def _watch(self) -> None:
        while True:
            self.counts.ready_asked += 1
            self.counts.not_ready += not await asyncio.to_thread(is_ready, self._server.port)
            workers = await asyncio.to_thread(lambda: [_private(each) for each in self._server.workers()])
            own = self._server.process.memory_info().rss
            self.counts.memory.append((own, workers[0] if workers else 0, max(workers, default=0)))
            await asyncio.sleep(1.0)


def _private(process: psutil.Process) -> int:
    """The memory that is a process's alone; 0 if it has ended."""
    try:
        return int(process.memory_full_info().uss)
    except psutil.Error:
        return 0


def _vector(modality: str, body: bytes) -> np.ndarray:
    found = json.loads(body)
    text = found["data"][0]["embedding"] if modality == "text" else found["embeddings"][modality][0]
    return np.frombuffer(base64.b64decode(text), "<f4")


def soak(
    server: Server,
    model: bindrt.Model,
    of: dict[str, list[Any]],
    modalities: Sequence[str],
    minutes: float,
    between_kills: float = 60.0,
) -> dict[str, Any]:
    """Runs it, and what was found; a worker is killed each ``between_kills`` seconds."""

    async def all_of_it() -> dict[str, Any]:
        run = Soak(server, good_asks(model, of, modalities), bad_asks())
        await run.most(_WARM)
        most = await run.most(_MEASURED)
        await run.run(most * SHARE, minutes * 60, between_kills)
        return {"minutes": minutes, "most": most, "rate": most * SHARE, **_found(run.counts)}

    return asyncio.run(all_of_it())


def _found(counts: Counts) -> dict[str, Any]:
    quarters = [np.median(each, axis=0) / 2**20 for each in np.array_split(np.array(counts.memory), 4)]
    memory = {
        f"{whose}_mib_by_quarter": [round(float(each[column]), 1) for each in quarters]
        for column, whose in enumerate(WHOSE)
    }
    return {
        "good": counts.good,
        "right": counts.right,
        "right_after_retries": counts.right_after_retries,
        "given_up": counts.given_up,
        "wrong": counts.wrong[:20],
        "bad": counts.bad,
        "refused": counts.refused,
        "answers": dict(counts.statuses),
        "kills": counts.kills,
        "ready": {"asked": counts.ready_asked, "no": counts.not_ready},
        "milliseconds": percentiles(counts.seconds or [0.0]),
        "answer_milliseconds": percentiles(counts.answer_seconds or [0.0]),
        "late_milliseconds": percentiles(counts.late_seconds or [0.0]),
        **memory,
    }


def report(found: dict[str, Any]) -> None:
    ready = found["ready"]
    print(
        f"{found['minutes']:g} min at {found['rate']:.0f} of {found['most']:.0f} requests/s, "
        f"{found['kills']} workers killed: {found['right']} of {found['good']} good requests right, "
        f"{found['right_after_retries']} of them sent again; {found['given_up']} given up, "
        f"{len(found['wrong'])} wrong; {found['refused']} of {found['bad']} bad ones refused"
    )
    print(f"ready {ready['asked'] - ready['no']} times of {ready['asked']}")
    for name, what in (("", "to the right answer"), ("answer_", "of each answer"), ("late_", "sent late")):
        times = found[f"{name}milliseconds"]
        print(f"{what}: p50 {times['p50']:.1f} ms, p99 {times['p99']:.1f} ms")
    print(f"answers: {found['answers']}")
    for what in WHOSE:
        print(f"MiB of the {what.replace('_', ' ')} by quarter: {found[f'{what}_mib_by_quarter']}")
    for text in found["wrong"]:
        print(f"wrong: {text}")
