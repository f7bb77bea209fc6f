"""What a gRPC client does not read is counted, and given back when it goes."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from typing import Any

import h2.config
import h2.connection
import h2.events
import h2.settings
import pytest

import bindrt
from bindrt.serving import ServeOptions
from support.serving import PATIENCE, running

grpc = pytest.importorskip("grpc")

PATH = "/inference.GRPCInferenceService/ModelInfer"
#: A call's answer has 64 vectors of 96 numbers, 24 KiB, and a head; eight of them fit.
TEXTS, ANSWER, ROOM = 64, 64 * 96 * 4, 8
UNREAD = "answers that their clients have not read fill the memory"
MOST = ROOM * (ANSWER + 100)


def call() -> bytes:
    from bindrt.serving.grpc_messages import message

    texts = message("InferTensorContents")(bytes_contents=[b"a bell"] * TEXTS)
    tensor = message("InferInputTensor")(name="data", datatype="BYTES", shape=[TEXTS], contents=texts)
    found: bytes = message("ModelInferRequest")(model_name="text", inputs=[tensor]).SerializeToString()
    return found


class Client:
    """A connection over HTTP/2 on which answers have no room, so that the server keeps them."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        config = h2.config.H2Configuration(client_side=True, header_encoding="utf-8")
        self._h2 = h2.connection.H2Connection(config)
        self._h2.initiate_connection()
        self._h2.update_settings({h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: 0})
        self._socket.sendall(self._h2.data_to_send())

    def send(self, body: bytes) -> int:
        """Makes a call; its stream."""
        stream = self._h2.get_next_available_stream_id()
        headers = {":method": "POST", ":scheme": "http", ":path": PATH, ":authority": "a",
                   "content-type": "application/grpc", "te": "trailers"}  # fmt: skip
        self._h2.send_headers(stream, list(headers.items()))
        self._h2.send_data(stream, b"\0" + len(body).to_bytes(4, "big") + body, end_stream=True)
        self._socket.sendall(self._h2.data_to_send())
        return stream

    def statuses(self) -> Iterator[tuple[int, str]]:
        """The status of each call that has ended, as they end, by its stream."""
        while data := self._socket.recv(65536):
            for event in self._h2.receive_data(data):
                headers = dict(getattr(event, "headers", None) or [])
                if "grpc-status" in headers:
                    yield event.stream_id, headers["grpc-status"]
            self._socket.sendall(self._h2.data_to_send())

    def close(self) -> None:
        self._socket.close()


def test_answers_that_nobody_reads_fill_their_memory_until_the_client_goes(
    served_model: bindrt.Model,
) -> None:
    body, calls = call(), ROOM + 12
    with running(served_model, ServeOptions(max_bodies=MOST), grpc=True) as server:
        port = server.server.grpc_port
        first, second = Client(port), Client(port)
        for _ in range(calls):
            first.send(body)
        ended = first.statuses()
        refused = {next(ended)[1] for _ in range(calls - ROOM)}
        assert refused == {str(grpc.StatusCode.RESOURCE_EXHAUSTED.value[0])}
        second.send(body)
        assert next(second.statuses())[1] in refused
        first.close()
        second.close()
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            method = channel.unary_unary(PATH)
            for _ in range(2 * ROOM):  # an answer that was read makes room
                assert len(answer(method, body)) > ANSWER


def answer(method: Any, body: bytes) -> bytes:
    """The answer, once the server has found out that the others have gone."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            found: bytes = method(body, timeout=PATIENCE)
            return found
        except grpc.RpcError as error:
            is_full = error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED and UNREAD in error.details()
            if not is_full or time.monotonic() > end:
                raise
            time.sleep(0.05)
