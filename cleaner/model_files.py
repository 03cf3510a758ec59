"""The folder that holds a model, checked before anything of it is used.

``weights.npz`` holds plain arrays (read without pickle) and ``card.json`` says what they are.
"""

import hashlib
import io
import json
import os
import stat
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cleaner.alphabet import CLASSES
from cleaner.context import RARITIES, width
from cleaner.decision import AIMS
from cleaner.errors import ModelError
from cleaner.features import LINE_FEATURES, VERSION
from cleaner.labels import BODY, JUNK
from cleaner.network import HEAD
from cleaner.second_pass import second_width
from cleaner.text_columns import lengthened

FORMAT = 6
AGAIN = "Restore the file or train the model again."
MISSING = "A model folder holds weights.npz and card.json. Choose another, or train the model again."
#: What decides of an aim.
NUMBERS = ("sparse", "dense", "long")
MAX_BYTES = 64_000_000
#: Numbers of a card are between; of two of them float32 holds the product and the quotient.
LEAST, MOST = 1e-15, 1e15
#: Numbers of arrays are smaller: trained ones are below a hundred, and the sums of huge ones are none.
LARGEST = 1e6
HEADS = ("draft", "final")
OF_HEADS = tuple(f"{head}_{name}" for head in HEADS for name in (*HEAD, "kind_weights", "kind_bias"))
SMALL = ("first_weights", "first_bias", *OF_HEADS)
ARRAYS = ("classes", "folded", "rarity", "table", "contrasts", *SMALL)
DTYPES = {"classes": "uint8", "folded": "uint16", "rarity": "uint8", "table": "float16", "contrasts": "uint8"}
DTYPES |= dict.fromkeys(SMALL, "float32")


def find_model(name: str | os.PathLike[str]) -> Path:
    """Return the folder of a model: a path, or the name of one that comes with the package.

    A name is that of the package's model, whatever lies in the working directory: ``./default`` is what lies there.

    Raises:
        ModelError: the name is empty.
    """
    text = os.fspath(name)
    if not text:
        raise ModelError("no model named. Give a folder with weights.npz and card.json, or 'default'.")
    path = Path(text)
    if text != path.name or text == ".." or (not isinstance(name, str) and os.path.isdir(path)):
        return path
    package = Path(__file__).parent
    for root in (package / "models", package.parent / "models"):
        if os.path.isdir(root / path):  # which a name too long is not
            return root / path
    return path


def content_of(path: Path) -> bytes:
    """Return what a file of a model holds; raise :class:`ModelError` if it is missing, none, or too large."""
    try:
        about = path.stat()
        if not stat.S_ISREG(about.st_mode) or about.st_size > MAX_BYTES:  # reading a pipe or a device may never end
            raise ModelError(f"{path}: no plain file, or larger than any of a model. {AGAIN}")
        return path.read_bytes()
    except FileNotFoundError:
        raise ModelError(f"{path}: missing. {MISSING}") from None
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error}). {AGAIN}") from None


