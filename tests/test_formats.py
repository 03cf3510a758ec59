"""Parquet, WET and remote paths."""

import gzip
import io
import json
import math
import os
import zipfile
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from documents import texts
from fsspec.implementations.local import LocalFileSystem
from hypothesis import given
from hypothesis import strategies as st
from test_cli import BODY, TEXT, call, names, refused
from warcio.archiveiterator import ArchiveIterator
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from cleaner import BatchOptions, clean_files
from cleaner.cleaning import Cleaner
from cleaner.errors import UsageError
from cleaner.inputs import find_inputs
from cleaner.jsonl import ID_FIELDS, end_of
from cleaner.parquet import BLOCK_ROWS, read_blocks
from cleaner.records import BLOCK_BYTES
from cleaner.writing import ADDED


def parquet(path: Path, found: list[str | None], group: int = 40) -> Path:
    table = pa.table(
        {
            "n": pa.array(range(len(found)), pa.uint64()),
            "text": pa.array(found, pa.large_string()),
            "price": pa.array([None] * len(found), pa.decimal128(20, 2)),
            "tags": pa.array([["a", "b"]] * len(found), pa.list_(pa.dictionary(pa.int8(), pa.string()))),
        }
    ).replace_schema_metadata({"made": "here"})
    pq.write_table(table, path, row_group_size=group, compression={"n": "gzip", "text": "zstd"})
    return path


def archive(path: Path, found: list[bytes]) -> Path:
    with path.open("wb") as file:
        writer = WARCWriter(file, gzip=path.suffix == ".gz")
        writer.write_record(writer.create_warcinfo_record("x.warc", {"software": "none"}))
        for number, text in enumerate(found):
            record = writer.create_warc_record(
                f"https://harbour.example/{number}",
                "conversion",
                payload=io.BytesIO(text),
                length=len(text),
                warc_headers_dict={"WARC-Date": "2016-05-14T09:12:00Z"},
                http_headers=StatusAndHeaders("", [], "") if number < 0 else None,
            )
            writer.write_record(record)
    return path


def test_parquet(tmp_path: Path, cleaner: Cleaner) -> None:
    found = texts(100)
    source = parquet(tmp_path / "a.parquet", [*found])
    counts = clean_files([str(source)], str(tmp_path / "b.parquet")).counts
    old, new = pq.read_table(source), pq.read_table(tmp_path / "b.parquet")
    assert counts["documents"] == 100
    assert new.schema.equals(old.schema, check_metadata=True)
    assert new.drop_columns("text").equals(old.drop_columns("text"))
    assert new["text"].to_pylist() == list(cleaner.clean_batch(found))
    before, after = (pq.ParquetFile(path).metadata for path in (source, tmp_path / "b.parquet"))
    assert [after.row_group(i).num_rows for i in range(after.num_row_groups)] == [40, 40, 20]
    for column in range(before.num_columns):
        kinds = {meta.row_group(0).column(column).compression for meta in (before, after)}
        assert len(kinds) == 1


def test_parquet_failures_and_fields(tmp_path: Path) -> None:
    source = parquet(tmp_path / "a.parquet", [TEXT, None, TEXT])
    result = call("clean", source, "-o", tmp_path / "b.parquet", "--add-quality", "--add-labels", "--extract")
    refused(result, 1, "a.parquet:2: ", "null")
    rows = pq.read_table(tmp_path / "b.parquet").to_pylist()
    assert [(row["n"], row["text"]) for row in rows] == [(0, BODY), (2, BODY)]
    assert rows[0]["cleaner_quality"]["kept"] == 12
    assert [line["label"] for line in rows[0]["cleaner_labels"]] == ["body", "junk"]


def test_a_column_that_is_no_text_is_named_by_its_type(tmp_path: Path) -> None:
    source = parquet(tmp_path / "a.parquet", [TEXT])
    result = call("clean", source, "-o", tmp_path / "b.parquet", "--text-field", "price")
    refused(result, 1, "field 'price' is decimal128(20, 2), not a string")


ODD = {
    "bytes": pa.array([b"a\xff"], pa.binary()),
    "deep": pa.array([[{"x": b"a"}]]),
    "when": pa.array([1], pa.timestamp("ns")),
    "year 33658": pa.array([10**12], pa.timestamp("s")),
    "zone": pa.array([1], pa.timestamp("us", tz="No/Where")),
    "price": pa.array([Decimal("1.10")]),
    "nan": pa.array([math.nan]),
    "most": pa.array([math.inf]),
    "large": pa.array([2**64 - 1], pa.uint64()),
    "damaged": pa.Array.from_buffers(pa.string(), 1, pa.array([b"b\xff"]).buffers()),
}
WORDS: dict[str, object] = {"bytes": "Yf8=", "deep": [{"x": "YQ=="}], "price": "1.10", "nan": None}
WORDS |= {"most": None, "large": 2**64 - 1, "damaged": "Yv8="}


