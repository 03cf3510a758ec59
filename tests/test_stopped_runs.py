"""Runs that are stopped, where other tests see nothing: each test names the change of the code that it catches."""

import json
import os
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from documents import jsonl, texts
from test_faults import AGAIN, ONE, Stop, eager, half, stopped  # noqa: F401 - a fixture
from test_formats import archive

from cleaner import BatchOptions, clean_files
from cleaner.errors import UsageError
from cleaner.inputs import find_inputs
from cleaner.job import Job
from cleaner.journal import Journal
from cleaner.jsonl import read_blocks
from cleaner.pool import failed
from cleaner.records import Block, Failure, Input
from cleaner.shards import start_behind
from cleaner.sinks import FEW_FILES
from cleaner.summary import JOURNAL_LINES, add
from cleaner.targets import plan

pytestmark = pytest.mark.usefixtures("eager")


def test_what_was_read_before_the_stop_is_written_though_the_rest_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """sinks.py, begin: `self.read = set(start.read)` left out, and there is no output at all."""
    source, out = jsonl(tmp_path / "a.jsonl", 120), tmp_path / "b.jsonl"
    blocks = list(read_blocks(0, find_inputs([str(source)])[0], (0, 1)))
    good = sum(block.count for block in blocks[:3])
    rows = source.read_bytes().splitlines(keepends=True)
    source.write_bytes(b"".join(rows[:good]) + (b"{broken" + bytes(9000) + b"\n") * 9)
    half(source, out, monkeypatch, ONE)
    assert clean_files([str(source)], str(out), AGAIN).failed == 9
    assert out.read_bytes().count(b"\n") == good


