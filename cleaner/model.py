"""A trained model: arrays to probabilities, and the folder that holds it.

``weights.npz`` holds plain arrays (read without pickle) and ``card.json`` says what they are; names,
shapes and digest are checked against the card before anything is used.
"""

import hashlib
import io
import json
import math
import os
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cleaner.alphabet import CLASSES
from cleaner.context import Context, FirstPass, width
from cleaner.errors import ModelError
from cleaner.features import LINE_FEATURES, VERSION, Batch, line_features, read_batch, text_scores
from cleaner.labels import BODY

__all__ = ["FORMAT", "Model", "decide", "find_model", "softmax"]

FORMAT = 1
MAX_BYTES = 64_000_000
Floats = npt.NDArray[np.float32]
HEAD = ("first_weights", "first_bias", "hidden_weights", "hidden_bias", "output_weights", "output_bias")
ARRAYS = ("classes", "folded", "table", *HEAD)
DTYPES = {"classes": "uint8", "folded": "uint16", "table": "float16", **dict.fromkeys(HEAD, "float32")}


def softmax(logits: Floats) -> Floats:
    """Return probabilities, rows summing to 1."""
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True, initial=-np.inf))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True), np.float32)


def decide(probabilities: Floats, weights: Floats, body: int) -> npt.NDArray[np.int64]:
    """Return the label number of each row; see :meth:`Model.decide`."""
    chosen = (probabilities * weights).argmax(axis=1)
    return np.where(probabilities[:, body] >= 0.5, body, chosen)


def find_model(name: str | os.PathLike[str]) -> Path:
    """Return the folder of a model: a path, or the name of one that comes with the package."""
    path = Path(name)
    if path.is_dir() or os.sep in str(name):
        return path
    package = Path(__file__).parent
    for root in (package / "models", package.parent / "models"):
        if (root / path).is_dir():
            return root / path
    return path


@dataclass(frozen=True)
class Model:
    """Arrays and card of a trained model; use :meth:`load` to get one."""

    arrays: dict[str, npt.NDArray[Any]]
    card: dict[str, Any]

    @property
    def labels(self) -> list[str]:
        """The label names, in the order of the probabilities' columns."""
        return list(self.card["labels"])

    @classmethod
    def load(cls, name: str | os.PathLike[str] = "default") -> "Model":
        """Read a model folder, checking everything.

        Raises:
            ModelError: the folder or a file is missing, cut short, changed, of another format or
                feature version, or holds an array that it must not hold.
        """
        folder = find_model(name)
        if not folder.is_dir():
            raise ModelError(f"{folder}: no such model folder. Give a folder with weights.npz and card.json.")
        card = read_card(folder / "card.json")
        arrays = read_arrays(folder / "weights.npz", card)
        check_sizes(folder, arrays, card)
        arrays["table"] = arrays["table"].astype(np.float32)
        return cls(arrays, card)

    def save(self, folder: Path) -> None:
        """Write ``weights.npz`` and ``card.json``, each beside its place and then renamed."""
        stored = {name: self.arrays[name].astype(DTYPES[name]) for name in ARRAYS}
        buffer = io.BytesIO()
        np.savez_compressed(buffer, allow_pickle=False, **stored)
        card = dict(self.card)
        card["arrays"] = {name: {"shape": list(a.shape), "dtype": str(a.dtype)} for name, a in stored.items()}
        card["sha256"] = hashlib.sha256(buffer.getvalue()).hexdigest()
        folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(card, indent=1, ensure_ascii=False) + "\n"
        for name, content in (("weights.npz", buffer.getvalue()), ("card.json", text.encode())):
            beside = folder / f".{name}.{os.getpid()}"
            beside.write_bytes(content)
            beside.replace(folder / name)

    def read(self, documents: list[bytes]) -> Batch:
        """Cut UTF-8 documents into lines and tokens with the model's own tables."""
        return read_batch(documents, (self.arrays["classes"], self.arrays["folded"]))

    def probabilities(self, batch: Batch) -> Floats:
        """Return the probability of every label for every non-blank line, float32 [lines, labels]."""
        a = self.arrays
        out = np.empty((len(batch), len(self.labels)), np.float32)
        for part, inputs in self.inputs(batch):
            hidden = inputs @ a["hidden_weights"]
            hidden += a["hidden_bias"]
            np.maximum(hidden, 0, out=hidden)
            out[part] = softmax(hidden @ a["output_weights"] + a["output_bias"])
        return out

    def decide(self, probabilities: Floats) -> npt.NDArray[np.int64]:
        """Return the number of each line's label: the likeliest, after weighting by the card's ``weights``.

        A line that is body with a probability of one half or more is body, whatever the weights.
        """
        return decide(probabilities, np.asarray(self.card["weights"], np.float32), self.labels.index(BODY))

    def inputs(self, batch: Batch, scores: Floats | None = None) -> Iterator[tuple[slice, Floats]]:
        """Return piece by piece what the head sees, [lines, features].

        ``scores`` are the sums of the text table; training gives those that are out of fold.
        """
        columns, labels = self.arrays["table"].shape[1], self.labels
        lines = np.empty((len(batch), len(self.arrays["first_weights"])), np.float32)
        probability = np.empty((len(batch), len(labels)), np.float32)
        for part, piece in batch.chunks():
            lines[part, : 3 * columns] = (
                text_scores(piece.tokens, self.arrays["table"]) if scores is None else scores[part]
            )
            lines[part, 3 * columns :] = line_features(piece)
            probability[part] = softmax(lines[part] @ self.arrays["first_weights"] + self.arrays["first_bias"])
        headline = labels.index("headline") if "headline" in labels else -1
        shape, sums = lines[:, 3 * columns :], lines[:, :columns]
        context = Context(batch, FirstPass(shape, sums, probability, labels.index(BODY), headline))
        for part, _ in batch.chunks():
            yield part, np.concatenate([lines[part], probability[part], *context.rows(part)], axis=1)


