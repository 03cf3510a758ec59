"""The gate: the shipped model's figures do not fall below floors.json.

`python tests/test_scores.py` writes the floors anew, from the card as it is; look at the diff before committing.
"""

import gzip
import json
import math
import re
from pathlib import Path
from typing import Any

import pytest

from cleaner.corpus import read_labelled
from cleaner.evaluation import evaluate
from cleaner.model import find_model

ROOT = Path(__file__).parents[1]
CORPUS = ROOT.parent / "shared" / "corpus"
FLOORS = Path(__file__).with_name("floors.json")
MIN_WORDS = 8
#: Folders that are not part of the project.
ASIDE = {".git", ".venv", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis", "__pycache__", "build", "dist"}

real_pages = pytest.mark.skipif(not (CORPUS / "valid").exists(), reason="the corpus is not in this checkout")


def card() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((find_model("default") / "card.json").read_text("utf-8"))
    return found


def gated(scores: dict[str, Any] | None = None) -> dict[str, float]:
    """Return the figures that have a floor: of the card, or with other scores on real pages."""
    found = card()
    scores, invented = scores or found["scores"], found["held_out"]["invented"]
    out = {f"{label} F1": row["f1"] for label, row in scores["labels"].items()}
    for view, row in scores["by_view"].items():
        out |= {f"body F1, {view}": row["body_f1"], f"body recall, {view}": row["body_recall"]}
    return out | {f"{label} F1, held-out invented": row["f1"] for label, row in invented["labels"].items()}


def floors() -> dict[str, float]:
    found: dict[str, float] = json.loads(FLOORS.read_text("utf-8")) if FLOORS.exists() else {}
    return found


@pytest.mark.parametrize("name", floors())
def test_floor(name: str) -> None:
    assert gated()[name] >= floors()[name]


def test_every_figure_has_a_floor() -> None:
    assert floors().keys() == gated().keys()


@pytest.mark.slow
@real_pages
def test_card_has_the_figures_of_this_code() -> None:
    """Another processor's arithmetic may turn a line in a thousand of the rarest label, no more."""
    assert gated(evaluate([CORPUS / "valid"])) == pytest.approx(gated(), abs=1e-3)


@pytest.mark.slow
@real_pages
def test_validation_is_unseen() -> None:
    unseen = read_labelled([CORPUS / "valid"])
    mine = read_labelled([ROOT / "training_data"])
    assert not {one.site for one in unseen} & {one.site for one in mine}
    assert not {one.site for one in unseen} & {one.site for one in read_labelled([CORPUS / "train"])}
    long = {line for one in unseen for line in one.lines if len(line.split()) >= MIN_WORDS}
    assert [line for one in mine for line in one.lines if line in long] == []


def key(text: str) -> str:
    """Return the words of a text as one string; empty for a short one."""
    words = re.findall(r"\w+", text.lower())
    return " ".join(words) if len(words) >= MIN_WORDS else ""


@pytest.mark.slow
@real_pages
def test_no_third_party_text() -> None:
    mine: dict[str, str] = {}
    for path in sorted(ROOT.rglob("*")):
        name = path.relative_to(ROOT)
        if not path.is_file() or ASIDE & set(name.parts) or path.stat().st_size > 20_000_000:
            continue
        try:
            text = path.read_text("utf-8")
        except UnicodeDecodeError:
            continue
        for number, line in enumerate(text.split("\n"), 1):
            mine |= {key(part): f"{name}:{number}" for part in (line, *line.split("\t"))}
    mine.pop("", None)
    found = set()
    for path in sorted(CORPUS.glob("*/*.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as records:
            for record in records:
                found |= {mine[key(row["text"])] for row in json.loads(record)["lines"] if key(row["text"]) in mine}
    seed = CORPUS.parent / "seed" / "article.txt"
    found |= {mine[key(line)] for line in seed.read_text("utf-8").split("\n") if key(line) in mine}
    assert found == set()


if __name__ == "__main__":
    rounded = {name: math.floor(value * 1000) / 1000 for name, value in gated().items()}
    FLOORS.write_text(json.dumps(rounded, indent=1) + "\n", "utf-8")
