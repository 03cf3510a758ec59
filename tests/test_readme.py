import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import get_origin, get_type_hints

import pytest
from readme import ROOT, rendered

import cleaner

README = (ROOT / "README.md").read_text("utf-8")


def test_figures_and_example_are_current() -> None:
    card = json.loads((ROOT / "models/default/card.json").read_text("utf-8"))
    assert rendered(README, card) == README


def test_example_is_whole_and_alone() -> None:
    """Its paragraphs, and nothing else, are in what the README shows."""
    text = (ROOT / "tests" / "example.txt").read_text("utf-8")
    starts = ("The car ferry", "The first crossing", "Repairs cost", "Not everyone", "“For eleven days")
    assert cleaner.clean(text).split("\n\n") == [
        line + "\n" * (line.startswith(starts[-1])) for line in text.split("\n") if line.startswith(starts)
    ]


def test_library_examples_run() -> None:
    """The recipes for other libraries have tests of their own."""
    names: dict[str, object] = {}
    for code in re.findall(r"```python\n(.*?)```", README, re.S):
        if "dataset" not in code and "polars" not in code:
            exec(code, names)


def test_functions_return_what_is_said_of_them() -> None:
    said = dict(re.findall(r"`cleaner\.(\w+)`\s(?:returns )?an? `(\w+)`", README))
    assert said.keys() == {"train", "adapt", "compare", "evaluate"}
    for name, kind in said.items():
        returned = get_type_hints(getattr(cleaner, name))["return"]
        assert (get_origin(returned) or returned).__name__ == kind


@pytest.mark.slow
def test_first_command_from_nothing(tmp_path: Path) -> None:
    """The command under "Try it", in a copy of the tracked files."""
    command = re.findall(r"```sh\n(.*?)```", README, re.S)[0]
    tracked = subprocess.run(["git", "-C", ROOT, "ls-files", "-z"], capture_output=True, check=True).stdout.decode()
    for name in filter(None, tracked.split("\0")):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("VIRTUAL_ENV", "PYTHON"))}
    run = subprocess.run(["bash", "-c", command], cwd=tmp_path, env=environment, capture_output=True, check=True)
    after = re.search(r"<!-- after -->\n```text\n(.*?)```\n<!-- end of after -->", README, re.S)
    assert after is not None
    assert run.stdout.decode() == after[1]
