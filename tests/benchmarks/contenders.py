"""What is compared: each contender is one function over documents, run alone in a process that `speed.py` starts.

    python tests/benchmarks/contenders.py NAME FOLDER

prints lines, bytes, seconds, the processor's seconds and peak memory as JSON. ``FOLDER`` has `pages.jsonl` and
`pages.txt`. Packages load and models get ready before the clock starts; the commands' time is that of whole processes.
"""

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

__all__ = ["CONTENDERS", "SHARES"]

#: The share of the text that slow contenders get, so that a round takes minutes.
SHARES = {"justext": 0.05, "winnow": 0.02, "textbook": 0.01}


def library(documents: list[str]) -> Callable[[], None]:
    """Clean through the library."""
    from cleaner.cleaning import Cleaner

    cleaner, data = Cleaner.load(), [document.encode() for document in documents]
    consume(cleaner.clean_bytes(data[:20]))
    return lambda: consume(cleaner.clean_bytes(data))


def c4(documents: list[str]) -> Callable[[], None]:
    """Filter by the C4 line rules, without those that drop whole documents."""
    from datatrove.data import Document
    from datatrove.pipeline.filters import C4QualityFilter

    rules = C4QualityFilter(min_num_sentences=-1, filter_curly_bracket=False, filter_lorem_ipsum=False)
    given = [Document(text=document, id=str(number)) for number, document in enumerate(documents)]
    return lambda: consume(rules.filter(document) for document in given)


def justext(documents: list[str]) -> Callable[[], None]:
    """Classify each line as a paragraph of a page that has nothing else."""
    import justext

    words = justext.get_stoplist("English")
    pages = [
        "<html><body>" + "".join(f"<p>{escaped(line)}</p>" for line in document.splitlines()) + "</body></html>"
        for document in documents
    ]
    return lambda: consume(justext.justext(page, words) for page in pages)


def winnow(documents: list[str]) -> Callable[[], None]:
    """Clean as Markdown."""
    import winnow

    return lambda: consume(winnow.clean(document) for document in documents)


def textbook(documents: list[str]) -> Callable[[], None]:
    """Classify each line as scikit-learn's user guide would: hashed words and characters, logistic regression."""
    import numpy as np
    from sklearn.feature_extraction.text import HashingVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline, make_union

    grams = make_union(HashingVectorizer(ngram_range=(1, 2)), HashingVectorizer(analyzer="char", ngram_range=(3, 5)))
    pipeline = make_pipeline(grams, LogisticRegression(max_iter=5))
    lines = [line for document in documents for line in document.splitlines()]
    pipeline.fit(lines[:200], np.arange(200) % 5)
    return lambda: consume(pipeline.predict(document.splitlines()) for document in documents if document.strip())


def floor(documents: list[str]) -> Callable[[], None]:
    """Decode, cut into lines and join them again."""
    data = [document.encode() for document in documents]
    return lambda: consume("".join(one.decode().splitlines(keepends=True)).encode() for one in data)


def command(name: str, *options: str) -> Callable[[Path], None]:
    """Run `cleaner clean` on a file of the folder."""

    def run(folder: Path) -> None:
        out = folder / f"out-{name}"
        words = [str(Path(sys.executable).with_name("cleaner")), "clean", str(folder / name), "-o", str(out), *options]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        out.unlink(missing_ok=True)
        if done.returncode:
            raise SystemExit(f"{' '.join(words[1:])}: {done.stderr.strip().splitlines()[-1:]}")

    return run


#: By name: over documents, or over the folder that has them.
CONTENDERS: dict[str, Callable[[list[str]], Callable[[], None]] | Callable[[Path], None]] = {
    "library": library,
    "command-jsonl": command("pages.jsonl", "--quiet"),
    "command-jsonl-2": command("pages.jsonl", "--quiet", "--workers", "2"),
    "command-text": command("pages.txt"),
    "c4": c4,
    "justext": justext,
    "winnow": winnow,
    "textbook": textbook,
    "floor": floor,
}


def consume(items: Iterable[object]) -> None:
    """Run through all."""
    for _ in items:
        pass


def escaped(line: str) -> str:
    """Return a line as HTML."""
    return line.replace("&", "&amp;").replace("<", "&lt;")


def measure(name: str, folder: Path) -> dict[str, float]:
    """Run a contender once and return its figures."""
    with open(folder / "pages.jsonl", encoding="utf-8") as file:
        documents = [json.loads(line)["text"] for line in file]
    documents = documents[: max(1, int(len(documents) * SHARES.get(name, 1)))]
    lines, size = sum(len(one.splitlines()) for one in documents), sum(len(one.encode()) for one in documents)
    run: Callable[[], None] | None
    if name.startswith("command"):
        del documents
        who, chosen = resource.RUSAGE_CHILDREN, CONTENDERS[name]
        run = partial(chosen, folder)  # type: ignore[arg-type, assignment]
    else:
        who, run = resource.RUSAGE_SELF, CONTENDERS[name](documents)  # type: ignore[arg-type]
    assert run is not None
    before, started = cpu(who), time.perf_counter()
    run()
    seconds, used = time.perf_counter() - started, cpu(who) - before
    peak = resource.getrusage(who).ru_maxrss / 1000
    return {"lines": lines, "bytes": size, "seconds": seconds, "cpu_seconds": used, "peak_mb": peak}


def cpu(who: int) -> float:
    """Return the processor's seconds that this process or its children have used."""
    usage = resource.getrusage(who)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1], Path(sys.argv[2]))))
