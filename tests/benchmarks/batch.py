"""Throughput and memory of batch runs: python tests/benchmarks/batch.py [GIGABYTES]

Makes JSONL of invented documents, cleans it with one worker and with two, and the same texts by the library in
one process; prints MB/s, documents/s, and the highest memory of a worker and of its parent (resident, by
/proc: proportional share, so that arrays mapped by all are counted once). The default is 0.3 GB.
"""

import contextlib
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from documents import jsonl
from threadpoolctl import threadpool_limits

from cleaner.cleaning import Cleaner

COMMAND = str(Path(sys.executable).with_name("cleaner"))
STEP = 2000  # documents that are made in one go, and repeated


def make(path: Path, size: float) -> int:
    """Write so many bytes; returns the number of documents."""
    block = jsonl(path, STEP).read_bytes()
    times = max(1, round(size / len(block)))
    with path.open("wb") as file:
        for _ in range(times):
            file.write(block)
    return times * STEP


def memory(pid: int) -> tuple[float, int]:
    """Return the proportional memory of a process in MB, and its parent."""
    with contextlib.suppress(OSError, IndexError, ValueError):
        rows = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        used = next(int(row.split()[1]) / 1e3 for row in rows if row.startswith("Pss:"))
        return used, int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    return 0.0, 0


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
            own = max(own, memory(process.pid)[0])
            for folder in Path("/proc").glob("[0-9]*"):
                used, parent = memory(int(folder.name))
                child = max(child, used if parent == process.pid else 0.0)
            time.sleep(0.2)
    seconds = time.perf_counter() - begin
    assert process.returncode == 0
    out.unlink()
    return seconds, processor() - before, own, child


def library(source: Path) -> float:
    """Return the bytes of text a second that the library cleans, on one core."""
    documents = [json.loads(row)["text"].encode() for row in source.open("rb").readlines(40_000_000)]
    cleaner = Cleaner.load()
    begin = time.perf_counter()
    with threadpool_limits(1):
        for _ in cleaner.clean_bytes(documents):
            pass
    return len(documents) / (time.perf_counter() - begin)


def main() -> None:
    """Print a table."""
    size = float(sys.argv[1]) if len(sys.argv) > 1 else 0.3
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "a.jsonl"
        documents = make(source, size * 1e9)
        megabytes = source.stat().st_size / 1e6
        alone = library(source)
        print(f"{megabytes:,.0f} MB, {documents:,} documents; library, one core: {alone:,.0f} documents/s")
        first = 0.0
        for workers in (1, 2):
            seconds, busy, own, child = run(source, workers)
            first = first or seconds
            print(
                f"{workers} worker(s): {seconds:6.1f} s, {megabytes / seconds:5.1f} MB/s, "
                f"{documents / seconds:,.0f} documents/s ({documents / seconds / alone:.2f} of the library), "
                f"{first / seconds:.2f} times one; processor {busy:.1f} s; "
                f"memory: {own:.0f} MB, each worker {child:.0f} MB"
            )


if __name__ == "__main__":
    main()
