"""What each part of model and data is worth: leave it out, train again, measure on pages of unseen sites.

    python tests/benchmarks/ablations.py features tables sources languages invented

Each word is a table of runs; the figures are added to ablations.json, and tables.svg is drawn.
`features` fits only heads again, `tables` text table and head, once each; the others train whole models, a minute
or two each. All use fewer views, folds and epochs than the shipped model, and compare with a model trained like that.
"""

import argparse
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from feature_groups import draft_groups, final_groups

from cleaner.alike import without_shared
from cleaner.classifier import LineClassifier
from cleaner.cleaning import Cleaner
from cleaner.corpus import LabelledDocument, fold_of, read_labelled
from cleaner.evaluation import figures, measure
from cleaner.features import text_scores
from cleaner.model import Model
from cleaner.model_files import FORMAT
from cleaner.network import Inputs, joined_rows, softmax
from cleaner.sampling import Part, head_rows, label_order, read_part, split
from cleaner.training import Begun, Options, fit, fit_draft, fit_text

ROOT = Path(__file__).parents[2]
CORPUS = ROOT.parent / "shared" / "corpus"
OUTPUT = Path(__file__).with_name("ablations.json")
#: Fewer folds and epochs than the shipped model has: differences count, not levels.
QUICK = Options(folds=2, rows=2**18, text_epochs=5, epochs=4, teacher_hidden=64, teacher_members=1)
#: And fewer views of the real pages.
VIEWS = ("", "extract", "page", "resiliparse", "trafilatura")
#: Languages whose whole pages have fewer words of the body are not left out: their figures would say nothing.
WORDS = 300
#: Lines and times that a head's speed is measured by; more lines would measure how memory is got.
TIMED, TIMES = 4096, 5
#: No probability counts less than this in a log loss.
LEAST = 1e-6
Floats = npt.NDArray[np.float32]
#: Inputs of a head, their labels and weights.
Rows = tuple[Floats, Any, Floats]


def summary(scores: dict[str, Any]) -> dict[str, float]:
    """Return the figures that a run is compared by."""
    found = {f"{label} F1": row["f1"] for label, row in scores["labels"].items()}
    found |= {"mean F1": scores["macro_f1"], "pages, body F1": scores["pages"]["body_f1"]}
    return found | {f"extracts, {name}": scores["extracts"][name] for name in ("body_recall", "removal_recall")}


def whole_run(training: Sequence[LabelledDocument], tests: Sequence[LabelledDocument]) -> dict[str, Any]:
    """Train on some documents and measure on others."""
    model = fit(training, QUICK, lambda step, share: None)
    return figures(measure(tests, Cleaner(model)))


def sources(training: Sequence[LabelledDocument], tests: Sequence[LabelledDocument]) -> Iterator[tuple[str, Any]]:
    """Leave each source of data out in turn."""
    yield "all", summary(whole_run(training, tests))
    for source in sorted({document.source for document in training}):
        rest = [document for document in training if document.source != source]
        yield f"without {source}", summary(whole_run(rest, tests))


def invented(training: Sequence[LabelledDocument], tests: Sequence[LabelledDocument]) -> Iterator[tuple[str, Any]]:
    """Train with none, a quarter, half and all of the invented sites."""
    for parts in (0, 1, 2, 4):
        some = [d for d in training if d.source != "invented" or fold_of(d.site + "curve", 4) < parts]
        yield f"{parts}/4 of the invented sites", summary(whole_run(some, tests))


def languages(training: Sequence[LabelledDocument], tests: Sequence[LabelledDocument]) -> Iterator[tuple[str, Any]]:
    """Leave each language out of training and measure on its pages, with and without."""
    known = whole_run(training, tests)["by_language_pages"]
    for language in sorted(name for name, row in known.items() if row["body_words"] >= WORDS):
        rest = [document for document in training if document.language != language]
        own = [document for document in tests if document.language == language]
        unknown = whole_run(rest, own)["by_language_pages"][language]
        names = ("body_f1", "body_recall", "lost")
        yield (
            language,
            {
                **{f"{name}, known": known[language][name] for name in names},
                **{f"{name}, unknown": unknown[name] for name in names},
                "body_f1, uncleaned": known[language]["body_f1_uncleaned"],
            },
        )