@pytest.mark.parametrize("name", ODD)
def test_a_row_that_fails_is_kept_whatever_it_holds(name: str, tmp_path: Path) -> None:
    """And a row of the same values becomes JSONL in the same words."""
    column = pa.concat_arrays([ODD[name]] * 2)
    pq.write_table(pa.table({"text": pa.array([TEXT, None]), name: column}), tmp_path / "a.parquet")
    result = call("clean", tmp_path / "a.parquet", "--output-format", "jsonl", "--errors", tmp_path / "bad")
    refused(result, 1, "a.parquet:2: ", "null")
    rows = [json.loads(line, parse_constant=pytest.fail) for line in ((tmp_path / "bad").read_bytes(), result.stdout)]
    assert [row.pop("text") for row in rows] == [None, BODY]
    assert rows[0] == rows[1] == {name: WORDS.get(name, rows[0][name])}


@pytest.mark.parametrize("place", [0.2, 0.4, 0.6])
def test_corrupt_page(place: float, tmp_path: Path) -> None:
    source = parquet(tmp_path / "a.parquet", [*texts(120)])
    data = bytearray(source.read_bytes())
    at = int(len(data) * place)
    data[at : at + 2000] = bytes(2000)
    source.write_bytes(data)
    arguments = ("--summary", tmp_path / "s", "--errors", tmp_path / "bad")
    result = call("clean", source, "-o", tmp_path / "b.parquet", *arguments)
    counts = json.loads((tmp_path / "s").read_text())
    bad = [json.loads(line) for line in (tmp_path / "bad").read_bytes().splitlines()]
    assert sum(row.get("records", 1) for row in bad) == counts["failed"]
    assert {(row["file"], row["reason"]) for row in bad} == {(str(source), "corrupt")}
    assert result.exit_code == 1
    assert "row group" in result.stderr
    assert counts["documents"] + counts["failed"] == 120
    assert pq.read_table(tmp_path / "b.parquet").num_rows == counts["documents"] > 0


