"""Writes the figures of the shipped model's card into README.md: python tests/readme.py"""

import json
import re
import textwrap
from pathlib import Path
from typing import Any

import cleaner

ROOT = Path(__file__).parent.parent
#: Words of body text from which a language is listed.
MANY_WORDS = 500
VIEWS = {
    "page": "whole page, by its elements",
    "html-text": "whole page, html-text",
    "inscriptis": "whole page, inscriptis",
    "resiliparse": "resiliparse",
    "justext": "jusText",
    "trafilatura": "trafilatura",
    "trafilatura-recall": "trafilatura, favouring recall",
    "readability": "readability",
    "newspaper": "newspaper4k",
}


def figures(card: dict[str, Any]) -> str:
    """Return the README's tables of figures."""
    scores = card["scores"]
    invented = card["held_out"]["invented"]["labels"]
    rows = ["| label | F1, real sites | ± | F1, invented sites |", "| --- | --- | --- | --- |"]
    for label, row in scores["labels"].items():
        rows.append(f"| {label} | {row['f1']:.3f} | {row['f1_error']:.3f} | {invented[label]['f1']:.3f} |")
    rows += ["", "| text as left by | F1 before | F1 after | body kept | rest removed | document F1 before | after |"]
    rows.append("| --- | --- | --- | --- | --- | --- | --- |")
    for view, name in VIEWS.items():
        row = scores["by_view"][view]
        numbers = (row["body_f1_uncleaned"], row["body_f1"], row["body_recall"], row["removal_recall"])
        shingles = (row["shingles"]["before"], row["shingles"]["after"])
        rows.append(f"| {name} | " + " | ".join(f"{number:.3f}" for number in (*numbers, *shingles)) + " |")
    rows += ["", "| | body F1 | body kept | rest removed | removals that are right | made worse | lost whole |"]
    rows.append("| --- | --- | --- | --- | --- | --- | --- |")
    for name, title in (("pages", "whole pages"), ("extracts", "extracted text")):
        row = scores[name]
        after = [row[key] for key in ("body_f1", "body_recall", "removal_recall", "removal_precision")]
        after += [row["shingles"]["worse"], row["lost"]]
        rows.append(f"| {title} | " + " | ".join(f"{number:.3f}" for number in after) + " |")
    gone = {name: f"{scores['removed'][name]:.0%}" for name in ("credit", "byline", "caption")}
    rows += [
        "",
        "Lines removed: {credit} of the image credits, {byline} of the bylines, {caption} of the captions.".format(
            **gone
        ),
    ]
    languages = sorted(scores["by_language_pages"].items(), key=lambda item: -item[1]["body_words"])
    shown = [f"{name} {row['body_f1']:.3f}" for name, row in languages if row["body_words"] >= MANY_WORDS]
    rows += ["", f"Body F1 on whole pages by language, most text first: {', '.join(shown)}."]
    lines = scores["lines"]
    rows += ["", f"Over {lines:,} lines of {scores['documents']:,} texts; expected calibration error "]
    rows[-1] += f"{scores['calibration_error']:.3f}."
    return "\n".join(rows)


def labelling() -> str:
    """Return the README's figures on labelling, from the benchmarks' file."""
    found = json.loads((ROOT / "tests/benchmarks/labelling.json").read_text("utf-8"))
    shipped, weak, flips = (found[name] for name in ("annotating", "annotating_out_of_fold", "suspects"))
    first, listed = (f"{flips[name]:.0%}" for name in ("flips_in_first_tenth", "flips_flagged"))
    shipped_keys, weak_keys = (f"{row['keys_median']:g} keys" for row in (shipped, weak))
    text = f"""
        Measured by [tests/benchmarks](tests/benchmarks): a simulated annotator who knows the truth needs {shipped_keys}
        in the median for a document of 50 to 70 lines from an invented site that the shipped model has not seen
        ({shipped["documents"]} documents; {weak_keys} in {weak["documents"]} documents, with proposals by models
        that know invented documents alone). Of {flips["flips"]:,} labels flipped at random, 5 %, {first} are among
        the first tenth of the lines in order of suspicion; the {flips["flagged"]:,} lines listed, of
        {flips["lines"]:,}, hold {listed}. This was measured with the model and data of 645 documents."""
    return textwrap.fill(" ".join(text.split()), 112)


def rendered(readme: str, card: dict[str, Any]) -> str:
    """Return the README with the figures of a card and the cleaned example between their markers."""
    after = cleaner.clean((ROOT / "tests/example.txt").read_text("utf-8"))
    blocks = {"figures": figures(card), "after": f"```text\n{after}```", "labelling": labelling()}
    for name, body in blocks.items():
        block = f"<!-- {name} -->\n{body}\n<!-- end of {name} -->"
        readme = re.sub(f"<!-- {name} -->.*<!-- end of {name} -->", block.replace("\\", "\\\\"), readme, flags=re.S)
    return readme


if __name__ == "__main__":
    path = ROOT / "README.md"
    card = json.loads((ROOT / "models/default/card.json").read_text("utf-8"))
    path.write_text(rendered(path.read_text("utf-8"), card), "utf-8")
