"""Where the bytes of a run go: the output and the files beside it."""

import hashlib
import os
import shutil
import time
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from cleaner.atomic import digest, move, sync_folder, write_beside
from cleaner.job import Done
from cleaner.journal import Journal, Position, Shard, Start
from cleaner.opening import compress, compression
from cleaner.options import BatchOptions
from cleaner.records import Block
from cleaner.summary import add
from cleaner.targets import Plan

__all__ = ["DiskSinks", "MemorySinks", "Sinks", "after"]

#: Seconds between two syncs, and bytes after which one comes sooner.
SYNC_SECONDS, SYNC_BYTES = 1.0, 64_000_000


def after(block: Block) -> Position:
    """Return where the work goes on behind a block."""
    if block.last:
        return block.inputs[-1] + 1, 0, 1, 0
    return block.inputs[0], block.end, block.first + block.count, block.next_line


class Sinks(Protocol):
    """What takes the results of blocks, in order."""

    def take(self, block: Block, done: Done) -> None:
        """Write what came of a block."""

    def finish(self) -> None:
        """Give all files their names."""

    def stop(self, clean: bool) -> None:
        """Give up; ``clean``: leave nothing."""


class MemorySinks:
    """Everything of a small run, written at its end; standard output at once."""

    def __init__(self, plan: Plan, options: BatchOptions, stdout: BinaryIO | None) -> None:
        """Take the results of a run into memory."""
        self.plan, self.options, self.stdout = plan, options, stdout
        self.data: dict[str, bytearray] = {name: bytearray() for name in options.sides}

    def take(self, block: Block, done: Done) -> None:
        """Keep what came of a block."""
        number = self.plan.place[block.inputs[0]] if self.plan.outputs else 0
        failed = any(not one.record for one in done.failures)
        for name, data in done.sinks.items():
            self.put(f"out-{number}" if name == "out" else name, data)
        for index, data in done.texts:
            self.put(f"out-{self.plan.place[index]}" if self.plan.outputs else "out-0", data)
        if block.sources[0].format != "text" and block.last and not failed:
            self.put(f"out-{number}", b"")

    def put(self, name: str, data: bytes) -> None:
        """Add to a sink."""
        if name.startswith("out-") and not self.plan.outputs:
            if self.stdout is not None:
                self.stdout.write(data)
            return
        self.data.setdefault(name, bytearray()).extend(data)

    def finish(self) -> None:
        """Write all files, each whole."""
        for name, data in self.data.items():
            if name.startswith("out-"):
                output = self.plan.outputs[int(name[4:])]
                if output.form == "text" and output.packed:
                    data = bytearray(compress(output.packed, bytes(data)))  # noqa: PLW2901 - packed as a whole
                if not os.path.isdir(os.path.dirname(output.path) or "."):
                    os.makedirs(os.path.dirname(output.path), exist_ok=True)
                write_beside(output.path, bytes(data))
            else:
                write_beside(self.options.sides[name], bytes(data))

    def stop(self, clean: bool) -> None:
        """Forget everything."""


class DiskSinks:
    """Files that grow in the work folder, synced shard by shard, renamed when they are complete."""

    def __init__(self, plan: Plan, options: BatchOptions, journal: Journal, stdout: BinaryIO | None) -> None:
        """Write into the folder of a journal; with ``stdout`` the output goes there, and nothing can be resumed."""
        self.plan, self.options, self.journal, self.stdout = plan, options, journal, stdout
        self.files: dict[str, BinaryIO] = {}
        self.state: dict[str, Any] = {}
        self.shard, self.since, self.pending = Shard(), time.monotonic(), 0
        self.sizes: dict[str, int] = {}

    def begin(self, start: Start) -> None:
        """Go on where a run was."""
        self.sizes = dict(start.sizes)
        self.shard.next = start.position
        for number in start.unpublished:
            self.publish(number)

    def take(self, block: Block, done: Done) -> None:
        """Write what came of a block, and sync from time to time."""
        number = self.plan.place[block.inputs[0]] if self.plan.outputs else 0
        for name, data in done.sinks.items():
            if name == "out" and not self.plan.outputs:
                if self.stdout is not None:
                    self.stdout.write(data)
                continue
            self.put(f"out-{number}" if name == "out" else name, data)
        if not self.plan.outputs and self.stdout is not None:
            for _, text in done.texts:
                self.stdout.write(text)
        self.shard.files += [(self.plan.place[index], size, known) for index, size, known in done.files]
        if self.complete(block, done):
            self.shard.done.append(number)
        add(self.shard.counts, done.counts)
        self.shard.next = after(block)
        if time.monotonic() - self.since > SYNC_SECONDS or self.pending > SYNC_BYTES:
            self.sync()

    def complete(self, block: Block, done: Done) -> bool:
        """Tell whether the output of a block is complete with it."""
        if not self.plan.outputs or not block.last or (block.grouped and block.sources[0].format == "text"):
            return False
        if len(self.plan.outputs) == 1:
            return block.inputs[-1] == len(self.plan.inputs) - 1
        return not any(not one.record for one in done.failures)

    def put(self, name: str, data: bytes) -> None:
        """Add to a file in the work folder."""
        if name not in self.files:
            for other in [one for one in self.files if one.startswith("out-") and name.startswith("out-")]:
                self.flush(other)
                self.files.pop(other).close()
            self.files[name] = (self.journal.folder / name).open("ab")
        self.files[name].write(data)
        self.state.setdefault(name, hashlib.sha256()).update(data)
        self.sizes[name] = self.sizes.get(name, 0) + len(data)
        self.pending += len(data)

    def flush(self, name: str) -> None:
        """Bring a file to the disk."""
        self.files[name].flush()
        os.fsync(self.files[name].fileno())

    def sync(self) -> None:
        """Bring everything to the disk, then the journal, then give complete files their names."""
        for name in self.files:
            self.flush(name)
        self.shard.sinks = {name: (self.sizes[name], state.hexdigest()) for name, state in self.state.items()}
        sync_folder(self.journal.folder)
        self.journal.note(self.shard)
        for number in [*(number for number, _, _ in self.shard.files), *self.shard.done]:
            self.publish(number)
        self.shard, self.state, self.pending = Shard(next=self.shard.next), {}, 0
        self.since = time.monotonic()

    def publish(self, number: int) -> None:
        """Give a complete output its name."""
        name, output = f"out-{number}", self.plan.outputs[number]
        if name in self.files:
            self.files.pop(name).close()
        inside = self.journal.folder / name
        if not inside.exists():
            inside.write_bytes(b"")
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
        for name, path in self.options.sides.items():
            inside = self.journal.folder / name
            if inside.exists():
                move(inside, path)
            elif not self.sizes.get(name):
                write_beside(path, compress(compression(path), b"") if compression(path) else b"")
        for folder in {os.path.dirname(os.path.realpath(one.path)) for one in self.plan.outputs}:
            sync_folder(Path(folder))
        self.journal.close(finished=True)

    def stop(self, clean: bool) -> None:
        """Close everything; what is journalled can be resumed."""
        for file in self.files.values():
            try:
                file.close()
            except OSError:
                continue
        self.journal.close(finished=clean)
        if clean:
            shutil.rmtree(self.journal.folder, ignore_errors=True)
