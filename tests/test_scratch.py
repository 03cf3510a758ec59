"""Memory that is used again is never memory that is still in use."""

import threading
from pathlib import Path

import numpy as np
import pytest

from cleaner import Cleaner
from cleaner.cleaning import Result
from cleaner.corpus import read_labelled
from cleaner.scratch import LARGE, SMALL, empty

FOLDER = Path(__file__).parents[1] / "training_data"


def place(array: np.ndarray) -> int:
    return int(array.__array_interface__["data"][0])


def test_memory_is_used_again_when_nothing_refers_to_it() -> None:
    first = empty("a", (SMALL, 2), np.float32)
    where = place(first)
    part = first[3:, 1]
    del first
    assert place(empty("a", SMALL, np.float32)) != where, "a part of the array is still there"
    del part
    again = empty("a", SMALL, np.int64)
    where = place(again)
    assert again.shape == (SMALL,)
    assert again.dtype == np.int64
    del again
    assert place(empty("a", SMALL, np.float64)) == where
    assert place(empty("b", SMALL, np.float64)) != where


def test_what_does_not_fit_is_new() -> None:
    where = place(empty("c", SMALL, np.uint8))
    larger = empty("c", 2 * SMALL, np.uint8)
    assert larger.nbytes == 2 * SMALL
    del larger
    assert place(empty("c", SMALL, np.uint8)) != where
    for size in (0, SMALL - 1, LARGE + 1):
        assert empty("c", size, np.uint8).base is None


def test_threads_have_memory_of_their_own() -> None:
    places = [place(empty("d", SMALL, np.uint8))]
    thread = threading.Thread(target=lambda: places.append(place(empty("d", SMALL, np.uint8))))
    thread.start()
    thread.join()
    assert places[0] != places[1]


def arrays(result: Result) -> list[np.ndarray]:
    batch, kinds = result.batch, result.kinds
    assert kinds is not None
    return [*batch.text, batch.full, *batch.tokens, batch.counts, batch.document, result.probabilities, kinds]


@pytest.mark.parametrize("kinds", [True, False])
def test_a_result_stays_as_it_is(kinds: bool, cleaner: Cleaner) -> None:
    documents = [document.text().encode() for document in read_labelled([FOLDER])[:120]]
    first = cleaner.result(documents[:60], kinds=kinds)
    before = [array.copy() for array in arrays(first)]
    assert max(array.nbytes for array in before) > SMALL
    second = cleaner.result(documents[60:], kinds=kinds)
    assert all(np.array_equal(*pair) for pair in zip(before, arrays(first), strict=True))
    assert not np.array_equal(first.probabilities[:100], second.probabilities[:100])
