"""Batch runs, where other tests see nothing: each test names the change of the code that it catches."""

import json
import os
from pathlib import Path
from typing import Any

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from documents import jsonl
from test_batch import RECORD
from test_cli import BODY, TEXT, call, names, refused
from test_faults import half
from test_formats import parquet

from cleaner import BatchOptions, clean_files, evaluate, restore
from cleaner.cleaning import Cleaner
from cleaner.errors import DataError, UsageError
from cleaner.job import Job
from cleaner.opening import chunks, compress, stamp
from cleaner.options import BatchOptions as Options
from cleaner.outcomes import How, outcomes
from cleaner.pool import failed
from cleaner.records import Block, Input, sniff
from cleaner.restoring import restore_file
from cleaner.rules import Rules

POOR = '{"text": "SHARE THIS"}'


@pytest.fixture
def huge(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut texts into small pieces."""
    monkeypatch.setattr("cleaner.plain.HUGE_BYTES", 2000)
    monkeypatch.setattr("cleaner.plain.BLOCK_BYTES", 1000)


def test_half_of_the_first_lines_are_enough() -> None:
    """records.py, sniff: `>=` to `>`."""
    assert sniff(b'{"text": "x"}\n{cut\n', "a") == "jsonl"
    assert sniff(b'{"text": "x"}\nno\nno\n', "a") == "text"


@pytest.mark.parametrize("name", ["removed", "errors", "summary", "rules", "model"])
def test_a_name_that_no_file_can_have(name: str, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(TEXT)
    with pytest.raises(UsageError, match="no file can have a name with a NUL"):
        BatchOptions(**{name: f"{tmp_path}/b\0"})  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="no file can have a name with a NUL"):
        clean_files(tmp_path / "a.txt", f"{tmp_path}/b\0.txt")
    with pytest.raises(UsageError, match="no file can have a name with a NUL"):
        clean_files(f"{tmp_path}/b\0.txt", tmp_path / "c.txt")
    assert names(tmp_path) == ["a.txt"]


@pytest.mark.usefixtures("huge")
def test_rules_in_a_huge_text(tmp_path: Path) -> None:
    """outcomes.py, outcomes: lines that a rule takes out are not shifted by the pieces before."""
    text = (BODY * 9 + "SHARE THIS\nThis is an advert\n\n") * 5
    (tmp_path / "a.txt").write_text(text)
    options = BatchOptions(always_drop=("advert$",), removed=tmp_path / "r")
    clean_files(tmp_path / "a.txt", tmp_path / "b.txt", options)
    assert "advert" not in (tmp_path / "b.txt").read_text()
    assert restore_file(str(tmp_path / "b.txt"), str(tmp_path / "r")) == text.encode()


@pytest.mark.usefixtures("huge")
def test_records_of_one_text_are_restored_together(tmp_path: Path) -> None:
    """A file of them cannot be: that all of its rows are of record 1 had looked like another file."""
    text = (BODY * 9 + "SHARE THIS\n") * 5
    (tmp_path / "a.txt").write_text(text)
    out, removed = tmp_path / "b.jsonl", tmp_path / "r.jsonl"
    clean_files(tmp_path / "a.txt", out, BatchOptions(removed=removed))
    with pytest.raises(DataError, match=r"b\.jsonl: is of a text cut into [2-9] records\. Put their texts together"):
        restore_file(str(out), str(removed))
    left, rows = ([json.loads(line) for line in path.read_text().splitlines()] for path in (out, removed))
    assert restore("".join(row["text"] for row in left), rows) == text


@pytest.mark.usefixtures("huge")
@pytest.mark.parametrize("lines", [1, 300])
def test_a_huge_text_is_never_rejected(tmp_path: Path, lines: int) -> None:
    """work.py, work: a text of one line is a piece that is both the first and the last."""
    (tmp_path / "a.txt").write_text(("SHARE THIS now " * (300 // lines) + "\n") * lines)
    found = clean_files(tmp_path / "a.txt", tmp_path / "b.txt", BatchOptions(min_quality=1, rejected=tmp_path / "poor"))
    assert (found.counts["rejected"], (tmp_path / "poor").read_bytes()) == (0, b"")


def test_rules_that_keep_in_a_document_of_several_pieces(cleaner: Cleaner, monkeypatch: pytest.MonkeyPatch) -> None:
    """outcomes.py, forced: `rest.starts[owner] +` left out."""
    monkeypatch.setattr("cleaner.grouping.PIECE_BYTES", 1000)
    text = (BODY * 9 + "SHARE THIS\n").encode() * 5
    (one,) = outcomes(cleaner, [text], How(Rules((), ("SHARE",))))
    assert one.cleaned.count(b"SHARE") == 5
    assert one.cleaned.replace(b"SHARE THIS\n", b"") == next(cleaner.clean_bytes([text]))


def test_two_rows_of_one_line_are_not_put_together(tmp_path: Path) -> None:
    """restoring.py, read_rows: `or (one == two and one[1])` left out, and a line is lost."""
    row = {"file": "a.jsonl", "record": 1, "document": "", "line": 2, "text": "SHARE THIS\n"}
    (tmp_path / "r").write_text((json.dumps(row) + "\n") * 2)
    (tmp_path / "a.jsonl").write_text((json.dumps({"text": BODY}) + "\n") * 2)
    with pytest.raises(DataError, match="about two files of the name"):
        restore_file(str(tmp_path / "a.jsonl"), str(tmp_path / "r"))


def test_rejected_documents_do_not_count_as_cleaned(tmp_path: Path) -> None:
    """batch.py, loop: `- counts["rejected"]` left out."""
    (tmp_path / "a.jsonl").write_text(f"{POOR}\n" + RECORD % json.dumps(BODY) * 2)
    options = BatchOptions(min_quality=0.5, rejected=tmp_path / "poor")
    counts = clean_files(tmp_path / "a.jsonl", tmp_path / "b.jsonl", options).counts
    assert (counts["documents"], counts["cleaned"], counts["rejected"]) == (3, 2, 1)


def test_rows_of_parquet_are_counted_over_row_groups(tmp_path: Path) -> None:
    """parquet.py, read_blocks: `before += rows` left out."""
    source = parquet(tmp_path / "a.parquet", [TEXT, TEXT, TEXT, None], 2)
    refused(call("clean", source, "-o", tmp_path / "b.parquet"), 1, "a.parquet:4: ")


def test_a_file_with_failed_records_is_restored_without_them(tmp_path: Path) -> None:
    """writing.py, removed_rows: `rows.sort` left out; restoring.py, restored_lines: `not all(...)` left out."""
    rows = [json.dumps({"text": TEXT}) + "\n", "{broken\n", json.dumps({"text": f"SHARE THIS\n{TEXT}"}) + "\n"]
    rows.append("{broken\n")
    (tmp_path / "a.jsonl").write_text("".join(rows))
    clean_files(tmp_path / "a.jsonl", tmp_path / "b.jsonl", BatchOptions(removed=tmp_path / "r"))
    assert restore_file(str(tmp_path / "b.jsonl"), str(tmp_path / "r")).decode() == rows[0] + rows[2]


def test_poor_documents_without_a_line_feed_at_their_end(tmp_path: Path) -> None:
    """writing.py, rejected_row: `+ b"\\n"` left out."""
    for name in ("a.jsonl", "b.jsonl"):
        (tmp_path / name).write_text(POOR)
    options = BatchOptions(min_quality=0.5, rejected=tmp_path / "poor")
    clean_files([tmp_path / "a.jsonl", tmp_path / "b.jsonl"], tmp_path / "o.jsonl", options)
    assert (tmp_path / "poor").read_text() == f"{POOR}\n" * 2


def test_a_broken_link_in_a_folder_is_a_failure(tmp_path: Path) -> None:
    """inputs.py, walk: `or os.path.islink(path)` left out."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.txt").write_text(TEXT)
    (tmp_path / "in" / "b.txt").symlink_to(tmp_path / "nowhere")
    refused(call("clean", tmp_path / "in", "-o", tmp_path / "out"), 1, "in/b.txt: ")


