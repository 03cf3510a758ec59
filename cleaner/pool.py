"""Blocks to results, in order, by worker processes: joblib's loky, with back-pressure.

No more blocks are under way than twice the workers, so memory does not grow with the input. A worker that
is killed breaks its pool: the blocks that were under way are repeated one at a time, in a
new pool, so that it is certain which one kills. One that kills twice more is named as failed, and the rest goes on.
"""

import os
import signal
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from cleaner.errors import CleanerError
from cleaner.job import Done, Job
from cleaner.opening import compress
from cleaner.records import Block, Failure, failed_row
from cleaner.summary import add, count_failures
from cleaner.work import work

AHEAD = 2  # blocks under way for each worker
REPEATS = 2
PATIENCE = 5.0  # seconds after which it is asked whether the workers live


def ordered(blocks: Iterator[Block], job: Job, workers: int) -> Iterator[tuple[Block, Done]]:
    """Yield every block with what came of it, in order; one worker is this process itself."""
    if workers == 1:
        for block in blocks:
            yield block, attempt(block, job)
        return
    pool = Pool(job, workers)
    try:
        yield from pool.results(blocks)
    except BaseException:
        pool.stop()
        raise
    pool.end()


def attempt(block: Block, job: Job) -> Done:
    """Clean a block; what it does not foresee fails the block, not the run."""
    try:
        return work(block, job)
    except (CleanerError, OSError):
        raise
    except Exception as error:
        return failed(block, job, "internal", f"{type(error).__name__}: {error}. Report this, with the record.")


def failed(block: Block, job: Job, reason: str, message: str) -> Done:
    """Return a block of which nothing was cleaned: every record named, with its bytes where they can be had."""
    source, found = block.sources[0], list(block.failures)
    if source.format == "jsonl":
        lines = block.data.split(b"\n")
        rows = [(n, line) for n, line in enumerate(lines) if line.strip()]
        found += [Failure(source.name, block.first + n, reason, message, line, True) for n, line in rows]
    elif source.format == "text":
        found += [Failure(one.name, 0, reason, message) for one in block.sources]
    else:
        found.append(Failure(source.name, block.first, reason, message, count=block.count))
    done = Done(failures=[one.named() for one in found], counts={"bytes": block.size})
    add(done.counts, count_failures(found))
    rows_out = b"".join(failed_row(one) for one in found)
    if "errors" in job.sides and rows_out:
        done.sinks["errors"] = compress(job.sides["errors"], rows_out)
    return done


def prepare(parent: int) -> None:
    """Make a worker leave Ctrl-C to its parent, and end when that is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=watch, daemon=True).start()


class Pool:
    """Worker processes, and the blocks that are under way."""

    def __init__(self, job: Job, workers: int) -> None:
        """Nothing is started yet."""
        self.job, self.workers = job, workers
        self.executor: Any = None

    def start(self, workers: int) -> Any:
        """Return the running executor, or a new one."""
        if self.executor is None:
            from multiprocessing.resource_tracker import ensure_running

            from joblib.externals.loky import ProcessPoolExecutor

            threads = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
            self.executor = ProcessPoolExecutor(
                workers, timeout=60, initializer=prepare, initargs=(os.getpid(),), env=threads
            )
            ensure_running()  # started later, it would unblock the signal
            before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # workers inherit this
            try:
                self.executor.submit(int)
            finally:
                signal.pthread_sigmask(signal.SIG_SETMASK, before)
        return self.executor

    def stop(self) -> None:
        """End all workers at once.

        They are killed by hand: loky's own ``kill_workers`` may end its thread with a KeyError where blocks
        still wait; the death of its workers it survives.
        """
        if self.executor is not None:
            for process in list((getattr(self.executor, "_processes", None) or {}).values()):
                with suppress(OSError):
                    os.kill(process.pid, signal.SIGKILL)
            for queue, end in (("_result_queue", "_writer"), ("_call_queue", "_reader")):
                with suppress(AttributeError, OSError):  # who waits for the other end learns that nobody is there
                    getattr(getattr(self.executor, queue), end).close()
            self.executor.shutdown(wait=True)
            self.executor = None

    def end(self) -> None:
        """Let the workers go; they have nothing left to do."""
        if self.executor is not None:
            self.executor.shutdown(wait=True)
            self.executor = None

    def results(self, blocks: Iterator[Block]) -> Iterator[tuple[Block, Done]]:
        """Yield every block with its result, in order."""
        from concurrent.futures import BrokenExecutor

        waiting: deque[tuple[Block, Any]] = deque()
        more = True
        while more or waiting:
            try:
                while more and len(waiting) < AHEAD * self.workers:
                    block = next(blocks, None)
                    if block is None:
                        more = False
                    else:
                        waiting.append((block, None))
                        waiting[-1] = (block, self.submit(block))
                if waiting:
                    result = self.result(waiting[0][1])
                    yield waiting.popleft()[0], result
            except BrokenExecutor:
                yield from self.repeated(waiting)

    def submit(self, block: Block) -> Any:
        """Have a worker clean a block.

        Where the program has come to its end and waits for its threads, this one among them, no worker is started or
        asked any more: the block is cleaned here.
        """
        from concurrent.futures import BrokenExecutor, Future

        try:
            return self.start(self.workers).submit(attempt, block, self.job)
        except BrokenExecutor:
            raise
        except RuntimeError:  # one of loky, or of the interpreter
            pass
        done: Future[Done] = Future()
        done.set_result(attempt(block, self.job))
        return done

    def result(self, future: Any) -> Done:
        """Return what a worker sends; raise BrokenExecutor if one was killed while it sent, which loky waits out."""
        from concurrent.futures import BrokenExecutor

        while not future.done():
            with suppress(TimeoutError):
                future.exception(timeout=PATIENCE)
            workers = list((getattr(self.executor, "_processes", None) or {}).values())
            if not future.done() and any(process.exitcode for process in workers):
                self.stop()
                raise BrokenExecutor("a worker was killed while it sent its result")
        done: Done = future.result()
        return done

    def repeated(self, waiting: deque[tuple[Block, Any]]) -> Iterator[tuple[Block, Done]]:
        """Work off the blocks that were under way when a worker was killed, each alone."""
        self.stop()
        while waiting:
            block, future = waiting.popleft()
            if future is not None and future.done() and future.exception() is None:
                yield block, future.result()
            else:
                yield block, self.alone(block)
        self.stop()

    def alone(self, block: Block) -> Done:
        """Clean a block that may have killed its worker; name it as failed if it does so again and again."""
        from concurrent.futures import BrokenExecutor

        for _ in range(REPEATS):
            try:
                return self.result(self.start(1).submit(attempt, block, self.job))
            except BrokenExecutor:
                self.stop()
        message = "its worker was killed three times, perhaps for lack of memory. Try fewer --workers."
        return failed(block, self.job, "killed", message)
