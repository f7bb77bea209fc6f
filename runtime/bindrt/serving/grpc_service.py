"""The Open Inference Protocol over gRPC, beside the HTTP server and in its event loop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import grpc
import numpy as np
from google.protobuf.message import DecodeError  # type: ignore[import-untyped,unused-ignore]

from bindrt.errors import Error, InputError
from bindrt.installed import installed_version
from bindrt.serving.admission import Memory
from bindrt.serving.faults import Fault, fault_of
from bindrt.serving.grpc_messages import SERVICE, message
from bindrt.serving.inference import EXTENSIONS, triton_times
from bindrt.serving.keys import Keys
from bindrt.serving.observing import Observer, Record
from bindrt.serving.service import Service, times_in
from bindrt.serving.tensors import EMBEDDING, MOST_DIMS, VERSION, Tensor, infer, items_in, model_named

#: Calls that need no key, as the probes of HTTP.
_OPEN = ("ServerLive", "ServerReady")
_CODES = {
    400: grpc.StatusCode.INVALID_ARGUMENT,
    401: grpc.StatusCode.UNAUTHENTICATED,
    404: grpc.StatusCode.NOT_FOUND,
    408: grpc.StatusCode.DEADLINE_EXCEEDED,
    413: grpc.StatusCode.INVALID_ARGUMENT,
    429: grpc.StatusCode.RESOURCE_EXHAUSTED,
    503: grpc.StatusCode.UNAVAILABLE,
    504: grpc.StatusCode.DEADLINE_EXCEEDED,
}
_CONTENTS = {"BYTES": "bytes_contents", "FP32": "fp32_contents", "INT64": "int64_contents"}
#: Calls at once on one connection; more of them wait with the client.
_STREAMS = 256
#: No model takes more than one; further ones are for the error.
_MOST_TENSORS = 5
_Answer = Callable[[Any, "Call"], Awaitable[Any]]


class Call:
    """What is known of a call: for its deadline, and for the log.

    Attributes:
        model, items: who embeds how many; those who answer set them.
    """

    def __init__(self, context: Any) -> None:
        self.started = time.perf_counter()
        self.left: float | None = context.time_remaining()
        self.headers = {key.lower(): value for key, value in context.invocation_metadata() or ()}
        self.client = str(context.peer())
        self.model = ""
        self.items = 0

    def times(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """The deadline that is the soonest: the call's, its metadata's, its parameters'; and its priority.

        Raises:
            Error: one of them is none.
            DeadlineExceeded: it has passed.
        """
        past = time.perf_counter() - self.started
        own = {} if self.left is None else {"deadline": self.left - past}
        each = (times_in(self.headers, past), triton_times(parameters, self.started), own)
        found = {name: value for one in each for name, value in one.items()}
        deadlines = [one["deadline"] for one in each if "deadline" in one]
        return found | ({"deadline": min(deadlines)} if deadlines else {})


class GrpcServer:
    """Answers calls on a port.

    Args:
        keys: who may ask.
        observer: is told of each call.
    """

    def __init__(self, service: Service, keys: Keys, observer: Observer) -> None:
        self._service = service
        self._keys = keys
        self._observer = observer
        self._answers = Memory(service.options.max_bodies, "answers that their clients have not read")
        self._server: Any = None

    async def start(
        self, address: str, tls: tuple[bytes, bytes] | None = None, is_shared: bool = False
    ) -> int:
        """Listens at an address, for example ``127.0.0.1:8081``; the port.

        Args:
            tls: key and certificate in PEM; None: without TLS.
            is_shared: other processes of this user listen there too.

        Raises:
            Error: it cannot listen there.
        """
        limits = self._service.options
        self._server = grpc.aio.server(
            options=[
                ("grpc.max_receive_message_length", min(limits.max_body, 2**31 - 1)),
                ("grpc.max_concurrent_streams", _STREAMS),
                ("grpc.so_reuseport", int(is_shared)),
            ],
            maximum_concurrent_rpcs=limits.queue,  # also those that are still being sent
        )
        answers: dict[str, _Answer] = {
            "ServerLive": self._live,
            "ServerReady": self._ready,
            "ServerMetadata": self._about,
            "ModelReady": self._model_ready,
            "ModelMetadata": self._model_about,
            "ModelInfer": self._infer,
        }
        handlers = {name: self._handler(name, answer) for name, answer in answers.items()}
        self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))
        try:
            if tls is None:
                port = int(self._server.add_insecure_port(address))
            else:
                port = int(self._server.add_secure_port(address, grpc.ssl_server_credentials([tls])))
        except RuntimeError as error:
            raise Error(address, f"cannot listen there: {error}", "choose another --grpc-port") from None
        await self._server.start()
        return port

    async def stop(self, seconds: float) -> None:
        """Takes no new calls, and waits for those in work for so long."""
        if self._server is not None:
            await self._server.stop(seconds)

    def _handler(self, name: str, answer: _Answer) -> Any:
        request = message(f"{name}Request")

        async def handle(messages: Any, context: Any) -> bytes:
            call = Call(context)
            headers = [(key.encode(), _bytes(value)) for key, value in call.headers.items()]
            with self._service.traces.request(f"grpc {name}", headers) as span:
                return await traced(context, call, headers, span)

        async def traced(
            context: Any, call: Call, headers: Sequence[tuple[bytes, bytes]], span: Any
        ) -> bytes:
            status, size = "CANCELLED", 0
            try:
                if name not in _OPEN:
                    self._keys.require(headers)
                data = await _received(context, self._service.options.body_seconds)
                size = len(data)
                with self._service.memory.holding(size):
                    found: bytes = (await answer(_parsed(request, data), call)).SerializeToString()
                self._hold(found, context)
                status = "OK"
                return found
            except asyncio.CancelledError:
                raise
            except Exception as error:
                fault = fault_of(error)
                code = _CODES.get(fault.status, grpc.StatusCode.INTERNAL)
                status = code.name
                await context.abort(code, fault.text, tuple(fault.headers.items()))
                raise  # abort has raised already
            finally:
                self._tell(name, call, status, size, span)

        # As a stream of one message: a handler of one message is called once that is here, however late.
        return grpc.stream_unary_rpc_method_handler(handle)

    def _hold(self, answer: bytes, context: Any) -> None:
        """Counts an answer until the call ends, which is when its client has taken it, or has gone."""
        size = len(answer)
        self._answers.take(size)
        context.add_done_callback(lambda _: self._answers.give_back(size))

    def _tell(self, name: str, call: Call, status: str, size: int, span: Any) -> None:
        seconds, path = time.perf_counter() - call.started, f"/{SERVICE}/{name}"
        record = Record("grpc", status, seconds, "POST", path, call.client, call.model, call.items, size, 0)
        self._service.traces.answered(span, record)
        self._observer.tell(record)

    async def _live(self, request: Any, call: Call) -> Any:
        return message("ServerLiveResponse")(live=True)

    async def _ready(self, request: Any, call: Call) -> Any:
        return message("ServerReadyResponse")(ready=not self._service.health.problem())

    async def _about(self, request: Any, call: Call) -> Any:
        return message("ServerMetadataResponse")(
            name="bindrt", version=installed_version("bindrt"), extensions=EXTENSIONS
        )

    async def _model_ready(self, request: Any, call: Call) -> Any:
        try:
            model_named(self._service, request.name, request.version)
        except Fault:
            return message("ModelReadyResponse")(ready=False)
        return message("ModelReadyResponse")(ready=not self._service.health.problem())

    async def _model_about(self, request: Any, call: Call) -> Any:
        about = model_named(self._service, request.name, request.version).about()
        metadata = message("TensorMetadata")
        for side in ("inputs", "outputs"):
            about[side] = [metadata(**tensor) for tensor in about[side]]
        return message("ModelMetadataResponse")(**about)

    async def _infer(self, request: Any, call: Call) -> Any:
        model = model_named(self._service, request.model_name, request.model_version)
        parameters = {entry.key: _value(entry.value) for entry in request.parameters}
        tensors = _tensors(request)
        call.model = model.name
        call.items = items_in(tensors)
        if any(output.name != EMBEDDING for output in request.outputs):
            raise InputError("outputs", "there is no such output", f"the only one is {EMBEDDING}")
        rows = await infer(self._service, model, tensors, parameters, call.times(parameters))
        output = message("InferOutputTensor")(name=EMBEDDING, datatype="FP32", shape=rows.shape)
        return message("ModelInferResponse")(
            model_name=model.name,
            model_version=VERSION,
            id=request.id,
            outputs=[output],
            raw_output_contents=[np.ascontiguousarray(rows, "<f4").tobytes()],
        )


async def _received(context: Any, seconds: float) -> bytes:
    """The message of a call.

    Raises:
        Fault: there is none, or it has not come within so many seconds.
    """
    reading: asyncio.Future[Any] = asyncio.ensure_future(context.read())
    reading.add_done_callback(lambda each: each.cancelled() or each.exception())  # looked at, if nobody waits
    done, _ = await asyncio.wait({reading}, timeout=seconds)  # it ends with the call: gRPC writes into it
    if not done:
        raise Fault(408, f"the request did not come within {seconds:g} seconds", "Timeout")
    if (found := reading.result()) is grpc.aio.EOF:
        raise Fault(400, "the request: it has no message", "DamagedMessage")
    data: bytes = found
    return data


def _parsed(kind: Any, data: bytes) -> Any:
    """The message in a call's bytes; gRPC itself would tell the client of a defect of ours."""
    try:
        return kind.FromString(data)
    except DecodeError:
        raise Fault(400, "the request: it is no message of this call", "DamagedMessage") from None


def _tensors(request: Any) -> list[Tensor]:
    """The first tensors, without a copy of their elements: whoever reads them stops where the shape ends."""
    raw = request.raw_input_contents
    if raw and len(raw) != len(request.inputs):
        raise InputError("raw_input_contents", f"they are {len(raw)}", "send one for each input, or none")
    found = []
    for index, one in enumerate(request.inputs[:_MOST_TENSORS]):
        contents = getattr(one.contents, _CONTENTS.get(one.datatype, "bytes_contents"))
        elements = raw[index] if raw else contents
        found.append(Tensor(one.name, one.datatype, one.shape[: MOST_DIMS + 1], elements))
    return found


def _value(parameter: Any) -> Any:
    chosen = parameter.WhichOneof("parameter_choice")
    return None if chosen is None else getattr(parameter, chosen)


def _bytes(value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode("latin-1", "replace")
