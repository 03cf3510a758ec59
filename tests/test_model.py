import hashlib
import io
import json
import math
import os
import pickle
import resource
import shutil
import signal
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cleaner.cleaning import Cleaner
from cleaner.context import width
from cleaner.errors import ModelError, UsageError
from cleaner.features import LINE_FEATURES
from cleaner.model import Model
from cleaner.model_files import ARRAYS, HEADS, find_model
from cleaner.model_writing import destination, write_together
from cleaner.second_pass import second_width

DEFAULT = find_model("default")
TEXT = "Ferry back\nBy A. Person\n\nThe ferry was back in service on Friday, the harbour office said.\nSHARE\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(DEFAULT, tmp_path / "model"))


def edit_card(folder: Path, **values: Any) -> None:
    path = folder / "card.json"
    card = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps({**card, **values}), "utf-8")


def edit_arrays(folder: Path, change: Callable[[dict[str, Any]], None], restate: bool = False) -> None:
    """Change the arrays and make the card's digest fit, with ``restate`` the shapes and types, too."""
    path = folder / "weights.npz"
    with np.load(path) as stored:
        arrays: dict[str, Any] = {name: stored[name] for name in stored.files}
    change(arrays)
    np.savez(path, **arrays)
    edit_card(folder, sha256=hashlib.sha256(path.read_bytes()).hexdigest())
    if restate:
        edit_card(folder, arrays={name: {"shape": list(a.shape), "dtype": str(a.dtype)} for name, a in arrays.items()})


def refused(folder: Path, name: str) -> None:
    with pytest.raises(ModelError) as caught:
        Model.load(folder)
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_folder(tmp_path: Path) -> None:
    refused(tmp_path / "nowhere", "nowhere")
    with pytest.raises(ModelError, match="no-such-name"):
        Model.load("no-such-name")
    for name in ("x" * 5000, f"y/{'x' * 5000}"):
        with pytest.raises(ModelError, match="no such model folder"):
            Model.load(name)


@pytest.mark.parametrize("name", ["card.json", "weights.npz"])
def test_missing_file(folder: Path, name: str) -> None:
    (folder / name).unlink()
    refused(folder, name)


@pytest.mark.parametrize("name", ["card.json", "weights.npz"])
@pytest.mark.parametrize("share", [0.0, 0.5, 0.999])
def test_cut_short(folder: Path, name: str, share: float) -> None:
    data = (folder / name).read_bytes()
    (folder / name).write_bytes(data[: int(len(data) * share)])
    refused(folder, name)


