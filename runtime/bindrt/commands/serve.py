"""``bind-serve``: bundles behind the protocols that clients already speak."""

from __future__ import annotations

import argparse
import logging
import signal
import socket
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from bindrt.bundle import open_bundle
from bindrt.commands.configured import ConfiguredParser, settings_text
from bindrt.commands.limit_options import SECTION as LIMIT_SECTION
from bindrt.commands.limit_options import add_limit_options, given_limits
from bindrt.commands.terminal import Add, Command, CommandParser, heard_log
from bindrt.cores import take_part
from bindrt.errors import Error, OptionError
from bindrt.extras import install
from bindrt.index import Index
from bindrt.loading import load
from bindrt.model import Model
from bindrt.pipeline.options import BULK
from bindrt.precisions import PRECISION_HELP
from bindrt.serving import ServeOptions, app

if TYPE_CHECKING:
    from bindrt.serving.running import Server
    from bindrt.serving.workers.worker import Post

_DEFAULTS = ServeOptions()


#: What begins the names of its options in the environment.
PREFIX = "BINDRT_SERVE_"


def parser(prog: str) -> CommandParser:
    p = ConfiguredParser(
        PREFIX,
        prog,
        "NAME.bind [NAME=OTHER.bind ...] [options]",
        "Serve bundles over HTTP: Weaviate's multi2vec-bind, OpenAI's embeddings, and uploads of files. "
        "It ends at SIGTERM or Ctrl-C, once what was asked before is answered.",
        """
        imagebind.bind --port 8080
        big=imagebind.bind small=tiny --api-keys keys.txt --max-body 20000000
        imagebind.bind --weaviate-scales --check-config
        """,
    )
    p.add("bundles", nargs="*", default=[], metavar="[NAME=]NAME.bind",
          help="a bundle, and its name in requests; the first answers those that name none")  # fmt: skip
    p.add_config()
    _add_network(p.section("network"))
    _add_requests(p.section("requests"))
    add_limit_options(p.section(LIMIT_SECTION))
    _add_engine(p.section("engine"))
    return p


def _add_network(add: Add) -> None:
    add("--host", default="127.0.0.1", help="default: 127.0.0.1, this machine alone; 0.0.0.0: all")
    add("--port", type=int, default=8080, metavar="N", help="default: 8080; 0: any that is free")
    add("--grpc-port", type=int, metavar="N", help="also serve gRPC there, for example 8081")
    add("--workers", type=int, default=1, metavar="N",
        help="processes that share the port, the cores and the weights; default: 1")  # fmt: skip
    add("--tls-cert", metavar="FILE", help="certificate (PEM): serve HTTPS")
    add("--tls-key", metavar="FILE", help="its key (PEM)")
    add("--api-keys", type=Path, metavar="FILE", help="keys, one a line: requests must give one of them")
    add("--cors", action="extend", nargs="+", default=[], metavar="ORIGIN",
        help="origins of web pages that may ask")  # fmt: skip
    add("--keep-alive", type=float, default=75.0, metavar="S", help="seconds without a request; default: 75")
    add("--drain", type=float, default=30.0, metavar="S",
        help="seconds that requests may take to end when the server does; default: 30")  # fmt: skip
    add("--no-access-log", action="store_true", help="do not print a line of JSON for each request")
    add("--traces", action="store_true",
        help="spans of requests for OpenTelemetry, to OTEL_EXPORTER_OTLP_ENDPOINT")  # fmt: skip


