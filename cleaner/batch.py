"""Many documents: inputs × cleaner → outputs, with workers, in order, and nothing lost."""

import json
import os
import shutil
import sys
import tempfile
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import Any, BinaryIO

from cleaner.arguments import of_kind
from cleaner.atomic import write_beside
from cleaner.encodings import check
from cleaner.errors import DataError, UsageError
from cleaner.inputs import find_inputs
from cleaner.job import Job, loaded
from cleaner.journal import Journal
from cleaner.opening import compress, compression, is_remote
from cleaner.options import BatchOptions, path_text
from cleaner.own_files import own_files
from cleaner.pool import ordered
from cleaner.reading import blocks
from cleaner.records import Failure
from cleaner.rules import Rules, read_rules
from cleaner.shards import Start
from cleaner.sharing import share
from cleaner.sinks import DiskSinks, MemorySinks
from cleaner.summary import EMPTY, add
from cleaner.targets import Plan, plan

#: Inputs up to this size (bytes, all together) are cleaned in this process, in memory.
SMALL_BYTES = 4_000_000
SMALL_FILES = 300
#: Numbers of the runs of this process.
RUNS = count(1)
#: Names of standard output; the second leads to a pipe without a name, or to the file that a shell is writing.
STDOUT = ("-", "/dev/stdout")
LEFT = "left as it was, because not all of it could be cleaned. Mend it, or write elsewhere with -o."
HELD = "Files that are done are cleaned, and {} holds what was removed from them: go on with --resume{}."


@dataclass(frozen=True)
class Hooks:
    """What a run tells while it goes on.

    ``stdout`` takes the output where there is no file for it; ``failed`` is called with each failure, and with each
    input that is left as it was for one; ``progress`` with counts so far and the bytes of all inputs (0: unknown);
    ``big`` once if the run is no small one.
    """

    stdout: BinaryIO | None = None
    failed: Callable[[Failure], None] = lambda failure: None
    progress: Callable[[dict[str, Any], int], None] = lambda counts, total: None
    big: Callable[[], None] = lambda: None


@dataclass
class Summary:
    """What a run did.

    ``counts``: documents, failed, rejected, words_kept, words_removed; lines and words by label; kinds,
    flags, rules, encodings, failures by reason; ``removed_lines``, the most frequent; ``failed_records``, the
    first thousand. ``changed``: the inputs from which something goes (for ``check``). ``big``: more than a few files.
    """

    counts: dict[str, Any] = field(default_factory=lambda: dict.fromkeys(EMPTY, 0))
    changed: list[str] = field(default_factory=list)
    big: bool = False

    @property
    def failed(self) -> int:
        """Records that failed."""
        return int(self.counts["failed"])


def clean_files(
    inputs: Iterable[str | os.PathLike[str]] | str | os.PathLike[str],
    output: str | os.PathLike[str] = "",
    options: BatchOptions | None = None,
    hooks: Hooks | None = None,
) -> Summary:
    """Clean files of any number and size; what the command ``cleaner clean`` does.

    ``inputs``: files, folders, globs, remote paths, ``-`` for standard input, one or several; ``output``: a file or
    folder; empty or ``-``: standard output, for which ``hooks`` must have a ``stdout`` unless ``options`` say
    ``in_place`` or ``check``.
    Records that fail are counted and named, and the rest goes on.

    Raises:
        UsageError: inputs, output and options do not go together, and nothing has been written; or the summary cannot
            be written.
        TypeError: ``options`` are no BatchOptions.
        ModelError: the model cannot be used; nothing has been written.
        DataError: a record failed and ``options.strict`` is set, or ``options.encoding`` is unknown.
        OSError: the output cannot be written (no room, no rights); ``resume`` goes on later.
    """
    options, hooks, output = of_kind(options, BatchOptions), hooks or Hooks(), path_text(output)
    several = [inputs] if isinstance(inputs, str | os.PathLike) else inputs
    names = [path_text(one) for one in several]
    if not names:
        raise UsageError("no inputs. Give files, folders or globs; - reads from stdin.")
    check(options.encoding)
    own = own_files(options)
    found = find_inputs(names, options.input_format, own)
    planned = plan(names, found, "" if output in STDOUT else output, options, own)
    options, total = with_rules(options), sum(max(one.size, 0) for one in found)
    if not (planned.outputs or options.check or hooks.stdout):
        raise UsageError("no output. Give one, check, in_place, or hooks whose stdout takes it (cleaner.batch.Hooks).")
    summary = Summary(big=not is_small(planned, total))
    if summary.big:
        hooks.big()
    Run(planned, options, hooks, summary).go(total)
    if (path := os.fspath(options.summary)) not in ("", "-"):
        write_beside(path, compress(compression(path), json.dumps(summary.counts, indent=1).encode() + b"\n"))
    return summary


def with_rules(options: BatchOptions) -> BatchOptions:
    """Put the rules of the file into the options: it may be edited while the run goes on, or before it is resumed."""
    drop, keep = read_rules(Path(options.rules)) if options.rules else ((), ())
    rules = Rules((*options.always_drop, *drop), (*options.always_keep, *keep))
    return replace(options, always_drop=rules.drop, always_keep=rules.keep, rules="")