def test_changed_weights(folder: Path) -> None:
    data = bytearray((folder / "weights.npz").read_bytes())
    data[len(data) // 2] ^= 1
    (folder / "weights.npz").write_bytes(data)
    refused(folder, "weights.npz")


def test_damage_behind_a_fitting_digest(folder: Path) -> None:
    data = bytearray((folder / "weights.npz").read_bytes())
    data[len(data) // 2 : len(data) // 2 + 64] = bytes(64)
    (folder / "weights.npz").write_bytes(data)
    edit_card(folder, sha256=hashlib.sha256(data).hexdigest())
    refused(folder, "weights.npz")


@pytest.mark.parametrize(
    "values",
    [
        {"format": 0},
        {"format": None},
        {"features": -1},
        {"features": "x"},
        {"labels": ["headline", "junk"]},
        {"labels": "body"},
        {"labels": ["body", 1]},
        {"labels": ["body", "headline", "caption", "caption", "junk"]},
        {"labels": ["body", "headline", "caption", "byline", "waste"]},
        {"labels": ["body", "headline", "caption", "by\tline", "junk"]},
        {"labels": ["body", "headline", "caption", "", "junk"]},
        {"weights": None},
        {"weights": [1.0]},
        {"weights": [1.0, 1.0, 0.0, 1.0, 1.0]},
        {"weights": [1.0, 1.0, math.nan, 1.0, 1.0]},
        {"weights": [1e300, 1.0, 1.0, 1.0, 1.0]},
        {"weights": [1.0, 1.0, 1.0, 1.0, 1e-300]},
        {"arrays": []},
        {"sha256": None},
        {"kinds": None},
        {"kinds": [1]},
        {"kinds": ["credit"] * 10},
        {"kind_floor": "x"},
        {"kind_floor": 1e300},
        {"scores": 1},
        {"warnings": "x"},
        {"warnings": [1]},
        {"document_prints": 5},
        {"document_prints": [[]]},
        {"data": [1]},
        {"data": [{"sha256": []}]},
        {"base": "x"},
        {"base": {"data": 1}},
        {"whole_bytes": "x"},
        {"whole_bytes": -1},
        {"sure": None},
        {"sure": [0.99]},
        {"sure": [0.5] * 5},
        {"sure": [1e300] * 5},
        {"aims": None},
        {"aims": {"balanced": {"sparse": 1.0, "dense": 1.0, "long": 1.0}}},
        {"aims": {aim: {"sparse": 1.0, "dense": 1.0} for aim in ("precision", "balanced", "recall")}},
        {"aims": {aim: {"sparse": 1.0, "dense": 0.0, "long": 1.0} for aim in ("precision", "balanced", "recall")}},
        {"aims": {aim: {"sparse": 1e-300, "dense": 1.0, "long": 1.0} for aim in ("precision", "balanced", "recall")}},
    ],
    ids=str,
)
def test_wrong_card(folder: Path, values: dict[str, Any]) -> None:
    edit_card(folder, **values)
    refused(folder, "card.json")


@pytest.mark.parametrize("text", ["", "[]", "null", "{", "\xff", "[" * 200_000], ids=range(6))
def test_card_is_no_card(folder: Path, text: str) -> None:
    (folder / "card.json").write_bytes(text.encode("latin1"))
    refused(folder, "card.json")


def put_weights(folder: Path, content: bytes) -> None:
    (folder / "weights.npz").write_bytes(content)
    edit_card(folder, sha256=hashlib.sha256(content).hexdigest())


def zipped(arrays: Mapping[str, bytes], method: int) -> bytearray:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as packed:
        for name, content in arrays.items():
            packed.writestr(f"{name}.npy", content)
    return bytearray(out.getvalue())


def some_weights(method: int = zipfile.ZIP_STORED) -> bytearray:
    """Return files of the right names with noise in them."""
    return zipped({name: bytes(np.random.default_rng(0).integers(0, 99, 9999, np.uint8)) for name in ARRAYS}, method)


def other_bytes(data: bytearray, local: int, central: int, value: int) -> bytes:
    """Change a byte of the first file's two headers, numbered from their beginnings."""
    data[local] = data[data.find(b"PK\x01\x02") + central] = value
    return bytes(data)


def array_alone() -> bytes:
    out = io.BytesIO()
    np.save(out, np.zeros(9))
    return out.getvalue()


def damaged(method: int) -> bytes:
    data = some_weights(method)
    data[2000:2600] = bytes(600)
    return bytes(data)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        array_alone(),
        other_bytes(some_weights(), 6, 8, 1),  # encrypted
        other_bytes(some_weights(), 8, 10, 99),  # an unknown method
        *(damaged(method) for method in (zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)),
    ],
    ids=range(7),
)
def test_weights_that_are_no_arrays(content: bytes, folder: Path) -> None:
    put_weights(folder, content)
    refused(folder, "weights.npz")


