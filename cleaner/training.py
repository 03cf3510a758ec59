"""Fit a model: text table, first pass, heads, calibration; all with scikit-learn, exported as arrays.

The scores that the first pass and the heads train on are out of fold, grouped by site: what a table says
of the very lines that it was fitted on is no guide to what it says of others. The calibration and the
held-out figures of the card are out of fold, too, for table and head.
"""

import datetime
import importlib.metadata
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from joblib import Parallel, delayed
from scipy.sparse import vstack
from sklearn.linear_model import SGDClassifier

from cleaner.alike import check_apart, prints, without_shared
from cleaner.arguments import of_kind
from cleaner.cleaning import Cleaner, Result
from cleaner.context import Context, rarities
from cleaner.copies import COPIES
from cleaner.corpus import LabelledDocument, Paths, describe, read_sure
from cleaner.evaluation import beside_truth, figures, joined, measure
from cleaner.features import VERSION, packed, text_scores, unicode_tables
from cleaner.heads import (
    Fitted,
    Rows,
    calibrate_on,
    enough,
    fewer,
    first_pass,
    fit_head,
    gather,
    teach,
    teachable,
)
from cleaner.kinds import fit_kinds
from cleaner.labels import DEFAULT_KEEP
from cleaner.model import Model
from cleaner.model_files import FORMAT
from cleaner.model_writing import destination
from cleaner.network import joined_rows, softmax
from cleaner.sampling import (
    Part,
    TableRows,
    choose_whole,
    doubts,
    head_rows,
    label_order,
    read_part,
    split,
    table_rows,
)
from cleaner.text_columns import column_targets, halves, own_columns, shortened
from cleaner.training_options import Options
from cleaner.weighting import choose_aims, choose_sure, choose_weights
from cleaner.wording import amount

__all__ = ["Options", "train"]

Floats = npt.NDArray[np.float32]
Report = Callable[[str, float], None]

#: On so many documents of its own a new model is tried.
TRIED_DOCUMENTS = 200


def fit_table(tables: Sequence[TableRows], labels: Sequence[str], options: Options) -> Floats:
    """Fit the text table, a logistic regression a column: float32 [rows, columns]."""
    grams = vstack([table.grams for table in tables], format="csr")
    target = column_targets(np.concatenate([table.column for table in tables]), np.diff(grams.indptr), labels)

    def weights(goal: Floats) -> Floats:
        asked = np.flatnonzero(~np.isnan(goal))
        if len(np.unique(goal[asked])) < 2:
            return np.zeros(options.rows, np.float32)
        model = SGDClassifier(
            loss="log_loss",
            alpha=options.alpha,
            max_iter=options.text_epochs,
            tol=None,
            average=True,
            random_state=options.seed,
        )
        model.fit(grams if len(asked) == len(goal) else grams[asked], goal[asked])
        return np.asarray(model.coef_[0], np.float16)

    return np.stack(Parallel(n_jobs=-1, prefer="threads")(map(delayed(weights), target.T)), axis=1).astype(np.float32)


def fit(documents: Sequence[LabelledDocument], options: Options, report: Report) -> Model:
    """Fit a model; its card holds what using it needs and the held-out figures."""
    begun = fit_draft(documents, options, report)
    model, parts, seen, rows, draft = begun
    arrays, labels = model.arrays, model.labels
    arrays.update(draft.head.arrays(len(labels), "draft"))
    drafts = [softmax(logits) for logits in draft.logits]
    del begun, draft

    def draft_inputs(number: int) -> Floats:
        return joined_rows(model.draft_inputs(seen[number]))

    def final_inputs(number: int) -> Floats:
        return joined_rows(model.final_inputs(seen[number], drafts[number]))

    report("final head", 0.5)
    model.card.update(choose_sure(drafts, parts, labels))
    lines = gather(parts, final_inputs, fewer(rows, drafts, options.easy_lines, options.seed))
    if enough(rows) and teachable(lines):
        soft = teach(lines, options.teacher, lambda share: report("final head", 0.5 + 0.3 * share))
        final = fit_head(parts, final_inputs, lines, options.head, soft)
    else:
        final = fit_head(parts, final_inputs, lines, options.teacher)
    del lines
    factor, shift = calibrate_on(final.head, parts, final.logits)
    arrays.update(final.head.arrays(len(labels), "final"))
    report("kinds of junk, weights and held-out figures", 0.9)
    kinds, about = fit_kinds(parts, {"draft": draft_inputs, "final": final_inputs}, options.kind_precision)
    arrays.update(kinds)
    model.card.update(about)
    finals = [softmax(logits * factor + shift) for logits in final.logits]
    probabilities = [model.believed(*pair) for pair in zip(drafts, finals, strict=True)]
    model.card["weights"] = choose_weights(probabilities, parts, labels)
    model.card.update(choose_aims(probabilities, parts, model.card["weights"], labels))
    model.card["held_out"] = held_out_figures(model, parts, probabilities)
    return model


class Begun(NamedTuple):
    """A model up to its draft head, and the folds of sites with what it sees of them."""

    model: Model
    parts: list[Part]
    seen: list[Context]
    rows: Rows
    draft: Fitted


