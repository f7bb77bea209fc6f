"""``/openapi.json``: it has every route, and every answer is as it says."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import bindrt
from bindrt.index import Index
from bindrt.serving import ServeOptions, app
from support.serving import Answer, Running, form, in_base64, in_uri, running

jsonschema = pytest.importorskip("jsonschema")

#: A form with so many bytes is above the server's limit.
MOST = 1 << 20
#: Paths that this server has, with what stands for their parameters.
NAMES = {"/v1/models": "tiny", "/v2/models": "image"}


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory, served_model: bindrt.Model) -> Path:
    path = tmp_path_factory.mktemp("index") / "texts.index"
    made = Index(served_model.space, served_model.embed_dim)
    made.add(served_model.embed(text="a bell").text, ["a"], "text")
    made.save(path)
    return path


@pytest.fixture(scope="module")
def serving(served_model: bindrt.Model, index: Path) -> Iterator[Running]:
    with running(served_model, ServeOptions(index=str(index), max_body=MOST, max_items=8)) as found:
        yield found


@pytest.fixture(scope="module")
def description(serving: Running) -> dict[str, Any]:
    found: dict[str, Any] = serving.ask("GET", "/openapi.json").json
    return found


def conforms(answer: Answer, method: str, path: str, description: dict[str, Any]) -> None:
    """Raises if an answer is not as the description says."""
    told = description["paths"][path][method.lower()]["responses"].get(str(answer.status))
    assert told is not None, f"{method} {path}: {answer.status} {answer.body[:300]!r}"
    if "$ref" in told:
        told = description["components"]["responses"][told["$ref"].rpartition("/")[2]]
    if not told.get("content"):
        assert answer.body == b""
        return
    media = answer.headers["content-type"].partition(";")[0]
    assert media in told["content"], f"{method} {path}: {media}"
    if media == "application/json":
        schema = {**told["content"][media]["schema"], "components": description["components"]}
        jsonschema.Draft202012Validator(schema).validate(answer.json)
    assert set(told.get("headers", {})) <= {name.title() for name in answer.headers} | {"WWW-Authenticate"}


def good(media: dict[str, bytes]) -> dict[str, list[object]]:
    """Requests that are in order: JSON, or a form and its headers."""
    picture, uri = media["image"], in_uri(media["image"])
    parts = form(("image", "a.jpg", picture), ("labels", None, b"a bell"), ("labels", None, b"rain"))
    wrong = in_uri(b"no picture")
    infer = {"inputs": [{"name": "data", "shape": [1], "datatype": "BYTES", "data": [uri]}]}
    return {
        "/vectorize": [{"texts": ["a"], "images": [in_base64(picture)]}],
        "/v1/embeddings": [
            {"input": ["a bell", "a car"]},
            {"input": "a", "encoding_format": "base64"},
            {"input": [uri, wrong], "modality": "image", "on_error": "skip"},
            {"messages": [{"content": [{"type": "text", "text": "a"}]}]},
        ],
        "/v1/embed": [
            {"image": [uri, wrong], "text": "qzx", "on_error": "skip", "encoding_format": "base64"},
            form(("depth", "d.png", media["depth"]), ("unit", None, b"mm")),
        ],
        "/v1/classify": [parts, {"text": "a", "labels": ["a", "b"], "templates": "a {}"}],
        "/v1/similarity": [{"text": ["a", "b"], "image": uri}],
        "/v1/search": [{"text": "a", "k": 1}],
        "/v2/embed": [
            {"texts": ["a"], "embedding_types": ["float", "int8", "uint8", "binary", "ubinary", "base64"]},
            {"inputs": [{"content": [{"type": "image_url", "image_url": {"url": uri}}]}]},
        ],
        "/v2/models/{name}/infer": [infer, {**infer, "id": "7", "parameters": {"binary_data_output": True}}],
        "/v2/models/{name}/versions/{version}/infer": [infer],
    }


def ask(server: Running, method: str, path: str, content: object = None, **headers: str) -> Answer:
    where = re.sub(r"(/v\d/models)/\{name\}", lambda m: f"{m[1]}/{NAMES[m[1]]}", path)
    where = where.replace("{version}", "1")
    if isinstance(content, tuple):
        body, more = content
        return server.ask(method, where, body, {**more, **headers})
    body = None if content is None else json.dumps(content).encode()
    return server.ask(method, where, body, {"content-type": "application/json", **headers})


def test_what_is_asked_well(serving: Running, description: dict[str, Any], media: dict[str, bytes]) -> None:
    asked = good(media)
    for path, methods in description["paths"].items():
        for method in methods:
            for content in asked[path] if method == "post" else [None]:
                answer = ask(serving, method.upper(), path, content)
                assert answer.status in (200, 204), f"{path}: {answer.body[:300]!r}"
                conforms(answer, method, path, description)


def test_what_fails(serving: Running, description: dict[str, Any], media: dict[str, bytes]) -> None:
    asked = good(media)
    statuses = set()
    for path, methods in description["paths"].items():
        if "post" not in methods:
            continue
        content = asked[path][0]
        for answer in (
            ask(serving, "POST", path, {"labels": 3, "inputs": 1, "texts": [1], "input": [[]]}),
            ask(serving, "POST", path, {"text": "a" * MOST}),
            ask(serving, "POST", path, content, **{"x-deadline": "1e-9"}),
            ask(serving, "POST", path, content, **{"x-priority": "high"}),
            serving.ask("POST", path.replace("{name}", "smell").replace("{version}", "1"), b"{}"),
        ):
            assert answer.status >= 400, path
            statuses.add(answer.status)
            conforms(answer, "POST", path, description)
    assert statuses == {400, 404, 413, 415, 504}


def test_keys(served_model: bindrt.Model) -> None:
    with running(served_model, ServeOptions(api_keys=("secret",))) as server:
        description = server.ask("GET", "/openapi.json").json
        kinds = {"bearer", "key"}
        assert set(description["components"]["securitySchemes"]) == kinds
        for path, methods in description["paths"].items():
            for method, told in methods.items():
                answer = ask(server, method.upper(), path)
                wanted = {name for one in told.get("security", ()) for name in one}
                assert (answer.status == 401) == (wanted == kinds), path
                assert wanted in (set(), kinds)
                if answer.status == 401:
                    conforms(answer, method, path, description)


def test_it_has_every_route(served_model: bindrt.Model, index: Path) -> None:
    from starlette.testclient import TestClient

    for options in (ServeOptions(), ServeOptions(index=str(index))):
        application = app(served_model, options)
        routes = {
            (route.path.replace(":path", ""), method)
            for route in application.routes  # type: ignore[attr-defined]
            for method in route.methods - {"HEAD"}
        }
        paths = TestClient(application).get("/openapi.json").json()["paths"]
        assert {(path, method.upper()) for path, found in paths.items() for method in found} == routes
        assert ("/v1/search" in paths) == (options.index is not None)


def test_schemas_are_right(description: dict[str, Any]) -> None:
    """Each is a schema, each reference leads somewhere, and nothing lies there that nobody refers to."""
    text = json.dumps(description)
    references = set(re.findall(r'"\$ref": "#/components/(\w+)/([\w.]+)"', text))
    found = {(kind, name) for kind, named in description["components"].items() for name in named}
    assert references == found
    assert len(re.findall(r"\$ref", text)) == len(re.findall(r'"\$ref": "#/components/\w+/[\w.]+"', text))
    for schema in description["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)