def test_a_folder_that_cannot_be_listed_is_no_empty_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """inputs.py, walk: `onerror` left out."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.txt").write_text(BODY)
    monkeypatch.chdir(tmp_path / "in")
    for _ in range(20):  # longer than the path of a file may be
        Path("d" * 250).mkdir()
        os.chdir("d" * 250)
    with pytest.raises(UsageError, match=r"too long\. Check the folder"):
        clean_files(tmp_path / "in", tmp_path / "out")
    with pytest.raises(UsageError, match=r"too long\. Check the folder"):
        evaluate(tmp_path / "in")
    assert not (tmp_path / "out").exists()


def test_what_spark_puts_beside_a_table_is_no_document(tmp_path: Path) -> None:
    """inputs.py, aside: dots alone."""
    for name in ("a.txt", "_SUCCESS", "_committed_12", "_delta_log/0.json", "_started.txt/b.txt"):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_text(BODY)
    clean_files(tmp_path / "in", tmp_path / "out")
    assert [path.name for path in sorted((tmp_path / "out").rglob("*"))] == ["a.txt"]


def test_a_link_to_a_file_of_the_same_folder_is_left_out(tmp_path: Path) -> None:
    """inputs.py, find_inputs: `if folder: continue` left out."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.txt").write_text(TEXT)
    (tmp_path / "in" / "b.txt").symlink_to(tmp_path / "in" / "a.txt")
    assert call("clean", tmp_path / "in", "-o", f"{tmp_path}/out/").exit_code == 0
    assert names(tmp_path / "out") == ["a.txt"]


