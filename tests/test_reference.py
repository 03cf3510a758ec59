"""The kernels against plain numpy: on invented and real pages, and on bytes that mean nothing."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import reference

from cleaner import alphabet as a
from cleaner.cleaning import Cleaner, encode
from cleaner.corpus import read_labelled

ROOT = Path(__file__).parents[1]
Floats = npt.NDArray[np.float32]
VALID = ROOT.parent / "shared/corpus/valid"
MIXTURE = np.frombuffer("\n\n\r\t  aaBcD.,9’\u2028\x85Ж港".encode(), np.uint8)


def groups(documents: list[bytes]) -> Iterator[list[bytes]]:
    waiting = iter(documents)
    while group := list(islice(waiting, 40)):
        yield group


def believed(cleaner: Cleaner, draft: Floats, final: Floats, found: Floats) -> Floats:
    """Return the draft's probabilities where it is sure, else the final; the nearer to what was found between both."""
    over = draft.max(axis=1, initial=0) - np.asarray(cleaner.model.card["sure"])[draft.argmax(axis=1)]
    nearer = np.abs(found - draft).max(axis=1, initial=0) < np.abs(found - final).max(axis=1, initial=0)
    return np.where(np.where(np.abs(over) < 1e-4, nearer, over >= 0)[:, None], draft, final)


def agrees(cleaner: Cleaner, documents: list[bytes]) -> None:
    for group in groups(documents):
        result = cleaner.result(group)
        draft, final = reference.probabilities(cleaner.model, result.batch)
        expected = believed(cleaner, draft, final, result.probabilities)
        assert np.abs(result.probabilities - expected).max(initial=0) < 1e-4
        codes = cleaner.model.decide(result.batch, expected, kinds=result.kinds)
        differ = np.flatnonzero(result.codes != codes)
        weighted = expected * np.asarray(cleaner.model.card["weights"])
        assert all(np.ptp(np.sort(weighted[line])[-2:]) < 1e-3 for line in differ), "other labels, and no near tie"


def invented() -> list[bytes]:
    return [encode(document.text()) for document in read_labelled([ROOT / "training_data"])]


def random_bytes(seed: int) -> list[bytes]:
    rng = np.random.default_rng(seed)
    sizes = rng.integers(0, 3000, 20)
    return [rng.integers(0, 256, size, np.uint8).tobytes() for size in sizes] + [
        rng.choice(MIXTURE, size).tobytes() for size in sizes
    ]


def test_some_invented_pages(cleaner: Cleaner) -> None:
    agrees(cleaner, invented()[::12])


@pytest.mark.parametrize("seed", range(3))
def test_random_bytes(cleaner: Cleaner, seed: int) -> None:
    agrees(cleaner, random_bytes(seed))


@pytest.mark.parametrize(
    "documents", [[], [b""], [b"\n"], [b"\n", b"", b"a"], [b"a\n" * 5000], [b"word " * 9000]], ids=len
)
def test_edges(cleaner: Cleaner, documents: list[bytes]) -> None:
    agrees(cleaner, documents)


@pytest.mark.slow
def test_all_invented_pages(cleaner: Cleaner) -> None:
    agrees(cleaner, invented())


@pytest.mark.slow
@pytest.mark.skipif(not VALID.is_dir(), reason="no corpus beside the project")
def test_all_real_pages(cleaner: Cleaner) -> None:
    agrees(cleaner, [encode(document.text()) for document in read_labelled([VALID])])


def test_lines_and_counts(cleaner: Cleaner) -> None:
    """The kernels cut lines as Python does and count what Python's tables say."""
    classes = cleaner.model.arrays["classes"]
    for group in groups(invented()[::12]):
        batch = cleaner.model.read(group)
        lines = [line for document in group for line in document.decode().splitlines()]
        assert [len(line) for line in lines if line.strip()] == batch.counts[:, a.CHARACTERS].tolist()
        solid = (line for line in lines if line.strip())
        for line, counts in zip(solid, batch.counts, strict=True):
            of = np.bincount(classes[[min(ord(char), 65535) for char in line]], minlength=a.CLASSES)
            found = [of[1:4].sum() + of[a.CJK], of[a.UPPER], of[a.DIGIT], of[a.TERMINAL :].sum()]
            assert found == counts[[a.LETTERS, a.CAPITALS, a.FIGURES, a.MARKS]].tolist()
