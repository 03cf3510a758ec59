"""Where the bytes of a run go: the output and the files beside it."""

import hashlib
import os
import shutil
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

from cleaner.atomic import digest, move, naming, sync_folder, withdraw, write_beside
from cleaner.job import Done
from cleaner.journal import Journal
from cleaner.opening import compress, compression, is_remote
from cleaner.options import BatchOptions
from cleaner.outputs import Outputs
from cleaner.records import Block
from cleaner.shards import Position, Shard, Start
from cleaner.summary import add, shorten
from cleaner.targets import HELD, Plan

#: Seconds between two syncs, and bytes after which one comes sooner.
SYNC_SECONDS, SYNC_BYTES = 1.0, 64_000_000
#: Text files of a shard that are brought to the disk one by one; more of them are so all in one go, with whatever else
#: waits for the disk, as each alone takes some milliseconds.
FEW_FILES = 20


def after(block: Block) -> Position:
    """Return where the work goes on behind a block."""
    if block.last:
        return block.inputs[-1] + 1, 0, 1, 0
    return block.inputs[0], block.end, block.first + block.count, block.next_line


class MemorySinks(Outputs):
    """Everything of a small run, written at its end; standard output at once."""

    def __init__(self, plan: Plan, options: BatchOptions, stdout: BinaryIO | None) -> None:
        """Take the results of a run into memory."""
        super().__init__(plan, options, stdout)
        self.data: dict[str, bytearray] = {name: bytearray() for name in options.sides}
        self.poor: list[int] = []

    def take(self, block: Block, done: Done) -> None:
        """Keep what came of a block."""
        number = self.note(block, done)
        for name, data in done.sinks.items():
            self.put(f"out-{number}" if name == "out" else name, data)
        for index, data, encoding in done.texts:
            if self.plan.outputs:
                self.put(f"out-{self.plan.place[index]}", data)
            else:
                self.show_text(index, data, encoding)
        if block.sources[0].format != "text" and block.last:
            self.put(f"out-{number}", b"")
        self.poor += self.to_withdraw(done)

    def put(self, name: str, data: bytes) -> None:
        """Add to a sink."""
        if name.startswith("out-") and not self.plan.outputs:
            self.show(data)
            return
        self.data.setdefault(name, bytearray()).extend(data)

    def finish(self) -> None:
        """Write all files, each whole."""
        for name, data in self.data.items():
            if name.startswith("out-"):
                output = self.plan.outputs[int(name[4:])]
                if self.spoiled(int(name[4:])):
                    continue
                if output.packed and (output.form == "text" or not data):
                    data = bytearray(compress(output.packed, bytes(data)))  # noqa: PLW2901 - packed as a whole
                if not (is_remote(output.path) or os.path.isdir(os.path.dirname(output.path) or ".")):
                    os.makedirs(os.path.dirname(output.path), exist_ok=True)
                write_beside(output.path, bytes(data))
            else:
                path = self.options.sides[name]
                write_beside(path, bytes(data) or compress(compression(path), b""))
        for number in self.poor:
            withdraw(self.plan.outputs[number].path)

    def stop(self, clean: bool) -> str:
        """Forget everything; of a small run nothing is held."""
        return ""


