"""Results wait for their readers, threads and tasks alike, until the end."""

from __future__ import annotations

import asyncio
import threading

from bindrt.streams.channel import Channel


def test_the_oldest_is_pushed_out() -> None:
    channel: Channel[int] = Channel(2)
    assert [channel.put(i) for i in range(4)] == [0, 0, 1, 1]
    channel.end()
    assert [channel.get(), channel.get(), channel.get()] == [2, 3, None]


def test_each_result_is_read_once_by_one_of_many_readers() -> None:
    channel: Channel[int] = Channel(10_000)
    found: list[list[int]] = [[] for _ in range(4)]

    def read(mine: list[int]) -> None:
        while (result := channel.get()) is not None:
            mine.append(result)

    readers = [threading.Thread(target=read, args=(mine,)) for mine in found]
    for reader in readers:
        reader.start()
    for i in range(2000):
        channel.put(i)
    channel.end()
    for reader in readers:
        reader.join(60)
    assert sorted(result for mine in found for result in mine) == list(range(2000))


def test_tasks_wait_without_a_thread() -> None:
    channel: Channel[int] = Channel(100)

    async def read() -> list[int]:
        found = []
        while (result := await channel.aget()) is not None:
            found.append(result)
        return found

    async def both() -> list[int]:
        tasks = [asyncio.create_task(read()) for _ in range(3)]
        writer = threading.Thread(target=lambda: ([channel.put(i) for i in range(50)], channel.end()))
        writer.start()
        found = await asyncio.gather(*tasks)
        writer.join()
        return sorted(result for mine in found for result in mine)

    assert asyncio.run(asyncio.wait_for(both(), 60)) == list(range(50))


def test_a_task_that_is_cancelled_takes_no_result_with_it() -> None:
    channel: Channel[int] = Channel(100)

    async def run() -> int | None:
        task = asyncio.create_task(channel.aget())
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        channel.put(5)
        return await channel.aget()

    assert asyncio.run(asyncio.wait_for(run(), 60)) == 5
