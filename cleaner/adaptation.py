"""Adapt a model to the lines of one person: text table, draft head and final head move as little as will do.

The order is that of training, and what the heads see of the new lines is out of fold, too: a table that was fitted
on a line says of it what it will say of no other. First pass, kinds, weights and aims stay the base's.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix, vstack
from scipy.special import expit

from cleaner.alike import of_one
from cleaner.arguments import check_settings
from cleaner.corpus import LabelledDocument
from cleaner.errors import DataError, UsageError
from cleaner.features import Batch, gram_rows, packed, text_scores
from cleaner.model import Model
from cleaner.model_files import columns_of
from cleaner.network import HEAD, joined_rows
from cleaner.prior import Head, Steps, Targets, moved_head, moved_rows
from cleaner.text_columns import column_of, column_targets, halves, own_columns, shortened

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
#: The least and the most of settings; a lighter line would teach nothing.
LIMITS = {"weight": (1e-3, 10**6), "margin": (-(10**6), 10**6)}


@dataclass(frozen=True)
class Adapting:
    """Settings of an adaptation; the card of the adapted model holds them.

    ``seed`` is that of the lines of other sites that are drawn to be rehearsed, ``rehearsal_lines`` how many they are,
    ``steps`` how far the heads may move, with a seed of the lines' order.
    ``weight`` is what a new line counts beside one of the rehearsal, ``table_penalty`` the pull of the text table
    back to the base's, ``folds`` the groups of documents whose inputs are out of fold, ``shares`` how far to go
    from the base's weights to the adapted ones, the best being taken. ``margin`` is by how much body F1 may fall in
    general; with ``force`` the model is written whatever its figures.
    """

    seed: int = 0
    folds: int = 3
    weight: float = 3.0
    table_penalty: float = 3.0
    steps: Steps = field(default_factory=Steps)
    rehearsal_lines: int = 4000
    shares: tuple[float, ...] = (0.35, 0.5, 0.75, 1.0)
    margin: float = 0.003
    force: bool = False

    def __post_init__(self) -> None:
        """Raise :class:`UsageError` if a setting cannot be used, before anything is adapted."""
        check_settings(self, LIMITS)
        if not isinstance(self.steps, Steps):
            raise UsageError(f"steps {self.steps!r}: are no Steps. Give some, as in Steps(epochs=8).")
        shares = self.shares if isinstance(self.shares, tuple | list) else ()
        if not shares or not all(isinstance(share, int | float) and 0 <= share <= 1 for share in shares):
            raise UsageError(f"shares {self.shares!r}: are no numbers from 0 to 1. Give some, as in (0.5, 1.0).")


@dataclass(frozen=True)
class Fresh:
    """New documents as arrays: the columns that the lines train, their labels, and what each line counts."""

    batch: Batch
    column: Floats  # [lines, columns of the text table], nan where a column is not asked
    label: Floats  # [lines, labels]
    weight: Floats  # [lines], 0 for weak ones
    grams: csr_matrix  # [lines, rows of the text table]


@dataclass(frozen=True)
class Rehearsal:
    """Documents of other sites, and what the base says of their lines."""

    batch: Batch
    rows: Ints  # the lines that train; the rest is of them alone
    grams: csr_matrix  # [rows, rows of the text table]
    draft: Floats
    final: Floats


def check_labels(documents: Sequence[LabelledDocument], base: Model) -> None:
    """Raise :class:`DataError` if the documents have labels that the base has not."""
    for document in documents:
        strange = [number for number, label in enumerate(document.labels) if label not in base.labels]
        if strange:
            place, label = document.place(strange[0]), document.labels[strange[0]]
            raise DataError(
                f"{place}: the base does not know the label {label!r}, it has {', '.join(base.labels)}. "
                "Correct the label, or train without --base: a model of its own takes any labels."
            )


def rehearsed(base: Model, documents: Sequence[LabelledDocument], options: Adapting) -> Rehearsal:
    """Return documents that the base knows with what it says of them."""
    batch = base.read([document.data() for document in documents])
    seen = base.see(batch)
    draft = base.judge("draft", base.draft_inputs(seen), len(batch))
    final = base.judge("final", base.final_inputs(seen, draft), len(batch))
    rng = np.random.default_rng(options.seed)
    size = min(options.rehearsal_lines, len(batch))
    rows = np.sort(rng.choice(len(batch), size, replace=False))
    grams = gram_matrix(batch, len(base.arrays["table"]))[rows]
    return Rehearsal(batch, rows, grams, draft[rows], final[rows])


def grouped(documents: Sequence[LabelledDocument], groups: int) -> list[list[LabelledDocument]]:
    """Deal documents out into groups, views and copies of one into the same, in the order in which they come."""
    numbers = of_one(documents)
    groups = min(groups, len(set(numbers)))
    dealt: list[list[LabelledDocument]] = [[] for _ in range(groups)]
    for number, document in zip(numbers, documents, strict=True):
        dealt[number % groups].append(document)
    return dealt


def read_fresh(base: Model, documents: Sequence[LabelledDocument], weight: float) -> Fresh:
    """Return new documents as arrays; the views of one document share its weight."""
    columns, labels, table = own_columns(base.labels), base.labels, columns_of(base.arrays)
    batch = base.read([document.data() for document in documents])
    rows = [row for d in documents for row in zip(d.labels, d.kinds, strict=True)]
    views = Counter(d.id for d in documents)
    counts = [weight * views[d.id] ** -0.5 * (not weak) for d in documents for weak in d.weak]
    grams = gram_matrix(batch, len(table))
    column = np.array([column_of(*row, columns) for row in rows])
    return Fresh(
        batch,
        column_targets(column, np.diff(grams.indptr), labels)[:, : table.shape[1]],
        np.eye(len(labels), dtype=np.float32)[[labels.index(label) for label, _ in rows]],
        np.array(counts, np.float32),
        grams,
    )


def adapted(base: Model, documents: Sequence[LabelledDocument], old: Rehearsal, options: Adapting) -> Model:
    """Return the base adapted to labelled documents; ``old`` keeps it from forgetting."""
    parts = [read_fresh(base, group, options.weight) for group in grouped(documents, options.folds)]
    others = [[part for part in parts if part is not out] or parts for out in parts]
    tables = [moved_table(base, some, old, options) for some in others]
    model = replace(base, arrays=with_table(base.arrays, moved_table(base, parts, old, options)))
    seen = [model.see(p.batch, text_scores(p.batch.tokens, packed(t))) for p, t in zip(parts, tables, strict=True)]
    seen_old = model.see(old.batch)
    fresh = [joined_rows(model.draft_inputs(one)) for one in seen]
    kept = joined_rows(model.draft_inputs(seen_old))[old.rows]

    def draft_without(out: int) -> Model:
        use = [number for number in range(len(parts)) if number != out] or [0]
        x = np.concatenate([kept, *(fresh[number] for number in use)])
        return moved(model, "draft", x, targets(old.draft, [parts[n] for n in use]), options.steps)

    def held_out_draft(out: int) -> Floats:
        inputs = iter([(slice(0, len(fresh[out])), fresh[out])])
        return draft_without(out).judge("draft", inputs, len(fresh[out]))

    drafts = [held_out_draft(out) for out in range(len(parts))]
    model = draft_without(-1)
    draft_old = model.judge("draft", model.draft_inputs(seen_old), len(old.batch))
    inputs = [joined_rows(model.final_inputs(one, draft)) for one, draft in zip(seen, drafts, strict=True)]
    x = np.concatenate([joined_rows(model.final_inputs(seen_old, draft_old))[old.rows], *inputs])
    return moved(model, "final", x, targets(old.final, parts), options.steps)


def between(base: Model, model: Model, share: float) -> Model:
    """Return the model a share of the way from the base to one adapted from it.

    Half of the way keeps most of what was learnt and forgets next to nothing, as Wortsman et al. found for larger
    networks (Robust fine-tuning of zero-shot models, 2022).
    """
    arrays = dict(model.arrays)
    for name, array in arrays.items():
        if array is not base.arrays[name] and name not in ("table", "contrasts"):
            arrays[name] = base.arrays[name] + np.float32(share) * (array - base.arrays[name])
    table, moved = columns_of(base.arrays), columns_of(model.arrays)
    rows = np.flatnonzero((table != moved).any(axis=1))
    table[rows] = (table[rows] + share * (moved[rows] - table[rows])).astype(np.float16)
    return replace(model, arrays=with_table(arrays, table))


def with_table(arrays: dict[str, npt.NDArray[Any]], table: npt.NDArray[Any]) -> dict[str, npt.NDArray[Any]]:
    """Return a model's arrays with another text table, [rows, columns], as they are stored."""
    own = arrays["table"].shape[1]
    return {**arrays, "table": halves(table[:, :own]), "contrasts": shortened(table[:, own:])}


