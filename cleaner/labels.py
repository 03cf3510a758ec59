"""The label names of the shipped model and what is kept by default.

A model trained on other data brings its own labels; only ``body`` must be among them.
"""

BODY = "body"
JUNK = "junk"
CAPTION = "caption"
CREDIT = "credit"
LABELS: tuple[str, ...] = (BODY, "headline", CAPTION, "byline", JUNK)
#: What removed lines are called that no model labelled: such names are no labels.
BLANK, RULE = "blank", "rule"
DEFAULT_KEEP: frozenset[str] = frozenset({BODY})

#: The kinds of junk, as the third column of a training file names them (``kind`` or ``kind/detail``).
KINDS: tuple[str, ...] = (
    CREDIT,
    "navigation",
    "share",
    "related",
    "subscribe",
    "comment",
    "legal",
    "advert",
    "tags",
    "other",
)
