"""The files that a run itself needs: they are neither cleaned with a folder nor written over."""

import os
from pathlib import Path

from cleaner.model_files import find_model
from cleaner.model_writing import FILES
from cleaner.opening import address
from cleaner.options import BatchOptions
from cleaner.settings import SETTINGS


def own_files(options: BatchOptions) -> dict[object, str]:
    """Return what each is, by address: rules, model, and settings in the working folder and above, used or not.

    Raises:
        ModelError: no model is named.
    """
    model = find_model(os.fspath(options.model))
    found = {address(str(folder / name)): "settings of a project" for folder in above() for name in SETTINGS}
    found |= {address(str(model / name)): "model of this run" for name in FILES}
    return found | ({address(os.fspath(options.rules)): "rules of this run"} if options.rules else {})


def above() -> list[Path]:
    """Return the working folder and those above it; none if it is gone."""
    try:
        here = Path.cwd()
    except FileNotFoundError:
        return []
    return [here, *here.parents]