def features(training: Sequence[LabelledDocument], tests: Sequence[LabelledDocument]) -> Iterator[tuple[str, Any]]:
    """Leave each group of features out of each head, and change the size of its hidden layer.

    Both heads learn by the labels alone, and of all lines.
    """
    begun = fit_draft(training, QUICK, lambda step, share: None)
    model, test = begun.model, read_part(list(tests), begun.model.labels)
    model.arrays.update(begun.draft.head.arrays(len(model.labels), "draft"))
    drafts, seen = [softmax(logits) for logits in begun.draft.logits], model.see(test.batch)
    draft = model.judge("draft", model.draft_inputs(seen), len(test.batch)).copy()
    size = (len(model.table.scale), len(model.labels))

    data = rows_for(begun, lambda number: model.draft_inputs(begun.seen[number]))
    yield from one_out("draft", data, joined_rows(model.draft_inputs(seen)), test, draft_groups(*size))
    data = rows_for(begun, lambda number: model.final_inputs(begun.seen[number], drafts[number]))
    yield from one_out("final", data, joined_rows(model.final_inputs(seen, draft)), test, final_groups(*size))


def rows_for(begun: Begun, inputs: Callable[[int], Inputs]) -> Rows:
    """Return what a head trains on, ``inputs`` being what it sees of each fold."""
    return (
        np.concatenate([joined_rows(inputs(number))[chosen] for number, chosen in enumerate(begun.rows.chosen)]),
        np.concatenate([part.label[chosen] for part, chosen in zip(begun.parts, begun.rows.chosen, strict=True)]),
        np.concatenate(begun.rows.weight),
    )


def one_out(
    name: str, data: Rows, inputs: Floats, test: Part, groups: dict[str, list[int]]
) -> Iterator[tuple[str, dict[str, float]]]:
    """Fit a head on all columns, without each group and with hidden layers of other sizes."""
    yield f"{name} head, all", one_head(data, inputs, test, QUICK.draft)
    for group, columns in groups.items():
        yield f"{name} head, without {group}", one_head(data, inputs, test, QUICK.draft, columns)
    for hidden in (16, 32, 128):
        head = replace(QUICK, draft_hidden=hidden).draft
        yield f"{name} head, {hidden} hidden units", one_head(data, inputs, test, head)


def head_data(parts: Sequence[Part], labels: list[str], options: Options) -> tuple[Model, Rows]:
    """Fit the text table and the first pass; return them and what the draft head trains on, out of fold."""
    arrays, scores = fit_text(parts, labels, options, lambda step, share: None)
    model = Model(arrays, {"format": FORMAT, "features": 0, "labels": labels})
    rng = np.random.default_rng(options.seed)
    x, y, weight = [], [], []
    for part, score in zip(parts, scores, strict=True):
        chosen, heavy = head_rows(part, options.page_junk, rng)
        x.append(rows_of(model, part, score)[chosen])
        y.append(part.label[chosen])
        weight.append(heavy)
    return model, (np.concatenate(x), np.concatenate(y), np.concatenate(weight))


def tables(training: Sequence[LabelledDocument], tests: Sequence[LabelledDocument]) -> Iterator[tuple[str, Any]]:
    """Change the number of rows of the text table, and the numbers that its weights are stored as."""
    labels = label_order(training)
    parts = [read_part(fold, labels) for fold in split(training, QUICK.folds, QUICK.seed)]
    test = read_part(list(tests), labels)
    for power in range(14, 21):
        options = replace(QUICK, rows=2**power)
        model, data = head_data(parts, labels, options)
        head = options.head().fit(data[0], data[1], sample_weight=data[2])
        for name, table in stored(model.arrays["table"].astype(np.float32)).items():
            rounded = Model({**model.arrays, "table": table}, model.card)
            row = scored(head, rows_of(rounded, test, None), test)
            spent = seconds(partial(text_scores, test.batch.tokens, rounded.table))
            row["nanoseconds a token"] = 1e9 * spent / len(test.batch.tokens.word)
            yield f"2^{power} rows, {name}", row | {"megabytes": table.size * np.dtype(name).itemsize / 1e6}


