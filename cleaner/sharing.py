"""One copy of a model's arrays for all workers: plain files, mapped into memory."""

import errno
import json
from pathlib import Path

import numpy as np

from cleaner.model import Model


def share(model: Model, folder: Path) -> None:
    """Write a model's arrays for :func:`load_shared`.

    Raises:
        OSError: they cannot be written; names the folder above, and if there is no room, how much they need.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, array in model.arrays.items():
            np.save(folder / f"{name}.npy", np.ascontiguousarray(array), allow_pickle=False)
        (folder / "card.json").write_text(json.dumps(model.card), "utf-8")
    except OSError as error:
        if error.errno not in (None, errno.ENOSPC, errno.EDQUOT):  # none: numpy's own, which tells bytes alone
            raise
        needed = sum(array.nbytes for array in model.arrays.values()) / 1e6
        message = f"no room for the workers' copy of the model, {needed:.0f} MB; -j 1 needs none"
        raise OSError(errno.ENOSPC, message, str(folder.parent)) from None


def load_shared(folder: Path) -> Model:
    """Return a model whose arrays lie in memory once, whatever the number of processes."""
    arrays = {file.stem: np.load(file, mmap_mode="r", allow_pickle=False) for file in sorted(folder.glob("*.npy"))}
    return Model(arrays, json.loads((folder / "card.json").read_text("utf-8")))