def test_no_output_lies_outside_its_folder(tmp_path: Path) -> None:
    """inputs.py, safe: `or ".." in parts` left out."""
    (tmp_path / "in" / "deep").mkdir(parents=True)
    (tmp_path / "out").mkdir()
    (tmp_path / "a.txt").write_text(TEXT)
    refused(call("clean", f"{tmp_path}/in/d*/../../a.txt", "-o", tmp_path / "out"), 2, "leads out")
    assert (tmp_path / "a.txt").read_text() == TEXT


def test_what_is_compressed_later_has_the_same_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """opening.py, compress: `mtime=0` left out."""
    found = []
    for now in (1e9, 2e9):
        monkeypatch.setattr("time.time", lambda now=now: now)
        found.append([compress(kind, b"ferry") for kind in ("gzip", "bz2", "xz", "zstd")])
    assert found[0] == found[1]


def test_zstandard_with_a_long_window(tmp_path: Path) -> None:
    """opening.py, decompressor: `max_window_size` left out; `zstd --long=31` needs it."""
    parameters = zstandard.ZstdCompressionParameters(window_log=28, hash_log=6, chain_log=6, strategy=1)
    engine = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    (tmp_path / "a.txt.zst").write_bytes(engine.compress(TEXT.encode()) + engine.flush())
    assert b"".join(chunks(str(tmp_path / "a.txt.zst"))) == TEXT.encode()


def test_the_stamp_of_a_remote_file_changes_with_it() -> None:
    """opening.py, stamp: `tag` left out."""
    memory = fsspec.filesystem("memory")
    try:
        memory.pipe_file("/stamped/a.txt", b"one")
        before = stamp("memory://stamped/a.txt")
        memory.pipe_file("/stamped/a.txt", b"two")
        assert before[0] == 3
        assert stamp("memory://stamped/a.txt") != before
    finally:
        memory.rm("/stamped", recursive=True)


