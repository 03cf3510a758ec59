"""The columns of the text table: each label and some kinds of junk against all else, and contrasts between two labels.

A column that tells captions from everything spends its weights on what tells them from menus; what tells them from
paragraphs, the hard part, a contrast learns. So it is with paragraphs: among long lines, and among short ones, a
contrast of its own tells them from junk. CHANGELOG has the figures ("Tried").
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from cleaner.labels import BODY, CAPTION, JUNK

Floats = npt.NDArray[np.float32]
Halves = npt.NDArray[np.float16]
Bytes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]

#: Kinds that get a column of their own in the text table, besides the labels.
OWN_COLUMN = ("junk/credit", "junk/comment", "junk/related", "byline/date")
#: N-grams from which a line is long, about ten words; and what tells one label from another, among lines of so many.
LONG, ANY = 40, 2**31
CONTRASTS = ((CAPTION, BODY, 0, ANY), (BODY, JUNK, LONG, ANY), (BODY, JUNK, 0, LONG))


def own_columns(labels: Sequence[str]) -> list[str]:
    """Return the columns that a line can be of: the labels, and the kinds with a column of their own."""
    return [*labels, *(own for own in OWN_COLUMN if own.partition("/")[0] in labels)]


def column_of(label: str, kind: str, columns: Sequence[str]) -> int:
    """Return the text column that a line trains: that of its label and kind, else of its label."""
    main, _, detail = kind.partition("/")
    if main == "comment" and detail not in ("", "text"):
        main = ""
    own = f"{label}/{main}"
    return columns.index(own if own in columns else label)


def column_targets(column: Ints, sizes: Ints, labels: Sequence[str]) -> Floats:
    """Return what each column is to say of some lines, [lines, columns]: 1, 0, or nan where that is not asked of it.

    ``column`` is that of :func:`column_of` for each line, ``sizes`` how many n-grams it has.
    """
    own = own_columns(labels)
    asked = [one for one in CONTRASTS if {one[0], one[1]} <= set(labels)]
    out = np.zeros((len(column), len(own) + len(asked)), np.float32)
    out[np.arange(len(column)), column] = 1
    label = np.array([name.partition("/")[0] for name in own])[column]
    for at, (this, other, least, most) in enumerate(asked, len(own)):
        use = np.isin(label, (this, other)) & (sizes >= least) & (sizes < most)
        out[:, at] = np.where(use, label == this, np.nan)
    return out


def halves(weights: Floats | Halves) -> Halves:
    """Return weights in half precision, rounded to seven bits of the mantissa: so they pack well, as in a wheel."""
    bits = np.ascontiguousarray(weights, np.float16).view(np.uint16)
    return ((bits + np.uint16(4)) & np.uint16(0xFFF8)).view(np.float16)


def shortened(weights: Floats | Halves) -> Bytes:
    """Return the upper bytes of weights in half precision, rounded: two bits of the mantissa do for contrasts."""
    bits = np.ascontiguousarray(weights, np.float16).view(np.uint16)
    return ((bits + np.uint16(0x80)) >> 8).astype(np.uint8)


def lengthened(stored: Bytes) -> Halves:
    """Return the weights that :func:`shortened` stored, in half precision."""
    return (stored.astype(np.uint16) << 8).view(np.float16)