def test_no_parquet_at_all(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(b"PAR1 and nothing else")
    result = call("clean", tmp_path / "a.parquet", "-o", tmp_path / "b.parquet")
    refused(result, 1, "a.parquet: ", "not a Parquet file")
    refused(call("clean", tmp_path / "a.parquet"), 2, "-o FILE")


def test_threads_of_arrow_are_left_alone(tmp_path: Path) -> None:
    before = pa.cpu_count()
    clean_files(parquet(tmp_path / "a.parquet", [TEXT]), tmp_path / "b.parquet")
    assert pa.cpu_count() == before


def test_empty_parquet(tmp_path: Path) -> None:
    source = parquet(tmp_path / "a.parquet", [])
    assert call("clean", source, "-o", tmp_path / "b.parquet").exit_code == 0
    assert pq.read_table(tmp_path / "b.parquet").schema.equals(pq.read_table(source).schema)


def test_a_text_that_is_repeated_is_read_in_blocks(tmp_path: Path) -> None:
    """It is stored once, so that the file does not tell how much is read."""
    many = BLOCK_ROWS + 10
    source = find_inputs([str(parquet(tmp_path / "a.parquet", [BODY * 3] * many, many))])[0]
    assert source.size < BLOCK_BYTES / 4
    blocks = list(read_blocks(0, source, (0, 1)))
    assert all(len(block.data) < 2 * BLOCK_BYTES for block in blocks)
    assert [block.first for block in blocks] == [1 + sum(b.count for b in blocks[:n]) for n in range(len(blocks))]
    counts = clean_files(source.path, tmp_path / "b.parquet", BatchOptions()).counts
    assert (counts["documents"], pq.read_table(tmp_path / "b.parquet")["n"].to_pylist()) == (many, list(range(many)))


@pytest.mark.parametrize("suffix", [".warc.wet", ".warc.wet.gz"])
def test_wet(suffix: str, tmp_path: Path) -> None:
    source = archive(tmp_path / f"a{suffix}", [TEXT.encode(), b"bad \xff", TEXT.encode()])
    result = call("clean", source, "--errors", tmp_path / "bad")
    refused(result, 1, f"a{suffix}:2: ", "UTF-8")
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert [(row["url"], row["date"], row["text"]) for row in rows] == [
        (f"https://harbour.example/{number}", "2016-05-14T09:12:00Z", BODY) for number in (0, 2)
    ]
    assert b"base64" in (tmp_path / "bad").read_bytes()
    (tmp_path / "out").mkdir()
    assert call("clean", source, "-o", tmp_path / "out", "--output-format", "parquet").exit_code == 1
    assert pq.read_table(tmp_path / "out" / "a.parquet")["url"].to_pylist() == [row["url"] for row in rows]
    assert call("clean", source, "-o", tmp_path / "again.wet.gz").exit_code == 1
    with (tmp_path / "again.wet.gz").open("rb") as file:  # each record is a member, as readers of archives ask
        assert [one.content_stream().read().decode() for one in ArchiveIterator(file)] == [BODY, BODY]
    again = call("clean", tmp_path / "again.wet.gz")
    assert [json.loads(line)["text"] for line in again.stdout.splitlines()] == [BODY, BODY]


def test_wet_from_wet_keeps_the_headers(tmp_path: Path) -> None:
    """But for digests of the text that was."""
    digests = ("WARC-Block-Digest", "WARC-Payload-Digest")
    head = {"WARC-Date": "2016-05-14T09:12:00.5Z", "WARC-Refers-To": "<urn:uuid:1>", "x-Quay": "é: 3"}
    head |= {
        "WARC-Identified-Content-Language": "eng",
        **dict.fromkeys(digests, "sha1:3I42H3S6NNFQ2MSVX7XZKYAYSCX5QBYJ"),
    }
    with (tmp_path / "a.wet").open("wb") as file:
        writer = WARCWriter(file, gzip=False, warc_version="WARC/1.1")
        more: dict[str, Any] = {"payload": io.BytesIO(TEXT.encode()), "warc_content_type": "text/plain; charset=utf-8"}
        record = writer.create_warc_record("https://harbour.example", "conversion", warc_headers_dict=head, **more)
        writer.write_record(record)
    assert call("clean", tmp_path / "a.wet", "-o", tmp_path / "b.wet").exit_code == 0
    old, new = ((tmp_path / name).read_bytes().partition(b"\r\n\r\n") for name in ("a.wet", "b.wet"))
    assert new[2] == f"{BODY}\r\n\r\n".encode()
    sizes = {f"Content-Length: {len(text.encode())}" for text in (TEXT, BODY)}
    before, after = ([row for row in part[0].decode().split("\r\n") if row not in sizes] for part in (old, new))
    assert after == [row for row in before if not row.startswith(digests)] == list(dict.fromkeys(after))
    assert {"WARC/1.1", "WARC-Refers-To: <urn:uuid:1>", "x-Quay: é: 3"} < set(after)


def test_a_warc_without_texts_fails(tmp_path: Path) -> None:
    for kind in ("response", "warcinfo"):
        with (tmp_path / f"{kind}.warc").open("wb") as file:
            writer = WARCWriter(file, gzip=False)
            writer.write_record(writer.create_warcinfo_record("x.warc", {"software": "none"}))
            if kind == "response":
                head = StatusAndHeaders("200 OK", [("Content-Type", "text/html")], protocol="HTTP/1.0")
                more: dict[str, Any] = {"payload": io.BytesIO(TEXT.encode()), "http_headers": head}
                writer.write_record(writer.create_warc_record("https://harbour.example", kind, **more))
    result = call("clean", tmp_path / "response.warc", "-o", tmp_path / "b.jsonl")
    refused(result, 1, "response.warc: has response records and none of text", "WET")
    assert not (tmp_path / "b.jsonl").exists()
    assert call("clean", tmp_path / "warcinfo.warc", "-o", tmp_path / "b.jsonl").exit_code == 0
    assert (tmp_path / "b.jsonl").read_bytes() == b""


def test_parquet_needs_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No file of the name of standard input is read for it."""
    monkeypatch.chdir(tmp_path)
    data = parquet(tmp_path / "-", [TEXT]).read_bytes()
    for form in ((), ("--input-format", "parquet")):
        refused(call("clean", "-", "--output-format", "jsonl", *form, stdin=data), 2, "stdin: Parquet", "needs a file")


def test_bytes_of_wet_are_counted_once(tmp_path: Path) -> None:
    found = [(text * 300).encode() for text in texts(9)]
    source = archive(tmp_path / "a.wet", found)
    counts = clean_files(str(source), str(tmp_path / "b.jsonl"), BatchOptions(workers=1)).counts
    assert sum(map(len, found)) == counts["bytes"] > 2 * BLOCK_BYTES


def test_cut_wet(tmp_path: Path) -> None:
    source = archive(tmp_path / "a.warc.wet.gz", [text.encode() for text in texts(30)])
    source.write_bytes(source.read_bytes()[:-300])
    result = call("clean", source)
    assert result.exit_code == 1
    assert len(result.stdout.splitlines()) == 29
    assert "a.warc.wet.gz:30: " in result.stderr


def test_columns_of_one_name_and_of_views(tmp_path: Path) -> None:
    pq.write_table(pa.table([[TEXT], [TEXT]], names=["text", "text"]), tmp_path / "a.parquet")
    refused(call("clean", tmp_path / "a.parquet", "-o", tmp_path / "b.parquet"), 1, "a.parquet: ", "'text'")
    view = pa.string_view()
    inner = {"n": pa.int64(), "list": pa.list_(view), "more": pa.struct([("b", pa.binary_view())])}
    inner |= {"two": pa.list_(view, 2), "large": pa.large_list(view), "map": pa.map_(view, view)}
    row = {"n": 1, "list": ["a"], "more": {"b": b"c"}, "two": ["d", "e"], "large": ["h"], "map": [("f", "g")]}
    columns = {name: pa.array([row[name]] * 3, kind) for name, kind in inner.items()}
    table = pa.table({"text": pa.array([TEXT] * 3, view), **columns})
    pq.write_table(table, tmp_path / "v.parquet")
    result = call("clean", tmp_path / "v.parquet", "-o", tmp_path / "w.parquet")
    assert (result.exit_code, result.stderr) == (0, "")
    assert pq.read_table(tmp_path / "w.parquet").to_pydict() == {**table.to_pydict(), "text": [BODY] * 3}


@pytest.mark.parametrize("form", ["parquet", "jsonl"])
def test_a_column_that_is_there_already(form: str, tmp_path: Path) -> None:
    """Its file fails, and the others are cleaned, whether each has an output or all have one."""
    (tmp_path / "in").mkdir()
    for name in "abc":
        columns = {"text": [TEXT], "cleaner_quality": [1]}
        pq.write_table(pa.table(columns if name == "b" else {"text": [TEXT]}), tmp_path / "in" / f"{name}.parquet")
    for out in ("out/", f"all.{form}"):
        result = call("clean", tmp_path / "in", "-o", f"{tmp_path}/{out}", "--output-format", form, "--add-quality")
        refused(result, 1, "b.parquet: ", "cleaner_quality is there already")
    assert names(tmp_path / "out") == [f"a.{form}", f"c.{form}"]
    for path, count in ((tmp_path / "out" / f"a.{form}", 1), (tmp_path / f"all.{form}", 2)):
        data = path.read_bytes()
        rows = pq.read_table(path).to_pylist() if form == "parquet" else [*map(json.loads, data.splitlines())]
        assert [row["cleaner_quality"]["kept"] for row in rows] == [12] * count


INT96: dict[str, list[datetime | int | None]] = {
    "far": [datetime(9999, 12, 31), datetime(1, 1, 1), None, datetime(2016, 5, 14, 9, 12, 0, 123456)],
    "fine": [1, 1001, None],
    "both": [],
}


@pytest.mark.parametrize("name", INT96)
def test_timestamps_of_96_bits_keep_their_values(name: str, tmp_path: Path) -> None:
    """In microseconds, or in nanoseconds where they have some; a file that needs both fails."""
    unit = "us" if name == "far" else "ns"
    when = pa.array(INT96[name], pa.timestamp(unit))
    columns = {"when": when, "deep": pa.array([[{"x": one}] for one in when], pa.list_(pa.struct([("x", when.type)])))}
    if name == "both":
        columns = {key: pa.array(INT96[key][:1], pa.timestamp(unit)) for key, unit in (("far", "us"), ("fine", "ns"))}
    table = pa.table({"text": [TEXT] * len(next(iter(columns.values()))), **columns})
    pq.write_table(table, tmp_path / "a.parquet", row_group_size=2, use_deprecated_int96_timestamps=True)
    result = call("clean", tmp_path / "a.parquet", "-o", tmp_path / "b.parquet")
    if name == "both":
        refused(result, 1, "a.parquet: no unit of time holds all INT96 timestamps of far, fine", "INT64")
        assert not (tmp_path / "b.parquet").exists()
        return
    assert (result.exit_code, result.stderr) == (0, "")
    assert pq.read_table(tmp_path / "b.parquet").drop_columns("text").equals(table.drop_columns("text"))


def test_wet_cut_in_a_header(tmp_path: Path) -> None:
    data = archive(tmp_path / "a.wet", [TEXT.encode()] * 3).read_bytes()
    third = data.rindex(b"WARC/1.0")
    for at in (third + 20, data.rindex(b"Content-Length"), data.rindex(b"Content-Length") + 16):
        (tmp_path / "cut.wet").write_bytes(data[:at])
        result = call("clean", tmp_path / "cut.wet")
        refused(result, 1, "cut.wet:3: ", "cut short")
        assert [json.loads(line)["text"] for line in result.stdout.splitlines()] == [BODY] * 2


def test_pipe_by_name(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    refused(call("clean", tmp_path / "pipe"), 2, "pipe: is a pipe", "Use -")


def test_jsonl_to_parquet(tmp_path: Path) -> None:
    rows = [{"id": 1, "text": TEXT}, {"id": 2, "text": TEXT, "more": [1.5]}, {"id": 10**30, "text": BODY}]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert call("clean", tmp_path / "a.jsonl", "-o", tmp_path / "b.parquet").exit_code == 0
    found = pq.read_table(tmp_path / "b.parquet").to_pylist()
    assert [row["text"] for row in found] == [BODY] * 3
    assert [str(row["id"]) for row in found] == ["1", "2", str(10**30)]
    assert found[1]["more"] == [1.5]


def test_fields_of_types_that_do_not_go_together(tmp_path: Path) -> None:
    """The values come in several blocks."""
    deep: list[object] = []
    for _ in range(100):
        deep = [deep]
    rows = [{"text": TEXT, "meta": {}, "mix": n, "deep": [], "more": {"a": n}, "long": "x" * 40_000} for n in range(60)]
    rows += [{**row, "mix": "word", "meta": {"a": {}}, "deep": deep, "more": {"b": [1]}} for row in rows]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    result = call("clean", tmp_path / "a.jsonl", "-q", "-o", tmp_path / "b.parquet")
    assert (result.exit_code, result.stderr) == (0, "")
    found = pq.read_table(tmp_path / "b.parquet").to_pylist()
    assert [row["text"] for row in found] == [BODY] * 120
    assert [row["mix"] for row in found] == [*map(str, range(60)), *["word"] * 60]
    assert [json.loads(found[n]["meta"]) for n in (0, 119)] == [{}, {"a": {}}]
    assert json.loads(found[119]["deep"]) == deep


@pytest.mark.parametrize("joined", [False, True])
def test_integers_that_no_float_is(joined: bool, tmp_path: Path) -> None:
    """They are of one type alone, and those of another file or block are not; that is seen when all has been read."""
    rows = [{"text": TEXT, "n": n, "deep": {"x": [n]}, "long": "x" * 3_000_000} for n in (2**53 + 1, 0.5)]
    for number, row in enumerate(rows):
        (tmp_path / f"{number * joined}.jsonl").open("a").write(json.dumps(row) + "\n")
    result = call("clean", *sorted(tmp_path.glob("*.jsonl")), "-q", "-o", tmp_path / "b.parquet")
    assert (result.exit_code, result.stderr) == (0, "")
    found = pq.read_table(tmp_path / "b.parquet").to_pylist()
    assert [json.loads(row["n"]) for row in found] == [2**53 + 1, 0.5]
    assert [json.loads(row["deep"]) for row in found] == [{"x": [2**53 + 1]}, {"x": [0.5]}]


def test_years_that_python_has_not_become_text(tmp_path: Path) -> None:
    for name, column in (("a", pa.array([10**12], pa.timestamp("s"))), ("b", pa.array(["later"]))):
        pq.write_table(pa.table({"text": [TEXT], "when": column}), tmp_path / f"{name}.parquet")
    files = [tmp_path / "a.parquet", tmp_path / "b.parquet"]
    assert call("clean", *files, "-o", tmp_path / "c.parquet").exit_code == 0
    assert pq.read_table(tmp_path / "c.parquet")["when"].to_pylist() == [f"<value out of range: {10**15}>", "later"]


@pytest.mark.parametrize("value", ["9" * 5000, "[" * 990 + "]" * 990])
def test_a_record_that_only_jsonl_can_hold(value: str, tmp_path: Path) -> None:
    row = json.dumps({"text": TEXT})
    (tmp_path / "a.jsonl").write_text(f'{row}\n{{"text": "x", "n": {value}}}\n{row}\n')
    result = call("clean", tmp_path / "a.jsonl", "-o", tmp_path / "b.parquet")
    refused(result, 1, "a.jsonl:2: ", "--output-format jsonl")
    assert pq.read_table(tmp_path / "b.parquet").to_pydict() == {"text": [BODY] * 2}


def test_parquet_to_jsonl(tmp_path: Path) -> None:
    source = parquet(tmp_path / "a.parquet", [TEXT])
    row = json.loads(call("clean", source, "--output-format", "jsonl").stdout)
    assert (row["text"], row["n"], row["tags"]) == (BODY, 0, ["a", "b"])


def test_numbers_that_json_has_none_for(tmp_path: Path) -> None:
    odd = [float("nan"), float("inf"), 1.5]
    table = pa.table({"text": [TEXT], "a": odd[:1], "b": [odd], "c": [{"d": odd[1], "e": [{"f": odd[0]}]}]})
    pq.write_table(table, tmp_path / "a.parquet")
    row = orjson.loads(call("clean", tmp_path / "a.parquet", "--output-format", "jsonl").stdout)
    assert row == {"text": BODY, "a": None, "b": [None, None, 1.5], "c": {"d": None, "e": [{"f": None}]}}


@pytest.mark.parametrize("name", ID_FIELDS)
def test_a_document_is_called_alike_in_all_formats(name: str, tmp_path: Path) -> None:
    pq.write_table(pa.table({name: ["quay-1"], "text": [TEXT]}), tmp_path / "a.parquet")
    (tmp_path / "a.jsonl").write_text(json.dumps({name: "quay-1", "text": TEXT}))
    for form in ("parquet", "jsonl"):
        removed = tmp_path / f"{form}.removed"
        clean_files(str(tmp_path / f"a.{form}"), str(tmp_path / f"b.{form}"), BatchOptions(removed=str(removed)))
        assert {json.loads(line)["document"] for line in removed.read_text().splitlines()} == {"quay-1"}


def test_parquet_is_resumable_and_the_same_with_workers(tmp_path: Path) -> None:
    source = parquet(tmp_path / "a.parquet", [*texts(1500)], 400)
    for workers in (1, 2):
        clean_files([str(source)], str(tmp_path / f"{workers}.parquet"), BatchOptions(workers=workers))
    assert (tmp_path / "1.parquet").read_bytes() == (tmp_path / "2.parquet").read_bytes()


def test_remote(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    memory = fsspec.filesystem("memory")
    memory.pipe_file("/harbour/in/a.txt", TEXT.encode())
    memory.pipe_file("/harbour/in/deep/b.jsonl.gz", gzip.compress(json.dumps({"text": TEXT}).encode()))
    parquet(tmp_path / "c.parquet", [TEXT, BODY])
    memory.put_file(str(tmp_path / "c.parquet"), "/harbour/in/c.parquet")
    try:
        assert clean_files(["memory://harbour/in"], "memory://harbour/out/").failed == 0
        assert memory.cat_file("/harbour/out/a.txt").decode() == BODY
        assert json.loads(gzip.decompress(memory.cat_file("/harbour/out/deep/b.jsonl.gz"))) == {"text": BODY}
        with memory.open("/harbour/out/c.parquet") as file:
            assert pq.read_table(file)["text"].to_pylist() == [BODY, BODY]
        clean_files(["memory://harbour/in/*.parquet"], str(tmp_path / "d.parquet"))
        assert pq.read_table(tmp_path / "d.parquet").num_rows == 2
        with pytest.raises(UsageError, match="no such file"):
            clean_files(["memory://harbour/nowhere"])
        clean_files(["memory://harbour/in/a.txt"], "memory://harbour/deeper/still/a.txt")
        assert memory.cat_file("/harbour/deeper/still/a.txt").decode() == BODY
        assert list(Path().iterdir()) == []
    finally:
        memory.rm("/harbour", recursive=True)
    with pytest.raises(UsageError, match="nonsense"):
        clean_files(["nonsense://x"])


def test_remote_names_of_one_file(tmp_path: Path) -> None:
    memory = fsspec.filesystem("memory")
    for name in ("a", "b"):
        memory.pipe_file(f"/mole/in/{name}.jsonl", json.dumps({"text": TEXT}).encode())
    here, same = "memory://mole/in/a.jsonl", "memory:///mole/in/a.jsonl"
    try:
        refused(call("clean", here, "-o", same), 2, "is the input itself")
        refused(call("clean", here, same, "-o", tmp_path / "o.jsonl"), 2, "is given twice")
        refused(call("clean", here, "-o", tmp_path / "o.jsonl", "--removed", same), 2, "is the input itself")
        refused(call("clean", "memory://mole/in", "-o", "memory:///mole/in/out/"), 2, "inside the input folder")
        assert call("clean", here, "-o", "memory://mole/in/c.jsonl").exit_code == 0
        assert call("clean", "memory://mole/in", "-o", "memory://mole/in-2/").exit_code == 0
        assert len(memory.find("/mole/in-2")) == 3
    finally:
        memory.rm("/mole", recursive=True)


def test_file_urls_are_local_paths(tmp_path: Path) -> None:
    (source := tmp_path / "in").mkdir()
    (source / "a.txt").write_text(TEXT)
    (source / ".hidden").write_text(TEXT)
    url = f"file://{tmp_path}"
    for output in (f"{url}/in/a.txt", str(source / "a.txt")):
        refused(call("clean", f"{url}/in/a.txt", "-o", output), 2, "is the input itself")
    refused(call("clean", source / "a.txt", f"{url}/in/a.txt", "-o", tmp_path / "o.jsonl"), 2, "is given twice")
    refused(call("clean", f"{url}/in", "-o", f"{url}/in/out"), 2, "inside the input folder")
    assert call("clean", f"{url}/in", "-o", f"{url}/out", "--removed", f"{url}/removed").exit_code == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "out", "removed"]
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a.txt"]
    assert call("restore", f"{url}/out/a.txt", "--removed", f"{url}/removed", "-o", f"{url}/b.txt").exit_code == 0
    assert (tmp_path / "b.txt").read_text() == TEXT
    assert call("clean", f"{url}/in", "--in-place").exit_code == 0
    assert (source / "a.txt").read_text() == BODY


def test_names_in_remote_folders() -> None:
    """Brackets may be part of a name; names that begin with a dot are left out, unless the glob has the dot."""
    memory = fsspec.filesystem("memory")
    found = ["b[1].txt", "deep/c.txt", ".d.txt", ".e/f.txt", "[g]/h.txt", "x*", "_delta_log/0.txt"]
    for name in found:
        memory.pipe_file(f"/quay/{name}", TEXT.encode())
    wanted = {"": ["[g]/h.txt", "b[1].txt", "deep/c.txt", "x*"], "/b[1].txt": ["b[1].txt"], "/[g]": ["h.txt"]}
    wanted |= {"/x*": ["x*"], "/.e": ["f.txt"], "/.e/*": ["f.txt"], "/.*": [".d.txt"], "/*.txt": ["b[1].txt"]}
    wanted |= {"/**/*.txt": ["[g]/h.txt", "_delta_log/0.txt", "b[1].txt", "deep/c.txt"], "/_delta_log": ["0.txt"]}
    try:
        for path, names in wanted.items():
            assert [one.relative for one in find_inputs([f"memory://quay{path}"])] == names, path
    finally:
        memory.rm("/quay", recursive=True)


class Unreachable(fsspec.AbstractFileSystem):  # type: ignore[misc]
    """A store whose driver raises what the library below it raises, which is no OSError."""

    protocol = "unreachable"
    raised: type[BaseException] = LookupError

    def info(self, path: str, **_: Any) -> Any:
        raise self.raised("Name or service not known")

    ls = info


@pytest.mark.parametrize("path", ["unreachable://a/b.jsonl", "unreachable://a/*.jsonl"])
def test_remote_that_cannot_be_reached(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    fsspec.register_implementation("unreachable", Unreachable, clobber=True)
    monkeypatch.setattr(Unreachable, "isfile", Unreachable.info)
    words = (path, "LookupError: Name or service not known", "Check path, network and credentials")
    refused(call("clean", path), 2, *words)
    monkeypatch.setattr(Unreachable, "isfile", lambda self, path: True)
    monkeypatch.setattr(Unreachable, "glob", lambda self, path: ["a/b.jsonl"])
    refused(call("clean", path), 2, "unreachable://a/", *words[1:])
    monkeypatch.setattr(Unreachable, "raised", KeyboardInterrupt)
    assert call("clean", path).exit_code == 130


@given(st.text('ab"\\\\\n\u2028\ud800'), st.text('x"\\\\'), st.booleans())
def test_the_end_of_a_string_is_found(text: str, other: str, escaped: bool) -> None:
    line = json.dumps({"text": text, "other": other}, ensure_ascii=escaped).encode("utf-8", "surrogatepass")
    begin = line.index(b": ") + 2
    assert json.loads(line[begin : end_of(line, begin)].decode("utf-8", "surrogatepass")) == text


def test_ids_of_all_formats_are_found_alike(tmp_path: Path) -> None:
    """A whole number is an id, too, and a field that is asked for and not there is none, whatever others are."""
    rows = [{"id": number, "url": f"u{number}", "doc": 10 + number, "text": TEXT} for number in (7, 8)]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet")
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    cases: list[tuple[list[str], list[str]]] = [([], ["7", "8"])]
    cases += [(["--id-field", "doc"], ["17", "18"]), (["--id-field", "no"], ["", ""])]
    for options, wanted in cases:
        for form in ("jsonl", "parquet"):
            removed = tmp_path / "removed.jsonl"
            result = call("clean", tmp_path / f"a.{form}", "-o", tmp_path / f"b.{form}", "--removed", removed, *options)
            assert result.exit_code == 0
            found = dict.fromkeys(json.loads(line)["document"] for line in removed.read_bytes().splitlines())
            assert [*found] == [*dict.fromkeys(wanted)], (form, options)


def test_a_field_of_hers_may_have_a_name_like_ours(tmp_path: Path) -> None:
    rows = [{"text": TEXT, "cleaner_version": 2, "cleaner_quality": {"body_share": 1, "mine": 2}}]
    (tmp_path / "a.jsonl").write_text(json.dumps(rows[0]) + "\n", "utf-8")
    result = call("clean", tmp_path / "a.jsonl", "-o", tmp_path / "b.parquet")
    assert (result.exit_code, result.stderr) == (0, "")
    assert pq.read_table(tmp_path / "b.parquet").to_pylist() == [{**rows[0], "text": BODY}]


def test_files_without_rows_have_the_added_columns(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for name, found in (("a", [TEXT]), ("b", []), ("c", ["SHARE THIS\n"])):
        pq.write_table(pa.table({"text": pa.array(found, pa.string())}), tmp_path / "in" / f"{name}.parquet")
    more = ("--add-quality", "--add-labels", "--extract", "--min-quality", "0.5", "--rejected", tmp_path / "poor")
    assert call("clean", tmp_path / "in", "-o", f"{tmp_path}/out/", *more).exit_code == 0
    kinds = [pq.read_schema(tmp_path / "out" / f"{name}.parquet") for name in "abc"]
    assert kinds[0].names[1:] == [*ADDED]
    assert kinds[1] == kinds[2] == kinds[0]


def test_what_a_driver_raises_on_writing_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(TEXT, "utf-8")
    refused(call("clean", tmp_path / "a.txt", "-o", "data://x.txt"), 2, "data://x.txt", "cannot be written")


def test_values_that_python_or_a_column_would_cut(tmp_path: Path) -> None:
    """Nanoseconds of a time in JSON, and a decimal beside a float."""
    nano = pa.table({"text": [TEXT], "at": pa.array([3_723_000_000_001], pa.time64("ns"))})
    pq.write_table(nano, tmp_path / "a.parquet")
    assert json.loads(call("clean", tmp_path / "a.parquet", "--output-format", "jsonl").stdout)["at"].endswith("000001")
    for name, price in (("b", Decimal("12345678901234567.89")), ("c", 1.5)):
        pq.write_table(pa.table({"text": [TEXT], "price": [price]}), tmp_path / f"{name}.parquet")
    assert call("clean", tmp_path / "b.parquet", tmp_path / "c.parquet", "-o", tmp_path / "d.parquet").exit_code == 0
    found = pq.read_table(tmp_path / "d.parquet").column("price").to_pylist()
    assert [json.loads(one) for one in found] == ["12345678901234567.89", 1.5]


def test_a_column_that_must_not_be_empty_and_one_of_arrays(tmp_path: Path) -> None:
    schema = pa.schema([("text", pa.string()), pa.field("k", pa.int64(), nullable=False)])
    pq.write_table(pa.table({"text": [TEXT], "k": [7]}, schema=schema), tmp_path / "a.parquet")
    vectors = pa.FixedShapeTensorArray.from_numpy_ndarray(np.zeros((1, 2, 2), np.float32))
    pq.write_table(pa.table({"text": [TEXT], "v": vectors}), tmp_path / "b.parquet")
    for names_of, out in (("ab", "c"), ("b", "d")):
        some = [tmp_path / f"{name}.parquet" for name in names_of]
        result = call("clean", *some, "-o", tmp_path / f"{out}.parquet")
        assert (result.exit_code, result.stderr) == (0, "")
    assert pq.read_table(tmp_path / "c.parquet").column("k").to_pylist() == [7, None]
    assert pq.read_table(tmp_path / "d.parquet").column("v").type == vectors.type


@pytest.mark.parametrize("name", ["text", "id"])
def test_a_damaged_string_costs_one_row_at_most(name: str, tmp_path: Path) -> None:
    found = [TEXT.encode(), b"caf\xe9\n", TEXT.encode()]
    places = pa.py_buffer(np.cumsum([0, *map(len, found)]).astype("i4"))
    damaged = pa.Array.from_buffers(pa.string(), 3, [None, places, pa.py_buffer(b"".join(found))])
    pq.write_table(pa.table({"text": [TEXT] * 3, "id": ["x"] * 3, name: damaged}), tmp_path / "a.parquet")
    result = call("clean", tmp_path / "a.parquet", "-o", tmp_path / "b.parquet", "--errors", tmp_path / "e")
    if name == "id":
        assert (result.exit_code, pq.read_metadata(tmp_path / "b.parquet").num_rows) == (0, 3)
        return
    refused(result, 1, "a.parquet:2: field 'text' is not UTF-8")
    assert pq.read_table(tmp_path / "b.parquet").column("text").to_pylist() == [BODY] * 2
    assert json.loads((tmp_path / "e").read_bytes())["text"] == "Y2Fm6Qo="


def test_a_name_that_no_column_can_have(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(json.dumps({"text": TEXT}) + '\n{"\\ud83d": 1, "text": ""}\n', "utf-8")
    result = call("clean", tmp_path / "a.jsonl", "-o", tmp_path / "b.parquet")
    assert (result.exit_code, result.stderr) == (0, "")
    assert pq.read_table(tmp_path / "b.parquet").to_pylist()[1] == {"text": "", "\\ud83d": 1}


def test_archives_as_remote_paths(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as archive_:
        for name in ("a.txt", "more/b.txt"):
            archive_.writestr(name, TEXT)
    assert call("clean", f"zip://a.txt::{tmp_path}/z.zip").stdout == BODY
    assert call("clean", f"zip://**/*.txt::{tmp_path}/z.zip", "-o", f"{tmp_path}/out/").exit_code == 0
    assert sorted(path.read_text() for path in (tmp_path / "out").rglob("*.txt")) == [BODY] * 2
    (tmp_path / "no.zip").write_text(TEXT)
    refused(call("clean", f"zip://a.txt::{tmp_path}/no.zip"), 2, "cannot be opened")


class Broken(LocalFileSystem):  # type: ignore[misc]  # fsspec is untyped
    """A store whose library raises what is no error of the system while a file is read."""

    protocol = "broken"

    def _open(self, path: str, *_: Any, **__: Any) -> Any:
        class Cut(io.BytesIO):
            def read(self, size: int | None = -1) -> bytes:
                if self.tell():
                    raise RuntimeError("connection lost")
                return super().read(min(size or 10, 10))

        return Cut(Path(path.removeprefix("broken://")).read_bytes())


@pytest.mark.parametrize("suffix", ["txt", "jsonl"])
def test_a_store_that_fails_costs_one_file(suffix: str, tmp_path: Path) -> None:
    fsspec.register_implementation("broken", Broken, clobber=True)
    for name in "ab":
        text = TEXT if suffix == "txt" else json.dumps({"text": TEXT}) + "\n"
        (tmp_path / f"{name}.{suffix}").write_text(text, "utf-8")
    (tmp_path / "out").mkdir()
    result = call("clean", f"broken://{tmp_path}/a.{suffix}", tmp_path / f"b.{suffix}", "-o", tmp_path / "out")
    refused(result, 1, f"a.{suffix}", "RuntimeError: connection lost", "network")
    assert names(tmp_path / "out") == [f"b.{suffix}"]


def test_parquet_is_not_packed_once_more(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(TEXT, "utf-8")
    refused(call("clean", tmp_path / "a.txt", "-o", tmp_path / "b.parquet.gz"), 2, "Parquet packs itself", ".gz")
    source = parquet(tmp_path / "c.parquet", [TEXT])
    (tmp_path / "c.parquet.gz").write_bytes(gzip.compress(source.read_bytes()))
    refused(call("clean", tmp_path / "c.parquet.gz", "-o", tmp_path / "d.parquet"), 1, "Decompress it first")


def test_a_packed_file_without_a_suffix_is_called_packed(tmp_path: Path) -> None:
    (tmp_path / "packed").write_bytes(gzip.compress(TEXT.encode()))
    (tmp_path / "a.txt").write_text(TEXT, "utf-8")
    result = call("clean", tmp_path / "packed", "-o", tmp_path / "x.txt")
    refused(result, 1, "packed: is gzip data")
    assert not (tmp_path / "x.txt").exists()
    result = call("clean", tmp_path / "a.txt", tmp_path / "packed")
    assert (result.exit_code, result.stdout) == (1, BODY)
