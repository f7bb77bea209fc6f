"""Requests that ``schemathesis`` makes of the server's description: none is a defect, all are as told.

It needs Python 3.11; on an older one this is skipped.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

import bindrt
from bindrt.serving import ServeOptions
from support.serving import running

pytestmark = [
    pytest.mark.deep,
    pytest.mark.skipif(
        importlib.util.find_spec("schemathesis") is None, reason="schemathesis is not installed"
    ),
]

#: A deadline may be so short that 504 is right. Names of models are no part of the description.
CONFIG = """
[parameters]
"path.name" = "image"
"path.version" = "1"

[[operations]]
include-path = "/v1/models/{name}"
[operations.parameters]
"path.name" = "tiny"

# A form has texts alone: what is made wrong by another type arrives as one, and is right.
[[operations]]
include-path-regex = "^/v1/(embed|classify|similarity|search)$"
[operations.checks.negative_data_rejection]
expected-statuses = ["2xx", "4xx", 504]

[checks.not_a_server_error]
expected-statuses = ["2xx", "4xx", 504]
"""
KEY = """
[auth.openapi.key]
api_key = "{}"
"""
EXAMPLES = 40


@pytest.mark.parametrize("keys", [(), ("secret",)])
def test_schemathesis(served_model: bindrt.Model, tmp_path: Path, keys: tuple[str, ...]) -> None:
    """All of its checks but one: no schema says which base64 is a picture."""
    config = tmp_path / "schemathesis.toml"
    config.write_text(CONFIG + "".join(KEY.format(key) for key in keys))
    words = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(config), "run"]
    options = [
        "--checks",
        "all",
        "--exclude-checks",
        "positive_data_acceptance",
        "--seed",
        "1",
        "--no-color",
        "--suppress-health-check",
        "all",
        "--request-timeout",
        "120",
    ]
    with running(served_model, ServeOptions(api_keys=keys, access_log=False)) as server:
        where = [f"{server.url}/openapi.json", "--max-examples", str(EXAMPLES)]
        found = subprocess.run([*words, *where, *options], capture_output=True, text=True, cwd=tmp_path)
        assert found.returncode == 0, found.stdout[-5000:] + found.stderr[-2000:]
        assert server.is_ready()