class DiskSinks(Outputs):
    """Files that grow in the work folder, synced shard by shard, renamed when they are complete."""

    def __init__(self, plan: Plan, options: BatchOptions, journal: Journal, stdout: BinaryIO | None) -> None:
        """Write into the folder of a journal; with ``stdout`` the output goes there, and nothing can be resumed."""
        super().__init__(plan, options, stdout)
        self.journal = journal
        self.files: dict[str, BinaryIO] = {}
        self.state: dict[str, Any] = {}
        self.shard, self.since, self.pending = Shard(), time.monotonic(), 0
        self.sizes: dict[str, int] = {}

    def begin(self, start: Start) -> None:
        """Go on where a run was."""
        self.sizes = dict(start.sizes)
        self.read, self.failed, self.under = set(start.read), set(start.failed), start.under
        self.shard.next = start.position
        for number in start.unpublished:
            self.publish(number)
        for number in start.poor:
            withdraw(self.plan.outputs[number].path)

    def take(self, block: Block, done: Done) -> None:
        """Write what came of a block, and sync from time to time."""
        shorten(done.counts)
        number = self.note(block, done)
        for name, data in done.sinks.items():
            if name == "out" and not self.plan.outputs:
                self.show(data)
                continue
            own = name == "out" or (self.options.in_place and name in HELD)
            self.put(f"{name}-{number}" if own else name, data)
        for text in done.texts:  # there are some only without outputs
            self.show_text(*text)
        self.shard.files += [(self.plan.place[index], size, known) for index, size, known in done.files]
        self.shard.done += self.complete(block, number, done)
        self.shard.poor += self.to_withdraw(done)
        self.shard.read = sorted({*self.shard.read, number} & self.read)
        self.shard.failed = sorted({*self.shard.failed, number} & self.failed)
        add(self.shard.counts, done.counts)
        if block.last or not self.under:
            self.shard.under = {}
        else:
            add(self.shard.under, done.counts)
        self.shard.next = after(block)
        if time.monotonic() - self.since > SYNC_SECONDS or self.pending > SYNC_BYTES:
            self.sync()

    def complete(self, block: Block, number: int, done: Done) -> list[int]:
        """Return the outputs that are complete with a block; text files of their own are in ``done.files``."""
        if not self.plan.outputs or not block.last:
            return []
        if self.alone(block):
            return [int(name[4:]) for name in done.sinks if name.startswith("out-")]
        if block.grouped and self.plan.outputs[number].form == "text":
            return []
        joined = len(self.plan.outputs) < len(self.plan.inputs)
        if joined and block.inputs[-1] < len(self.plan.inputs) - 1:
            return []
        unread = not joined and any(not one.record for one in done.failures)
        return [] if unread or self.spoiled(number) else [number]

    def put(self, name: str, data: bytes) -> None:
        """Add to a file in the work folder."""
        if name not in self.files:
            kind = name.rpartition("-")[0]
            for other in [one for one in self.files if kind and one.startswith(f"{kind}-")]:
                self.flush(other)
                self.files.pop(other).close()
            self.files[name] = (self.journal.folder / name).open("ab")
        with naming(self.journal.folder / name):
            self.files[name].write(data)
        self.state.setdefault(name, hashlib.sha256()).update(data)
        self.sizes[name] = self.sizes.get(name, 0) + len(data)
        self.pending += len(data)

    def flush(self, name: str) -> None:
        """Bring a file to the disk."""
        with naming(self.journal.folder / name):
            self.files[name].flush()
            os.fsync(self.files[name].fileno())

    def flush_texts(self) -> None:
        """Bring the text files that workers have written for the shard to the disk."""
        if len(self.shard.files) > FEW_FILES:
            os.sync()
            return
        for path in (self.journal.folder / f"out-{number}" for number, _, _ in self.shard.files):
            with naming(path), path.open("rb") as file:
                os.fsync(file.fileno())

    def sync(self) -> None:
        """Bring everything to the disk, then the journal, then give complete files their names."""
        for name in self.files:
            self.flush(name)
        self.flush_texts()
        self.shard.sinks = {name: (self.sizes[name], state.hexdigest()) for name, state in self.state.items()}
        sync_folder(self.journal.folder)
        self.journal.note(self.shard)
        for number in [*(number for number, _, _ in self.shard.files), *self.shard.done]:
            self.publish(number)
        for number in self.shard.poor:
            withdraw(self.plan.outputs[number].path)
        self.shard, self.state, self.pending = Shard(next=self.shard.next), {}, 0
        self.since = time.monotonic()

    def publish(self, number: int) -> None:
        """Give a complete output its name."""
        name, output = f"out-{number}", self.plan.outputs[number]
        if name in self.files:
            self.files.pop(name).close()
        inside = self.journal.folder / name
        if not inside.exists() or not inside.stat().st_size:
            inside.write_bytes(compress(output.packed, b""))
        if output.form == "parquet":
            from cleaner.parquet import finish

            made = self.journal.folder / f"fin-{number}"
            finish(inside, made, output.like)
            with made.open("rb+") as file:
                os.fsync(file.fileno())
            known = Shard(next=self.shard.next, published=[number, made.stat().st_size, digest(str(made))])
            self.journal.note(known)
            move(made, output.path)
            inside.unlink()
        else:
            move(inside, output.path)

    def finish(self) -> None:
        """Give all files their names and remove the work folder."""
        self.sync()
        for name in list(self.files):
            self.files.pop(name).close()
        self.gather()
        for name, path in self.options.sides.items():
            inside = self.journal.folder / name
            if inside.exists():
                move(inside, path)
            elif not self.sizes.get(name):
                write_beside(path, compress(compression(path), b""))
        for folder in {os.path.dirname(os.path.realpath(one.path)) for one in self.plan.outputs}:
            sync_folder(Path(folder))
        self.journal.close(finished=True)

    def gather(self) -> None:
        """Bring together what was removed from each input in place; one that is left as it was has lost nothing."""
        for name in [one for one in HELD if self.options.in_place and one in self.options.sides]:
            parts = [self.journal.folder / f"{name}-{n}" for n in range(len(self.plan.outputs)) if not self.spoiled(n)]
            with (self.journal.folder / name).open("wb") as whole:
                for part in parts:
                    if part.exists():
                        with part.open("rb") as file:
                            shutil.copyfileobj(file, whole)
                whole.flush()
                os.fsync(whole.fileno())
                empty = not whole.tell()
            if empty:
                (self.journal.folder / name).unlink()

    def stop(self, clean: bool) -> str:
        """Close everything; what is journalled can be resumed, and in place it is all that is left of removed lines.

        ``clean``: leave nothing but that, and return where it is.
        """
        for file in self.files.values():
            with suppress(OSError):
                file.close()
        held = self.options.in_place and any(name in self.options.sides for name in HELD) and not self.journal.empty
        self.journal.close(finished=clean and not held)
        return str(self.journal.folder) if held else ""