def stored(table: Floats) -> dict[str, Floats]:
    """Return a table as it comes back from each type of number that it may be stored as."""
    scale = np.maximum(np.abs(table).max(axis=0), np.float32(1e-20)) / np.float32(127)
    return {
        "float32": table,
        "float16": table.astype(np.float16).astype(np.float32),
        "int8": np.rint(table / scale).astype(np.int8) * scale,
    }


def rows_of(model: Model, part: Part, scores: Floats | None) -> Floats:
    """Return the draft head's inputs."""
    return np.concatenate([rows for _, rows in model.draft_inputs(model.see(part.batch, scores))])


def one_head(
    data: Rows,
    inputs: Floats,
    test: Part,
    head: Callable[[], LineClassifier],
    out: Sequence[int] = (),
) -> dict[str, float]:
    """Fit a head without some columns and return its figures."""
    use = np.setdiff1d(np.arange(inputs.shape[1]), np.asarray(out, np.int64))
    fitted = head().fit(data[0][:, use], data[1], sample_weight=data[2])
    return scored(fitted, inputs[:, use], test)


def scored(head: LineClassifier, rows: Floats, test: Part) -> dict[str, float]:
    """Return log loss and F1 of each label by a head, and microseconds a line."""
    shares, spent = softmax(head.logits(rows)), seconds(partial(head.logits, rows[:TIMED]))
    truth, weight, shares = test.label[test.sure], test.weight[test.sure], shares[test.sure]
    size, found = shares.shape[1], shares.argmax(axis=1)
    counts = np.bincount(truth * size + found, minlength=size * size).reshape(size, size)
    f1 = 2 * counts.diagonal() / np.maximum(counts.sum(axis=0) + counts.sum(axis=1), 1)
    loss = -np.average(np.log(np.maximum(shares[np.arange(len(truth)), truth], LEAST)), weights=weight)
    labels = label_order(test.documents)
    out = {f"{label} F1": value for label, value in zip(labels, f1.tolist(), strict=True)}
    figures_of = {"log loss": float(loss), **out, "mean F1": float(f1.mean())}
    return figures_of | {"microseconds a line": 1e6 * spent / len(rows[:TIMED])}


def seconds(run: Callable[[], Any]) -> float:
    """Return how long something takes of the processor's time, the least of some times."""
    times = []
    for _ in range(TIMES):
        begin = time.process_time()
        run()
        times.append(time.process_time() - begin)
    return min(times)


def main() -> None:
    """Run the tables that are asked for."""
    kinds = {"features": features, "tables": tables, "sources": sources, "languages": languages, "invented": invented}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tables", nargs="+", choices=sorted(kinds))
    options = parser.parse_args()
    training = read_labelled([ROOT / "training_data", CORPUS / "train"])
    tests = read_labelled([CORPUS / "valid"])
    training, _ = without_shared([document for document in training if document.view in VIEWS], tests)
    found = json.loads(OUTPUT.read_text("utf-8")) if OUTPUT.exists() else {}
    for name in options.tables:
        rows = found[name] = {}
        for key, row in kinds[name](training, tests):
            rows[key] = row
            print(name, key, {k: round(v, 4) for k, v in row.items()}, flush=True)
            OUTPUT.write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    if "tables" in found:
        draw(found["tables"], OUTPUT.with_name("tables.svg"))


def draw(rows: dict[str, Any], path: Path) -> None:
    """Draw mean F1 over the size of the text table, a line for each type of number."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "tables"
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(6, 3.4))
    for name in ("float32", "float16", "int8"):
        points = [(row["megabytes"], row["mean F1"]) for key, row in rows.items() if key.endswith(name)]
        axes.plot(*zip(*points, strict=True), marker="o", label=name)
    axes.set(xscale="log", xlabel="text table, megabytes (2^14 to 2^20 rows)", ylabel="mean F1 of the labels")
    axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, bbox_inches="tight", metadata={"Date": None})


if __name__ == "__main__":
    main()
