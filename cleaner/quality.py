"""How good a document is, by what its lines are."""

from dataclasses import asdict, dataclass
from typing import Any

from cleaner.cleaning import suspicion
from cleaner.outcomes import Outcome

#: A document with fewer kept words is very short.
SHORT_WORDS = 40
#: A document with a lower expected share of body words is mostly junk.
JUNK_SHARE = 0.2
FLAGS = ("empty_after", "mostly_junk", "suspicious", "very_short")


@dataclass(frozen=True)
class Quality:
    """A document in numbers; shares are between 0 and 1, of the words that no rule took out.

    ``body_share`` is the expected share of body: each line's probability of it, by words. What a rule took out
    is in ``words`` and ``removed``, as it is gone, but has no probability.
    """

    body_share: float
    words: int
    kept: int
    removed: int
    uncertain: float
    flags: tuple[str, ...]

    def fields(self) -> dict[str, Any]:
        """Return it as plain values, for a record."""
        return {**asdict(self), "flags": list(self.flags)}


def quality(outcome: Outcome) -> Quality:
    """Return the quality of a cleaned document."""
    judged, kept, body, uncertain, _ = outcome.sums
    words, share = judged + outcome.dropped, body / judged if judged else 0.0
    tests = (
        kept == 0 and (words > 0 or outcome.gone > 0),
        judged > 0 and share < JUNK_SHARE,
        bool(suspicion(1 - kept / words, words)) if words else False,
        kept < SHORT_WORDS,
    )
    flags = tuple(flag for flag, true in zip(FLAGS, tests, strict=True) if true)
    doubt = round(uncertain / judged, 4) if judged else 0.0
    return Quality(round(share, 4), words, kept, words - kept, doubt, flags)
