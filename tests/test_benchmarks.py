"""The figures that are promised of labelling."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

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
