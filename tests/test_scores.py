"""The gate: the shipped model's figures do not fall below floors.json.

`python tests/test_scores.py` writes the floors anew, from the card as it is; a figure that falls below the
highest floor it ever had needs `--why "a reason"`, which stays in the file until it is back.
"""

import argparse
import gzip
import json
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cleaner.alike import without_shared
from cleaner.cleaning import Cleaner
from cleaner.copies import wrapped
from cleaner.corpus import read_labelled
from cleaner.evaluation import evaluate, figures, measure
from cleaner.model_files import find_model

ROOT = Path(__file__).parents[1]
CORPUS = ROOT.parent / "shared" / "corpus"
FLOORS = Path(__file__).with_name("floors.json")
MIN_WORDS = 8
#: So many words in a row are somebody's.
RUN = 12
CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
WORDS = re.compile(rf"{CJK.pattern}|[^\W\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+")
SENTENCES = re.compile(r"(?<=[.!?。！？…])\s*")
#: What `wrapping.py` calls the text with wrapped lines that has floors, besides that with joined ones.
WRAPPED = "72 columns, blank lines"
#: Those of `marking.py`.
CONVERTERS = ("html2text", "markdownify", "tags left in")
#: Folders that are not part of the project.
ASIDE = {".git", ".venv", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis", "__pycache__", "build", "dist"}

real_pages = pytest.mark.skipif(not (CORPUS / "valid").exists(), reason="the corpus is not in this checkout")


def card() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((find_model("default") / "card.json").read_text("utf-8"))
    return found


def gated(scores: dict[str, Any] | None = None) -> dict[str, float]:
    """Return the figures that have a floor, higher being better: of the card, or with other scores on real pages."""
    found = card()
    scores, invented = scores or found["scores"], found["held_out"]["invented"]
    out = {f"{label} F1": row["f1"] for label, row in scores["labels"].items()}
    out |= {"mean F1": scores["macro_f1"], "calibration, 1 - error": 1 - scores["calibration_error"]}
    pages, extracts = scores["pages"], scores["extracts"]
    out |= {"pages, body F1 in words": pages["body_f1"], "pages, body F1 in lines": pages["f1"]["body"]}
    out |= {"pages, documents not lost": 1 - pages["lost"]}
    out |= {f"extracts, {name}": extracts[name] for name in ("body_recall", "removal_recall", "removal_precision")}
    out |= {"extracts, documents not worse": 1 - extracts["shingles"]["worse"]}
    out |= {f"{name} lines removed": scores["removed"][name] for name in ("credit", "caption", "byline")}
    for view, row in scores["by_view"].items():
        out |= {f"body F1, {view}": row["body_f1"], f"body recall, {view}": row["body_recall"]}
        out[f"calibration, 1 - error, {view}"] = 1 - row["calibration_error"]
        out[f"shingles gained, {view}"] = row["shingles"]["after"] - row["shingles"]["before"]
        out |= {f"{name}, {view}": row[name] for name in ("removal_recall", "removal_precision")}
        out[f"documents not worse, {view}"] = 1 - row["shingles"]["worse"]
    out |= {f"body F1 of pages, {name}": row["body_f1"] for name, row in scores["by_language_pages"].items()}
    for texts, group in (("", "en"), (" other languages", "others")):
        shares = found["residue"][group]["balanced"]
        out |= {f"{sort} put in{texts}, removed": share for sort, share in shares.items()}
    for way, about in ((WRAPPED, "wrapped"), ("joined", "joined")):
        for group, row in found["wrapping"][way].items():
            out |= {f"{about} {group}, {name}": value for name, value in row.items()}
    for group in ("pages", "extracts"):
        for name in found["marking"]["as it is"][group]:
            least = min(found["marking"][way][group][name] for way in CONVERTERS)
            out[f"markup {group}, {name}"] = least
    return out | {f"{label} F1, held-out invented": row["f1"] for label, row in invented["labels"].items()}


def floors() -> dict[str, dict[str, Any]]:
    """Return for each figure its floor, the highest that it ever had, and, if it is lower now, why."""
    found: dict[str, dict[str, Any]] = json.loads(FLOORS.read_text("utf-8")) if FLOORS.exists() else {}
    return found


@pytest.mark.parametrize("name", floors())
def test_floor(name: str) -> None:
    assert gated()[name] >= floors()[name]["floor"]


@pytest.mark.parametrize("name", floors())
def test_a_floor_is_lowered_with_a_reason(name: str) -> None:
    row = floors()[name]
    assert row["floor"] == row["best"] or (row["floor"] < row["best"] and len(row["why"].split()) > 3)


def test_every_figure_has_a_floor() -> None:
    assert floors().keys() == gated().keys()


def test_no_view_is_worse_after_cleaning() -> None:
    views = card()["scores"]["by_view"]
    assert [name for name, row in views.items() if row["shingles"]["after"] < row["shingles"]["before"]] == []


@pytest.mark.slow
@real_pages
def test_card_has_the_figures_of_this_code() -> None:
    """Another processor's arithmetic may turn a line in a thousand of the rarest label, no more."""
    assert gated(evaluate([CORPUS / "valid"])) == pytest.approx(gated(), abs=1e-3)


@pytest.mark.slow
@real_pages
def test_card_has_the_figures_of_wrapped_text() -> None:
    copies = [wrapped(one, 72, apart=True) for one in read_labelled([CORPUS / "valid"])]
    found = figures(measure(copies, Cleaner.load()))
    for group, row in card()["wrapping"][WRAPPED].items():
        assert {name: found[group][name] for name in row} == pytest.approx(row, abs=1e-3)


@pytest.mark.slow
@real_pages
@pytest.mark.parametrize("way", CONVERTERS)
def test_card_has_the_figures_of_markdown(way: str) -> None:
    import marking

    copies = marking.copies(read_labelled([CORPUS / "valid"]), way)
    found = figures(measure(copies, Cleaner.load()))
    for group, row in card()["marking"][way].items():
        assert {name: found[group][name] for name in row} == pytest.approx(row, abs=1e-3)


@pytest.mark.slow
@real_pages
def test_card_has_the_figures_of_residue() -> None:
    import residue

    documents = read_labelled([CORPUS / "valid"])
    for language in residue.LANGUAGES:
        found = residue.by_sort(residue.removed(Cleaner.load(), residue.put_in(documents, language)))
        assert found == pytest.approx(card()["residue"][language]["balanced"], abs=0.01)


@pytest.mark.slow
@real_pages
def test_validation_is_unseen() -> None:
    unseen = read_labelled([CORPUS / "valid"])
    mine = read_labelled([ROOT / "training_data"])
    assert not {one.site for one in unseen} & {one.site for one in mine}
    assert not {one.site for one in unseen} & {one.site for one in read_labelled([CORPUS / "train"])}
    seen, shared = without_shared([*mine, *read_labelled([CORPUS / "train"])], unseen)
    assert shared == card()["lines_shared_with_tests"]
    long = {line for one in unseen for line in one.lines if len(line.split()) >= MIN_WORDS}
    assert not long & {line for one in mine for line in one.lines}
    lines = (row for one in seen for row in zip(one.lines, one.weak, strict=True))
    assert not long & {line for line, weak in lines if not weak}


def test_no_piece_of_residue_has_trained() -> None:
    import residue

    mine = {line.strip().lower() for one in read_labelled([ROOT / "training_data"]) for line in one.lines}
    assert {piece.line for piece in residue.PIECES if piece.line.strip().lower() in mine} == set()


def spoken(text: str) -> list[str]:
    """Return the words of a text, each Chinese, Japanese or Korean character as one; no numbers, no single letters."""
    return [word for word in WORDS.findall(text.lower()) if len(word) > 1 or CJK.match(word)]


def own(text: str) -> Iterator[tuple[str, ...]]:
    """Return what of a text nobody else can have written: whole sentences, and runs of words."""
    for sentence in SENTENCES.split(text):
        words = spoken(sentence)
        if len(words) - sum(CJK.match(word) is not None for word in words) / 2 >= MIN_WORDS:
            yield tuple(words)
    words = spoken(text)
    yield from (tuple(words[at : at + RUN]) for at in range(len(words) - RUN + 1))


@pytest.mark.slow
@real_pages
def test_no_third_party_text() -> None:
    """Neither the corpus nor the article that the project began with has a sentence or a run of words of it."""
    mine: dict[int, str] = {}
    for path in sorted(ROOT.rglob("*")):
        name = path.relative_to(ROOT)
        if not path.is_file() or ASIDE & set(name.parts) or path.suffix in (".json", ".npz", ".svg"):
            continue
        try:
            text = path.read_text("utf-8")
        except UnicodeDecodeError:
            continue
        for number, line in enumerate(text.split("\n"), 1):
            mine |= {hash(one): f"{name}:{number}" for part in line.split("\t") for one in own(part)}
    theirs = set((CORPUS.parent / "seed" / "article.txt").read_text("utf-8").split("\n"))
    for path in sorted(CORPUS.glob("*/*.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as records:
            theirs |= {row["text"] for record in records for row in json.loads(record)["lines"]}
    assert {mine[hash(one)]: line for line in theirs for one in own(line) if hash(one) in mine} == {}


def renewed(why: str) -> dict[str, dict[str, Any]]:
    """Return floors at the card's figures; one below the highest so far needs a reason."""
    out: dict[str, dict[str, Any]] = {}
    for name, value in gated().items():
        floor, before = math.floor(value * 1000) / 1000, floors().get(name, {})
        best = max(floor, before.get("best", floor))
        out[name] = {"floor": floor, "best": best}
        if floor < best:
            out[name]["why"] = before.get("why", why) if floor >= before["floor"] else why
            if not out[name]["why"]:
                raise SystemExit(f"{name} falls from {before['floor']} to {floor}: give a reason with --why")
    return out


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--why", default="", help="the reason, if a figure falls; it is written beside the floor")
    new = renewed(parser.parse_args().why)
    FLOORS.write_text(json.dumps(new, indent=1, ensure_ascii=False) + "\n", "utf-8")
