"""The settings of a training run."""

import sys
from dataclasses import dataclass, fields

from cleaner.classifier import LineClassifier
from cleaner.errors import UsageError

__all__ = ["Options"]

#: What whole numbers are at least, if not 1; and the numbers that are shares.
LEAST = {"seed": 0, "folds": 2}
SHARES = ("page_junk", "easy_lines", "kind_precision")
#: More rows are too large a file for a model of two labels already; what scikit-learn takes as a seed.
MOST_ROWS, MOST_SEED = 2**23, 2**32 - 1


@dataclass(frozen=True)
class Options:
    """Settings of a training run; :func:`train` writes them into the card."""

    seed: int = 0
    folds: int = 5
    rows: int = 2**19
    alpha: float = 3e-7
    text_epochs: int = 10
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
        for one in fields(self):
            value, least = getattr(self, one.name), LEAST.get(one.name, 1)
            if one.type is int and not (isinstance(value, int) and value >= least):
                raise UsageError(f"{one.name} {value!r}: is no whole number of at least {least}. Give one.")
            most = 1 if one.name in SHARES else sys.float_info.max
            if one.type is float and not (isinstance(value, int | float) and 0 <= value <= most):
                wanted = "share from 0 to 1" if one.name in SHARES else "number of at least 0"
                raise UsageError(f"{one.name} {value!r}: is no {wanted}. Give one.")
        if not self.alpha:
            raise UsageError("alpha 0: the text table needs a penalty. Give one, for example 3e-7.")
        if self.seed > MOST_SEED:
            raise UsageError(f"seed {self.seed}: is too large. Give one of at most {MOST_SEED}.")
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