def targets(old: Floats, parts: Sequence[Fresh]) -> Targets:
    """Return what lines of the rehearsal and then of the new documents are to be."""
    share = np.concatenate([old, *(part.label for part in parts)])
    return Targets(share, np.concatenate([np.ones(len(old), np.float32), *(part.weight for part in parts)]))


def moved(model: Model, head: str, x: Floats, goal: Targets, steps: Steps) -> Model:
    """Return a model one of whose heads is fitted on, from where it is."""
    found = moved_head(Head(*(model.arrays[f"{head}_{name}"] for name in HEAD)), x, goal, steps)
    return replace(model, arrays={**model.arrays, **{f"{head}_{name}": getattr(found, name) for name in HEAD}})


def moved_table(base: Model, parts: Sequence[Fresh], old: Rehearsal, options: Adapting) -> Floats:
    """Return the text table with increments for the n-grams of the new lines."""
    table = columns_of(base.arrays).astype(np.float32)
    grams = vstack([part.grams for part in parts], format="csr")
    weight = np.concatenate([part.weight for part in parts])
    use = weight > 0
    rows = np.unique(grams[use].indices)
    if not len(rows):
        return table
    both = vstack([old.grams, grams[use]], format="csr")
    sums = both @ table
    target, share = np.concatenate([part.column for part in parts])[use], expit(sums)
    asked = ~np.isnan(target)
    share[len(old.rows) :][asked] = target[asked]
    ones = np.ones(len(old.rows), np.float32)
    goal = Targets(share, np.concatenate([ones, weight[use]]))
    out = table.copy()
    change = moved_rows(sums, both[:, rows], goal, options.table_penalty)
    out[rows] += change
    return out


def gram_matrix(batch: Batch, rows: int) -> csr_matrix:
    """Return what each row of the text table counts in each line, [lines, rows]."""
    indices, offsets = gram_rows(batch.tokens, rows)
    sizes = np.diff(offsets)
    values = np.repeat(1 / np.sqrt(np.maximum(sizes, 1)), sizes).astype(np.float32)
    return csr_matrix((values, indices, offsets), shape=(len(sizes), rows))
