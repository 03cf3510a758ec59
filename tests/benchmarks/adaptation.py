"""What adapting to a site brings: errors on its other documents after 2, 5, 10 and 20 labelled ones.

    python tests/benchmarks/adaptation.py --train-base /tmp/base       # once: a base that has seen none of the sites
    python tests/benchmarks/adaptation.py --base /tmp/base

Each site of the corpus with at least 20 documents, two views of each, and the invented ones in `sites/`. The
base is adapted to some documents, drawn at random, and both are measured on the rest. *gated* counts the base where
`cleaner train` would not have written the model. Lines whose text the site's own labels call body here and something
else there are left out of training and of figures; `all_lines` has the figures with them. Writes adaptation.json
and, with matplotlib (extra `bench`), adaptation.svg.
"""

import argparse
import json
import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from cleaner.adaptation import Adapting
from cleaner.alike import without_shared
from cleaner.cleaning import Cleaner
from cleaner.corpus import LabelledDocument, fold_of, read_labelled
from cleaner.evaluation import measure, summary
from cleaner.labels import BODY
from cleaner.model import Model
from cleaner.training import Options, fit
from cleaner.trial import try_out

ROOT = Path(__file__).parents[2]
CORPUS = ROOT.parent / "shared" / "corpus"
OUTPUT = Path(__file__).with_name("adaptation.json")
#: Invented sites with strong conventions of their own, which no base trains on.
SITES = Path(__file__).with_name("sites")
#: A site must have so many documents; a test so many after those that the model is adapted to.
DOCUMENTS, REST = 20, 4
SIZES = (2, 5, 10, 20)
VIEWS = ("page", "trafilatura", "extract")
#: Differences count here, not levels: fewer views, folds and epochs than the shipped model has.
QUICK = Options(folds=3, text_epochs=5, epochs=5)
BASE_VIEWS = ("page", "html-text", "trafilatura", "readability", "extract")


def big_sites(documents: Sequence[LabelledDocument]) -> dict[str, list[LabelledDocument]]:
    """Return the documents of each site that has many."""
    found: defaultdict[str, list[LabelledDocument]] = defaultdict(list)
    for document in documents:
        found[document.site].append(document)
    return {site: some for site, some in sorted(found.items()) if len({one.id for one in some}) >= DOCUMENTS}


def train_base(folder: Path) -> None:
    """Train a small model on all sites but the big ones."""
    training, tests = read_labelled([ROOT / "training_data", CORPUS / "train"]), read_labelled([CORPUS / "valid"])
    big = big_sites([one for one in training if one.source != "invented"])
    rest = [one for one in training if one.site not in big and one.view in BASE_VIEWS]
    rest, _ = without_shared(rest, tests)
    fit(rest, QUICK, lambda step, share: print(f"{share:4.0%} {step}", flush=True)).save(folder)


def settled(documents: Sequence[LabelledDocument]) -> list[LabelledDocument]:
    """Return documents whose lines that the same site's labels call body here and not there are weak."""
    seen: defaultdict[str, set[bool]] = defaultdict(set)
    for one in documents:
        for line, label, weak in zip(one.lines, one.labels, one.weak, strict=True):
            if not weak:
                seen[line].add(label == BODY)
    return [
        replace(one, weak=tuple(w or len(seen[t]) > 1 for t, w in zip(one.lines, one.weak, strict=True)))
        for one in documents
    ]


def wrong(model: Model, documents: Sequence[LabelledDocument]) -> int:
    """Return the words wrongly kept or dropped."""
    return int(summary(measure(documents, Cleaner(model)))["errors"]["keep_or_drop"])


def one_run(
    base: Model,
    documents: list[LabelledDocument],
    ids: set[str],
    general: Sequence[LabelledDocument],
    known: dict[str, Any],
) -> dict[str, Any]:
    """Adapt a base to the documents with the ids and measure both on the rest; ``known`` are its general figures."""
    clean = settled(documents)
    mine = [one for one in clean if one.id in ids]
    trial = try_out(base, mine, Adapting())
    model = trial.model
    rest, raw = ([one for one in some if one.id not in ids] for some in (clean, documents))
    scores = (known, summary(measure(general, Cleaner(model))))
    return {
        "lines": sum(len(one.lines) for one in mine),
        "before": wrong(base, rest),
        "after": wrong(model, rest),
        "all_lines": [wrong(base, raw), wrong(model, raw)],
        "words": int(summary(measure(rest, Cleaner(base)))["errors"]["words"]),
        "share": trial.share,
        "held_out": [one["by_fold"] for one in trial.hers or ()],
        "refused": trial.refused,
        "general": scores[1]["body_f1"] - scores[0]["body_f1"],
        "general_mean_f1": scores[1]["macro_f1"] - scores[0]["macro_f1"],
    }


