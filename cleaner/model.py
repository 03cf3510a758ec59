"""A trained model: what the heads see of lines, and arrays to probabilities."""

import hashlib
import io
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cleaner.context import Context
from cleaner.decision import decide, divisors, line_weights, with_articles, without_credits
from cleaner.errors import ModelError, UsageError
from cleaner.features import Batch, Table, character_table, line_features, packed, read_batch, text_scores
from cleaner.labels import BODY, CREDIT, JUNK
from cleaner.model_files import (
    ARRAYS,
    DTYPES,
    HEADS,
    MAX_BYTES,
    are_numbers,
    check_sizes,
    columns_of,
    find_model,
    read_arrays,
    read_card,
)
from cleaner.model_writing import write_together
from cleaner.native import call
from cleaner.network import HEAD, Inputs, fill_softmax, judge
from cleaner.scratch import empty
from cleaner.second_pass import SecondPass
from cleaner.threads import prepared

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Model:
    """Arrays and card of a trained model; use :meth:`load` to get one."""

    arrays: dict[str, npt.NDArray[Any]]
    card: dict[str, Any]

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what is computed from the arrays: it is larger than they are."""
        return {"arrays": self.arrays, "card": self.card}

    @property
    def labels(self) -> list[str]:
        """The label names, in the order of the probabilities' columns."""
        return list(self.card["labels"])

    @classmethod
    def load(cls, name: str | os.PathLike[str] = "default") -> "Model":
        """Read a model folder, checking everything.

        Raises:
            ModelError: the folder or a file is missing, cut short, changed, of another format or
                feature version, or holds an array that it must not hold.
        """
        folder = find_model(name)
        if not os.path.isdir(folder):  # a name too long is none
            raise ModelError(f"{folder}: no such model folder. Give a folder with weights.npz and card.json.")
        card = read_card(folder / "card.json")
        arrays = read_arrays(folder / "weights.npz", card)
        check_sizes(folder, arrays, card)
        return cls(arrays, card)

    @property
    def kinds(self) -> list[str]:
        """The names of the kinds of junk that the model tells apart."""
        return list(self.card["kinds"])

    def save(self, folder: Path) -> None:
        """Write ``weights.npz`` and ``card.json``, both beside their places, and then renamed.

        Packing the weights would save a fifteenth of their size and make every start slower.

        Raises:
            UsageError: they cannot be written, or would not be loaded: too large, or values that are no numbers.
        """
        stored: dict[str, Any] = {name: self.arrays[name].astype(DTYPES[name]) for name in ARRAYS}
        if wrong := [name for name, array in stored.items() if not are_numbers(array)]:
            what = f"{folder}: not written, {', '.join(wrong)} would hold values that are no numbers, or huge."
            raise UsageError(f"{what} Train with other settings, or other lines.")
        buffer = io.BytesIO()
        np.savez(buffer, **stored)
        if (size := buffer.tell()) > MAX_BYTES:
            what = f"{folder}: not written, its {size:,} bytes are more than the {MAX_BYTES:,} of a model."
            raise UsageError(f"{what} Train with fewer rows of the text table, or fewer labels.")
        card = dict(self.card)
        card["arrays"] = {name: {"shape": list(a.shape), "dtype": str(a.dtype)} for name, a in stored.items()}
        card["sha256"] = hashlib.sha256(buffer.getvalue()).hexdigest()
        text = json.dumps(card, indent=1, ensure_ascii=False) + "\n"
        # Lone surrogates, as in the names of files that are not UTF-8, are escaped, as JSON has them.
        content = text.encode("utf-8", "backslashreplace")
        write_together(folder, {"weights.npz": buffer.getvalue(), "card.json": content})

    @prepared
    def table(self) -> Table:
        """Return the text table as the kernels want it."""
        return packed(columns_of(self.arrays))

    @prepared
    def characters(self) -> npt.NDArray[np.uint32]:
        """Return class and case-folded form of every code point."""
        return character_table(self.arrays["classes"], self.arrays["folded"])

    @prepared
    def with_kinds(self) -> dict[str, list[Floats]]:
        """Return the heads with the weights of the kinds beside their hidden weights, for one matrix product.

        Zeros between them make the columns a multiple of 16, which the matrix library multiplies faster.
        """
        found = {}
        for head in HEADS:
            hidden, kinds = (self.arrays[f"{head}_{name}"] for name in ("hidden_weights", "kind_weights"))
            zeros = np.zeros((len(hidden), -(hidden.shape[1] + kinds.shape[1]) % 16), np.float32)
            wide = np.concatenate([hidden, zeros, kinds], axis=1)
            found[head] = [wide, *(self.arrays[f"{head}_{name}"] for name in HEAD[1:])]
        return found

    def read(self, documents: list[bytes]) -> Batch:
        """Cut UTF-8 documents into lines and tokens with the model's own tables."""
        return read_batch(documents, self.characters)

    def probabilities(self, batch: Batch) -> Floats:
        """Return the probability of every label for every non-blank line, float32 [lines, labels].

        Lines of which the draft head is sure enough are not shown to the final head.
        """
        return self.probabilities_and_kinds(batch, sure_junk=False)[0]

    def probabilities_and_kinds(self, batch: Batch, *, sure_junk: bool = True) -> tuple[Floats, Floats]:
        """Return besides :meth:`probabilities` those of the kinds of junk, were the line junk, [lines, kinds].

        The kinds are 0 where the draft head is sure; with ``sure_junk`` not where it is sure of junk.
        """
        seen, kinds = self.see(batch), empty("kinds", (len(batch), len(self.kinds)), np.float32)
        if sure_junk and JUNK in self.labels:
            sure = (JUNK, self.card["sure"][self.labels.index(JUNK)])
            found = self.judge("draft", self.draft_inputs(seen), len(batch), kinds, sure)
        else:
            found = self.judge("draft", self.draft_inputs(seen), len(batch))
            kinds[:] = 0
        doubtful = np.flatnonzero(~self.sure(found))
        some = np.empty((len(doubtful), len(self.kinds)), np.float32)
        inputs = SecondPass(seen, found).inputs(doubtful)
        found[doubtful] = self.judge("final", inputs, len(doubtful), some)
        kinds[doubtful] = some
        return found, kinds

    def firm(self, aim: str) -> bool:
        """Tell whether junk that the draft head is sure of is junk with an aim, too, whatever its caution."""
        if JUNK not in self.labels:
            return True
        body, junk = self.labels.index(BODY), self.labels.index(JUNK)
        weights, how, share = self.card["weights"], self.card["aims"][aim], self.card["sure"][junk]
        return bool(share * weights[junk] > (1 - share) * weights[body] * max(how["dense"], how["sparse"]))

    def sure(self, draft: Floats) -> npt.NDArray[np.bool_]:
        """Tell of which lines the draft head is sure enough to be believed; ``draft`` is [lines, labels]."""
        found = np.zeros(len(draft), np.bool_)
        for floor, probability in zip(self.card["sure"], draft.T, strict=True):  # several times as fast as by rows
            found |= probability >= np.float32(floor)
        return found

    def believed(self, draft: Floats, final: Floats) -> Floats:
        """Return the probabilities of the draft head where it is sure, elsewhere the final head's, [lines, labels]."""
        return np.where(self.sure(draft)[:, None], draft, final)

    def decide(
        self, batch: Batch, probabilities: Floats, aim: str = "balanced", kinds: Floats | None = None
    ) -> npt.NDArray[np.int64]:
        """Return the number of each line's label: the likeliest, after weighting as the card says for the aim.

        With the probabilities of ``kinds``, what would surely be an image credit if it were junk gets no benefit of
        the doubt, and lines so long that they hold a whole article are body.
        """
        how = self.card["aims"][aim]
        weights = line_weights(np.asarray(self.card["weights"], np.float32), batch.words(), self.labels, how["long"])
        divisor = divisors(batch, probabilities[:, self.labels.index(BODY)], how)
        chosen = decide(probabilities, weights, self.labels, divisor)
        if kinds is None:
            return chosen
        chosen = with_articles(chosen, batch, self.labels.index(BODY), self.card.get("whole_bytes", 0))
        if CREDIT not in self.kinds:
            return chosen
        return without_credits(chosen, probabilities, weights, self.labels, kinds[:, self.kinds.index(CREDIT)])

    def see(self, batch: Batch, scores: Floats | None = None) -> Context:
        """Return text sums, shape, first pass and context of a batch.

        ``scores`` are the sums of the text table; training gives those that are out of fold.
        """
        columns, labels = len(self.table.scale), self.labels
        lines = empty("lines", (len(batch), len(self.arrays["first_weights"])), np.float32)
        probability = empty("probability", (len(batch), len(labels)), np.float32)
        line_features(batch, lines, 3 * columns)
        if scores is None:
            text_scores(batch.tokens, self.table, lines)
        else:
            lines[:, : 3 * columns] = scores
        logits = np.matmul(lines, self.arrays["first_weights"], out=empty("logits", probability.shape, np.float32))
        fill_softmax(logits, self.arrays["first_bias"], slice(0, len(batch)), probability)
        known = np.array([labels.index(label) if label in labels else -1 for label in (BODY, "headline", JUNK)])
        return Context(batch, lines, probability, known, self.arrays["rarity"])

    def draft_inputs(self, seen: Context) -> Inputs:
        """Return piece by piece what the draft head sees, [lines, features]."""
        for part in seen.batch.parts():
            yield part, seen.rows(part)

    def final_inputs(self, seen: Context, draft: Floats) -> Inputs:
        """Return piece by piece what the final head sees, [lines, features]; ``draft`` is [lines, labels]."""
        return SecondPass(seen, draft).inputs(np.arange(len(draft)))

    def judge(
        self, head: str, inputs: Inputs, lines: int, kinds: Floats | None = None, sure: tuple[str, float] = (BODY, 0)
    ) -> Floats:
        """Return the probabilities by one of the two heads, ``draft`` or ``final``, float32 [lines, labels].

        ``kinds`` is filled with those of the kinds of junk, were the lines junk, [lines, kinds]; with 0 where that
        label is not so likely as ``sure`` says.
        """
        if kinds is None:
            return judge([self.arrays[f"{head}_{name}"] for name in HEAD], inputs, lines)

        bias, floor = self.arrays[f"{head}_kind_bias"], np.array([sure[1]], np.float32)
        label = self.labels.index(sure[0])

        def beside(part: slice, values: Floats, judged: Floats) -> None:
            if bias.size:
                call("kinds", values, bias, judged, label, floor, part.start, kinds)

        return judge(self.with_kinds[head], inputs, lines, beside)