def read_card(path: Path) -> dict[str, Any]:
    """Read a model card; raise :class:`ModelError` if it is none of this format."""
    content = content_of(path)
    try:
        card = json.loads(content.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{path}: cannot be read ({error}). {AGAIN}") from None
    if not isinstance(card, dict) or card.get("format") != FORMAT:
        found = card.get("format") if isinstance(card, dict) else None
        raise ModelError(f"{path}: format {found!r}, this version reads {FORMAT}. Train the model again.")
    if card.get("features") != VERSION:
        raise ModelError(
            f"{path}: made for features {card.get('features')!r}, this version has {VERSION}. Train the model again."
        )
    check_card(path, card)
    return card


def check_card(path: Path, card: dict[str, Any]) -> None:
    """Raise :class:`ModelError` unless the card holds what using the model needs."""
    keys = {"labels": list, "weights": list, "arrays": dict, "sha256": str, "kinds": list, "aims": dict}
    for key, kind in keys.items():
        if not isinstance(card.get(key), kind):
            raise ModelError(f"{path}: {key!r} is missing or wrong. {AGAIN}")
    if problem := name_problem(card["labels"], card["kinds"]):
        raise ModelError(f"{path}: {problem}. {AGAIN}")
    if len(card["weights"]) != len(card["labels"]) or not all(map(positive, card["weights"])):
        raise ModelError(f"{path}: 'weights' must hold a number from {LEAST} to {MOST:g} for each label. {AGAIN}")
    aims = [card["aims"].get(aim) for aim in AIMS]
    if not all(isinstance(aim, dict) and all(positive(aim.get(name)) for name in NUMBERS) for aim in aims):
        wanted = f"{', '.join(NUMBERS)} from {LEAST} to {MOST:g} for each of {', '.join(AIMS)}"
        raise ModelError(f"{path}: 'aims' must hold {wanted}. {AGAIN}")
    sure = card.get("sure")
    if not isinstance(sure, list) or len(sure) != len(card["labels"]) or not all(map(more_than_half, sure)):
        raise ModelError(f"{path}: 'sure' must hold a number above .5 for each label. {AGAIN}")
    whole = card.get("whole_bytes", 0)
    if not isinstance(whole, int) or whole < 0:
        raise ModelError(f"{path}: 'whole_bytes' must be a whole number, 0 or more. {AGAIN}")
    if not positive(card.get("kind_floor")):
        raise ModelError(f"{path}: 'kind_floor' must be a number from {LEAST} to {MOST:g}. {AGAIN}")
    if wrong := misshapen(card):
        raise ModelError(f"{path}: {wrong!r} is not of the form that training writes. {AGAIN}")


def misshapen(card: dict[str, Any]) -> str:
    """Return what a card may say of data and figures, and says in another form than others read; empty if nothing."""
    for key in ("base", "adaptation", "held_out", "scores"):
        if not isinstance(card.get(key), dict | None):
            return key
    for key in ("document_prints", "warnings"):
        texts = card.get(key)
        if not isinstance(texts, list | None) or not all(isinstance(text, str) for text in texts or []):
            return key
    for rows in (card.get("data"), (card.get("base") or {}).get("data")):
        if not isinstance(rows, list | None) or not all(isinstance(row, dict) for row in rows or []):
            return "data"
        if not all(isinstance(row.get("sha256"), str | None) for row in rows or []):
            return "data"
    return ""


def name_problem(labels: list[Any], kinds: list[Any]) -> str:
    """Return what is wrong with the names of labels and kinds; empty if nothing is."""
    if BODY not in labels or not all(isinstance(one, str) and is_name(one) for one in labels + kinds):
        return f"the labels must be names with {BODY!r} among them"
    if len(set(labels)) < len(labels) or len(set(kinds)) < len(kinds):
        return "a label or a kind is given twice"
    return f"there are kinds of {JUNK!r}, but no such label" if kinds and JUNK not in labels else ""


def is_name(text: str) -> bool:
    """Tell whether a text is not blank and can stand in a column of a table."""
    return bool(text.strip()) and "\t" not in text and len(text.splitlines()) == 1


def positive(value: object) -> bool:
    """Tell whether a value is a number above 0 that float32 can reckon with."""
    return isinstance(value, float) and LEAST <= value <= MOST


def more_than_half(value: object) -> bool:
    """Tell whether a value is a number above .5, a probability that no two labels have."""
    return isinstance(value, float) and 0.5 < value <= MOST


def are_numbers(array: npt.NDArray[Any]) -> bool:
    """Tell whether an array holds finite numbers that can be summed up; bytes as :func:`lengthened` reads them."""
    if array.dtype == np.float32:
        return bool(np.abs(array).max(initial=0) < LARGEST)
    array = lengthened(array) if array.dtype == np.uint8 else array
    return array.dtype.kind != "f" or bool(np.isfinite(array).all())


def columns_of(arrays: dict[str, npt.NDArray[Any]]) -> npt.NDArray[Any]:
    """Return all columns of the text table, the contrasts last, [rows, columns]."""
    return np.concatenate([arrays["table"], lengthened(arrays["contrasts"])], axis=1)


def read_arrays(path: Path, card: dict[str, Any]) -> dict[str, npt.NDArray[Any]]:
    """Read the arrays of a model after comparing the file with the card's digest, and what it holds with a model."""
    content = content_of(path)
    if hashlib.sha256(content).hexdigest() != card["sha256"]:
        raise ModelError(
            f"{path}: cut short, changed, or not written whole: it is not what the card describes. {AGAIN}"
        )
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            sizes = [(one.filename.removesuffix(".npy"), one.file_size) for one in packed.infolist()]
        if sorted(name for name, _ in sizes) != sorted(ARRAYS) or sum(size for _, size in sizes) > MAX_BYTES:
            raise ValueError("others, or larger")
        with np.load(io.BytesIO(content), allow_pickle=False) as stored:
            # In one order, whatever they were stored in: sums in another order differ in their last bits.
            return {name: np.ascontiguousarray(stored[name]) for name in stored.files}
    except Exception as error:  # damaged, which zip and numpy say in many ways
        raise ModelError(f"{path}: not the plain arrays of a model ({error}). {AGAIN}") from None


def check_sizes(folder: Path, arrays: dict[str, npt.NDArray[Any]], card: dict[str, Any]) -> None:
    """Raise :class:`ModelError` unless types and shapes are those of the card and fit together."""
    where = folder / "weights.npz"
    for name, array in arrays.items():
        stated = card["arrays"].get(name)
        if stated != {"shape": list(array.shape), "dtype": DTYPES[name]} or str(array.dtype) != DTYPES[name]:
            raise ModelError(f"{where}: {name} is {array.dtype} {array.shape}, the card says {stated}. Train again.")
        if not are_numbers(array):
            raise ModelError(f"{where}: {name} holds values that are no numbers, or huge. Train the model again.")
    if not fit_each_other(arrays, len(card["labels"]), len(card["kinds"])):
        raise ModelError(f"{where}: the arrays do not fit each other. Train the model again.")


def fit_each_other(arrays: dict[str, npt.NDArray[Any]], labels: int, kinds: int) -> bool:
    """Tell whether the shapes are those of one model."""
    rows = len(arrays["table"])
    own, contrasts = (arrays[name].size // max(rows, 1) for name in ("table", "contrasts"))
    columns = own + contrasts
    lines = 3 * columns + LINE_FEATURES
    draft, final = (lines + labels + more for more in width(labels, columns))
    final += second_width(labels, columns)
    shapes = {
        "table": (rows, own),
        "contrasts": (rows, contrasts),
        "classes": (65536,),
        "folded": (65536,),
        "rarity": (RARITIES,),
        "first_weights": (lines, labels),
        "first_bias": (labels,),
    }
    for name, inputs in (("draft", draft), ("final", final)):
        hidden = arrays[f"{name}_hidden_bias"].size
        shapes |= {
            f"{name}_hidden_weights": (inputs, hidden),
            f"{name}_hidden_bias": (hidden,),
            f"{name}_output_weights": (hidden, labels),
            f"{name}_output_bias": (labels,),
            f"{name}_kind_weights": (inputs, kinds),
            f"{name}_kind_bias": (kinds,),
        }
    power = rows > 0 and rows & (rows - 1) == 0
    same = all(arrays[name].shape == shape for name, shape in shapes.items())
    return power and own >= labels and same and int(arrays["classes"].max()) < CLASSES