@pytest.mark.parametrize("names", [ARRAYS, ("table",)])
def test_much_in_little_is_not_unpacked(names: Sequence[str], folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_weights(folder, bytes(zipped(dict.fromkeys(names, bytes(5_000_000)), zipfile.ZIP_DEFLATED)))
    unpacked: list[object] = []
    monkeypatch.setattr(np, "load", lambda *given, **named: unpacked.append(given))
    refused(folder, "weights.npz")
    assert not unpacked


@pytest.mark.parametrize("name", ["card.json", "weights.npz"])
def test_a_pipe_or_a_device_is_no_file_of_a_model(name: str, folder: Path) -> None:
    (folder / name).unlink()
    os.mkfifo(folder / name)
    refused(folder, name)
    (folder / name).unlink()
    (folder / name).symlink_to("/dev/null")
    refused(folder, f"{name}: no plain file")


def pickled(arrays: dict[str, Any]) -> None:
    arrays["table"] = np.array([{"a": 1}], dtype=object)


def missing(arrays: dict[str, Any]) -> None:
    del arrays["final_hidden_bias"]


def extra(arrays: dict[str, Any]) -> None:
    arrays["more"] = np.zeros(1, np.float32)


def not_a_number(arrays: dict[str, Any]) -> None:
    arrays["draft_hidden_weights"][0, 0] = np.nan


def infinite(arrays: dict[str, Any]) -> None:
    arrays["table"][0, 0] = np.inf


def infinite_contrast(arrays: dict[str, Any]) -> None:
    arrays["contrasts"][0, 0] = 0x7C  # the upper byte of infinity


def fewer_contrasts(arrays: dict[str, Any]) -> None:
    arrays["contrasts"] = arrays["contrasts"][:, 1:]


def huge(arrays: dict[str, Any]) -> None:
    arrays["final_output_bias"][0] = -1e30


def float64(arrays: dict[str, Any]) -> None:
    arrays["final_hidden_bias"] = arrays["final_hidden_bias"].astype(np.float64)


def fewer_rows(arrays: dict[str, Any]) -> None:
    arrays["table"] = arrays["table"][:-1]


def fewer_columns(arrays: dict[str, Any]) -> None:
    arrays["table"] = arrays["table"][:, :-1]


def fewer_inputs(arrays: dict[str, Any]) -> None:
    arrays["final_hidden_weights"] = arrays["final_hidden_weights"][:-1]


def fewer_first_inputs(arrays: dict[str, Any]) -> None:
    arrays["first_weights"] = arrays["first_weights"][:-1]


def fewer_hidden(arrays: dict[str, Any]) -> None:
    arrays["draft_output_weights"] = arrays["draft_output_weights"][:-1]


def fewer_kinds(arrays: dict[str, Any]) -> None:
    arrays["final_kind_bias"] = arrays["final_kind_bias"][:-1]


def fewer_classes(arrays: dict[str, Any]) -> None:
    arrays["classes"] = arrays["classes"][:1000]


def fewer_rarities(arrays: dict[str, Any]) -> None:
    arrays["rarity"] = arrays["rarity"][:1000]


def unknown_class(arrays: dict[str, Any]) -> None:
    arrays["classes"][65] = 255


def empty_table(arrays: dict[str, Any]) -> None:
    arrays["table"] = arrays["table"][:0]


CHANGES = [
    missing,
    extra,
    not_a_number,
    infinite,
    infinite_contrast,
    fewer_contrasts,
    huge,
    float64,
    fewer_rows,
    fewer_columns,
    fewer_inputs,
    fewer_first_inputs,
    fewer_hidden,
    fewer_kinds,
    fewer_classes,
    fewer_rarities,
    unknown_class,
    empty_table,
]


@pytest.mark.parametrize("restate", [False, True], ids=["card-as-it-was", "card-restated"])
@pytest.mark.parametrize("change", [pickled, *CHANGES])
def test_wrong_arrays(folder: Path, change: Callable[[dict[str, Any]], None], restate: bool) -> None:
    edit_arrays(folder, change, restate)
    refused(folder, "weights.npz")


def test_a_text_table_has_a_column_for_each_label(folder: Path) -> None:
    """All other arrays fit a table of four columns."""
    labels, columns = 5, 4
    lines = 3 * columns + LINE_FEATURES
    draft, final = (lines + labels + more for more in width(labels, columns))
    rows = {"first": lines, "draft": draft, "final": final + second_width(labels, columns)}

    def narrow(arrays: dict[str, Any]) -> None:
        arrays["table"] = arrays["table"][:, :columns]
        for name in ("first_weights", *(f"{head}_{part}_weights" for head in HEADS for part in ("hidden", "kind"))):
            arrays[name] = arrays[name][: rows[name[:5]]]

    edit_arrays(folder, narrow, restate=True)
    refused(folder, "do not fit each other")


def test_round_trip(tmp_path: Path) -> None:
    model = Model.load()
    model.save(tmp_path / "copy")
    again = Model.load(tmp_path / "copy")
    before, after = (one.probabilities(one.read([TEXT.encode()])) for one in (model, again))
    assert np.array_equal(before, after)
    assert again.labels == model.labels
    assert again.card == json.loads((tmp_path / "copy" / "card.json").read_text("utf-8"))
    assert sorted(path.name for path in (tmp_path / "copy").iterdir()) == ["card.json", "weights.npz"]


def test_a_card_may_hold_what_utf8_cannot(tmp_path: Path) -> None:
    """A language or the name of a file with a lone surrogate in it must not cost a training that is done."""
    model = Model.load()
    card = {**model.card, "data": [{"source": "caf\udce9", "languages": ["\ud800", "é\\udcff"]}]}
    replace(model, card=card).save(tmp_path / "copy")
    assert Model.load(tmp_path / "copy").card["data"] == card["data"]


@pytest.mark.parametrize("value", [math.nan, math.inf, -1e30])
def test_what_would_not_be_loaded_leaves_the_model_that_was_there(value: float, folder: Path) -> None:
    before, model = {path.name: path.read_bytes() for path in folder.iterdir()}, Model.load()
    for name in ("table", "draft_kind_bias"):
        array = model.arrays[name].astype(np.float32)
        array[0] = value
        with pytest.raises(UsageError, match=f"not written, {name} would hold"), np.errstate(over="ignore"):
            replace(model, arrays={**model.arrays, name: array}).save(folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_saving_over_a_model_replaces_it(folder: Path) -> None:
    (folder / "weights.npz").write_bytes(b"old")
    Model.load().save(folder)
    assert Model.load(folder).labels == Model.load().labels


def test_shipped_folder() -> None:
    files = sorted(path.name for path in DEFAULT.iterdir())
    assert files == ["card.json", "weights.npz"]
    assert sum(path.stat().st_size for path in DEFAULT.iterdir()) < 12_000_000
    card = json.loads((DEFAULT / "card.json").read_text("utf-8"))
    assert card["sha256"] == hashlib.sha256((DEFAULT / "weights.npz").read_bytes()).hexdigest()
    with np.load(DEFAULT / "weights.npz", allow_pickle=False) as stored:
        found = {name: {"shape": list(stored[name].shape), "dtype": str(stored[name].dtype)} for name in stored.files}
    assert card["arrays"] == found
    assert card["labels"] == ["body", "headline", "caption", "byline", "junk"]


def test_a_name_is_that_of_the_shipped_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "default").mkdir()
    shutil.copytree(DEFAULT, tmp_path / "mine")
    monkeypatch.chdir(tmp_path)
    assert find_model("default") == DEFAULT
    assert find_model("mine") == find_model(Path("mine")) == Path("mine")
    for there in ("./default", "default/", str(tmp_path / "default"), Path("default")):
        assert find_model(there).resolve() == tmp_path / "default"
    assert [find_model(name) for name in (".", "..")] == [Path(), Path("..")]


def test_no_name_is_refused() -> None:
    with pytest.raises(ModelError, match="no model named"):
        Model.load("")


@pytest.mark.parametrize("wrong", ["weights.npz", "card.json"])
def test_what_cannot_be_written_leaves_the_model_that_was_there(folder: Path, wrong: str) -> None:
    """A folder in the place of one file leaves the other as it was."""
    model, other = Model.load(), "card.json" if wrong == "weights.npz" else "weights.npz"
    (folder / wrong).unlink()
    (folder / wrong).mkdir()
    (folder / other).write_bytes(b"old")
    with pytest.raises(UsageError, match=f"model: {wrong}: Is a directory"):
        model.save(folder)
    assert (folder / other).read_bytes() == b"old"
    assert sorted(path.name for path in folder.iterdir()) == ["card.json", "weights.npz"]


def test_too_large_a_file_leaves_the_model_that_was_there(folder: Path) -> None:
    """As on a full disk: of the weights only a part can be written."""
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    model, limits = Model.load(), resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (3_000_000, limits[1]))
    try:
        with pytest.raises(UsageError, match="File too large"):
            model.save(folder)
        with pytest.raises(UsageError, match="File too large"):
            model.save(folder.parent / "new")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, ignored)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert not list((folder.parent / "new").iterdir())


