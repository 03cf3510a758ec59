"""How many flipped labels the suspects find: python tests/benchmarks/suspects.py [--save] [--draws N] [DATA...]

A share of the labels of held-out documents (all are held out in turn, site by site) is flipped at random; the
models are trained on the flipped labels, too. Exit code 1 if fewer than 70 % of the flips are among the first
tenth of the lines as listed. ``--save`` keeps the figures for the README.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from labelling import save

from cleaner.corpus import LabelledDocument, read_labelled
from cleaner.sampling import label_order
from cleaner.suspects import find_suspects, out_of_fold

ROOT = Path(__file__).parents[2]
SHARE = 0.05
WANTED = 0.7
Places = set[tuple[int, int]]


def flipped(
    documents: Sequence[LabelledDocument], labels: list[str], seed: int
) -> tuple[list[LabelledDocument], Places]:
    """Return documents with a share of their labels flipped, and the places of the flips."""
    rng = np.random.default_rng(seed)
    found, places = [], set()
    for number, document in enumerate(documents):
        changed = list(document.labels)
        for line in np.flatnonzero(rng.random(len(changed)) < SHARE).tolist():
            others = [label for label in labels if label != changed[line]]
            changed[line] = others[rng.integers(len(others))]
            places.add((number, line))
        found.append(replace(document, labels=tuple(changed)))
    return found, places


def measure(documents: Sequence[LabelledDocument], seed: int) -> dict[str, float]:
    """Return the figures for one draw of flips."""
    labels = label_order(documents)
    noisy, places = flipped(documents, labels, seed)
    suspects = find_suspects(noisy, out_of_fold(noisy), labels)
    order = [one.place in places for one in suspects.ranked]
    tenth, flagged = order[: len(order) // 10], order[: suspects.flagged]
    return {
        "seed": seed,
        "lines": len(order),
        "flips": len(places),
        "flips_in_first_tenth": round(sum(tenth) / len(places), 4),
        "flagged": len(flagged),
        "flips_flagged": round(sum(flagged) / len(places), 4),
        "flagged_are_flips": round(sum(flagged) / max(len(flagged), 1), 4),
    }


def main() -> None:
    """Print the figures of some draws."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, nargs="*", default=[ROOT / "training_data"])
    parser.add_argument("--save", action="store_true", help="keep the figures of the worst draw")
    parser.add_argument("--draws", type=int, default=3)
    chosen = parser.parse_args()
    documents = read_labelled(chosen.data)
    rows = [measure(documents, seed) for seed in range(chosen.draws)]
    for row in rows:
        print(json.dumps(row))
    if chosen.save:
        save("suspects", min(rows, key=lambda row: row["flips_in_first_tenth"]))
    sys.exit(min(row["flips_in_first_tenth"] for row in rows) < WANTED)


if __name__ == "__main__":
    main()