def _add_requests(add: Add) -> None:
    d = _DEFAULTS
    add("--max-body", type=int, default=d.max_body, metavar="N", help=f"bytes of a body; {d.max_body:,}")
    add("--max-bodies", type=int, default=d.max_bodies, metavar="N",
        help=f"bytes of all bodies that are held at once; {d.max_bodies:,}")  # fmt: skip
    add("--max-items", type=int, default=d.max_items, metavar="N", help=f"of a request; {d.max_items:,}")
    add("--max-text", type=int, default=d.max_text, metavar="N", help=f"characters of a text; {d.max_text:,}")
    add("--queue", type=int, default=d.queue, metavar="N",
        help=f"items of a modality that may wait; past them: status 429; {d.queue:,}")  # fmt: skip
    add("--queue-seconds", type=float, default=d.queue_seconds, metavar="S",
        help=f"that items may wait for others; past them: status 429; {d.queue_seconds:g}")  # fmt: skip
    add("--body-seconds", type=float, default=d.body_seconds, metavar="S",
        help=f"in which a body must have come, and its answer be read; {d.body_seconds:g}")  # fmt: skip
    add("--fetch-urls", nargs="+", default=[], metavar="HOST",
        help="fetch files that requests name by URL, from these hosts alone: images.example.org, "
        "*.example.org; never from inside a network")  # fmt: skip
    add("--fetch-seconds", type=float, default=d.fetch_seconds, metavar="S",
        help=f"in which all such files of a request must have come; {d.fetch_seconds:g}")  # fmt: skip
    add("--index", metavar="INDEX", help="an index that /v1/search searches with the first bundle")
    add("--weaviate-scales", action="store_true",
        help="vectors of /vectorize have the original model's lengths")  # fmt: skip


def _add_engine(add: Add) -> None:
    add("--engine", default="auto", metavar="NAME", help="default: auto, the fastest here")
    add("--precision", metavar="P", help=PRECISION_HELP)
    add("--device", default="auto", metavar="D", help="auto, cpu, cuda, cuda:N")
    add("--threads", type=int, metavar="N", help="threads of the engine")
    add("--isolate", action="store_true", help="decode files in processes of their own")
    add("--timeout", type=float, metavar="S", help="with --isolate: most seconds to decode one file")


def run(args: argparse.Namespace, console: Console) -> None:
    bundles, options = named(args.bundles), serve_options(args)
    if (args.tls_cert is None) != (args.tls_key is None):
        raise OptionError("--tls-cert", "a certificate and its key go together", "give --tls-key too")
    if args.workers < 1:
        raise OptionError("--workers", f"{args.workers} is not a number of processes", "give 1 or more")
    try:
        from bindrt.serving import running
        from bindrt.serving.workers import starting

        if args.grpc_port is not None:
            from bindrt.serving import grpc_service  # noqa: F401 - is it installed?
    except ImportError as error:
        raise Error("bind-serve", f"{error.name} is not installed", install("serve")) from None
    listening = running.Listening(
        args.host, args.port, args.keep_alive, args.drain, args.tls_cert, args.tls_key, args.grpc_port
    )
    listening.tls_files()
    if args.check_config:
        given_limits(args)
        _check_files(bundles, options)
        print(settings_text(args.settings))
        return
    with listening.bind() as listener:
        with _loaded(args) as models:
            application = app(models, options)  # also where workers follow: what is wrong shows here
            scheme = "https" if args.tls_cert else "http"
            host, port = listener.getsockname()[:2]
            about = f"{scheme}://{host}:{port} serves {', '.join(models)}"
            about += f"; gRPC on port {args.grpc_port}" if args.grpc_port else ""
            console.print(about, highlight=False, soft_wrap=True)
            if args.workers == 1:
                ended_by = _serve(running.Server(application, listening), listener, args)
        if args.workers > 1:
            work = partial(_work, args, options)
            ended_by = starting.run_workers(args.workers, work, listening, listener)
    if ended_by == signal.SIGINT:
        raise KeyboardInterrupt


def _serve(server: Server, listener: socket.socket, args: argparse.Namespace) -> int | None:
    """Serves until a signal, which it returns."""
    from bindrt.serving.access_log import written
    from bindrt.serving.running import keep_from_collector
    from bindrt.serving.traces import exported

    server.health.on_warm = keep_from_collector
    _leave_requests_out_of_the_log()
    with ExitStack() as stack:
        if not args.no_access_log:
            stack.enter_context(written(sys.stdout.fileno()))
        stack.enter_context(exported(args.traces))
        server.run([listener])
    return server.ended_by


