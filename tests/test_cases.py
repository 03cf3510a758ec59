"""Whole documents with the label of each line; what counts is whether a line stays or goes."""

import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet

from cleaner.cleaning import Cleaner
from cleaner.corpus import LabelledDocument, read_tsv

FOLDER = Path(__file__).parent / "cases"
SEED = Path(__file__).parents[2] / "shared" / "seed" / "article.txt"
COMMAND = str(Path(sys.executable).with_name("cleaner"))

#: Document and non-blank lines, from 1, that the shipped model gets wrong; one that it gets right must leave the list.
KNOWN_FAILURES: dict[str, set[int]] = {}


@cache
def document(name: str) -> LabelledDocument:
    return read_tsv(FOLDER / f"{name}.tsv")


@cache
def kept(name: str) -> list[bool]:
    cleaner = Cleaner.load()
    return [line.label in cleaner.keep for line in cleaner.label(document(name).text())]


def cases() -> list[ParameterSet]:
    out = []
    for path in sorted(FOLDER.glob("*.tsv")):
        for number in range(1, len(document(path.stem).lines) + 1):
            known = number in KNOWN_FAILURES.get(path.stem, set())
            marks = [pytest.mark.xfail(strict=True, reason="known failure")] if known else []
            out.append(pytest.param(path.stem, number, id=f"{path.stem}-{number}", marks=marks))
    return out


@pytest.mark.parametrize(("name", "number"), cases())
def test_line(name: str, number: int) -> None:
    found = document(name)
    assert kept(name)[number - 1] == (found.labels[number - 1] == "body"), found.lines[number - 1]


def test_known_failures_are_few_and_there() -> None:
    assert all(number <= len(document(name).lines) for name, numbers in KNOWN_FAILURES.items() for number in numbers)
    total = sum(len(document(path.stem).lines) for path in FOLDER.glob("*.tsv"))
    assert sum(map(len, KNOWN_FAILURES.values())) < total / 10


def seed() -> tuple[str, str]:
    """Return the seed document and what must be left of it, blank lines aside."""
    text = SEED.read_text("utf-8")
    full = [line for line in text.split("\n") if line.strip()]
    return text, "\n".join(line for line in full[1:-1] if not line.startswith("Smoke"))


def without_blanks(text: str) -> str:
    return "\n".join(line for line in text.split("\n") if line.strip())


def cleaned_seed(cleaner: Cleaner, way: str) -> str:
    if way == "library":
        return cleaner.clean(seed()[0])
    arguments = [COMMAND, "clean", *([str(SEED)] if way == "file" else [])]
    data = seed()[0].encode() if way == "pipe" else b""
    run = subprocess.run(arguments, input=data, capture_output=True, check=True)
    assert run.stderr == b""
    return run.stdout.decode()


needs_seed = pytest.mark.skipif(not SEED.exists(), reason="the seed document is not in this checkout")


@needs_seed
@pytest.mark.parametrize("way", ["library", "file", "pipe"])
def test_seed_keeps_every_paragraph_and_nothing_else(cleaner: Cleaner, way: str) -> None:
    assert without_blanks(cleaned_seed(cleaner, way)) == seed()[1]
