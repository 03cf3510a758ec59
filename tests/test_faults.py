"""Runs that are killed, disks that are full, files that are broken: nothing lost, nothing doubled."""

import contextlib
import errno
import fcntl
import gzip
import hashlib
import json
import os
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from documents import jsonl, texts
from test_cli import COMMAND, SHELL_COMMAND, TEXT, call, names, refused

import cleaner.batch
import cleaner.pool
import cleaner.sinks
from cleaner import BatchOptions, clean_files
from cleaner.atomic import move, write_beside
from cleaner.batch import Hooks
from cleaner.errors import DataError, UsageError
from cleaner.inputs import find_inputs
from cleaner.job import Done
from cleaner.journal import Journal
from cleaner.records import Block
from cleaner.targets import plan

TRACE = b"Traceback"


def command(*arguments: object) -> list[str]:
    return [COMMAND, "clean", *map(str, arguments)]


def digests(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def children(parent: int) -> list[int]:
    """Return the processes that a process has started."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, IndexError):
            if int((folder / "stat").read_text().rpartition(")")[2].split()[1]) == parent:
                found.append(int(folder.name))
    return found


def broken(folder: Path, count: int) -> Path:
    """Write a JSONL file with some records that fail."""
    source = jsonl(folder / "a.jsonl", count)
    rows = source.read_bytes().splitlines(keepends=True)
    for number in range(50, count, 97):
        rows[number] = b'{"text": broken}\n'
    source.write_bytes(b"".join(rows))
    return source


def run_killed(folder: Path, count: int, kills: int, longest: float) -> int:
    chance = random.Random(7)
    source = broken(folder, count)
    outs = []
    made = 0
    for name in ("whole", "killed"):
        out = folder / name
        out.mkdir()
        sides = ["--errors", out / "errors", "--removed", out / "removed", "--summary", out / "summary"]
        once = command(source, "-o", out / "o.jsonl", *sides, "-q", "--resume")
        if name == "whole":
            assert subprocess.run([*once, "-j", "2"], capture_output=True, check=False).returncode == 1
        else:
            made = until_done(once, kills, chance, longest)
        outs.append(digests(out))
    assert outs[0] == outs[1]
    rows = [json.loads(line)["id"] for line in (folder / "killed" / "o.jsonl").read_bytes().splitlines()]
    failed = (folder / "killed" / "errors").read_bytes().count(b"\n")
    assert len(rows) == len(set(rows)) == count - failed
    return made


def until_done(once: list[str], kills: int, chance: random.Random, longest: float) -> int:
    """Kill runs of a command, with one worker or two, until it ends; count the kills."""
    made = 0
    while True:
        with subprocess.Popen(
            [*once, "-j", chance.choice("122")], stderr=subprocess.PIPE, start_new_session=True
        ) as run:
            while made < kills and run.poll() is None:
                time.sleep(chance.uniform(0.4, longest))
                pids = children(run.pid) if chance.random() < 0.3 else []  # a worker, and the run goes on
                if run.poll() is None:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pids[-1] if pids else run.pid, signal.SIGKILL)
                        made += 1
            error = run.communicate(timeout=300)[1]
        assert TRACE not in error, error
        if run.returncode == 1:
            return made
        assert run.returncode == -signal.SIGKILL, error


def test_killed_and_resumed(tmp_path: Path) -> None:
    assert run_killed(tmp_path, 8000, 1, 1.0) >= 1


@pytest.mark.slow
@pytest.mark.long
def test_killed_thirty_times(tmp_path: Path) -> None:
    """At least thirty kills while 20,000 documents are cleaned."""
    made = run_killed(tmp_path, 20_000, 45, 1.3)
    print(made, "kills")
    assert made >= 30


class Stop(BaseException):
    """Stands for a run that ends between two blocks."""


def stopped(monkeypatch: pytest.MonkeyPatch, blocks: int) -> Iterator[None]:
    taken = 0
    take = cleaner.sinks.DiskSinks.take

    def limited(self: cleaner.sinks.DiskSinks, block: Block, done: object) -> None:
        nonlocal taken
        taken += 1
        if taken > blocks:
            raise Stop
        take(self, block, done)  # type: ignore[arg-type]

    monkeypatch.setattr(cleaner.sinks.DiskSinks, "take", limited)
    yield
    monkeypatch.setattr(cleaner.sinks.DiskSinks, "take", take)


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small blocks, a sync after each, and nothing too small for a manifest."""
    monkeypatch.setattr("cleaner.jsonl.BLOCK_BYTES", 20_000)
    monkeypatch.setattr("cleaner.parquet.BLOCK_BYTES", 20_000)
    monkeypatch.setattr("cleaner.plain.BLOCK_BYTES", 20_000)
    monkeypatch.setattr("cleaner.sinks.SYNC_SECONDS", 0.0)
    monkeypatch.setattr("cleaner.batch.SMALL_BYTES", 0)


def half(source: Path, out: Path, monkeypatch: pytest.MonkeyPatch, options: BatchOptions) -> Path:
    """Run up to the third block, and return the work folder."""
    for _ in stopped(monkeypatch, 3):
        with pytest.raises(Stop):
            clean_files([str(source)], str(out), options)
    return out.with_name(f".{out.name}.cleaner") if not out.is_dir() else out / ".cleaner"


ONE = BatchOptions(workers=1)
AGAIN = BatchOptions(workers=1, resume=True)


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("damage", ["none", "tail", "middle", "journal", "torn", "gone"])
def test_resume_verifies(damage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, out = jsonl(tmp_path / "a.jsonl", 120), tmp_path / "b.jsonl"
    whole = clean_files([str(source)], str(tmp_path / "w.jsonl"), ONE)
    work = half(source, out, monkeypatch, ONE)
    assert not out.exists()
    part = work / "out-0"
    data = part.read_bytes()
    if damage == "tail":
        part.write_bytes(data + b"half a rec")
    elif damage == "middle":
        part.write_bytes(data[: len(data) // 2] + b"x" + data[len(data) // 2 + 1 :])
    elif damage == "journal":
        (work / "journal.jsonl").write_bytes(b"")
    elif damage == "torn":
        (work / "journal.jsonl").write_bytes((work / "journal.jsonl").read_bytes()[:-5])
    elif damage == "gone":
        part.unlink()
    found = clean_files([str(source)], str(out), AGAIN)
    assert out.read_bytes() == (tmp_path / "w.jsonl").read_bytes()
    assert found.counts == whole.counts
    assert not work.exists()


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("manifest", [None, b"", b"[]", b"{}", b'{"cleaner": "0'])
@pytest.mark.parametrize("in_place", [False, True])
def test_a_manifest_that_cannot_be_read(
    manifest: bytes | None, in_place: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, out = jsonl(tmp_path / "a.jsonl", 120), tmp_path / ("a.jsonl" if in_place else "b.jsonl")
    options = {"workers": 1, "in_place": in_place, "removed": str(tmp_path / "r")}
    output = "" if in_place else str(out)
    for _ in stopped(monkeypatch, 3):
        with pytest.raises(Stop):
            clean_files([str(source)], output, BatchOptions.of(options))
    path = tmp_path / f".{out.name}.cleaner" / "manifest.json"
    path.unlink() if manifest is None else path.write_bytes(manifest)
    before = digests(tmp_path)
    work = re.escape(str(path.parent))
    remedy = f"{work} holds what was removed" if in_place else f"remove {work} to begin"
    with pytest.raises(UsageError, match=rf"manifest\.json: missing or damaged.*{remedy}"):
        clean_files([str(source)], output, BatchOptions.of({**options, "resume": True}))
    assert digests(tmp_path) == before


@pytest.mark.usefixtures("eager")
def test_the_manifest_is_on_the_disk_before_the_journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, synced = jsonl(tmp_path / "a.jsonl", 3), list[str]()
    sync = os.fsync

    def noted(file: int) -> None:
        synced.append(Path(os.readlink(f"/proc/self/fd/{file}")).name)
        sync(file)

    monkeypatch.setattr("os.fsync", noted)
    clean_files([str(source)], str(tmp_path / "o.jsonl"), ONE)
    assert synced[:2] == ["manifest.new", ".o.jsonl.cleaner"]


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("edited", [None, "keep: SHARE\n"])
def test_rules_are_read_once(edited: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, out, rules = jsonl(tmp_path / "a.jsonl", 120), tmp_path / "b.jsonl", tmp_path / "rules"
    options = BatchOptions(workers=1, rules=str(rules))

    def edit(counts: dict[str, Any], total: int) -> None:
        rules.unlink(missing_ok=True)
        if edited is not None:
            rules.write_text(edited)

    rules.write_text("drop: ^Number\n")
    found = clean_files(str(source), str(out), options, Hooks(progress=edit))
    assert found.counts["rules"] == {"drop: ^Number": 120}
    rules.write_text("drop: ^Number\n")
    half(source, tmp_path / "c.jsonl", monkeypatch, options)
    rules.write_text("drop: Number\n")
    with pytest.raises(UsageError, match=r"always-drop was \['\^Number'\], is \['Number'\]"):
        clean_files(str(source), str(tmp_path / "c.jsonl"), replace(options, resume=True))
    rules.write_text("# what was there\ndrop: ^Number\n")
    clean_files(str(source), str(tmp_path / "c.jsonl"), replace(options, resume=True))
    assert (tmp_path / "c.jsonl").read_bytes() == out.read_bytes()


@pytest.mark.usefixtures("eager")
def test_resume_refuses_what_has_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, out = jsonl(tmp_path / "a.jsonl", 120), tmp_path / "b.jsonl"
    half(source, out, monkeypatch, ONE)
    with pytest.raises(UsageError, match="unfinished run"):
        clean_files([str(source)], str(out), ONE)
    with pytest.raises(UsageError, match="--keep"):
        clean_files([str(source)], str(out), BatchOptions(keep=("body", "junk"), resume=True))
    before = source.stat()
    os.utime(source, ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    with pytest.raises(UsageError, match=rf"a\.jsonl: has changed .* remove {tmp_path}/\.b\.jsonl\.cleaner to"):
        clean_files([str(source)], str(out), AGAIN)
    os.utime(source, ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(UsageError, match="new or missing"):
        clean_files([str(source), str(jsonl(tmp_path / "c.jsonl", 3))], str(out), AGAIN)
    monkeypatch.setattr("importlib.metadata.version", lambda name: "0")
    with pytest.raises(UsageError, match="version"):
        clean_files([str(source)], str(out), AGAIN)
    assert not out.exists()


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("in_place", [False, True])
def test_folder_resumed(in_place: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("in", "copy"):
        (tmp_path / name).mkdir()
        for number, text in enumerate(texts(60)):
            (tmp_path / name / f"{number:02}.txt").write_text(text)
        jsonl(tmp_path / name / "x.jsonl", 60)
    clean_files([str(tmp_path / "copy")], str(tmp_path / "whole/"), ONE)
    options = BatchOptions(workers=1, in_place=in_place)
    out = tmp_path / "in" if in_place else tmp_path / "out"
    first = str(tmp_path / "in")
    for _ in stopped(monkeypatch, 4):
        with pytest.raises(Stop):
            clean_files([first], "" if in_place else f"{out}/", options)
    clean_files([first], "" if in_place else f"{out}/", BatchOptions(workers=1, in_place=in_place, resume=True))
    assert digests(out) == digests(tmp_path / "whole")


def test_removed_lines_of_small_files_are_not_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In place, what a stopped run has removed is not there to be removed again."""
    monkeypatch.setattr("cleaner.sinks.SYNC_SECONDS", 0.0)
    files = [str(jsonl(tmp_path / name, 2, seed)) for seed, name in enumerate(("a.jsonl", "b.jsonl"))]
    clean_files(files, str(tmp_path / "o.jsonl"), BatchOptions(removed=str(tmp_path / "whole")))
    options = {"in_place": True, "removed": str(tmp_path / "r"), "errors": str(tmp_path / "e.gz")}
    for _ in stopped(monkeypatch, 1):
        with pytest.raises(Stop):
            clean_files(files, "", BatchOptions.of(options))
    with pytest.raises(UsageError, match="--resume"):
        clean_files(files, "", BatchOptions.of(options))
    clean_files(files, "", BatchOptions.of({**options, "resume": True}))
    assert (tmp_path / "r").read_bytes() == (tmp_path / "whole").read_bytes()
    assert gzip.decompress((tmp_path / "e.gz").read_bytes()) == b""
    assert names(tmp_path) == ["a.jsonl", "b.jsonl", "e.gz", "o.jsonl", "r", "whole"]


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("done", [0, 3])
def test_removed_lines_outlast_an_error(done: int, tmp_path: Path) -> None:
    """In place, what was removed from the files before one that fails is kept, and the run can be gone on with."""
    files = [str(jsonl(tmp_path / f"{number}.jsonl", 2, number)) for number in range(done)]
    clean_files(files, f"{tmp_path}/whole.jsonl", BatchOptions(removed=str(tmp_path / "whole"))) if files else None
    bad = tmp_path / "9.jsonl"
    bad.write_text("bad\n")
    before = digests(tmp_path)
    options = {"in_place": True, "removed": str(tmp_path / "r"), "workers": 1}
    with pytest.raises(DataError, match=r"9\.jsonl:1: .*--resume, without" if done else r"--strict asks\.$"):
        clean_files([*files, str(bad)], "", BatchOptions.of({**options, "strict": True}))
    if not done:
        assert digests(tmp_path) == before
        return
    assert clean_files([*files, str(bad)], "", BatchOptions.of({**options, "resume": True})).failed == 1
    assert (tmp_path / "r").read_bytes() == (tmp_path / "whole").read_bytes()
    assert bad.read_text() == "bad\n"
    assert set(digests(tmp_path)) == {*before, "r"}


@pytest.mark.usefixtures("eager")
def test_in_place_a_file_that_stopped_a_run_may_be_mended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The column cannot be left out of a run that has cleaned other files already."""
    both = ("a.parquet", "b.parquet")
    for name in both:
        columns = {"text": texts(200), "cleaner_labels": ["x"] * 200}
        pq.write_table(pa.table(columns if name[0] == "b" else {"text": texts(200)}), tmp_path / name)
    files = [str(tmp_path / name) for name in both]
    options = {"in_place": True, "removed": str(tmp_path / "r"), "workers": 1, "add_labels": True}
    with pytest.raises(DataError, match=r"column cleaner_labels.*go on with --resume, without --strict\."):
        clean_files(files, "", BatchOptions.of({**options, "strict": True}))
    pq.write_table(pa.table({"text": texts(200)}), files[1], row_group_size=70)
    options["resume"] = True
    for _ in stopped(monkeypatch, 1):
        with pytest.raises(Stop):
            clean_files(files, "", BatchOptions.of(options))
    clean_files(files, "", BatchOptions.of(options))
    assert [pq.read_table(file).num_rows for file in files] == [200, 200]
    assert {json.loads(row)["file"] for row in (tmp_path / "r").read_bytes().splitlines()} == set(both)


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_in_place_what_was_removed_is_not_written_over(suffix: str, tmp_path: Path) -> None:
    source, removed = jsonl(tmp_path / "a.jsonl", 2), tmp_path / f"r{suffix}"
    options = {"in_place": True, "removed": str(removed)}
    clean_files(str(source), "", BatchOptions.of(options))
    before = digests(tmp_path)
    for resume in (False, True):
        with pytest.raises(UsageError, match=f"r{suffix}: is there already.*Move it") as caught:
            clean_files(str(source), "", BatchOptions.of({**options, "resume": resume}))
        assert ("left to resume" in str(caught.value)) == resume
    assert digests(tmp_path) == before
    removed.rename(tmp_path / f"first{suffix}")
    removed.touch()  # a file that holds nothing may be written again
    clean_files(str(source), "", BatchOptions.of(options))


@pytest.mark.usefixtures("eager")
def test_killed_at_its_very_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In place, what was removed has its name, the journal is gone, its folder not yet."""
    source = jsonl(tmp_path / "a.jsonl", 2)
    options = {"in_place": True, "removed": str(tmp_path / "r"), "workers": 1}

    clear = Journal.clear

    def killed(self: Journal, but: set[str]) -> None:
        if self.file is not None:
            raise Stop
        clear(self, but)

    monkeypatch.setattr(Journal, "clear", killed)
    with pytest.raises(Stop):
        clean_files(str(source), "", BatchOptions.of(options))
    monkeypatch.undo()
    assert not (tmp_path / ".a.jsonl.cleaner" / "journal.jsonl").exists()
    removed = (tmp_path / "r").read_bytes()
    with pytest.raises(UsageError, match="left to resume"):
        clean_files(str(source), "", BatchOptions.of({**options, "resume": True}))
    assert (tmp_path / "r").read_bytes() == removed != b""
    clean_files(str(source), "", BatchOptions.of({**options, "removed": str(tmp_path / "r2")}))
    assert names(tmp_path) == ["a.jsonl", "r", "r2"]


@pytest.mark.usefixtures("eager")
def test_a_failure_before_the_stop_is_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = broken(tmp_path, 120)
    before = source.read_bytes()
    options = {"in_place": True, "removed": str(tmp_path / "r"), "workers": 1}
    for _ in stopped(monkeypatch, 20):
        with pytest.raises(Stop):
            clean_files([str(source)], "", BatchOptions.of(options))
    assert '"failed": [0]' in (tmp_path / ".a.jsonl.cleaner" / "journal.jsonl").read_text()
    clean_files([str(source)], "", BatchOptions.of({**options, "resume": True}))
    assert source.read_bytes() == before
    assert (tmp_path / "r").read_bytes() == b""
    assert names(tmp_path) == ["a.jsonl", "r"]


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("blocks", [1, 3, 12, 30])
def test_what_was_counted_before_the_stop_is_taken_back(
    blocks: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last record of the second of three files fails, so that it is left as it was."""
    counts = []
    for folder in (tmp_path / "whole", tmp_path / "stopped"):
        folder.mkdir()
        files = [str(jsonl(folder / f"{number}.jsonl", 60, number)) for number in range(3)]
        with Path(files[1]).open("a") as file:
            file.write("{broken\n")
        options = {"in_place": True, "errors": str(folder / "e"), "workers": 1}
        if folder.name == "stopped":
            for _ in stopped(monkeypatch, blocks):
                with pytest.raises(Stop):
                    clean_files(files, "", BatchOptions.of(options))
        found = clean_files(files, "", BatchOptions.of({**options, "resume": True})).counts
        del found["failed_records"]
        counts.append(found)
    assert counts[0] == counts[1]
    assert (counts[0]["documents"], counts[0]["cleaned"], counts[0]["failed"]) == (120, 120, 1)
    assert sum(counts[0]["words"].values()) == counts[0]["words_kept"] + counts[0]["words_removed"]


@pytest.mark.usefixtures("eager")
def test_parquet_resumed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "a.parquet"
    pq.write_table(pa.table({"text": texts(200)}), source, row_group_size=70)
    clean_files([str(source)], str(tmp_path / "w.parquet"), ONE)
    work = half(source, tmp_path / "b.parquet", monkeypatch, ONE)
    assert (work / "out-0").stat().st_size > 0
    clean_files([str(source)], str(tmp_path / "b.parquet"), AGAIN)
    assert (tmp_path / "b.parquet").read_bytes() == (tmp_path / "w.parquet").read_bytes()


@pytest.mark.parametrize("moved", [False, True])
def test_nothing_stays_beside_a_file_whose_writing_is_stopped(
    moved: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By Ctrl-C, while it is brought to the disk; a move to another device copies."""

    def stop(file: int) -> None:
        raise KeyboardInterrupt

    def elsewhere(self: Path, target: Path) -> None:
        raise OSError(errno.EXDEV, "another device")

    (tmp_path / "a").write_text("old")
    (tmp_path / "b").write_text("new")
    monkeypatch.setattr("os.fsync", stop)
    monkeypatch.setattr(Path, "replace", elsewhere)
    with pytest.raises(KeyboardInterrupt):
        move(tmp_path / "b", str(tmp_path / "a")) if moved else write_beside(tmp_path / "a", b"new")
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"a": "old", "b": "new"}


def test_two_runs_do_not_meet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = jsonl(tmp_path / "a.jsonl", 2000)
    with subprocess.Popen(command(source, "-o", tmp_path / "o.jsonl", "-j", "1", "-q")) as run:
        for _ in range(100):
            if (tmp_path / ".o.jsonl.cleaner" / "journal.jsonl").exists():
                break
            time.sleep(0.05)
        for more in ([], ["--resume"]):
            result = call("clean", source, "-o", tmp_path / "o.jsonl", *more)
            if run.poll() is None:
                refused(result, 2, "another run")
        assert run.wait(timeout=60) == 0


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("step", range(6))
def test_a_run_that_begins_while_another_ends_keeps_its_folder(
    step: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before each step of removing the first one's folder a second begins: it is refused, or loses nothing."""
    source, out = jsonl(tmp_path / "a.jsonl", 3), str(tmp_path / "o.jsonl")
    planned = plan([str(source)], find_inputs([str(source)]), out, ONE, {})
    begun: list[Journal] = []
    steps = 0

    def watched(target: object, name: str) -> None:
        real = getattr(target, name)

        def wrapped(path: Path, *arguments: Any, **more: Any) -> None:
            nonlocal steps
            steps += ".o.jsonl.cleaner" in str(path)
            if steps == step + 1 and not begun:
                begun.append(Journal(planned, AGAIN, "x"))
                with contextlib.suppress(UsageError):
                    begun[0].open()
            real(path, *arguments, **more)

        monkeypatch.setattr(target, name, wrapped)

    for target, name in ((Path, "unlink"), (Path, "rmdir"), (shutil, "rmtree")):
        watched(target, name)
    clean_files([str(source)], out, ONE)
    monkeypatch.undo()
    for one in begun:
        if one.file is not None:
            assert {"journal.jsonl", "lock", "manifest.json"} <= set(names(one.folder))
            one.close(finished=True)
    assert names(tmp_path) == ["a.jsonl", "o.jsonl"]


@pytest.mark.usefixtures("eager")
def test_a_lock_on_a_folder_that_is_gone_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run that held it has ended between opening and locking."""
    source = jsonl(tmp_path / "a.jsonl", 3)
    lock = fcntl.flock

    def late(file: BinaryIO, how: int) -> None:
        shutil.rmtree(tmp_path / ".o.jsonl.cleaner")
        lock(file, how)

    monkeypatch.setattr("fcntl.flock", late)
    with pytest.raises(UsageError, match="another run"):
        clean_files([str(source)], str(tmp_path / "o.jsonl"), ONE)
    monkeypatch.undo()


def deadly(block: Block, job: object) -> object:
    """Stand in for the work of a block; kills its process where the records ask for it."""
    if b"kill this worker" in block.data:
        os.kill(os.getpid(), signal.SIGKILL)
    return cleaner.pool.attempt(block, job)  # type: ignore[arg-type]


def torn(block: Block, job: object) -> object:
    """Stand in for the work of a block; kills its process while it sends what came of it."""
    if b"kill this worker" not in block.data:
        return cleaner.pool.attempt(block, job)  # type: ignore[arg-type]
    threading.Timer(0.8, os.kill, (os.getpid(), signal.SIGKILL)).start()
    return Done(sinks={"out": b"x" * 600_000_000})


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("work", [deadly, torn])
def test_a_block_that_kills_its_worker(
    work: Callable[..., object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every block but the deadly one is cleaned; that one is tried three times, then named and kept."""
    source = jsonl(tmp_path / "a.jsonl", 200)
    rows = source.read_bytes().splitlines(keepends=True)
    rows[100] = json.dumps({"text": "kill this worker"}).encode() + b"\n"
    source.write_bytes(b"".join(rows))
    submitted = cleaner.pool.Pool.start

    class Deadly:
        def __init__(self, executor: object) -> None:
            self.executor = executor

        def submit(self, function: Callable[..., object], *arguments: object) -> object:
            return self.executor.submit(work, *arguments)  # type: ignore[attr-defined]

    monkeypatch.setattr(cleaner.pool.Pool, "start", lambda self, workers: Deadly(submitted(self, workers)))
    options = BatchOptions(workers=2, errors=str(tmp_path / "bad"))
    found = clean_files([str(source)], str(tmp_path / "o.jsonl"), options)
    lost = found.counts["failures"]["killed"]
    assert 0 < lost < 50
    assert found.counts["documents"] == 200 - lost
    assert (tmp_path / "bad").read_bytes() in source.read_bytes()
    assert rows[100] in (tmp_path / "bad").read_bytes()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_by_signal(number: signal.Signals, tmp_path: Path) -> None:
    source = jsonl(tmp_path / "a.jsonl", 6000)
    arguments = command(source, "-o", tmp_path / "o.jsonl", "-j", "2", "-q")
    with subprocess.Popen(arguments, stderr=subprocess.PIPE, start_new_session=True) as run:
        for _ in range(1000):  # till the first results are there
            if (tmp_path / ".o.jsonl.cleaner" / "out-0").exists():
                break
            time.sleep(0.02)
        os.killpg(run.pid, number) if number == signal.SIGINT else run.send_signal(number)
        error = run.communicate(timeout=20)[1]
    assert run.returncode in (130, 143)
    assert TRACE not in error
    assert b"--resume" in error
    assert not (tmp_path / "o.jsonl").exists()
    assert not children(run.pid)
    clean_files([str(source)], str(tmp_path / "o.jsonl"), BatchOptions(resume=True, workers=1))
    assert (tmp_path / "o.jsonl").read_bytes().count(b"\n") == 6000


@pytest.mark.parametrize("before", ["", "file://"])
def test_full_disk(before: str, tmp_path: Path) -> None:
    """A limit on the size of files stands for a full disk: an error says so, and after room is made the run goes on."""
    source = jsonl(tmp_path / "a.jsonl", 3000)

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, 2_000_000))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    arguments = command(source, "-o", f"{before}{tmp_path}/o.jsonl", "-j", "1", "-q")
    run = subprocess.run(arguments, capture_output=True, preexec_fn=limit, check=False)
    assert run.returncode == 2
    assert run.stderr.count(b"\n") == 1
    assert f"cleaner: {tmp_path}/.o.jsonl.cleaner/out-0: File too large".encode() in run.stderr
    assert b"resume" in run.stderr
    assert names(tmp_path) != ["a.jsonl", "o.jsonl"]
    assert not (tmp_path / "o.jsonl").exists()
    again = subprocess.run([*arguments, "--resume"], capture_output=True, check=False)
    assert again.returncode == 0
    assert (tmp_path / "o.jsonl").read_bytes().count(b"\n") == 3000


def test_closed_pipe_of_records(tmp_path: Path) -> None:
    source = jsonl(tmp_path / "a.jsonl", 3000)
    line = f"{SHELL_COMMAND} clean {source} -j 2 -q --removed {tmp_path}/r | head -2"
    run = subprocess.run(line, shell=True, capture_output=True, check=False)
    assert run.stderr == b""
    assert run.stdout.count(b"\n") == 2
    assert names(tmp_path) == ["a.jsonl"]


@pytest.mark.usefixtures("eager")
def test_large_output_to_a_pipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    source = jsonl(tmp_path / "a.jsonl", 40)
    os.mkfifo(tmp_path / "pipe")
    with subprocess.Popen(["cat", str(tmp_path / "pipe")], stdout=subprocess.PIPE) as reader:
        clean_files([str(source)], str(tmp_path / "pipe"), ONE)
        assert reader.communicate(timeout=5)[0].count(b"\n") == 40
    clean_files([str(source)], os.devnull, ONE)
    assert not Path(os.devnull).is_file()
    assert names(tmp_path) == ["a.jsonl", "pipe"]


def mutated(data: bytes, chance: random.Random) -> bytes:
    """Return data with some bytes changed, cut out, doubled, or its end missing."""
    out = bytearray(data)
    for _ in range(chance.randint(1, 6)):
        at, size = chance.randrange(len(out) + 1), chance.randint(1, 40)
        kind = chance.randrange(4)
        if kind == 0:
            out[at : at + size] = chance.randbytes(size)
        elif kind == 1:
            del out[at : at + size]
        elif kind == 2:
            out[at:at] = out[at : at + size]
        else:
            del out[max(at, 1) :]
    return bytes(out)


def fuzz(folder: Path, count: int, seed: int) -> dict[str, int]:
    """Clean broken files of all formats: no exception but ours, every record counted."""
    chance = random.Random(seed)
    lines = b"".join(json.dumps({"id": n, "text": text}).encode() + b"\n" for n, text in enumerate(texts(4)))
    pq.write_table(pa.table({"text": texts(12)}), folder / "whole.parquet", row_group_size=4)
    sources = {
        "a.jsonl": lines,
        "a.jsonl.gz": gzip.compress(lines),
        "a.parquet": (folder / "whole.parquet").read_bytes(),
        "a.txt": TEXT.encode() * 3,
        "a": b"",
    }
    found = dict.fromkeys(sources, 0)
    for number in range(count):
        name = chance.choice(list(sources))
        data = mutated(sources[name], chance) if sources[name] else chance.randbytes(chance.randint(0, 3000))
        path = folder / name
        path.write_bytes(data)
        out = folder / ("o" + path.suffixes[0] if path.suffixes else "o.txt")
        out.unlink(missing_ok=True)
        options = BatchOptions(errors=str(folder / "bad"), workers=1)
        begin = time.monotonic()
        try:
            counts = clean_files([str(path)], str(out), options).counts
        except UsageError:  # of a format that does not go with this output
            continue
        assert time.monotonic() - begin < 20
        found[name] += 1
        if name == "a.jsonl":
            there = sum(1 for row in data.split(b"\n") if row.strip())
            assert out.exists() == bool(counts["documents"] or not counts["failed"])
            rows = (out.read_bytes() if out.exists() else b"").split(b"\n") + (folder / "bad").read_bytes().split(b"\n")
            assert counts["documents"] + counts["failed"] == there == sum(1 for row in rows if row.strip()), number
        if name == "a.txt":
            assert counts["documents"] + counts["failed"] == 1
    return found


def test_fuzzed_inputs(tmp_path: Path) -> None:
    assert sum(fuzz(tmp_path, 40, 3).values()) > 30


@pytest.mark.slow
@pytest.mark.long
def test_a_thousand_fuzzed_inputs(tmp_path: Path) -> None:
    assert sum(fuzz(tmp_path, 1000, 11).values()) > 900


@pytest.mark.slow
def test_small_tmpfs(tmp_path: Path) -> None:
    """A disk that is really full, where this user may mount one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", disk], capture_output=True, check=False)
    if mount.returncode:
        pytest.skip("no right to mount")
    try:
        source = jsonl(tmp_path / "a.jsonl", 3000)
        arguments = command(source, "-o", disk / "o.jsonl", "-j", "1", "-q")
        run = subprocess.run(arguments, capture_output=True, check=False)
        assert run.returncode == 2
        assert b"No space" in run.stderr
        assert TRACE not in run.stderr
        assert not (disk / "o.jsonl").exists()
        subprocess.run(["mount", "-o", "remount,size=100m", disk], check=True)
        assert subprocess.run([*arguments, "--resume"], capture_output=True, check=False).returncode == 0
        assert (disk / "o.jsonl").read_bytes().count(b"\n") == 3000
        (disk / "o.jsonl").unlink()
        for size in (3, 9):  # not enough for the arrays of the model, one by one or all together
            subprocess.run(["mount", "-o", f"remount,size={size}m", disk], check=True)
            run = subprocess.run([*arguments, "-j", "2"], capture_output=True, check=False)
            assert run.returncode == 2
            assert (
                f"cleaner: {disk}/.o.jsonl.cleaner: no room for the workers' copy of the model, ".encode() in run.stderr
            )
            assert b" MB; -j 1 needs none" in run.stderr
            shutil.rmtree(disk / ".o.jsonl.cleaner")
    finally:
        subprocess.run(["umount", disk], check=False)


if sys.platform != "linux":
    pytestmark = pytest.mark.skip("kills processes by /proc")
