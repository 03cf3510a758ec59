"""Every recipe of the README, and its commands, run as they stand there."""

import gzip
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from documents import texts
from readme import ROOT
from test_cli import BODY, SHELL_COMMAND, TEXT, call
from test_formats import archive

from cleaner.cleaning import Cleaner
from cleaner.model_files import find_model

README = (ROOT / "README.md").read_text("utf-8")
COMMANDS = re.findall(r"^cleaner .*", README.split("## Command line\n")[1].split("```")[1], re.M)
SECTION = README.split("## Recipes\n")[1].split("\n## ")[0]
BLOCKS = re.findall(r"```(?:sh|python)\n(.*?)```", SECTION, re.S)
ROWS = "".join(json.dumps({"language": language, "text": TEXT}) + "\n" for language in ("en", "de", "en")).encode()


def block(word: str) -> str:
    """Return the one recipe with a word in it."""
    (found,) = [one for one in BLOCKS if word in one]
    return str(found)


def shell(code: str, folder: Path) -> None:
    line = re.sub(r"\bcleaner clean", f"{SHELL_COMMAND} clean", code)
    run = subprocess.run(["bash", "-euo", "pipefail", "-c", line], cwd=folder, capture_output=True, check=False)
    assert (run.returncode, run.stderr) == (0, b"")


def unpacked(path: Path) -> list[dict[str, Any]]:
    with path.open("rb") as file:
        data = zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True).read()
    return [json.loads(row) for row in data.splitlines()]


def test_all_are_here() -> None:
    assert len(BLOCKS) == 7


@pytest.mark.slow
def test_commands(tmp_path: Path) -> None:
    """But for those that train, minutes each, or wait for keys; their options are tested elsewhere."""
    for name in ("scraped/a.txt", "article.txt", "old.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(TEXT)
    (tmp_path / "rules.txt").write_text("drop: ^Advertisement")
    for folder in ("my_pages", "held_back"):
        shutil.copytree(ROOT / "tests" / "benchmarks" / "sites" / "cobbfallsleader", tmp_path / folder / "leader")
    shutil.copytree(find_model("default"), tmp_path / "models" / "mine")
    long = [one for one in COMMANDS if re.search("^cleaner (train|annotate)|--learning-curve", one)]
    assert (len(COMMANDS), len(long)) == (18, 4)
    for command in COMMANDS:
        if command not in long:
            line = command.replace("cleaner ", f"{SHELL_COMMAND} ", 1)
            run = subprocess.run(["bash", "-c", line], cwd=tmp_path, capture_output=True, text=True, check=False)
            assert run.returncode == 0, (command, run.stderr)
            assert "Traceback" not in run.stderr
    assert (tmp_path / "cleaned" / "a.txt").read_text() == (tmp_path / "body.txt").read_text() == BODY


def test_folder(tmp_path: Path) -> None:
    (tmp_path / "scraped" / "quay").mkdir(parents=True)
    (tmp_path / "scraped" / "quay" / "a.txt").write_text(TEXT)
    shell(block("scraped/"), tmp_path)
    assert (tmp_path / "cleaned" / "quay" / "a.txt").read_text() == BODY
    assert json.loads((tmp_path / "summary.json").read_text())["documents"] == 1


def test_jsonl(tmp_path: Path) -> None:
    (tmp_path / "articles.jsonl.gz").write_bytes(gzip.compress(ROWS))
    shell(block("articles.jsonl.gz"), tmp_path)
    rows = unpacked(tmp_path / "cleaned.jsonl.zst")
    assert [row["text"] for row in rows] == [BODY] * 3
    assert sum("line" in row for row in unpacked(tmp_path / "removed.jsonl.zst")) == 6


def test_s3() -> None:
    """The store in memory stands for S3."""
    memory = fsspec.filesystem("memory")
    with memory.open("/bucket/pages/a.parquet", "wb") as file:
        pq.write_table(pa.table({"content": [TEXT, BODY]}), file)
    code = block("s3://").replace("s3://", "memory://").replace("'", "")
    try:
        result = call(*code.split()[1:])
        assert (result.exit_code, result.stderr) == (0, "")
        with memory.open("/bucket/cleaned/a.parquet") as file:
            assert pq.read_table(file)["content"].to_pylist() == [BODY, BODY]
    finally:
        memory.rm("/bucket", recursive=True)


def test_wet(tmp_path: Path) -> None:
    archive(tmp_path / "crawl.warc.wet.gz", [TEXT.encode(), b"SHARE THIS\n"])
    shell(block("crawl.warc.wet.gz"), tmp_path)
    rows = pq.read_table(tmp_path / "pages.parquet").to_pylist()
    assert [(row["url"], row["text"]) for row in rows] == [("https://harbour.example/0", BODY)]
    assert json.loads((tmp_path / "poor.jsonl").read_text())["text"] == "SHARE THIS\n"


@pytest.mark.skipif(not (shutil.which("jq") and shutil.which("zstd")), reason="needs jq and zstd")
def test_pipe(tmp_path: Path) -> None:
    (tmp_path / "articles.jsonl.zst").write_bytes(zstandard.ZstdCompressor().compress(ROWS))
    shell(block("jq"), tmp_path)
    assert [row["text"] for row in unpacked(tmp_path / "cleaned.jsonl.zst")] == [BODY, BODY]


def test_datasets(cleaner: Cleaner) -> None:
    from datasets import Dataset

    scope: dict[str, Any] = {"dataset": Dataset.from_dict({"n": [1, 2, 3], "text": texts(3)})}
    exec(block("dataset.map"), scope)
    assert scope["dataset"]["text"][:] == list(cleaner.clean_batch(texts(3)))
    assert scope["dataset"]["n"][:] == [1, 2, 3]


def test_frames(cleaner: Cleaner) -> None:
    import pandas
    import polars

    for rows in (texts(3), []):
        pandas_frame, polars_frame = pandas.DataFrame({"text": rows}, dtype=str), polars.DataFrame({"text": rows})
        polars_frame = polars_frame.cast(polars.String)
        scope: dict[str, Any] = {"pandas_frame": pandas_frame.copy(), "polars_frame": polars_frame}
        exec(block("polars_frame"), scope)
        for name in ("pandas_frame", "polars_frame"):
            assert list(scope[name]["text"]) == list(cleaner.clean_batch(rows))
        assert scope["pandas_frame"]["text"].dtype == pandas_frame["text"].dtype
        assert scope["polars_frame"].schema == polars_frame.schema
