"""The settings of a training run."""

import math
from dataclasses import dataclass

from cleaner.arguments import check_settings
from cleaner.classifier import LineClassifier
from cleaner.errors import UsageError

#: More rows are too large a file for a model of two labels already.
MOST_ROWS = 2**23
#: The least and the most of what is no count and no penalty. The text table needs some penalty.
LIMITS: dict[str, tuple[float, float]] = {
    "folds": (2, math.inf),
    "alpha": (1e-12, 1),
    "page_junk": (1e-3, 1),
    **dict.fromkeys(("easy_lines", "kind_precision"), (0, 1)),
}


@dataclass(frozen=True)
class Options:
    """Settings of a training run; :func:`train` writes them into the card.

    ``seed``: of all that is drawn. ``folds``: groups of sites, each once held out. ``rows``: of the text table, a power
    of two; ``alpha``, ``text_epochs``: its L2 penalty and passes (:class:`sklearn.linear_model.SGDClassifier`).
    ``draft_hidden``, ``hidden``, ``teacher_hidden``: units of the hidden layer of the draft head, of each of the
    ``members`` of the final head, and of each of the ``teacher_members`` that teach it; ``penalty``: their L2 penalty,
    but ``taught_penalty`` for the final head; ``draft_epochs``, ``epochs``: passes of the draft head and of the others.
    ``page_junk``: the share of the junk of whole real pages that the heads learn from; ``easy_lines``: that of the
    lines of which the draft head is sure, for the final head. ``kind_precision``: how often a kind of junk that is
    named must be right.
    """

    seed: int = 0
    folds: int = 5
    rows: int = 2**19
    alpha: float = 1e-6
    text_epochs: int = 20
    draft_hidden: int = 48
    hidden: int = 64
    members: int = 2
    taught_penalty: float = 0.1
    teacher_hidden: int = 128
    teacher_members: int = 3
    penalty: float = 0.3
    epochs: int = 8
    page_junk: float = 0.3
    easy_lines: float = 0.2
    kind_precision: float = 0.9
    draft_epochs: int = 5

    def __post_init__(self) -> None:
        """Raise :class:`UsageError` if a setting cannot be used, before anything is trained."""
        check_settings(self, LIMITS)
        if self.rows & (self.rows - 1) or self.rows > MOST_ROWS:
            raise UsageError(f"rows {self.rows}: no model has so many. Give a power of two up to {MOST_ROWS}.")

    def head(self) -> LineClassifier:
        """Return a head to be fitted and taught."""
        return LineClassifier(self.hidden, self.taught_penalty, self.epochs, self.seed, self.members)

    def teacher(self) -> LineClassifier:
        """Return a larger head to be fitted: a teacher, or the final head itself where lines are too few for both."""
        return LineClassifier(self.teacher_hidden, self.penalty, self.epochs, self.seed, self.teacher_members)

    def draft(self) -> LineClassifier:
        """Return a draft head to be fitted."""
        return LineClassifier(self.draft_hidden, self.penalty, min(self.draft_epochs, self.epochs), self.seed)