def is_small(planned: Plan, total: int) -> bool:
    """Tell whether a run needs neither workers nor manifest."""
    known = all(one.size >= 0 or one.path == "-" or not is_remote(one.path) for one in planned.inputs)
    packed = any(one.path != "-" and compression(one.path) for one in planned.inputs)
    stdin = any(one.path == "-" and one.format != "text" for one in planned.inputs)
    few = len(planned.inputs) <= SMALL_FILES and total <= (SMALL_BYTES // 8 if packed else SMALL_BYTES)
    return known and few and not planned.begun and not stdin


def can_start() -> bool:
    """Tell whether this process can start workers: none can in a worker, without output, or at the program's end."""
    from multiprocessing import current_process

    no_output = None in (sys.stdout, sys.stderr)
    return not (current_process().daemon or no_output) and threading.main_thread().is_alive()


class Run:
    """One run."""

    def __init__(self, planned: Plan, options: BatchOptions, hooks: Hooks, summary: Summary) -> None:
        """Load the model, so that a wrong one is refused before anything is written."""
        self.plan, self.options, self.hooks, self.summary = planned, options, hooks, summary
        self.number = next(RUNS)  # the model may be trained anew between two runs, or while one goes on
        self.model = loaded(self.number, "", options).model
        self.start = Start()
        self.shared: Path | None = None

    def go(self, total: int) -> None:
        """Do the work; give up in order if that fails."""
        workers = self.workers(total)
        sinks = self.sinks()
        try:
            job = self.job(workers)
            self.loop(job, workers, sinks, total)
            sinks.finish()
        except BaseException as error:
            foreseen = isinstance(error, DataError | UsageError)
            held = sinks.stop(clean=foreseen or not self.plan.outputs)
            if foreseen and held:
                raise type(error)(f"{error} {HELD.format(held, ', without --strict' * self.options.strict)}") from None
            raise
        finally:
            if self.shared:
                shutil.rmtree(self.shared, ignore_errors=True)

    def workers(self, total: int) -> int:
        """Return how many processes work."""
        if not self.summary.big or not can_start():
            return 1
        if self.options.workers:
            return self.options.workers
        from joblib import cpu_count

        unknown = any(one.size < 0 for one in self.plan.inputs)
        return int(cpu_count()) if unknown or total > SMALL_BYTES else 1

    def sinks(self) -> DiskSinks | MemorySinks:
        """Return where the results go."""
        plan = self.plan
        if not self.on_disk:
            return MemorySinks(plan, self.options, self.hooks.stdout)
        assert plan.work is not None
        journal = Journal(plan, self.options, str(self.model.card["sha256"]))
        sinks = DiskSinks(plan, self.options, journal, self.hooks.stdout)
        self.start = journal.open()
        add(self.summary.counts, self.start.counts)
        try:
            sinks.begin(self.start)
        except BaseException:
            sinks.stop(clean=False)
            raise
        return sinks

    def job(self, workers: int) -> Job:
        """Return what is the same for all blocks."""
        plan, options = self.plan, self.options
        if workers > 1:
            self.shared = Path(tempfile.mkdtemp(prefix="model-", dir=plan.work if self.on_disk else None))
            share(self.model, self.shared)
        return Job(
            options,
            plan.form,
            self.number,
            shared=str(self.shared or ""),
            folder=str(plan.work) if self.on_disk and plan.outputs else "",
            sides={name: compression(path) for name, path in options.sides.items()},
            packed=plan.outputs[0].packed if len(plan.outputs) == 1 else "",
            mirrored=len(plan.outputs) > 1,
            joined=len(plan.outputs) < len(plan.inputs),
        )

    @property
    def on_disk(self) -> bool:
        """Whether there is a work folder."""
        spooled = any(one.form == "parquet" for one in self.plan.outputs)
        kept = self.options.in_place and bool(self.options.sides)  # what was removed cannot be found a second time
        return (self.summary.big or spooled or kept) and self.plan.work is not None

    def loop(self, job: Job, workers: int, sinks: DiskSinks | MemorySinks, total: int) -> None:
        """Take the results one by one."""
        counts = self.summary.counts
        source = blocks(self.plan.inputs, self.start.position, self.options)
        for block, done in ordered(source, job, workers):
            if done.failures and self.options.strict:
                raise DataError(f"{done.failures[0]} Stopped at this record, as --strict asks.")
            for failure in done.failures:
                self.hooks.failed(failure)
            sinks.take(block, done)
            add(counts, done.counts)
            if self.options.check:
                self.summary.changed += [name for name in done.changed if name not in self.summary.changed[-1:]]
            self.hooks.progress(counts, total)
        for name in sinks.left():
            self.hooks.failed(Failure(name, 0, "left", LEFT))
        for of_one_kind in counts.values():
            if isinstance(of_one_kind, dict):  # what was taken back may leave nothing
                for name in [name for name, number in of_one_kind.items() if number <= 0]:
                    del of_one_kind[name]
        counts["cleaned"] = counts["documents"] - counts["rejected"]
