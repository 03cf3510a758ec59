"""A head: a hidden layer and a softmax over what it sees of the lines."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from cleaner.native import call
from cleaner.scratch import empty

__all__ = ["HEAD", "Inputs", "fill_softmax", "judge", "one_thread", "softmax"]

Floats = npt.NDArray[np.float32]
#: Pieces of what a head sees, [lines, features].
Inputs = Iterator[tuple[slice, Floats]]
#: The arrays of a head: one hidden layer and the output.
HEAD = ("hidden_weights", "hidden_bias", "output_weights", "output_bias")


def one_thread() -> AbstractContextManager[Any]:
    """Keep matrix products in the thread that asks for them.

    They are small, and threads that wait for each other cost more than they save; other cores are for other documents.
    """
    limits: AbstractContextManager[Any] = libraries().limit(limits=1, user_api="blas")
    return limits


@cache
def libraries() -> Any:
    """Return what controls the threads of the libraries that are loaded."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def softmax(logits: Floats) -> Floats:
    """Return probabilities, rows summing to 1."""
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True, initial=-np.inf))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True), np.float32)


def fill_softmax(logits: Floats, bias: Floats, part: slice, out: Floats) -> None:
    """Fill some rows of probabilities; the logits, to which the bias is added, are scratch afterwards."""
    if bias.size:
        call("softmax", logits, logits.reshape(-1), bias, part.start, out)


def judge(
    head: Sequence[Floats], inputs: Inputs, lines: int, beside: Callable[[slice, Floats], None] | None = None
) -> Floats:
    """Return the probabilities by a head, whose arrays are in the order of :data:`HEAD`, float32 [lines, labels].

    Hidden weights may have further columns: what those say of the lines is handed to ``beside``, [lines, columns].
    """
    hidden_weights, hidden_bias, weights, bias = head
    out, size = empty(f"judged {len(hidden_bias)}", (lines, len(bias)), np.float32), len(hidden_bias)
    for part, rows in inputs:
        values = np.asarray(rows @ hidden_weights, np.float32)
        call("rectified", hidden_bias, values)
        fill_softmax(np.asarray(values[:, :size] @ weights, np.float32), bias, part, out)
        if beside:
            beside(part, values[:, size:])
    return out
