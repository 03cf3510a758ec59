"""One copy of a model's arrays for all workers: plain files, mapped into memory."""

import json
from pathlib import Path

import numpy as np

from cleaner.model import Model

__all__ = ["load_shared", "share"]


def share(model: Model, folder: Path) -> None:
    """Write a model's arrays for :func:`load_shared`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, array in model.arrays.items():
        np.save(folder / f"{name}.npy", np.ascontiguousarray(array), allow_pickle=False)
    (folder / "card.json").write_text(json.dumps(model.card), "utf-8")


def load_shared(folder: Path) -> Model:
    """Return a model whose arrays lie in memory once, whatever the number of processes."""
    arrays = {file.stem: np.load(file, mmap_mode="r", allow_pickle=False) for file in sorted(folder.glob("*.npy"))}
    return Model(arrays, json.loads((folder / "card.json").read_text("utf-8")))
