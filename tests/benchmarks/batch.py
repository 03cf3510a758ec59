"""Throughput and memory of batch runs: python tests/benchmarks/batch.py [GIGABYTES]

Makes JSONL of invented documents, cleans it with one worker and with two, and the same texts by the library in
one process; prints MB/s, documents/s, and the highest memory of a worker and of its parent (resident, by
/proc: proportional share, so that arrays mapped by all are counted once). The default is 0.3 GB. Writes batch.json.
"""

import contextlib
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from documents import jsonl
from speed import machine

from cleaner.cleaning import Cleaner

COMMAND = str(Path(sys.executable).with_name("cleaner"))
OUTPUT = Path(__file__).with_name("batch.json")
STEP = 2000  # documents that are made in one go, and repeated


def make(path: Path, size: float) -> int:
    """Write so many bytes; returns the number of documents."""
    block = jsonl(path, STEP).read_bytes()
    times = max(1, round(size / len(block)))
    with path.open("wb") as file:
        for _ in range(times):
            file.write(block)
    return times * STEP


def memory(pid: int) -> float:
    """Return the proportional memory of a process in MB; 0 if it is gone."""
    with contextlib.suppress(OSError, IndexError, ValueError):
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
        return int(text.split("Pss:")[1].split()[0]) / 1000
    return 0.0


def children(pid: int) -> list[int]:
    """Return the processes that a process has started."""
    found: list[int] = []
    with contextlib.suppress(OSError):
        for thread in Path(f"/proc/{pid}/task").iterdir():
            found += map(int, (thread / "children").read_text().split())
    return found


def processor() -> float:
    """Return the processor seconds of all processes that have ended so far."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def run(source: Path, workers: int) -> tuple[float, float, float, float]:
    """Return seconds, processor seconds, and the highest memory of the process itself and of any child, in MB."""
    out = source.with_suffix(f".{workers}.jsonl")
    begin, before = time.perf_counter(), processor()
    own = child = 0.0
    with subprocess.Popen([COMMAND, "clean", source, "-o", out, "-j", str(workers), "-q"]) as process:
        while process.poll() is None:
            own = max(own, memory(process.pid))
            child = max([child, *map(memory, children(process.pid))])
            time.sleep(1)
    seconds = time.perf_counter() - begin
    assert process.returncode == 0
    out.unlink()
    return seconds, processor() - before, own, child


def library(source: Path) -> float:
    """Return the documents a second that the library cleans, on one core, the median of five rounds."""
    documents = [json.loads(row)["text"].encode() for row in source.open("rb").readlines(40_000_000)]
    cleaner = Cleaner.load()
    cleaner.clean("The kernels are compiled now, if they were not.")
    rounds = []
    for _ in range(5):
        begin = time.perf_counter()
        for _ in cleaner.clean_bytes(documents):
            pass
        rounds.append(len(documents) / (time.perf_counter() - begin))
    return statistics.median(rounds)


def main() -> None:
    """Print a table and write it as JSON."""
    size = float(sys.argv[1]) if len(sys.argv) > 1 else 0.3
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "a.jsonl"
        documents = make(source, size * 1e9)
        megabytes = source.stat().st_size / 1e6
        alone = library(source)
        print(f"{megabytes:,.0f} MB, {documents:,} documents; library, one core: {alone:,.0f} documents/s")
        found: dict[str, Any] = {
            "machine": machine().partition(";")[0],
            "megabytes": round(megabytes),
            "documents": documents,
        }
        first = 0.0
        for workers in (1, 2):
            seconds, busy, own, child = run(source, workers)
            first = first or seconds
            found[f"workers_{workers}"] = {
                "seconds": round(seconds, 1),
                "processor_seconds": round(busy, 1),
                "times_one": round(first / seconds, 3),
                "of_the_library": round(documents / seconds / alone, 3),
                "memory_mb": round(own),
                "memory_mb_each_worker": round(child),
            }
            print(
                f"{workers} worker(s): {seconds:6.1f} s, {megabytes / seconds:5.1f} MB/s, "
                f"{documents / seconds:,.0f} documents/s ({documents / seconds / alone:.2f} of the library), "
                f"{first / seconds:.2f} times one; processor {busy:.1f} s; "
                f"memory: {own:.0f} MB, each worker {child:.0f} MB",
                flush=True,
            )
    OUTPUT.write_text(json.dumps(found, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
