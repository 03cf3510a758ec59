"""A head: a hidden layer and a softmax over what it sees of the lines."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

from cleaner.native import call
from cleaner.scratch import empty

Floats = npt.NDArray[np.float32]
#: Pieces of what a head sees, [lines, features].
Inputs = Iterator[tuple[slice, Floats]]
#: The arrays of a head: one hidden layer and the output.
HEAD = ("hidden_weights", "hidden_bias", "output_weights", "output_bias")


def softmax(logits: Floats) -> Floats:
    """Return probabilities, rows summing to 1."""
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True, initial=-np.inf))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True), np.float32)


def fill_softmax(logits: Floats, bias: Floats, part: slice, out: Floats) -> None:
    """Fill some rows of probabilities; the logits, to which the bias is added, are scratch afterwards."""
    if bias.size:
        call("softmax", logits, logits.reshape(-1), bias, part.start, out)


def judge(
    head: Sequence[Floats], inputs: Inputs, lines: int, beside: Callable[[slice, Floats, Floats], None] | None = None
) -> Floats:
    """Return the probabilities by a head, whose arrays are in the order of :data:`HEAD`, float32 [lines, labels].

    Hidden weights may have further columns: ``beside`` is handed what all columns say of the lines, [lines, columns],
    and the probabilities so far.
    """
    hidden_weights, hidden_bias, weights, bias = head
    out, size = empty(f"judged {len(hidden_bias)}", (lines, len(bias)), np.float32), len(hidden_bias)
    for part, rows in inputs:
        values = np.asarray(rows @ hidden_weights, np.float32)
        call("rectified", hidden_bias, values)
        fill_softmax(np.asarray(values[:, :size] @ weights, np.float32), bias, part, out)
        if beside:
            beside(part, values, out)
    return out


def joined_rows(inputs: Inputs) -> Floats:
    """Return inputs that come in pieces as one array."""
    return np.concatenate([rows for _, rows in inputs])