KILLED = """
import os, sys, pathlib
from cleaner.model_writing import write_together

source, target, steps = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), [None] * int(sys.argv[3])
sys.addaudithook(lambda event, _: event == "os.rename" and (steps.pop() if steps else os._exit(9)))
write_together(target, {name: (source / name).read_bytes() for name in ("weights.npz", "card.json")})
"""


@pytest.mark.parametrize("there", [False, True])
@pytest.mark.parametrize("renamed", [0, 1])
def test_killed_while_it_is_written(renamed: int, there: bool, folder: Path, tmp_path: Path) -> None:
    """Before the first rename the folder is as it was; between the two it is told to write the model again."""
    model, target = Model.load(), tmp_path / "target"
    other = replace(model, arrays={**model.arrays, "first_bias": model.arrays["first_bias"] + 1})
    if there:
        other.save(target)
    code = subprocess.run([sys.executable, "-c", KILLED, folder, target, str(renamed)], check=False).returncode
    assert code == 9
    if there and not renamed:
        assert (Model.load(target).arrays["first_bias"] == other.arrays["first_bias"]).all()
    else:
        with pytest.raises(ModelError, match="train the model again"):
            Model.load(target)
    model.save(target)
    assert (Model.load(target).arrays["first_bias"] == model.arrays["first_bias"]).all()


