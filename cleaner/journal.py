"""The manifest of a run: what it was asked, and which shards of its output are complete.

A folder beside the output holds it, with everything that is not complete:

* ``manifest.json``: options, model, version, and the stamp of every input;
* ``journal.jsonl``: a line for each *shard* (the blocks between two syncs): where the next begins, the size
  and SHA-256 of what it added to every file, its counts;
* ``out-N``: the output of input N as far as it goes; ``removed``, ``rejected``, ``errors``;
* ``removed-N``, ``rejected-N``: in place, those of input N, brought together at the end.

A file gets its final name only when the journal that says it is complete is on the disk.
"""

import fcntl
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence, Set
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any

from cleaner.atomic import digest, exists, naming, sync_folder
from cleaner.errors import UsageError
from cleaner.options import BatchOptions
from cleaner.shards import Shard, Start, start_behind
from cleaner.targets import Plan


class Journal:
    """Manifest and journal of a run, in its work folder."""

    def __init__(self, plan: Plan, options: BatchOptions, model: str) -> None:
        """Describe a run; nothing is written yet. ``model`` is the digest of the model."""
        from importlib.metadata import version

        assert plan.work is not None
        self.plan, self.options, self.folder = plan, options, plan.work
        self.about = {
            "cleaner": version("line-cleaner"),
            "model": model,
            "options": json.loads(json.dumps(options.decisive())),
            "outputs": [one.path for one in plan.outputs][:1],
        }
        self.file: Any = None
        self.locked: Any = None
        self.empty = True  # nothing has been noted, so nothing has a final name

    def path_of(self, name: str) -> str:
        """Return where a sink lies: in the work folder, or under its final name."""
        inside = self.folder / name
        if inside.exists() or not name.startswith("out-"):
            side = self.options.sides.get(name, "")
            return str(inside) if inside.exists() or not side else side
        return self.plan.outputs[int(name[4:])].path

    def open(self) -> Start:
        """Begin a run, or go on with the one that the folder holds.

        Raises:
            UsageError: there is an unfinished run and ``resume`` is not asked, another process is at work
                in the folder, or inputs, options or model are not those of the manifest.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            self.lock()
            return self.begin()
        except BaseException:
            self.close(finished=False)
            raise

    def begin(self) -> Start:
        """Find out where a run begins, and open the journal."""
        manifest = self.folder / "manifest.json"
        begun = bool(self.plan.outputs) and self.plan.begun
        if begun and not self.options.resume:
            again = "or remove that folder to begin again."
            if self.options.in_place and self.options.sides:
                again = "and keep that folder: it holds what was removed."
            raise UsageError(f"{self.folder}: an unfinished run lies here. Add --resume to go on with it, {again}")
        start = Start()
        if begun:
            start = self.resumed(self.read_manifest(manifest))
        else:
            self.clear(set())
            self.write_manifest(manifest)
            (self.folder / "journal.jsonl").write_bytes(b"")
        self.file = (self.folder / "journal.jsonl").open("ab")
        sync_folder(self.folder)
        return start

    def lock(self) -> None:
        """Refuse to work where another run is at work, if only to remove the folder."""
        path = self.folder / "lock"
        with suppress(BlockingIOError, FileNotFoundError):
            self.locked = path.open("w")
            fcntl.flock(self.locked, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(self.locked.fileno()), path.stat()):
                return
        raise UsageError(f"{self.folder}: another run is at work here. Wait for it, or stop it.")

    def write_manifest(self, path: Path) -> None:
        """Write the manifest; it is on the disk, whole, before there is a journal."""
        inputs = [[one.name, one.stamp] for one in self.plan.inputs]
        self.replace(path, [json.dumps({**self.about, "inputs": inputs}).encode()])
        sync_folder(self.folder)

    def read_manifest(self, path: Path) -> dict[str, Any]:
        """Return the manifest; raise :class:`UsageError` if there is none that can be read."""
        with suppress(FileNotFoundError, ValueError):
            found = json.loads(path.read_bytes())
            if isinstance(found, dict) and found.keys() >= {*self.about, "inputs"}:
                return found
        raise UsageError(f"{path}: missing or damaged, it tells what that run was asked. {self.again()}")

    def resumed(self, manifest: dict[str, Any]) -> Start:
        """Compare with the manifest, verify the shards, and cut off what is not complete."""
        same = [one.name for one in self.plan.inputs] == [one[0] for one in manifest["inputs"]]
        outputs = "the output" if same else "what there is of inputs, or their order,"
        for key, what in (("cleaner", "the version of cleaner"), ("model", "the model"), ("outputs", outputs)):
            if manifest.get(key) != self.about[key]:
                raise UsageError(f"{self.folder}: {what} has changed since that run. {self.again()}")
        old, new = manifest["options"], self.about["options"]
        for name in sorted({*old, *new}):
            if old.get(name) != new.get(name):
                given = f"--{name.replace('_', '-')}"
                raise UsageError(f"{self.folder}: {given} was {old.get(name)!r}, is {new.get(name)!r}. {self.again()}")
        whole = self.published()
        start, done = start_behind(self.verified(whole))
        self.empty = not start.resumed
        unread = {number for number in range(len(self.plan.inputs)) if (number, 0, 1, 0) >= tuple(start.position)}
        self.compare(manifest["inputs"], done | unread)
        if self.options.in_place:
            self.write_manifest(self.folder / "manifest.json")
        self.restore(start, done)
        names = {number: self.folder / f"out-{number}" for number in done}
        start.unpublished = sorted(n for n in done if names[n].exists() or not exists(self.plan.outputs[n].path))
        self.rewrite(start.resumed, whole)
        return start

    def again(self) -> str:
        """Return the remedy for a run that cannot be gone on with."""
        if self.options.in_place and self.options.sides:
            return f"Put it back as it was; {self.folder} holds what was removed."
        return f"Put it back as it was, or remove {self.folder} to begin again."

    def compare(self, stamps: Sequence[Sequence[str]], free: set[int]) -> None:
        """Refuse inputs that are not those of the manifest.

        In place, those that are done have changed, and those that are not begun may have been mended.
        """
        inputs = self.plan.inputs
        for number, (one, (name, stamp)) in enumerate(zip(inputs, stamps, strict=False)):
            if one.name != name:
                raise UsageError(
                    f"{one.name}: is not among that run's inputs at this place ({name} is). {self.again()}"
                )
            if one.stamp != stamp and not (self.options.in_place and number in free):
                raise UsageError(f"{one.name}: has changed since that run began. {self.again()}")
        if len(inputs) != len(stamps):
            odd = inputs[len(stamps)].name if len(inputs) > len(stamps) else stamps[len(inputs)][0]
            raise UsageError(f"{odd}: is new or missing among the inputs. {self.again()}")

    def read(self) -> Iterator[Shard]:
        """Yield the shards of the journal, one at a time, as there may be many; a last line that is cut is none."""
        with (self.folder / "journal.jsonl").open("rb") as file:
            for row in file:
                try:
                    shard = Shard(**json.loads(row if row.endswith(b"\n") else b""))
                except (ValueError, TypeError):
                    return
                yield shard

    def published(self) -> set[int]:
        """Return the outputs made from their spools that are as the journal says."""
        made = {shard.published[0]: shard.published[2] for shard in self.read() if shard.published}
        return {number for number, known in made.items() if digest(self.plan.outputs[number].path) == known}

    def verified(self, whole: Set[int]) -> Iterator[Shard]:
        """Yield the shards up to the first whose output is not as the journal says; what is ``whole`` is."""
        before: dict[str, int] = {}
        for shard in self.read():
            for name, (end, known) in shard.sinks.items():
                begin = before.get(name, 0)
                before[name] = end
                if name[4:].isdigit() and int(name[4:]) in whole:
                    continue
                if self.spooled(name) and not (self.folder / name).exists():
                    return
                if digest(self.path_of(name), begin, end) != known:
                    return
            for number, size, known in shard.files:
                if digest(self.path_of(f"out-{number}"), 0, size) != known:
                    return
            yield shard

    def spooled(self, name: str) -> bool:
        """Tell whether a sink is made into another file at the end."""
        return name.startswith("out-") and self.plan.outputs[int(name[4:])].form == "parquet"

    def restore(self, start: Start, done: set[int]) -> None:
        """Cut every file of the folder to the verified shards, and remove the others."""
        for name, size in start.sizes.items():
            inside = self.folder / name
            if not inside.exists() and not (name[4:].isdigit() and int(name[4:]) in done):
                shutil.copyfile(self.path_of(name), inside)
            if inside.exists():
                os.truncate(inside, size)
        self.clear({"manifest.json", "journal.jsonl", *start.sizes, *(f"out-{number}" for number in done)})

    def clear(self, but: Set[str]) -> None:
        """Remove what lies in the folder, but for some names and the lock."""
        for path in self.folder.iterdir():
            if path.name not in {"lock", *but}:
                shutil.rmtree(path) if path.is_dir() else path.unlink()

    def rewrite(self, count: int, whole: Set[int]) -> None:
        """Leave only the first shards in the journal, and of what was made from its spool only what is whole."""

        def rows() -> Iterator[bytes]:
            for shard in islice(self.read(), count):
                if shard.published and shard.published[0] not in whole:
                    shard.published = []
                yield shard.row()

        self.replace(self.folder / "journal.jsonl", rows())

    def replace(self, path: Path, data: Iterable[bytes]) -> None:
        """Write a file of the folder beside its place, bring it to the disk, and rename it."""
        beside = path.with_suffix(".new")
        with naming(beside), beside.open("wb") as file:
            file.writelines(data)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)

    def note(self, shard: Shard) -> None:
        """Add a line; it is on the disk when this returns."""
        self.empty = False
        with naming(self.folder / "journal.jsonl"):
            self.file.write(shard.row())
            self.file.flush()
            os.fsync(self.file.fileno())

    def close(self, finished: bool) -> None:
        """End the run; a finished one leaves nothing behind.

        The lock goes last, so that nothing is removed of a run that begins meanwhile.
        """
        if self.file:
            self.file.close()
        with suppress(OSError):
            if finished:
                (self.folder / "journal.jsonl").unlink(missing_ok=True)  # first: no half of a run can be resumed
                self.clear(set())
                (self.folder / "lock").unlink()
        if self.locked:
            self.locked.close()
        with suppress(OSError):
            if finished:
                self.folder.rmdir()  # unless another run has just begun in it
