"""The figures that are promised of labelling."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from feature_groups import draft_groups, final_groups

from cleaner.model import Model
from cleaner.network import joined_rows

FOLDER = Path(__file__).with_name("benchmarks")


def test_keys_for_a_document() -> None:
    """The script's exit code says whether ten keys are enough in the median."""
    run = subprocess.run([sys.executable, FOLDER / "annotating.py"], capture_output=True, check=True)
    found = json.loads(run.stdout)
    assert found["documents"] >= 8
    assert found["lines_median"] >= 50


@pytest.mark.slow
def test_suspects() -> None:
    """The script's exit code says whether most flipped labels are among the first tenth; one draw is enough to know."""
    some = (FOLDER.parents[1] / "training_data").glob("[a-c]*")
    subprocess.run([sys.executable, FOLDER / "suspects.py", "--draws", "1", *some], capture_output=True, check=True)


def test_groups_of_features() -> None:
    """Every column of what a head sees is in a group, none beyond it, and only the parts named so are in two."""
    model = Model.load()
    batch = model.read([b"A headline\n\nA first line of it.\n\nAnother one, a little longer than the first.\n"])
    seen, size = model.see(batch), (len(model.table.scale), len(model.labels))
    draft = model.judge("draft", model.draft_inputs(seen), len(batch))
    for inputs, groups in (
        (model.draft_inputs(seen), draft_groups(*size)),
        (model.final_inputs(seen, draft), final_groups(*size)),
    ):
        parts = ("text sums of first and last tokens", "stretches, dates, white space")
        columns = [column for name, group in groups.items() if name not in parts for column in group]
        np.testing.assert_array_equal(np.sort(columns), np.arange(joined_rows(inputs).shape[1]))
        assert all(set(groups[name]) < set(columns) for name in parts)