def read_card(path: Path) -> dict[str, Any]:
    """Read a model card; raise :class:`ModelError` if it is none of this format."""
    try:
        card = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise ModelError(f"{path}: missing. A model folder holds weights.npz and card.json.") from None
    except (OSError, ValueError) as error:
        raise ModelError(f"{path}: cannot be read ({error}). Restore the file or train the model again.") from None
    if not isinstance(card, dict) or card.get("format") != FORMAT:
        found = card.get("format") if isinstance(card, dict) else None
        raise ModelError(f"{path}: format {found!r}, this version reads {FORMAT}. Train the model again.")
    if card.get("features") != VERSION:
        raise ModelError(
            f"{path}: made for features {card.get('features')!r}, this version has {VERSION}. Train the model again."
        )
    for key, kind in (("labels", list), ("weights", list), ("arrays", dict), ("sha256", str)):
        if not isinstance(card.get(key), kind):
            raise ModelError(f"{path}: {key!r} is missing or wrong. Restore the file or train the model again.")
    if BODY not in card["labels"] or not all(isinstance(label, str) for label in card["labels"]):
        raise ModelError(f"{path}: the labels must be names with {BODY!r} among them. Train the model again.")
    numbers = [weight for weight in card["weights"] if isinstance(weight, float) and 0 < weight < math.inf]
    if len(numbers) != len(card["labels"]) or len(card["weights"]) != len(card["labels"]):
        raise ModelError(f"{path}: 'weights' must hold a positive number for each label. Train the model again.")
    return card


def read_arrays(path: Path, card: dict[str, Any]) -> dict[str, npt.NDArray[Any]]:
    """Read the arrays of a model after comparing the file with the card's digest."""
    again = "Restore the file or train the model again."
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ModelError(f"{path}: larger than any model of this format. {again}")
        content = path.read_bytes()
    except FileNotFoundError:
        raise ModelError(f"{path}: missing. A model folder holds weights.npz and card.json.") from None
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error}). {again}") from None
    if hashlib.sha256(content).hexdigest() != card["sha256"]:
        raise ModelError(f"{path}: cut short or changed, it is not the file that the card describes. {again}")
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as stored:
            return {name: stored[name] for name in stored.files}
    except (ValueError, OSError, EOFError, KeyError, zipfile.BadZipFile) as error:
        raise ModelError(f"{path}: not plain arrays ({error}). {again}") from None


def check_sizes(folder: Path, arrays: dict[str, npt.NDArray[Any]], card: dict[str, Any]) -> None:
    """Raise :class:`ModelError` unless names, types and shapes are those of the card and fit together."""
    where = folder / "weights.npz"
    if set(arrays) != set(ARRAYS) or set(card["arrays"]) != set(ARRAYS):
        raise ModelError(f"{where}: holds {sorted(arrays)}, expected {sorted(ARRAYS)}. Train the model again.")
    for name, array in arrays.items():
        stated = card["arrays"][name]
        if stated != {"shape": list(array.shape), "dtype": DTYPES[name]} or str(array.dtype) != DTYPES[name]:
            raise ModelError(f"{where}: {name} is {array.dtype} {array.shape}, the card says {stated}. Train again.")
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise ModelError(f"{where}: {name} holds values that are no numbers. Train the model again.")
    rows, hidden, labels = len(arrays["table"]), arrays["hidden_bias"].size, len(card["labels"])
    columns = arrays["table"].size // max(rows, 1)
    lines = 3 * columns + LINE_FEATURES
    fits = (
        arrays["table"].shape == (rows, columns)
        and rows > 0
        and rows & (rows - 1) == 0
        and arrays["classes"].shape == arrays["folded"].shape == (65536,)
        and arrays["classes"].max() < CLASSES
        and arrays["first_bias"].shape == (labels,)
        and arrays["first_weights"].shape == (lines, labels)
        and arrays["hidden_weights"].shape == (lines + labels + width(labels, columns), hidden)
        and arrays["output_weights"].shape == (hidden, labels)
        and arrays["output_bias"].shape == (labels,)
    )
    if not fits:
        raise ModelError(f"{where}: the arrays do not fit each other. Train the model again.")