def _leave_requests_out_of_the_log() -> None:
    """Who sends what no parser takes is told. A line for each on standard error would let strangers fill a
    log, and hold the server where nobody reads it."""
    for name in ("python_multipart", "uvicorn.error"):
        logging.getLogger(name).setLevel(logging.ERROR)


def _work(args: argparse.Namespace, options: ServeOptions, post: Post) -> None:
    """What a worker does, in a process of its own."""
    from bindrt.serving.workers.worker import Worker

    take_part(args.workers)
    with heard_log(Console(stderr=True, emoji=False), args.verbose), _loaded(args) as models:
        _serve(Worker(models, options, post), post.listener, args)


def _check_files(bundles: Mapping[str, str], options: ServeOptions) -> None:
    """Raises Error unless what would be served is there; nothing is loaded."""
    for path in bundles.values():
        open_bundle(path)
    if options.index is not None:
        Index.load(options.index, verify=False)


def serve_options(args: argparse.Namespace) -> ServeOptions:
    """What requests may have.

    Raises:
        OptionError: an option has a value that it cannot have, or the file of keys has none.
    """
    return ServeOptions(
        max_body=args.max_body,
        max_bodies=args.max_bodies,
        max_items=args.max_items,
        max_text=args.max_text,
        queue=args.queue,
        queue_seconds=args.queue_seconds,
        body_seconds=args.body_seconds,
        api_keys=() if args.api_keys is None else read_keys(args.api_keys),
        origins=tuple(args.cors),
        fetch_urls=tuple(args.fetch_urls),
        fetch_seconds=args.fetch_seconds,
        index=args.index,
        weaviate_scales=args.weaviate_scales,
        traces=args.traces,
        access_log=not args.no_access_log,
    )


def read_keys(path: Path) -> tuple[str, ...]:
    """The keys in a file: one a line; lines that are empty or begin with ``#`` are none.

    Raises:
        OptionError: it cannot be read, or has no key: everybody could ask.
    """
    try:
        lines = [line.strip() for line in path.read_text("utf-8").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise OptionError(f"--api-keys {path}", f"it cannot be read: {error}", "check the path") from None
    keys = tuple(line for line in lines if line and not line.startswith("#"))
    if not keys:
        raise OptionError(f"--api-keys {path}", "it has no key", "write one a line, or leave the option out")
    return keys


def named(bundles: Sequence[str]) -> dict[str, str]:
    """The paths of bundles, by what requests call them.

    Raises:
        OptionError: there is none, two have one name, or a name or a path is empty.

    >>> named(["models/imagebind.bind", "small=tiny"])
    {'imagebind': 'models/imagebind.bind', 'small': 'tiny'}
    """
    found: dict[str, str] = {}
    if not bundles:
        raise OptionError("bundles", "there is none", "give NAME.bind, or bundles in the file of --config")
    for text in bundles:
        name, equals, path = text.partition("=")
        if not equals or "/" in name:
            name, path = Path(text).name.removesuffix(".bind"), text
        if not name or not path:
            raise OptionError(text, "it is no bundle", "give NAME.bind, or NAME=PATH")
        if name in found:
            raise OptionError(text, f"two bundles are called {name}", f"give one another name: OTHER={path}")
        found[name] = path
    return found


@contextmanager
def _loaded(args: argparse.Namespace) -> Iterator[dict[str, Model]]:
    """The models, by name."""
    with ExitStack() as stack:
        yield {name: stack.enter_context(_load(path, args)) for name, path in named(args.bundles).items()}


def _load(path: str, args: argparse.Namespace) -> Model:
    options: dict[str, Any] = {
        "engine": args.engine, "precision": args.precision, "device": args.device, "threads": args.threads,
        "limits": given_limits(args), "pipeline": BULK, "isolate": args.isolate, "item_timeout": args.timeout,
    }  # fmt: skip
    return load(path, **options)


COMMAND = Command("serve", "bundles over HTTP, for clients of OpenAI's and Weaviate's protocols", parser, run)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; the exit code."""
    return COMMAND.main(argv)
