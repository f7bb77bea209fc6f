"""Vectors in answers: as numbers, and as base64."""

from __future__ import annotations

import base64
import json

import numpy as np
import pytest

from support.serving import Running

replies = pytest.importorskip("bindrt.serving.replies", reason="the extra serve is not installed")


def test_numbers_are_read_as_they_were() -> None:
    bits = np.random.default_rng(7).integers(0, 1 << 32, (40, 512), np.uint32)
    rows = bits.view(np.float32)
    rows[0, :6] = [0, -0.0, 1, 16777216, 1e20, np.float32(1e-45)]
    rows = np.where(np.isfinite(rows), rows, np.float32(0.5))
    found = json.loads(replies.json_bytes(replies.number_rows(rows)))
    assert np.array(found, np.float32).tobytes() == rows.tobytes()
    assert {type(number) for row in found for number in row} == {float}


def test_numbers_have_the_digits_of_a_float32() -> None:
    rows = np.array([[0.1, -1 / 3], [2e-7, 20]], np.float32)
    assert replies.json_bytes(replies.number_rows(rows)) == b"[[0.1,-0.33333334],[2e-07,20.0]]"
    assert replies.json_bytes(replies.number_rows(rows.T)) == b"[[0.1,2e-07],[-0.33333334,20.0]]"
    none = np.array([[np.nan, np.inf]], np.float32)
    assert replies.json_bytes(replies.number_rows(none)) == b"[[null,null]]"
    assert replies.number_rows(np.empty((0, 96), np.float32)) == []


def test_base64() -> None:
    rows = np.random.default_rng(8).standard_normal((3, 5)).astype(np.float32)
    found = json.loads(replies.json_bytes(replies.base64_rows(rows[::-1])))
    assert [base64.b64decode(text) for text in found] == [row.astype("<f4").tobytes() for row in rows[::-1]]
    assert replies.base64_rows(np.empty((0, 96), np.float32)) == []


def test_all_protocols_answer_the_same_numbers(server: Running) -> None:
    """Each of them as many digits as the vector has, and no more."""
    found = [
        server.post("/v1/embeddings", {"input": "a bell"}).json["data"][0]["embedding"],
        server.post("/v1/embed", {"text": "a bell"}).json["embeddings"]["text"][0],
        server.post("/vectorize", {"texts": ["a bell"]}).json["textVectors"][0],
        server.post("/v2/models/text/infer", _inference("a bell")).json["outputs"][0]["data"],
        server.post("/v2/embed", {"texts": ["a bell"]}).json["embeddings"]["float"][0],
    ]
    coded = server.post("/v1/embeddings", {"input": "a bell", "encoding_format": "base64"}).json
    expected = np.frombuffer(base64.b64decode(coded["data"][0]["embedding"]), "<f4")
    assert [float(str(number)) for number in expected] == found[0]
    for each in found[1:4]:
        assert each == found[0]
    assert np.allclose(found[4], expected, atol=1e-6)  # it sums the parts of an item


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b'["a", "\\ud800"]', r"\ud800 at byte 7 is half of a character"),
        (b'["\\udc00b"]', r"\udc00 at byte 2 is half of a character"),
        (b'["\\ud83d\\ud83d"]', r"\ud83d at byte 2 is half of a character"),
        (b'["\\\\ud800", "\\ud83d\\ude00", "\\uDBFF!"]', r"\uDBFF at byte 29 is half of a character"),
        (b'["\\ud83d\\ude00", "\xed\xa0\x80"]', "a text is not UTF-8: byte 18 is 0xed"),
        (b'["\\\\ud800", "\\ud83d\\ude00"', "Input data was truncated"),
    ],
)
def test_texts_that_are_none(text: bytes, said: str) -> None:
    with pytest.raises(replies.Fault) as caught:
        replies.json_value(text, list[str])
    assert caught.value.status == 400
    assert said in caught.value.text


@pytest.mark.parametrize("inside", range(1, 12))
def test_a_pair_at_the_border_of_what_is_searched_is_whole(inside: int) -> None:
    before = b'["' + b"a" * (replies._SEARCHED - inside - 2)
    with pytest.raises(replies.Fault, match="truncated"):
        replies.json_value(before + rb'\ud83d\ude00"', list[str])
    with pytest.raises(replies.Fault, match=rf"ud83d at byte {len(before)} is half of a character"):
        replies.json_value(before + rb'\ud83d"]', list[str])


def test_half_a_character_in_a_request(server: Running) -> None:
    for path, name in (("/v1/embeddings", "input"), ("/v1/embed", "text"), ("/vectorize", "texts")):
        body, headers = b'{"%s": ["\\ud800"]}' % name.encode(), {"content-type": "application/json"}
        found = server.ask("POST", path, body, headers)
        assert found.status == 400
        assert b"ud800 at byte" in found.body


def _inference(text: str) -> dict[str, object]:
    return {"inputs": [{"name": "data", "datatype": "BYTES", "shape": [1, 1], "data": [text]}]}
