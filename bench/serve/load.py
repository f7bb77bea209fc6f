"""The load generator, a process of its own: ``python -m bench.serve.load`` with a job as JSON on its input.

It sends requests that were written before, over sockets, and reads answers without looking into them, so that
it takes little of the machine. It imports nothing of bindrt. The job is
``{"host", "port", "request": path, "mode": "closed" | "open" | "held", …}``.
"""

from __future__ import annotations

import asyncio
import json
import resource
import socket
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

#: Bytes that are read at once.
_PIECE = 1 << 18
Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


def length_of(lines: list[bytes]) -> int:
    """How long the body of an answer with this head is."""
    return next(int(line.split(b":")[1]) for line in lines if line.lower().startswith(b"content-length:"))


async def answer(connection: Connection, request: bytes) -> int:
    """Send a request and read its answer to the end; its status."""
    reader, writer = connection
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    await reader.readexactly(length_of(lines))
    return int(lines[0].split(b" ")[1])


async def connect(job: dict[str, Any], count: int) -> list[Connection]:
    return [await asyncio.open_connection(job["host"], job["port"], limit=1 << 22) for _ in range(count)]


def exchange(connection: socket.socket, request: bytes) -> int:
    """As ``answer``, by a thread that waits: nothing of the request is copied but by the system."""
    connection.sendall(request)
    found = connection.recv(_PIECE)
    while (end := found.find(b"\r\n\r\n")) < 0:
        found += _more(connection)
    lines = found[:end].split(b"\r\n")
    left = length_of(lines) - (len(found) - end - 4)
    while left > 0:
        left -= len(_more(connection))
    return int(lines[0].split(b" ")[1])


def _more(connection: socket.socket) -> bytes:
    piece = connection.recv(_PIECE)
    if not piece:
        raise SystemExit("the server closed a connection")
    return piece


def closed(job: dict[str, Any], request: bytes) -> dict[str, Any]:
    """Each connection sends its next request when the last is answered, for some seconds.

    ``latencies`` has those of all requests, from when one was sent.
    """
    end = time.perf_counter() + job["seconds"]
    start = time.perf_counter()

    def turns(_: int) -> list[float]:
        taken = []
        with socket.create_connection((job["host"], job["port"])) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while (sent := time.perf_counter()) < end:
                require(exchange(connection, request))
                taken.append(time.perf_counter() - sent)
        return taken

    with ThreadPoolExecutor(job["connections"]) as pool:
        taken = [each for some in pool.map(turns, range(job["connections"])) for each in some]
    seconds = time.perf_counter() - start
    return {"requests": len(taken), "seconds": seconds, "latencies": taken}


async def opened(job: dict[str, Any], request: bytes) -> dict[str, Any]:
    """Requests at given times, whether earlier ones are answered or not; latencies count from these times.

    ``late`` is what each latency has of this process: from that time to when the request was sent.
    """
    free: asyncio.Queue[Connection] = asyncio.Queue()
    for connection in await connect(job, job["connections"]):
        free.put_nowait(connection)
    start = time.perf_counter() + 0.05

    async def one(at: float) -> tuple[float, float]:
        await asyncio.sleep(max(0.0, start + at - time.perf_counter()))
        late = time.perf_counter() - start - at
        connection = await free.get()
        require(await answer(connection, request))
        free.put_nowait(connection)
        return time.perf_counter() - start - at, late

    found = await asyncio.gather(*map(one, job["times"]))
    return {"latencies": [each[0] for each in found], "late": [each[1] for each in found]}


async def held(job: dict[str, Any], request: bytes) -> dict[str, Any]:
    """Many connections, open all the time: each asks once, then all ask again."""
    connections = await connect(job, job["connections"])
    statuses: list[int] = []
    for _ in range(2):
        for first in range(0, len(connections), 50):
            some = connections[first : first + 50]
            statuses += await asyncio.gather(*(answer(each, request) for each in some))
        await asyncio.sleep(job["pause"])
    return {"asked": len(statuses), "answered": statuses.count(200)}


def require(status: int) -> None:
    if status != 200:
        raise SystemExit(f"the server answered {status}")


def main() -> None:
    job: dict[str, Any] = json.load(sys.stdin)
    request = Path(job["request"]).read_bytes()
    if job["mode"] == "closed":
        found = closed(job, request)
    else:
        found = asyncio.run({"open": opened, "held": held}[job["mode"]](job, request))
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(json.dumps({**found, "cpu_seconds": used.ru_utime + used.ru_stime}))


if __name__ == "__main__":
    main()
