"""What compiled kernels gain over plain numpy, and what they cost: python tests/benchmarks/compiled.py

Throughput of the sums over the text table, the pass that takes most of the time, by the kernel and by array operations
in pieces that fit the cache, on the same tokens in turn; seconds to start; megabytes on disk. One core, medians.
"""

import subprocess
import sys
import time
from collections.abc import Callable
from importlib.metadata import files
from pathlib import Path
from statistics import median

import numpy as np
import numpy.typing as npt

from cleaner.cleaning import Cleaner, encode
from cleaner.corpus import read_labelled
from cleaner.features import EDGE_TOKENS, Batch, Table, Tokens, text_scores
from cleaner.model_files import columns_of

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests"))
from reference import token_rows  # noqa: E402 - lies beside the tests

Floats = npt.NDArray[np.float32]
#: Documents of a piece, rounds, and what starts: only numpy; numba as it is; cleaner with its kept object code.
PIECE, ROUNDS = 8, 5
STARTS = ("import numpy", "import numba", "import cleaner; cleaner.clean('x')")
PACKAGES = ("numpy", "llvmlite", "numba")


def numpy_sums(tokens: Tokens, table: Floats) -> Floats:
    """Return the sums of each line and of its first and last tokens, without the roots of the counts."""
    rows, there = token_rows(tokens, len(table) - 1)
    values = np.where(there[:, :, None], table[rows], np.float32(0)).sum(axis=1)
    upto = np.concatenate([np.zeros((1, table.shape[1])), np.cumsum(values, axis=0, dtype=np.float64)])
    begin, end = tokens.first[:-1], tokens.first[1:]
    spans = ((begin, end), (begin, np.minimum(begin + EDGE_TOKENS, end)), (np.maximum(end - EDGE_TOKENS, begin), end))
    return np.concatenate([upto[last] - upto[first] for first, last in spans], axis=1).astype(np.float32)


def kernel_sums(tokens: Tokens, table: Table) -> Floats:
    """Return the same by the kernel, with roots and the line as a whole besides."""
    out = np.empty((len(tokens.first) - 1, 3 * len(table.scale)), np.float32)
    text_scores(tokens, table, out)
    return out


def seconds(run: Callable[[], object]) -> float:
    """Return how long something takes, of the processor's time."""
    begin = time.process_time()
    run()
    return time.process_time() - begin


def main() -> None:
    """Print the figures."""
    model = Cleaner.load().model
    data = [encode(document.text()) for document in read_labelled([ROOT / "training_data"])]
    batches: list[Batch] = [model.read(data[at : at + PIECE]) for at in range(0, len(data), PIECE)]
    table = columns_of(model.arrays).astype(np.float32)
    ways: dict[str, Callable[[], object]] = {
        "numpy": lambda: [numpy_sums(one.tokens, table) for one in batches],
        "kernel": lambda: [kernel_sums(one.tokens, model.table) for one in batches],
    }
    size = sum(map(len, data)) / 1e6
    rounds = [{name: size / seconds(run) for name, run in ways.items()} for _ in range(ROUNDS)]
    for name in ways:
        print(f"{name}: {median(row[name] for row in rounds):.1f} MB/s")
    print(f"kernel / numpy: {median(row['kernel'] / row['numpy'] for row in rounds):.1f}")
    for statement in STARTS:
        times = []
        for _ in range(ROUNDS):
            begin = time.perf_counter()
            subprocess.run([sys.executable, "-c", statement], check=True)
            times.append(time.perf_counter() - begin)
        print(f"{statement}: {median(times):.2f} s")
    for package in PACKAGES:
        places = [Path(str(one.locate())) for one in files(package) or []]
        print(f"{package}: {sum(place.stat().st_size for place in places if place.exists()) / 1e6:.0f} MB on disk")


if __name__ == "__main__":
    main()
