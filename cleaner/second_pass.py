"""Second-pass features: what the draft head makes of the neighbours and of the document.

The draft head judges every line with the first pass alone to tell it about the others. Once it has judged all
of them, the final head sees the same line between neighbours and in a document that are better known: the
draft's probabilities around it, the document's habits (how long its likely body lines are, whether they end
in a full stop or have a blank line before them), full names that recur, as captions name people in full
whom the story has introduced already, and what words the line shares with the headline, with the paragraphs around it,
and with all lines of body, of junk and of neither (`related_kernels.py`), words counting by how rare they are;
where the line stands among the stretches of likely body lines, the longest of which is likely the story, how far it is
from the likeliest headline, and what the draft head says of other lines of the same words (`place_kernels.py`).

Lines of which the draft head is sure the final head is not asked about (`model.py`).

The last features say where in the document the text alone finds credits, comments, other stories and dates, and what
the contrasts find (`text_columns.py`): a comment without a name or a date is told by what stands around it.

What each group is worth to a small final head, one fit each, by log loss on real pages of unseen sites (`ablations.py
features`): with all .0953, without the words shared with lines of each label .0998; each of the others is worth less
than what one fit differs from the next by, and without the shape of the neighbours (.0900) or the marks (.0922) it is
lower. In larger heads both help (CHANGELOG, "Tried").
"""

import numpy as np
import numpy.typing as npt

from cleaner.context import FAR, WINDOWS, WORD_COLUMNS, Borders, Context, running, width
from cleaner.features import CHUNK_LINES, LINE_FEATURES, Batch
from cleaner.native import call
from cleaner.network import Inputs
from cleaner.scratch import empty

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
#: Columns of the shape features whose mean over the likely body lines is a habit of the document: log
#: characters, capitals, sentence ends, ended, years, dates, blank line before.
HABITS = [0, 3, 7, 8, 9, 11, 13]
NAMES = 4
#: Columns of what lines share, and of what is known of a word for that; see related_kernels.py.
RELATED, KNOWN = 18, 8
#: Columns of where a line stands, but for those of the labels; see `place_kernels.placed`.
PLACED = 13
SURE = 60  # hundredths from which a line is surely of a kind


def second_width(labels: int, columns: int) -> int:
    """Return how many second-pass features there are with so many labels and text columns."""
    document = 2 * len(HABITS) + NAMES + RELATED + PLACED
    return labels * (6 + 2 * FAR + len(WINDOWS)) + document + (columns - labels) * (5 + len(WINDOWS))


class SecondPass:
    """The second pass over a batch; what needs whole documents is computed at once."""

    def __init__(self, context: Context, draft: Floats) -> None:
        """Look at the documents as the draft head sees them; ``draft`` is [lines, labels]."""
        size, labels = draft.shape
        batch, lines, borders = context.batch, context.arrays[0], context.borders
        shape = lines.shape[1] - LINE_FEATURES
        kinds = shape // 3 - labels
        sums, most = running(borders, draft, "draft")
        columns = np.array([shape + column for column in HABITS])
        mean = empty("habits", (size, len(HABITS) + 1), np.float64)
        call("habits", lines, columns, draft, borders.begin, borders.end, mean)
        score, gap = empty("marks", (2, size, kinds), np.float32)
        call("marks", lines, labels, SURE, borders.begin, score, score.reshape(-1), gap)
        score_sums, _ = running(borders, score, "score")
        self.logs = 3 * (labels + kinds)
        self.amounts = (draft, sums, score_sums, gap, borders.begin, borders.end)
        judged = (np.array(WINDOWS), draft, sums, most, columns, mean)
        title = empty("draft title", size, np.int64)
        call("titles", draft, int(context.labels[1]), borders.begin, borders.end, title)
        numbers, sizes, same = context.words
        whole = (borders.begin, borders.end)
        self.room = borders.room
        self.words = (batch.tokens.first, numbers, sizes, *whole, draft, context.labels, title)
        self.places = (draft, batch.counts, context.labels, title, *whole, same)
        self.related = empty("related", (size, RELATED), np.float32)
        self.placed = empty("placed", (size, PLACED + labels), np.float32)
        told = (full_names(batch, borders), self.related, self.placed)
        self.arrays = (*context.arrays, *judged, *told, score, score_sums, gap)
        self.width = lines.shape[1] + labels + width(labels, shape // 3)[1] + second_width(labels, shape // 3)

    def inputs(self, lines: Ints) -> Inputs:
        """Return piece by piece what the final head sees of lines with these numbers, [lines, features]."""
        asked = np.zeros(len(self.related), np.uint8)
        asked[lines] = 1
        known, near = empty("known", (self.room, KNOWN), np.int32), empty("near", (len(asked), 4), np.int32)
        call("related", *self.words, asked, known, near, self.related)
        stretches = empty("stretches", (len(asked), 3), np.int64)
        most = empty("most of the same", (len(asked), self.placed.shape[1] - PLACED), np.float32)
        call("placed", *self.places, asked, stretches, most, self.placed)
        for begin in range(0, len(lines), CHUNK_LINES):
            chosen = lines[begin : begin + CHUNK_LINES]
            logs = empty("logs", (len(chosen), self.logs), np.float32)
            call("amounts", *self.amounts, chosen, logs, logs.reshape(-1))
            out = np.empty((len(chosen), self.width), np.float32)
            call("final_rows", *self.arrays, logs, chosen, out)
            yield slice(begin, begin + len(chosen)), out


def full_names(batch: Batch, borders: Borders) -> Floats:
    """Return what the pairs of capitalised words of each line say, [lines, NAMES].

    Their log count, how many recur in the document, how many stood on an earlier line, the share of those.
    """
    t, out = batch.tokens, empty("names", (len(batch), NAMES), np.float32)
    table = (empty("keys", borders.room, np.int64), empty("slots", (borders.room, WORD_COLUMNS), np.int32))
    places = empty("places", borders.room, np.int32)
    call("full_names", t.word, t.shape, t.first, borders.end, *table, places, out)
    return out
