"""``bind-serve`` as a user runs it."""

from __future__ import annotations

import http.client
import json
import signal
import socket
import ssl
from pathlib import Path

import pytest

import support
from bindrt.commands.serve import main, named, read_keys
from bindrt.errors import OptionError
from support.serve_process import serving

for name in ("msgspec", "prometheus_client", "python_multipart", "starlette", "uvicorn"):
    pytest.importorskip(name, reason="the extra serve is not installed")


def ask(port: int, method: str, path: str, body: str | None = None, **headers: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def send_what_no_parser_takes(port: int) -> None:
    """The client is told; on standard error it would fill a log, or a pipe that nobody reads."""
    form = {"content-type": "multipart/form-data; boundary=x", "x-api-key": "secret"}
    assert ask(port, "POST", "/v1/embed", "--x\r\nA[b: c\r\n\r\n", **form)[0] == 400
    with socket.create_connection(("127.0.0.1", port), timeout=120) as connection:
        connection.sendall(b"\x00\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 400")


def test_serves_until_it_is_told_to_end(tmp_path: Path) -> None:
    keys = tmp_path / "keys.txt"
    keys.write_text("# who may ask\nsecret\n")
    with serving("tiny", "other=tiny", "--api-keys", keys, "--queue", 8, "--max-items", 8) as (process, port):
        body = json.dumps({"input": "a bell", "model": "other"})
        assert ask(port, "POST", "/v1/embeddings", body)[0] == 401
        status, answer = ask(port, "POST", "/v1/embeddings", body, authorization="Bearer secret")
        assert status == 200
        assert json.loads(answer)["model"] == "other"
        many = json.dumps({"input": ["a"] * 9})
        assert ask(port, "POST", "/v1/embeddings", many, authorization="Bearer secret")[0] == 400
        send_what_no_parser_takes(port)
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=120)
        assert (process.returncode, err) == (0, "")
    lines = [json.loads(line) for line in out.splitlines()]
    assert [line["status"] for line in lines] == [401, 200, 400, 400]
    assert "secret" not in out


def test_https() -> None:
    folder = Path(support.__file__).parent / "tls"
    trusted = ssl.create_default_context(cafile=str(folder / "certificate.pem"))
    files = "--tls-cert", folder / "certificate.pem", "--tls-key", folder / "key.pem"
    with serving("tiny", "--no-access-log", *files) as (_, port):
        connection = http.client.HTTPSConnection("localhost", port, timeout=120, context=trusted)
        connection.request("GET", "/live")
        assert connection.getresponse().status == 200
        connection.close()


def test_ctrl_c() -> None:
    with serving("tiny", "--no-access-log") as (process, port):
        assert ask(port, "GET", "/live")[0] == 200
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=120)
    assert (process.returncode, out) == (130, "")
    assert "stopped" in err
    assert "Traceback" not in err


def test_wrong_usage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    empty = tmp_path / "keys.txt"
    empty.write_text("\n# none\n")
    for arguments, said in (
        (["tiny", "--api-keys", empty], "it has no key"),
        (["tiny", "--api-keys", tmp_path / "none"], "it cannot be read"),
        (["tiny", "x=tiny", "tiny"], "two bundles are called tiny"),
        (["tiny", "--workers", "0"], "give 1 or more"),
        (["tiny", "--queue", "1"], "never fits into a queue of 1"),
        (["tiny", "--tls-cert", "a.pem"], "give --tls-key too"),
        (["none.bind"], "none.bind"),
    ):
        assert main([*map(str, arguments), "--port", "0", "--no-access-log"]) in (1, 2)
        assert said in capsys.readouterr().err


def test_names_of_bundles() -> None:
    assert named(["a/b.bind", "x=c/d.bind", "tiny"]) == {"b": "a/b.bind", "x": "c/d.bind", "tiny": "tiny"}
    for wrong in (["=a"], ["a="], ["a", "x/a.bind"]):
        with pytest.raises(OptionError):
            named(wrong)


def test_keys_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    path.write_text(" one \n\n#two\nthree")
    assert read_keys(path) == ("one", "three")
