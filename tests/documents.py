"""Invented documents by the thousand, for the tests of batch runs."""

import json
import random
from functools import cache
from pathlib import Path

from cleaner.corpus import read_tsv

ROOT = Path(__file__).parent.parent


@cache
def pool() -> tuple[str, ...]:
    """Return some of the invented documents of the training data."""
    files = sorted((ROOT / "training_data").rglob("*.tsv"))[::7]
    return tuple(read_tsv(file).text() for file in files)


def texts(count: int, seed: int = 1) -> list[str]:
    """Return so many documents, no two quite the same."""
    chance = random.Random(seed)
    return [f"{chance.choice(pool())}\nNumber {number}\n" for number in range(count)]


def jsonl(path: Path, count: int, seed: int = 1) -> Path:
    """Write a JSONL file with numbers that floats cannot hold, and other oddities that must survive."""
    with path.open("w", encoding="utf-8") as file:
        for number, text in enumerate(texts(count, seed)):
            value = json.dumps(text, ensure_ascii=number % 3 == 0)
            begin = f'{{"id": "doc-{number}", "big": 123456789012345678901{number}'
            file.write(f'{begin}, "text":{value}, "price" : 1.10, "é": 1e3}}\n')
    return path
