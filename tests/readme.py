"""Writes the figures of the shipped model's card and of the benchmarks into README.md: python tests/readme.py

What the benchmarks say of the model goes into its card, too.
"""

import json
import re
import textwrap
from pathlib import Path
from typing import Any

import cleaner

ROOT = Path(__file__).parent.parent
BENCHMARKS = ROOT / "tests/benchmarks"
CARD = ROOT / "models/default/card.json"
#: The benchmarks whose results go into the card, and how `speed.py` calls what README names in other words.
IN_CARD = ("ablations", "batch", "marking", "residue", "speed", "wrapping")
RIVALS = {
    "c4": "the C4 line rules of datatrove",
    "justext": "jusText",
    "winnow": "winnow-md",
    "textbook": "a text-book scikit-learn pipeline for lines",
}
#: The sorts of residue in `residue.tsv`.
SORTS = {
    "caption": "plain captions",
    "byline": "bylines",
    "credit": "image credits",
    "share": "prompts to share or follow",
    "subscribe": "to subscribe",
    "advert": "marks of adverts",
    "related": "headlines of other stories",
    "comment": "comments",
}
#: The groups of languages that `residue.json` sums up, and how README calls the others.
WHERE = ("en", "others")
NAMES = {"de": "German", "es": "Spanish", "fr": "French", "pl": "Polish", "ru": "Russian"}
#: What `wrapping.py` calls the hardest that README shows.
BOTH = "72 columns, blank lines, indented"
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
    many = [(name, row) for name, row in languages if row["body_words"] >= MANY_WORDS]
    shown = ", ".join(f"{name} {row['body_f1']:.3f} ({row['documents']})" for name, row in many)
    least = f"(in brackets how many texts; {MANY_WORDS} words of body at least)"
    rows += ["", textwrap.fill(f"Body F1 on whole pages by language, most body first {least}: {shown}.", 112)]
    pages, lines = (sum(row[name] for row in card["test_data"]) for name in ("documents", "lines"))
    about = f"""Over {scores["lines"]:,} of {lines:,} lines, those whose label is certain, of {scores["documents"]:,}
        texts from {pages} pages; expected calibration error {scores["calibration_error"]:.3f}. Document F1 and made
        worse are over the {scores["shingles"]["documents"]:,} texts most of whose lines are certain."""
    rows += ["", textwrap.fill(" ".join(about.split()), 112)]
    return "\n".join(rows)


def result(name: str) -> dict[str, Any]:
    """Return what a benchmark found."""
    found: dict[str, Any] = json.loads((BENCHMARKS / f"{name}.json").read_text("utf-8"))
    return found


def speed() -> str:
    """Return the README's figures on speed and memory, from the benchmarks' files."""
    found, batch = result("speed"), result("batch")
    library, ratio = found["contenders"]["library"], found["ratios"]
    rivals = [f"{ratio[f'library / {key}']:.3g} times {name}" for key, name in RIVALS.items()]
    one, two = batch["workers_1"], batch["workers_2"]
    start = found["seconds_to_start"]
    text = f"""
        On one core ({found["machine"].partition(";")[0]}) the library cleans
        {library["megabytes_per_second"]:.1f} MB of real pages a second, {library["lines_per_second"]:,.0f} lines. In
        lines a second that is {", ".join(rivals[:-1])} and {rivals[-1]}; reading, cutting into lines and joining them
        again, doing nothing, is {1 / ratio["library / floor"]:.0f} times as fast. The command on JSONL reaches
        {ratio["command-jsonl / library"]:.0%} of the library's speed, its start counted,
        {one["of_the_library"]:.0%} over {batch["megabytes"] / 1000:.0f} GB, and on text
        {ratio["command-text / library"]:.0%}.
        Cleaning one small file takes {start["cleaner clean small.txt"]:.2f} s in all; importing scikit-learn's linear
        models takes {start["import sklearn.linear_model"]:.2f} s. Over {batch["megabytes"] / 1000:.0f} GB of JSONL two
        workers are {two["times_one"]:.2f} times as fast as one; {two["memory_mb_each_worker"]} MB of memory
        for each, and {one["memory_mb"]} MB for a single one. `python tests/benchmarks/speed.py` and `batch.py`
        measure it again (`pip install '.[bench]'`); the library's rounds of that run differ by
        {library["spread"]:.0%}."""
    return textwrap.fill(" ".join(text.split()), 112)


def adapting() -> str:
    """Return the README's figures on adapting to a site, from the benchmark's file."""
    averages = result("adaptation")["averages"]
    rows = {name: averages[name]["10"] for name in ("real", "invented") if averages[name]}
    parts = [
        "on {sites} {name} sites from {before:.0f} to {after:.0f} in 1,000 words ({left:.0%} are left in the mean of "
        "the sites, {worse} got worse)".format(
            name=name,
            sites=row["sites"],
            before=row["errors_in_1000_words"][0],
            after=row["errors_in_1000_words"][1],
            left=row["mean_ratio_gated"],
            worse=row["worse_gated"] or "none",
        )
        for name, row in rows.items()
    ]
    every = averages["all"]["10"]
    change, worst, left = (every[name] for name in ("general_gated", "general_gated_worst", "mean_ratio_gated"))
    text = f"""With ten labelled documents the words wrongly kept or dropped fall {" and ".join(parts)}. In the
        mean of all {every["sites"]} sites {left:.0%} are left; body F1 on other real sites changes by {change:+.4f},
        at worst by {worst:+.4f}. `python tests/benchmarks/adaptation.py` measures it, with a base that has seen none of
        the sites."""
    return textwrap.fill(" ".join(text.split()), 112)


