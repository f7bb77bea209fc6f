"""The port of gRPC, on which several workers listen."""

from __future__ import annotations

import asyncio

import pytest

import bindrt
from bindrt.errors import Error
from bindrt.serving.options import ServeOptions
from bindrt.serving.running import Listening

grpc = pytest.importorskip("grpc", reason="the extra serve is not installed")


async def live(port: int) -> bool:
    """Whether a server answers, asked on a connection of its own."""
    options = [("grpc.use_local_subchannel_pool", 1)]
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}", options=options) as channel:
        call = channel.unary_unary("/inference.GRPCInferenceService/ServerLive")
        return bool(await call(b"", timeout=120, wait_for_ready=True) == b"\x08\x01")


def test_two_listen_on_one_port(served_model: bindrt.Model) -> None:
    from bindrt.serving.application import application
    from bindrt.serving.grpc_service import GrpcServer

    state = application(served_model, ServeOptions()).state

    async def both() -> None:
        with Listening(grpc_port=0).reserving_grpc() as port:
            servers = [GrpcServer(state.service, state.keys, state.observer) for _ in range(2)]
            for server in servers:
                assert await server.start(f"127.0.0.1:{port}", None, is_shared=True) == port
            with (
                pytest.raises(Error, match="cannot listen there"),
                Listening(grpc_port=port).reserving_grpc(),
            ):
                pass
            assert await live(port)
            await servers[0].stop(0)
            assert await live(port)  # by the other
            await servers[1].stop(0)

    asyncio.run(both())
