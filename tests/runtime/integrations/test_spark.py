"""Spark embeds a column by a ``pandas_udf``."""

from __future__ import annotations

import shutil
import sys

import numpy as np
import pytest

from bindrt.integrations import ColumnEmbedder
from bindrt.integrations.spark import embed_udf
from support.embedding import PHOTO


@pytest.mark.deep
def test_a_column_of_paths(monkeypatch: pytest.MonkeyPatch) -> None:
    sql = pytest.importorskip("pyspark.sql", reason="pyspark is not installed (extra spark)")
    if shutil.which("java") is None:
        pytest.skip("Spark needs Java")
    monkeypatch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
    monkeypatch.setenv("PYSPARK_PYTHON", sys.executable)
    session = sql.SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").getOrCreate()
    try:
        frame = session.createDataFrame([(1, str(PHOTO)), (2, "none.jpg")], ["n", "path"])
        found = frame.withColumn("found", embed_udf("tiny", "image")("path")).select("n", "found.*")
        first, second = found.orderBy("n").collect()
    finally:
        session.stop()
    wanted = ColumnEmbedder("tiny", {"image": "path"}).embed({"path": [str(PHOTO)]})["image"]
    assert np.allclose(first.embedding, wanted.vectors[0], atol=1e-5)
    assert first.error is None
    assert second.embedding is None
    assert second.error == "'none.jpg': there is no such file; check the path"
