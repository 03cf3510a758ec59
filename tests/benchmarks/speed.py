"""How fast cleaner is beside rules, other cleaners and doing nothing; how time grows; how long a start takes.

    pip install '.[bench]'
    python tests/benchmarks/speed.py --megabytes 100

Real pages from `../shared/corpus` where it exists, else the invented ones, repeated to the size that is asked for;
each contender in a process of its own on one core, three rounds in turn, medians. Speeds are in seconds of the
processor, which other programs on the machine disturb less than the clock; only two workers go by the clock.
Writes `speed.json` and `speed.svg` beside this file. A contender whose package is missing is left out and named.
"""

import argparse
import json
import os
import platform
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from contenders import CONTENDERS

from cleaner.cleaning import Cleaner
from cleaner.corpus import read_labelled

ROOT = Path(__file__).parents[2]
CORPUS = ROOT.parent / "shared" / "corpus" / "valid"
HERE = Path(__file__).parent
#: What the library is to reach, as ratios of lines a second.
GOALS = {"c4": 1.5, "justext": 20, "winnow": 50, "textbook": 100, "floor": 0.25}
#: One thread; and compiled Python code is kept, as it is where cleaner is installed.
ENVIRONMENT = {
    **dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1"),
    "PYTHONDONTWRITEBYTECODE": "",
}
#: Lines a run of the growth plot, lines a document in it, bytes a line.
GROWTH: dict[str, list[int]] = {
    "lines": [10, 100, 1000, 10_000, 100_000, 1_000_000, 10_000_000],
    "lines a document": [1, 10, 100, 1000, 10_000, 100_000, 1_000_000],
    "bytes a line": [1, 10, 100, 1000, 10_000, 1_000_000, 50_000_000],
}
#: What is started: a program and its parameters.
STARTS = {
    "cleaner clean small.txt": ["cleaner", "clean", str(ROOT / "tests" / "example.txt")],
    "import sklearn.linear_model": ["python", "-c", "import sklearn.linear_model"],
    "python": ["python", "-c", "pass"],
}


def pages(folder: Path, megabytes: float) -> None:
    """Write the text as `pages.jsonl` and `pages.txt`."""
    source = CORPUS if CORPUS.is_dir() else ROOT / "training_data"
    documents = [document.text() for document in read_labelled([source])]
    random.Random(0).shuffle(documents)
    size, number = 0, 0
    records, text = folder / "pages.jsonl", folder / "pages.txt"
    with open(records, "w", encoding="utf-8") as jsonl, open(text, "w", encoding="utf-8") as plain:
        while size < megabytes * 1e6:
            document = documents[number % len(documents)].encode("utf-8", "replace").decode()
            jsonl.write(json.dumps({"id": number, "text": document}, ensure_ascii=False) + "\n")
            plain.write(document)
            number, size = number + 1, size + len(document.encode())


def pinned(words: list[str], core: int | None) -> subprocess.CompletedProcess[str]:
    """Run a process, on one core where the system can."""

    def pin() -> None:
        if core is not None and hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(0, {core})

    environment = {**os.environ, **ENVIRONMENT}
    return subprocess.run(words, capture_output=True, text=True, check=False, env=environment, preexec_fn=pin)


def compare(folder: Path, names: list[str], rounds: int, core: int) -> tuple[dict[str, Any], dict[str, str]]:
    """Return medians of all contenders, and of those that could not run the reason."""
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in names}
    missing: dict[str, str] = {}
    for number in range(rounds):
        for name in names:
            if name in missing:
                continue
            where = None if name.endswith("-2") else core
            done = pinned([sys.executable, str(HERE / "contenders.py"), name, str(folder)], where)
            if done.returncode:
                missing[name] = (done.stderr.strip().splitlines() or ["failed"])[-1]
                print(f"{name}: left out, {missing[name]}", file=sys.stderr)
                continue
            runs[name].append(json.loads(done.stdout))
            rate = runs[name][-1]["lines"] / runs[name][-1]["cpu_seconds"]
            print(f"round {number + 1}, {name}: {rate:,.0f} lines/s", file=sys.stderr)
    return {name: medians(found) for name, found in runs.items() if found}, missing


def medians(runs: list[dict[str, float]]) -> dict[str, float]:
    """Return the median speed of some runs, the largest memory, and how far the runs are apart."""
    rates = [run["lines"] / run["cpu_seconds"] for run in runs]
    middle = statistics.median(rates)
    return {
        "lines_per_second": middle,
        "megabytes_per_second": statistics.median(run["bytes"] / run["cpu_seconds"] / 1e6 for run in runs),
        "seconds": statistics.median(run["seconds"] for run in runs),
        "peak_mb": max(run["peak_mb"] for run in runs),
        "spread": (max(rates) - min(rates)) / middle,
        "lines": runs[0]["lines"],
    }