def groups(runs: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return the runs of all sites, of the real and of the invented ones."""
    real = {site: row for site, row in runs.items() if not (SITES / site).is_dir()}
    return {"all": runs, "real": real, "invented": {site: row for site, row in runs.items() if site not in real}}


def averages(runs: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return for each size the mean over sites, as it comes and with the base where the model would not be written."""
    found = {}
    for size in SIZES:
        rows = [row[str(size)] for row in runs.values() if str(size) in row]
        if not rows:
            continue
        ratio = np.array([row["after"] / max(row["before"], 1) for row in rows])
        raw = np.array([row["all_lines"][1] / max(row["all_lines"][0], 1) for row in rows])
        gate = np.array([not row["refused"] for row in rows])
        general = np.array([row["general"] for row in rows])
        before, after, words = (np.array([row[key] for row in rows]) for key in ("before", "after", "words"))
        left = np.where(gate, after, before)
        found[str(size)] = {
            "sites": len(rows),
            "written": int(gate.sum()),
            "mean_ratio": float(ratio.mean()),
            "mean_ratio_gated": float(np.where(gate, ratio, 1).mean()),
            "mean_ratio_gated_all_lines": float(np.where(gate, raw, 1).mean()),
            "ratio_of_sums_gated": float(left.sum() / max(before.sum(), 1)),
            "errors_in_1000_words": [float(1000 * (one / words).mean()) for one in (before, left)],
            "worse_gated": int((gate & (after > before)).sum()),
            "general_gated": float(np.where(gate, general, 0).mean()),
            "general_gated_worst": float(np.where(gate, general, 0).min()),
        }
    return found


def draw(found: dict[str, Any], path: Path) -> None:
    """Draw the share of errors left: each site, and both kinds of site by their mean errors in 1,000 words."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "adaptation"
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(6, 3.4))
    for name, colour in (("real", "#0b5394"), ("invented", "#b45f06")):
        for row in groups(found["sites"])[name].values():
            left = [one["after"] / max(one["before"], 1) if not one["refused"] else 1 for one in row.values()]
            axes.plot([0, *map(int, row)], [1, *left], color=colour, alpha=0.25, linewidth=1)
        pairs = [row["errors_in_1000_words"] for row in found["averages"][name].values()]
        sizes = [0, *map(int, found["averages"][name])]
        means = [1, *(after / before for before, after in pairs)]
        axes.plot(sizes, means, color=colour, linewidth=2.5, marker="o", label=f"{name} sites")
    axes.legend(frameon=False)
    axes.set(xlabel="labelled documents of the site", ylabel="errors left, share of words", ylim=(0, 1.6))
    axes.set_xticks([0, *SIZES])
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, bbox_inches="tight", metadata={"Date": None})


def main() -> None:
    """Train a base, or run the sites."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--train-base", type=Path, help="train a base without the sites, write it here and stop")
    parser.add_argument("--base", default="default", help="the model to adapt; it should not have seen the sites")
    parser.add_argument("--only", nargs="*", default=[], help="these sites alone, into what the file has already")
    options = parser.parse_args()
    if options.train_base:
        train_base(options.train_base)
        return
    base = Model.load(options.base)
    general = [one for one in read_labelled([CORPUS / "valid"]) if one.view in VIEWS and fold_of(one.id, 2) == 0]
    known = summary(measure(general, Cleaner(base)))
    corpus = [one for one in read_labelled([CORPUS / "train", CORPUS / "valid"]) if one.view in VIEWS]
    sites = {**big_sites(corpus), **big_sites(read_labelled([SITES]))}
    found: dict[str, Any] = {"bases": {}, "averages": {}, "sites": {}}
    if options.only and OUTPUT.exists():
        found = json.loads(OUTPUT.read_text("utf-8"))
    for site, documents in sites.items():
        if options.only and site not in options.only:
            continue
        ids = sorted({one.id for one in documents})
        random.Random(0).shuffle(ids)
        rows = found["sites"][site] = {}
        found["bases"][site] = base.card["sha256"]
        for size in [size for size in SIZES if len(ids) - size >= REST]:
            rows[str(size)] = row = one_run(base, documents, set(ids[:size]), general, known)
            print(site, size, {key: row[key] for key in ("before", "after", "refused", "general")}, flush=True)
        found["averages"] = {name: averages(runs) for name, runs in groups(found["sites"]).items()}
        OUTPUT.write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    draw(found, OUTPUT.with_suffix(".svg"))


if __name__ == "__main__":
    main()