def fit_draft(documents: Sequence[LabelledDocument], options: Options, report: Report) -> Begun:
    """Fit text table, first pass and draft head, the last out of fold, too."""
    labels = label_order(documents)
    report("reading", 0.02)
    parts = [read_part(fold, labels) for fold in split(documents, options.folds, options.seed)]
    arrays, scores = fit_text(parts, labels, options, report)
    model = Model(arrays, {"format": FORMAT, "features": VERSION, "labels": labels})
    seen = [model.see(part.batch, score) for part, score in zip(parts, scores, strict=True)]
    rng = np.random.default_rng(options.seed)
    rows = Rows(*zip(*(head_rows(part, options.page_junk, rng) for part in parts), strict=True))
    report("draft head", 0.38)

    def draft_inputs(number: int) -> Floats:
        return joined_rows(model.draft_inputs(seen[number]))

    draft = fit_head(parts, draft_inputs, gather(parts, draft_inputs, rows), options.draft)
    return Begun(model, parts, seen, rows, draft)


def fit_text(
    parts: Sequence[Part], labels: Sequence[str], options: Options, report: Report
) -> tuple[dict[str, Any], list[Floats]]:
    """Fit the text table and the first pass; returns their arrays and each fold's out-of-fold text sums."""
    rng = np.random.default_rng(options.seed)
    tables = [table_rows(part, options.rows, rng) for part in parts]
    scores = []
    for number, part in enumerate(parts):
        report(f"text scores without fold {number + 1} of {len(parts)}", 0.1 + 0.2 * number / len(parts))
        table = fit_table(tables[:number] + tables[number + 1 :], labels, options)
        scores.append(text_scores(part.batch.tokens, packed(table)))
    report("text table", 0.3)
    table = fit_table(tables, labels, options)
    del tables
    report("first pass", 0.34)
    classes, folded = unicode_tables()
    weights, bias = first_pass(parts, scores, options.seed)
    own = len(own_columns(labels))
    arrays = {"classes": classes, "folded": folded, "rarity": rarities(part.batch for part in parts)}
    arrays |= {"table": halves(table[:, :own]), "contrasts": shortened(table[:, own:])}
    return {**arrays, "first_weights": weights, "first_bias": bias}, scores


def held_out_figures(model: Model, parts: Sequence[Part], probabilities: Sequence[Floats]) -> dict[str, Any]:
    """Return the figures of all documents, each by heads and a text table that have not seen its site; and by source.

    Without what `clean` does besides for lines that are surely image credits or are very long, so with fewer of the
    former removed. Only the first pass, and how rare words are, have seen all sites.
    """
    measured = joined(
        [
            beside_truth(
                part.documents, Result(part.batch, rows, model.decide(part.batch, rows)), model.labels, DEFAULT_KEEP
            )
            for part, rows in zip(parts, probabilities, strict=True)
        ]
    )
    real = measured.select(~np.isin(measured.view, COPIES))
    sources = {name: real.select(real.source == name) for name in sorted(set(real.source.tolist()))}
    found = {name: figures(group) for name, group in sources.items()}
    for row in found.values():
        for group in [name for name in row if name.startswith("by_")]:
            del row[group]
    return {"all": figures(real), **found}


def train(
    data: Paths,
    output: str | os.PathLike[str],
    options: Options | None = None,
    report: Report = lambda step, share: None,
    test: Paths = (),
) -> Model:
    """Train a model on labelled files and folders and write it to the folder ``output``.

    ``report`` is called with the name of each step and the share done. With ``test`` data its figures
    go into the card as ``scores``; long lines that it shares with ``data`` do not train, and the card warns of them.
    The same data, options and library versions give the same ``weights.npz``, byte for byte, on machines where numpy
    and its matrix library compute alike: in as many threads, for the same kind of processor (README has the variables
    that see to it).

    Raises:
        DataError: a file is wrong (named with its line), the data is too little to train on, or a document or more
            than a fifth of the long lines is test data, too.
        UsageError: the model cannot be written to ``output``, which is tried before the data is read; a path is empty.
        TypeError: ``options`` are none.
    """
    options = of_kind(options, Options)
    with destination(output) as folder:
        model = trained(read_sure(data), read_sure(test), options, report)
        model.save(folder)
    report("done", 1.0)
    return model


def trained(
    data: Sequence[LabelledDocument], tests: Sequence[LabelledDocument], options: Options, report: Report
) -> Model:
    """Fit a model and measure it; lines that are in the tests do not train. Its card is complete."""
    check_apart(data, tests)
    documents, shared = without_shared(data, tests)
    overlap = f"{amount(shared, 'line')} of the data stood in the test data, too, and did not train."
    model = fit(documents, options, report)
    model.card["whole_bytes"] = choose_whole(documents)
    if tests:
        model.card["scores"] = figures(measure(tests, Cleaner(model)))
    model.card.update(
        date=datetime.date.today().isoformat(),
        options=asdict(options),
        data=describe(data),
        lines_shared_with_tests=shared,
        test_data=describe(tests),
        warnings=[overlap] * (shared > 0) + doubts(documents) + useless(model, documents),
        libraries={name: importlib.metadata.version(name) for name in ("numpy", "scikit-learn", "scipy")},
        **prints(data),
    )
    return model


def useless(model: Model, documents: Sequence[LabelledDocument]) -> list[str]:
    """Return a warning if the model cleans its own documents no better than keeping or dropping everything does."""
    some = documents[:: -(-len(documents) // TRIED_DOCUMENTS)]
    found = figures(measure(some, Cleaner(model)))
    wrong = found["errors"]["lost"] + found["errors"]["left"]
    least = min(found["body_words"], found["other_words"])
    if wrong < least or not least:
        return []
    return [
        f"of its own documents the model keeps or drops {amount(wrong, 'word')} wrongly: it is of no use. Label more."
    ]