def ratios(found: dict[str, Any]) -> dict[str, float]:
    """Return how many times as fast as each contender the library is, and what the commands make of it."""
    if "library" not in found:
        return {}
    speed = {name: row["lines_per_second"] for name, row in found.items() if name != "command-jsonl-2"}
    out = {f"library / {name}": speed["library"] / speed[name] for name in GOALS if name in speed}
    out |= {f"{name} / library": speed[name] / speed["library"] for name in speed if name.startswith("command")}
    if "command-jsonl-2" in found and "command-jsonl" in found:
        out["two workers / one"] = found["command-jsonl"]["seconds"] / found["command-jsonl-2"]["seconds"]
    return out


def growth() -> dict[str, list[tuple[int, float]]]:
    """Return microseconds a line, and for long lines nanoseconds a byte, at every size; the processor's time."""
    cleaner = Cleaner.load()
    sentence = b"The ferry was back in service on Friday, the harbour office said, eleven days late.\n"
    cleaner.clean("x")
    out: dict[str, list[tuple[int, float]]] = {}
    for name, sizes in GROWTH.items():
        out[name] = []
        for size in sizes:
            if name == "lines":
                documents = [sentence * min(size, 60)] * max(1, size // 60)
            elif name == "lines a document":
                documents = [sentence * size] * max(1, 200_000 // size)
            else:
                documents = [(b"word " * (size // 5 + 1))[:size] + b"\n"] * max(1, 2_000_000 // (size + 1))
            count = sum(document.count(b"\n") for document in documents)
            units = count if name != "bytes a line" else sum(map(len, documents)) / 1000
            best = min(timed(cleaner, documents) for _ in range(3))
            out[name].append((size, best / units * 1e6))
            print(f"{name} {size:,}: {out[name][-1][1]:.3f}", file=sys.stderr)
    return out


def timed(cleaner: Cleaner, documents: list[bytes]) -> float:
    """Return the processor's seconds that cleaning takes."""
    started = time.process_time()
    for _ in cleaner.clean_bytes(documents):
        pass
    return time.process_time() - started


def starts(core: int) -> dict[str, float]:
    """Return the seconds that whole processes take, medians of seven."""
    out = {}
    for name, (program, *words) in STARTS.items():
        line = [str(Path(sys.executable).with_name(program)), *words]
        times = []
        for _ in range(7):
            started = time.perf_counter()
            pinned(line, core)
            times.append(time.perf_counter() - started)
        out[name] = statistics.median(times)
    return out


def machine() -> str:
    """Name the machine in words."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30 if hasattr(os, "sysconf") else 0
    system = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
    return f"{os.cpu_count()} cores, {memory:.0f} GB of memory, {system}; one core used"


def draw(found: dict[str, Any], grown: dict[str, list[tuple[int, float]]], path: Path) -> None:
    """Draw the speeds and the growth, where matplotlib is there."""
    try:
        import matplotlib as mpl
    except ImportError:
        print("no chart: pip install matplotlib", file=sys.stderr)
        return
    mpl.use("svg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, 1 + len(grown), figsize=(5 + 3 * len(grown), 3.4), layout="constrained")
    panels = list(axes) if grown else [axes]
    names = sorted(found, key=lambda name: found[name]["lines_per_second"])
    bars = panels[0].barh(names, [found[name]["lines_per_second"] for name in names], color="#8899aa")
    panels[0].bar_label(bars, fmt="{:,.0f}", fontsize=7, padding=2)
    panels[0].set(xscale="log", xlabel="lines a second, one core")
    for panel, (name, points) in zip(panels[1:], grown.items(), strict=True):
        panel.plot(*zip(*points, strict=True), marker="o", color="#334455")
        unit = "ns a byte" if name == "bytes a line" else "µs a line"
        panel.set(xscale="log", yscale="log", xlabel=name, ylabel=unit)
    figure.savefig(path)


def main() -> None:
    """Run what is asked for and write it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=float, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--core", type=int, default=0)
    parser.add_argument("--only", nargs="*", choices=sorted(CONTENDERS), default=list(CONTENDERS))
    parser.add_argument("--no-growth", action="store_true", help="neither growth nor start-up")
    parser.add_argument("--output", type=Path, default=HERE / "speed.json")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pages(folder, options.megabytes)
        found, missing = compare(folder, options.only, options.rounds, options.core)
    grown = {} if options.no_growth else growth()
    report = {
        "machine": machine(),
        "megabytes": options.megabytes,
        "rounds": options.rounds,
        "contenders": found,
        "left_out": missing,
        "ratios": ratios(found),
        "goals": GOALS,
        "growth": grown,
        "seconds_to_start": {} if options.no_growth else starts(options.core),
    }
    options.output.write_text(json.dumps(report, indent=1) + "\n", "utf-8")
    draw(found, grown, options.output.with_suffix(".svg"))
    for pair, ratio in ratios(found).items():
        print(f"{pair}: {ratio:.2f}")


if __name__ == "__main__":
    main()