def labelling() -> str:
    """Return the README's figures on labelling, from the benchmarks' file."""
    found = result("labelling")
    shipped, weak, flips = (found[name] for name in ("annotating", "annotating_out_of_fold", "suspects"))
    first, listed = (f"{flips[name]:.0%}" for name in ("flips_in_first_tenth", "flips_flagged"))
    shipped_keys, weak_keys = (f"{row['keys_median']:g} keys" for row in (shipped, weak))
    text = f"""
        Measured by [tests/benchmarks](tests/benchmarks): a simulated annotator who knows the truth needs {shipped_keys}
        in the median for a document of 50 to 70 lines from an invented site that the shipped model has not seen
        ({shipped["documents"]} documents; {weak_keys} in {weak["documents"]} documents, with proposals by models
        that know invented documents alone). Of {flips["flips"]:,} labels flipped at random, 5 %, {first} are among
        the first tenth of the lines in order of suspicion; the {flips["flagged"]:,} lines listed, of
        {flips["lines"]:,}, hold {listed}."""
    return textwrap.fill(" ".join(text.split()), 112)


def wrapping() -> str:
    """Return the README's figures on text with wrapped and joined lines, from the benchmark's file."""
    found = result("wrapping")
    plain, lines, indented, joined = (found[name] for name in ("as it is", "72 columns, blank lines", BOTH, "joined"))
    parts = [
        f"{name}: {plain[group]['body_f1']:.3f} as it is, {lines[group]['body_f1']:.3f} wrapped, "
        f"{indented[group]['body_f1']:.3f} wrapped and indented, {joined[group]['body_f1']:.3f} joined"
        for group, name in (("pages", "whole pages"), ("extracts", "extracted text"))
    ]
    text = f"""Lines wrapped at 72 columns with blank lines between paragraphs, as text browsers and mail leave them,
        and joined, all of the body that follows each other in one line, body F1:
        {"; ".join(parts)}. `python tests/benchmarks/wrapping.py ../shared/corpus/valid` measures it."""
    return textwrap.fill(" ".join(text.split()), 112)


def markdown() -> str:
    """Return the README's figures on text that was converted to Markdown, from the benchmark's file."""
    found = result("marking")
    parts = [
        f"{name}: {found['as it is'][group]['body_f1']:.3f} as it is, {found['html2text'][group]['body_f1']:.3f} from "
        f"html2text, {found['markdownify'][group]['body_f1']:.3f} from markdownify, "
        f"{found['tags left in'][group]['body_f1']:.3f} with tags"
        for group, name in (("pages", "whole pages"), ("extracts", "extracted text"))
    ]
    text = f"""Markdown, and tags that were left in a text, do little harm, since they are read as what they show; body
        F1: {"; ".join(parts)}. `python tests/benchmarks/marking.py ../shared/corpus/valid` measures it."""
    return textwrap.fill(" ".join(text.split()), 112)


def residue() -> str:
    """Return the README's figures on residue that was put into text, from the benchmark's file."""
    found = result("residue")
    shares = [", ".join(f"{SORTS[sort]} {share:.0%}" for sort, share in found[of]["balanced"].items()) for of in WHERE]
    names = [NAMES[language] for language in found if language not in WHERE]
    one, more = (found[of] for of in WHERE)
    text = f"""Of {one["pieces"]} pieces of residue, written for this and each put alone between two paragraphs of
        {one["times"]} texts (of {one["texts"]} English ones, from {one["pages"]} pages, as extractors left them), so
        many are removed: {shares[0]}. Of {more["pieces"]} in {", ".join(names[:-1])} and {names[-1]} ({more["texts"]}
        texts from {more["pages"]} pages): {shares[1]}.
        `python tests/benchmarks/residue.py ../shared/corpus/valid` measures it."""
    return textwrap.fill(" ".join(text.split()), 112)


def rendered(readme: str, card: dict[str, Any]) -> str:
    """Return the README with the figures of a card and the cleaned example between their markers."""
    after = cleaner.clean((ROOT / "tests/example.txt").read_text("utf-8"))
    blocks = {
        "figures": figures(card),
        "after": f"```text\n{after}```",
        "wrapping": wrapping(),
        "markdown": markdown(),
        "residue": residue(),
        "speed": speed(),
        "adapting": adapting(),
        "labelling": labelling(),
    }
    for name, body in blocks.items():
        block = f"<!-- {name} -->\n{body}\n<!-- end of {name} -->"
        readme = re.sub(f"<!-- {name} -->.*<!-- end of {name} -->", block.replace("\\", "\\\\"), readme, flags=re.S)
    return readme


if __name__ == "__main__":
    path = ROOT / "README.md"
    card = json.loads(CARD.read_text("utf-8")) | {name: result(name) for name in IN_CARD}
    CARD.write_text(json.dumps(card, indent=1, ensure_ascii=False) + "\n", "utf-8")
    path.write_text(rendered(path.read_text("utf-8"), card), "utf-8")