@pytest.mark.parametrize(
    "change",
    [{"aim": "recall"}, {"text_field": "text"}, {"add_quality": True}, {"encoding": "cp1252"}, {"errors": "bad"}],
)
def test_no_option_that_changes_the_output_may_differ(
    change: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """options.py: an option more in `FREE`."""
    for name in ("jsonl.BLOCK_BYTES", "batch.SMALL_BYTES", "sinks.SYNC_SECONDS"):
        monkeypatch.setattr(f"cleaner.{name}", 20_000 if name.startswith("j") else 0)
    monkeypatch.chdir(tmp_path)
    source, out = jsonl(tmp_path / "a.jsonl", 120), tmp_path / "b.jsonl"
    half(source, out, monkeypatch, BatchOptions(workers=1))
    with pytest.raises(UsageError, match=f"--{next(iter(change)).replace('_', '-')} was"):
        clean_files(source, out, Options.of({"resume": True, "workers": 1, **change}))


def test_rejected_needs_a_quality() -> None:
    """options.py, __post_init__: `--rejected needs --min-quality` left out."""
    with pytest.raises(UsageError, match="--rejected needs --min-quality"):
        BatchOptions(rejected="poor")


def test_the_path_of_poor_documents_starts_at_its_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """settings.py: `rejected` left out of `PATHS`."""
    (tmp_path / "below").mkdir()
    (tmp_path / "cleaner.toml").write_text('min-quality = 0.5\nrejected = "poor"\n')
    (tmp_path / "below" / "a.jsonl").write_text(f"{POOR}\n")
    monkeypatch.chdir(tmp_path / "below")
    assert call("clean", "a.jsonl", "-o", "b.jsonl").exit_code == 0
    assert names(tmp_path) == ["below", "below/a.jsonl", "below/b.jsonl", "cleaner.toml", "poor"]


def test_blank_lines_behind_a_line_that_a_rule_keeps_stay() -> None:
    """rules.py, apply: `falling = False` left out where a rule keeps."""
    left, numbers, gone, stay = Rules(("advert",), ("SHARE",)).apply(b"advert\n\nSHARE\n\nend\n")
    assert (left, numbers, sorted(gone), stay) == (b"SHARE\n\nend\n", [3, 4, 5], [1, 2], {3})


@pytest.mark.usefixtures("huge")
def test_no_piece_of_a_huge_text_is_poor(tmp_path: Path) -> None:
    """work.py, work: `least` for the pieces of a text, too."""
    (tmp_path / "a.txt").write_text(BODY * 30 + "SHARE THIS\n" * 300 + BODY * 30)
    options = BatchOptions(min_quality=0.5, rejected=tmp_path / "poor")
    counts = clean_files(tmp_path / "a.txt", tmp_path / "b.txt", options).counts
    assert (counts["words_removed"] > 500, counts["rejected"], (tmp_path / "poor").read_bytes()) == (True, 0, b"")


def test_a_block_of_rows_that_fails_is_all_of_them() -> None:
    """pool.py, failed: `count=block.count` left out."""
    source = Input("a.parquet", "a.parquet", "a.parquet", "parquet")
    done = failed(Block((0,), (source,), b"x", 1, first=5, count=7), Job(BatchOptions(), ""), "killed", "")
    assert done.counts["failed"] == 7


def test_an_empty_file_without_a_column_of_text_keeps_its_columns(tmp_path: Path) -> None:
    """parquet.py, rebuilt: nothing instead of no rows."""
    pq.write_table(pa.table({"n": pa.array([], pa.int64())}), tmp_path / "a.parquet")
    assert call("clean", tmp_path / "a.parquet", "-o", tmp_path / "b.parquet").exit_code == 0
    assert pq.read_schema(tmp_path / "b.parquet").names == ["n"]


@pytest.mark.parametrize("count", [50, 51])
def test_so_many_failures_are_named(count: int, tmp_path: Path) -> None:
    """cli_clean.py, failed: `<=` to `<`."""
    (tmp_path / "a.jsonl").write_text("{broken\n" * count)
    result = call("clean", tmp_path / "a.jsonl", "-q")
    assert (result.stderr.count("not a JSON"), result.stderr.count("further")) == (50, count - 50)


def test_the_rights_of_a_large_file_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """atomic.py, move: `copymode` left out."""
    monkeypatch.setattr("cleaner.batch.SMALL_BYTES", 0)
    source = jsonl(tmp_path / "a.jsonl", 3)
    source.chmod(0o640)
    clean_files(source, "", BatchOptions(in_place=True, workers=1))
    assert os.stat(source).st_mode & 0o777 == 0o640