@pytest.fixture
def events(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return what is brought to the disk and renamed, in order; of the journal also how long it is then."""
    found: list[str] = []
    sync, replace = os.fsync, Path.replace

    def synced(file: int) -> None:
        path = Path(os.readlink(f"/proc/self/fd/{file}"))
        found.append(path.name)
        sync(file)

    def replaced(self: Path, target: Path) -> Path:
        found.append(f"{self.name} > {Path(target).name}")
        return replace(self, target)

    monkeypatch.setattr("os.fsync", synced)
    monkeypatch.setattr(Path, "replace", replaced)
    return found


def in_order(some: list[str], wanted: list[str]) -> bool:
    rest: Iterator[str] = iter(some)
    return all(one in rest for one in wanted)


@pytest.mark.parametrize(
    ("form", "wanted"),
    [
        ("jsonl", ["out-0", ".out.jsonl.cleaner", "journal.jsonl", "out-0 > out.jsonl", "FOLDER"]),
        ("parquet", ["out-0", ".out.parquet.cleaner", "journal.jsonl", "fin-0", "fin-0 > out.parquet", "FOLDER"]),
        ("txt", ["tmp-0 > out-0", "out-0", ".out.txt.cleaner", "journal.jsonl", "out-0 > out.txt", "FOLDER"]),
    ],
)
def test_nothing_has_its_name_before_it_is_on_the_disk(
    form: str, wanted: list[str], tmp_path: Path, events: list[str]
) -> None:
    """An fsync left out: sinks.py flush, sync, publish, finish; journal.py note.

    And sinks.py, sync: an output published before the journal says so.
    """
    source = tmp_path / f"a.{form}"
    if form == "parquet":
        pq.write_table(pa.table({"text": texts(3)}), source)
    else:
        jsonl(source, 3) if form == "jsonl" else source.write_text(texts(1)[0])
    clean_files([str(source)], str(tmp_path / f"out.{form}"), ONE)
    some = [one.replace(f"-{os.getpid()}", "") for one in events]
    begun = some.index("manifest.new > manifest.json") + 3  # the folder is synced twice behind it
    assert in_order(some[begun:], [one.replace("FOLDER", tmp_path.name) for one in wanted]), some


@pytest.mark.parametrize("count", [FEW_FILES, FEW_FILES + 1])
def test_no_text_has_its_name_before_it_is_on_the_disk(
    count: int, tmp_path: Path, events: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """sinks.py, sync: `flush_texts` left out, or called behind the journal's note. Many go to the disk at once."""
    monkeypatch.setattr("os.sync", lambda: events.append("all"))
    monkeypatch.setattr("cleaner.plain.BLOCK_BYTES", 2_000_000)
    (tmp_path / "in").mkdir()
    for number, text in enumerate(texts(count)):
        (tmp_path / "in" / f"{number:02}.txt").write_text(text)
    clean_files([str(tmp_path / "in")], f"{tmp_path}/out/", ONE)
    on_disk = [f"out-{number}" for number in range(count)] if count == FEW_FILES else ["all"]
    named = [f"out-{number} > {number:02}.txt" for number in range(count)]
    assert in_order(events[events.index("manifest.new > manifest.json") :], [*on_disk, "journal.jsonl", *named])
    assert [one for one in events if one.startswith("tmp-") and ">" not in one] == []


def test_an_input_that_cannot_be_read_on_has_no_half_output(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """sinks.py, complete: `unread` is always False."""
    source, out = jsonl(tmp_path / "a.jsonl", 120), tmp_path / "b.jsonl"
    half(source, out, monkeypatch, ONE)

    def unreadable(path: str, begin: int = 0) -> Iterator[bytes]:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("cleaner.jsonl.chunks", unreadable)
    assert clean_files([str(source)], str(out), AGAIN).failed == 1
    assert not out.exists()


def test_the_journal_is_short_and_read_row_by_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """sinks.py, take: `shorten` left out; journal.py, read: a list instead of an iterator."""
    source, out = jsonl(tmp_path / "a.jsonl", 120), tmp_path / "b.jsonl"
    journal = half(source, out, monkeypatch, ONE) / "journal.jsonl"
    rows = [json.loads(row) for row in journal.read_bytes().splitlines()]
    assert [len(row["counts"]["removed_lines"]) for row in rows] == [JOURNAL_LINES] * 3
    with journal.open("ab") as file:
        file.write((json.dumps({**rows[-1], "sinks": {}}) + "\n").encode() * 2000)
    found = Journal(plan([str(source)], find_inputs([str(source)]), str(out), AGAIN, {}), AGAIN, "")
    tracemalloc.start()
    assert start_behind(found.verified(found.published()))[0].resumed == 2003
    assert tracemalloc.get_traced_memory()[1] < journal.stat().st_size / 10
    tracemalloc.stop()


def test_what_a_rejected_text_had_is_removed_by_the_run_that_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """sinks.py, begin: `withdraw` left out, where the run was stopped behind the journal's note."""
    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()
    for name, text in (("a.txt", "SHARE THIS\n"), ("b.txt", texts(1)[0])):
        (tmp_path / "in" / name).write_text(text)
        (tmp_path / "out" / name).write_text("of yesterday")
    options = replace(ONE, min_quality=0.3, rejected=str(tmp_path / "poor"))

    def stop(path: str) -> None:
        raise Stop

    with monkeypatch.context() as patch:
        patch.setattr("cleaner.sinks.withdraw", stop)
        with pytest.raises(Stop):
            clean_files([str(tmp_path / "in")], f"{tmp_path}/out/", options)
    assert (tmp_path / "out" / "a.txt").exists()
    clean_files([str(tmp_path / "in")], f"{tmp_path}/out/", replace(options, resume=True))
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["b.txt"]


def test_an_input_of_another_name_is_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """journal.py, compare: names not compared."""
    source, out = jsonl(tmp_path / "a.jsonl", 120), tmp_path / "b.jsonl"
    half(source, out, monkeypatch, ONE)
    source.rename(tmp_path / "c.jsonl")
    with pytest.raises(UsageError, match=r"c\.jsonl: is not among that run's inputs at this place"):
        clean_files([str(tmp_path / "c.jsonl")], str(out), AGAIN)


def test_an_output_that_was_moved_is_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """journal.py, resumed: outputs not compared."""
    source, out = jsonl(tmp_path / "a.jsonl", 120), tmp_path / "out"
    out.mkdir()
    half(source, out, monkeypatch, ONE)
    out.rename(tmp_path / "moved")
    with pytest.raises(UsageError, match="the output has changed since that run"):
        clean_files([str(source)], str(tmp_path / "moved"), AGAIN)


def test_inputs_in_another_order_are_not_called_another_output(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """journal.py, resumed: names of the inputs not looked at."""
    one, two, out = jsonl(tmp_path / "a.jsonl", 120), jsonl(tmp_path / "b.jsonl", 1), tmp_path / "out"
    out.mkdir()
    for _ in stopped(monkeypatch, 3):
        with pytest.raises(Stop):
            clean_files([str(one), str(two)], str(out), ONE)
    with pytest.raises(UsageError, match="what there is of inputs, or their order, has changed since that run"):
        clean_files([str(two), str(one)], str(out), AGAIN)


def test_behind_a_damaged_line_of_the_journal_all_is_done_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """journal.py, read: `break` to `continue`."""
    monkeypatch.setattr("cleaner.plain.GROUP_FILES", 1)
    (tmp_path / "in").mkdir()
    for number, text in enumerate(texts(5)):
        (tmp_path / "in" / f"{number}.txt").write_text(text)
    whole = clean_files([str(tmp_path / "in")], f"{tmp_path}/whole/", ONE)
    for _ in stopped(monkeypatch, 3):
        with pytest.raises(Stop):
            clean_files([str(tmp_path / "in")], f"{tmp_path}/out/", ONE)
    journal = tmp_path / "out" / ".cleaner" / "journal.jsonl"
    rows = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(rows[0] + rows[1].replace(b"{", b"[", 1) + b"".join(rows[2:]))
    assert clean_files([str(tmp_path / "in")], f"{tmp_path}/out/", AGAIN).counts == whole.counts


def test_wet_resumed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """wet.py, read_blocks: `seen <= skip` to `<`, and a record comes twice."""
    monkeypatch.setattr("cleaner.wet.BLOCK_BYTES", 5000)
    source = archive(tmp_path / "a.wet", [text.encode() for text in texts(40)])
    clean_files([str(source)], str(tmp_path / "w.jsonl"), ONE)
    work = half(source, tmp_path / "b.jsonl", monkeypatch, ONE)
    assert (work / "out-0").stat().st_size
    clean_files([str(source)], str(tmp_path / "b.jsonl"), AGAIN)
    assert (tmp_path / "b.jsonl").read_bytes() == (tmp_path / "w.jsonl").read_bytes()


def test_of_a_block_that_fails_every_record_is_named() -> None:
    """pool.py, failed: what had failed in the block before left out; `block.first` left out."""
    source = Input("a.jsonl", "a.jsonl", "a.jsonl", "jsonl")
    cut = Failure("a.jsonl", 7, "cut", "")
    block = Block((0,), (source,), b'{"text": "x"}\n\n', 9, first=5, count=2, failures=(cut,))
    counts: dict[str, Any] = {}
    done = failed(block, Job(BatchOptions(), "", sides={"errors": ""}), "killed", "")
    add(counts, done.counts)
    assert [(one.record, one.reason) for one in done.failures] == [(7, "cut"), (5, "killed")]
    assert (counts["failed"], done.sinks["errors"].count(b"\n")) == (2, 2)
    assert b'{"text": "x"}\n' in done.sinks["errors"]
    assert json.loads(done.sinks["errors"].splitlines()[0])["reason"] == "cut"