def test_both_files_are_on_the_disk_before_one_is_renamed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[str] = []
    sync, rename = os.fsync, Path.replace

    def synced(file: int) -> None:
        steps.append("sync")
        sync(file)

    def renamed(path: Path, target: Path) -> None:
        steps.append(target.name)
        rename(path, target)

    monkeypatch.setattr("os.fsync", synced)
    monkeypatch.setattr(Path, "replace", renamed)
    write_together(tmp_path, {"a": b"new", "b": b"new"})
    assert steps == ["sync", "sync", "a", "b"]


def test_destination(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    for name in ("file", "file/sub"):
        with pytest.raises(UsageError, match="Choose another folder"), destination(tmp_path / name):
            pass
    with destination(tmp_path / "new" / "model") as path:
        assert path.is_dir()
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    (tmp_path / "empty").mkdir()
    with destination(tmp_path / "empty"), destination(tmp_path / "full") as path:
        (path / "card.json").write_bytes(b"")
    assert (tmp_path / "empty").is_dir()
    assert (tmp_path / "full" / "card.json").exists()


def test_pickled_without_what_is_computed(cleaner: Cleaner) -> None:
    cleaner.clean("x")
    stored = pickle.dumps(cleaner)
    assert len(stored) < 1.1 * sum(array.nbytes for array in cleaner.model.arrays.values())
    assert pickle.loads(stored).clean(TEXT) == cleaner.clean(TEXT)
