"""What can be told of ``deploy/`` without a container: options, ports and paths are those of bind-serve."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bindrt.commands.serve import parser

yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")
ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "deploy"
DOCKERFILES = ("Dockerfile", "Dockerfile.gpu")


def objects() -> list[Any]:
    return list(yaml.safe_load_all((FOLDER / "kubernetes.yaml").read_text("utf-8")))


def container() -> Any:
    (found,) = objects()[0]["spec"]["template"]["spec"]["containers"]
    return found


def composed() -> Any:
    return yaml.safe_load((FOLDER / "compose.yaml").read_text("utf-8"))["services"]


def instruction(dockerfile: str, name: str) -> str:
    """The last instruction of a kind, its lines joined."""
    text = (FOLDER / dockerfile).read_text("utf-8").replace("\\\n", " ")
    return re.findall(rf"^{name} +(.*)$", text, re.M)[-1]


def commands() -> dict[str, list[str]]:
    """All arguments that bind-serve is given."""
    return {
        **{name: json.loads(instruction(name, "CMD")) for name in DOCKERFILES},
        "compose.yaml": composed()["bind"]["command"],
        "kubernetes.yaml": container()["args"],
    }


@pytest.mark.parametrize("name", list(commands()))
def test_arguments_are_those_of_bind_serve(name: str) -> None:
    args = parser("bind-serve").parse_args(commands()[name])
    assert args.bundles == ["/models/imagebind.bind"]
    assert (args.host, args.port) == ("0.0.0.0", 8080)
    assert args.workers == 1
    assert args.grpc_port == (None if name == "compose.yaml" else 8081)


@pytest.mark.parametrize("name", DOCKERFILES)
def test_dockerfiles(name: str) -> None:
    text = (FOLDER / name).read_text("utf-8")
    assert instruction(name, "ENTRYPOINT") == '["bind-serve"]'
    assert instruction(name, "EXPOSE") == "8080 8081"
    for copied in re.findall(r"^COPY (?!--from)(\S+) ", text, re.M):
        assert (ROOT / copied).exists()
    extras = set(",".join(re.findall(r"\.whl\)\[([\w,]+)\]", text)).split(","))
    declared = re.findall(r"^(\w+) = \[", (ROOT / "pyproject.toml").read_text("utf-8"), re.M)
    assert "serve" in extras <= set(declared)
    assert "Not run" in text


def test_probes_need_no_key_and_are_answered(served_paths: set[str]) -> None:
    probes = {name: container()[f"{name}Probe"]["httpGet"] for name in ("startup", "readiness", "liveness")}
    assert {name: each["path"] for name, each in probes.items()} == {
        "startup": "/ready", "readiness": "/ready", "liveness": "/live",
    }  # fmt: skip
    assert {each["port"] for each in probes.values()} == {"http"}
    asked = [*commands_of_health(), *(each["path"] for each in probes.values())]
    assert set(asked) <= served_paths


def commands_of_health() -> list[str]:
    """The paths that containers ask themselves."""
    texts = [instruction(name, "HEALTHCHECK") for name in DOCKERFILES]
    texts.append(" ".join(composed()["bind"]["healthcheck"]["test"]))
    found = [re.search(r"http://127\.0\.0\.1:8080(/\w+)", text) for text in texts]
    return [each[1] for each in found if each]


@pytest.fixture
def served_paths() -> set[str]:
    """Paths that need no key."""
    pytest.importorskip("starlette", reason="the extra serve is not installed")
    from bindrt.serving.health import Health
    from bindrt.serving.probes import endpoints

    async def no_metrics() -> bytes:
        return b""

    return {each.path for each in endpoints(Health({}), no_metrics) if not each.needs_key}


def test_kubernetes() -> None:
    deployment, service = objects()
    assert (deployment["kind"], service["kind"]) == ("Deployment", "Service")
    pod = deployment["spec"]["template"]
    assert deployment["spec"]["selector"]["matchLabels"] == service["spec"]["selector"]
    assert service["spec"]["selector"].items() <= pod["metadata"]["labels"].items()
    ports = {each["name"]: each["containerPort"] for each in container()["ports"]}
    assert ports == {"http": 8080, "grpc": 8081}
    assert {each["targetPort"] for each in service["spec"]["ports"]} == set(ports)
    volumes = {each["name"] for each in pod["spec"]["volumes"]}
    assert {each["name"] for each in container()["volumeMounts"]} == volumes
    args = parser("bind-serve").parse_args(container()["args"])
    command = container()["lifecycle"]["preStop"]["exec"]["command"]
    assert command[0] == "sleep"
    assert pod["spec"]["terminationGracePeriodSeconds"] > args.drain + int(command[1])
    assert container()["readinessProbe"]["failureThreshold"] > 1  # one slow answer does not drop a pod
    assert Path(str(args.api_keys)).parent == Path("/keys")


def test_kubernetes_schema() -> None:
    validate = pytest.importorskip("kubernetes_validate", reason="kubernetes-validate is not installed")
    for each in objects():
        validate.validate(each, "1.30", strict=True)


def test_compose_schema() -> None:
    """By the schema of the compose specification, as ``docker compose config`` looks at it first."""
    pytest.importorskip("check_jsonschema", reason="check-jsonschema is not installed")
    words = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    done = subprocess.run([*words, str(FOLDER / "compose.yaml")], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_compose() -> None:
    services = composed()
    weaviate = services["weaviate"]["environment"]
    assert weaviate["BIND_INFERENCE_API"] == "http://bind:8080"
    assert weaviate["ENABLE_MODULES"] == weaviate["DEFAULT_VECTORIZER_MODULE"] == "multi2vec-bind"
    assert (FOLDER / services["bind"]["build"]["context"] / services["bind"]["build"]["dockerfile"]).is_file()
    grace = int(services["bind"]["stop_grace_period"].removesuffix("s"))
    assert grace > parser("bind-serve").parse_args(["tiny"]).drain
