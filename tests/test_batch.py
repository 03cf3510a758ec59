"""Batch runs as a user sees them: what goes in, what comes out, what is refused."""

import base64
import bz2
import gzip
import io
import json
import lzma
import os
import subprocess
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from documents import jsonl, texts
from test_cli import BODY, COMMAND, SHELL_COMMAND, TEXT, call, names, refused

import cleaner as package
from cleaner import BatchOptions, clean_files, restore
from cleaner.batch import Hooks
from cleaner.cleaning import Cleaner
from cleaner.errors import ModelError, UsageError
from cleaner.model import Model
from cleaner.model_files import find_model
from cleaner.opening import chunks
from cleaner.outcomes import LONGEST
from cleaner.settings import PATHS

RECORD = '{"n": 12345678901234567890123, "text": %s, "x": 1.10, "x": [1, 2], "é": "\\u00e9"}\n'


def lines_of(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


@pytest.fixture
def records(tmp_path: Path) -> Path:
    path = tmp_path / "in" / "a.jsonl"
    path.parent.mkdir()
    path.write_text(RECORD % json.dumps(TEXT) + RECORD % json.dumps(BODY), "utf-8")
    return path


def test_jsonl_keeps_all_other_bytes(records: Path) -> None:
    result = call("clean", records)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == RECORD % json.dumps(BODY) + RECORD % json.dumps(BODY)


def test_paths_are_names(records: Path, tmp_path: Path) -> None:
    clean_files(str(records), str(tmp_path / "a.jsonl"), BatchOptions(removed=str(tmp_path / "r")))
    (tmp_path / "rules").write_text("keep: ^The ferry\n")
    model = Path(package.__file__).parents[1] / "models" / "default"
    options = BatchOptions(model=model, removed=tmp_path / "s", rules=tmp_path / "rules", summary=tmp_path / "sum")
    assert all(isinstance(value, str) for name, value in vars(options).items() if name in PATHS)
    for inputs in (records, [records]):
        clean_files(inputs, tmp_path / "b.jsonl", options)
        assert (tmp_path / "b.jsonl").read_bytes() == (tmp_path / "a.jsonl").read_bytes()
    (tmp_path / "out").mkdir()
    clean_files(records.parent, tmp_path / "out", BatchOptions(errors=tmp_path / "e"))
    assert (tmp_path / "out" / "a.jsonl").read_bytes() == (tmp_path / "a.jsonl").read_bytes()
    assert (tmp_path / "s").stat().st_size
    assert not (tmp_path / "e").stat().st_size


def test_paths_are_no_names(records: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What text names the shipped model and a stream is, as a path, what lies there."""
    monkeypatch.chdir(tmp_path)
    assert BatchOptions(model=Path("default")).model == "default"
    (tmp_path / "default").mkdir()
    (tmp_path / "-").write_bytes(records.read_bytes())
    assert (BatchOptions(model=Path("default")).model, BatchOptions().model) == ("./default", "default")
    with pytest.raises(ModelError, match="missing"):
        clean_files(records, tmp_path / "b.jsonl", BatchOptions(model=Path("default")))
    clean_files(Path("-"), "b.jsonl", BatchOptions(input_format="jsonl"))
    clean_files("b.jsonl", Path("-"), BatchOptions(output_format="jsonl"))
    assert [row["text"] for row in lines_of(tmp_path / "-")] == [BODY, BODY]


def test_one_path_is_a_list_of_one(records: Path, tmp_path: Path) -> None:
    clean_files(str(records), str(tmp_path / "out.jsonl"))
    assert [row["text"] for row in lines_of(tmp_path / "out.jsonl")] == [BODY, BODY]
    with pytest.raises(UsageError, match=r"\('body',\)"):
        BatchOptions(keep="body")
    with pytest.raises(UsageError, match=r"Give a tuple: \('body', 'headline'\)"):
        BatchOptions(keep="body, headline")


@pytest.mark.parametrize(
    "content", ['[{"text": "a"},\n {"text": "b"}]', '{\n  "title": "b",\n  "text": "c"\n}\n', '[\n{ "a": 1}]']
)
def test_json_that_is_not_a_record_a_line(tmp_path: Path, content: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(content, "utf-8")
    refused(call("clean", path, "-q"), 1, "a.json", "jq -c")
    assert call("clean", path, "--input-format", "text").exit_code == 0


def test_probability_is_that_of_the_label(records: Path, tmp_path: Path, cleaner: Cleaner) -> None:
    source = jsonl(tmp_path / "a.jsonl", 40)
    options = BatchOptions(removed=str(tmp_path / "removed.jsonl"), add_labels=True)
    clean_files(str(source), str(tmp_path / "out.jsonl"), options)
    gone = [row for row in lines_of(tmp_path / "removed.jsonl") if row.get("label", "blank") != "blank"]
    rows: list[Any] = [row["cleaner_labels"] for row in lines_of(tmp_path / "out.jsonl")]
    for text, found in zip(texts(40), rows, strict=True):
        lines = {line.number: line for line in cleaner.label(text)}
        assert {one["line"]: one["label"] for one in found} == {number: line.label for number, line in lines.items()}
        for one in found:
            line = lines[one["line"]]
            assert one["probability"] == pytest.approx(line.probabilities[line.label], abs=1e-4)
    assert len(gone) == sum(one["label"] != "body" for found in rows for one in found)


def test_jsonl_is_the_library(tmp_path: Path, cleaner: Cleaner) -> None:
    source = jsonl(tmp_path / "a.jsonl", 60)
    clean_files([str(source)], str(tmp_path / "out.jsonl"))
    assert [row["text"] for row in lines_of(tmp_path / "out.jsonl")] == list(cleaner.clean_batch(texts(60)))
    pairs = zip(source.read_bytes().splitlines(), (tmp_path / "out.jsonl").read_bytes().splitlines(), strict=True)
    for old, new in pairs:
        assert old.split(b'"text"')[0] == new.split(b'"text"')[0]
        assert old.endswith('", "price" : 1.10, "é": 1e3}'.encode())
        assert new.endswith('", "price" : 1.10, "é": 1e3}'.encode())


@pytest.mark.parametrize(
    "record",
    [
        '{"meta": {"text": "inner"}, "text": %s}\n',
        '{"text": "first", "text": %s}\n',
        '{"te\\u0078t": %s, "text2": "x"}\n',
        '{"a": "\\"text\\": \\"no\\"", "text": %s, "b": NaN, "c": 1e999}\n',
        '{"text" \t:  %s}\n',
        '{"a\\\\": "text", "text": %s, "list": ["text", {"text": "x"}]}\n',
        '{"huge": ' + "9" * 5000 + ', "text": %s, "s": "\\ud800"}\n',
        '{"text": %s, "tail": "ends with a colon:", "n": [' + ", ".join("1" * 300) + "]}\n",
    ],
)
def test_odd_records(record: str, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(record % json.dumps(TEXT))
    result = call("clean", tmp_path / "a.jsonl")
    assert (result.exit_code, result.stdout) == (0, record % json.dumps(BODY))


def test_text_with_a_lone_surrogate(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"text": "\\ud800 is kept here.\\nSHARE THIS\\n"}\n')
    result = call("clean", tmp_path / "a.jsonl", "--keep", "body,headline,caption,byline,junk")
    assert result.stdout == (tmp_path / "a.jsonl").read_text()


@pytest.mark.parametrize(
    ("line", "reason", "word"),
    [
        ('{"text": "x"', "malformed", "JSON"),
        ("[1]", "malformed", "object"),
        ('{"title": "x"}', "field", "title"),
        ('{"text": 3, "n": 1}', "field", "text, n"),
        ('{"text": null}', "field", "field 'text' is null, not a string. Fill it, or leave the row out."),
        ('{"content": "x", "text": null}', "field", "field 'text' is null, not a string."),
        ('{"text": 5, "body": "x"}', "field", "field 'text' is int, not a string."),
        ("[" * 100_000, "malformed", "JSON"),
        ('{"text": "\udcff"}', "undecodable", "UTF-8"),
    ],
)
def test_records_that_fail(line: str, reason: str, word: str, tmp_path: Path) -> None:
    good = RECORD % json.dumps(TEXT)
    raw = line.encode("utf-8", "surrogateescape")
    (tmp_path / "a.jsonl").write_bytes(good.encode() + raw + b"\n\n" + good.encode())
    result = call("clean", tmp_path / "a.jsonl", "--errors", tmp_path / "bad", "--summary", tmp_path / "sum")
    refused(result, 1, "a.jsonl:2: ", word)
    assert result.stdout == RECORD % json.dumps(BODY) + "\n" + RECORD % json.dumps(BODY)
    assert (tmp_path / "bad").read_bytes() == raw + b"\n"
    counts = json.loads((tmp_path / "sum").read_text())
    assert (counts["documents"], counts["failures"]) == (2, {reason: 1})
    strict = call("clean", tmp_path / "a.jsonl", "--strict", "-o", tmp_path / "out.jsonl")
    refused(strict, 1, "a.jsonl:2: ", "--strict")
    assert not (tmp_path / "out.jsonl").exists()


def test_text_field(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(json.dumps({"title": "x", "story": TEXT}) + "\n")
    refused(call("clean", tmp_path / "a.jsonl"), 1, "title, story", "--text-field")
    result = call("clean", tmp_path / "a.jsonl", "--text-field", "story")
    assert json.loads(result.stdout) == {"title": "x", "story": BODY}


PACK: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zst": zstandard.compress,
}
UNPACK: dict[str, Callable[[bytes], bytes]] = {".gz": gzip.decompress, ".bz2": bz2.decompress, ".xz": lzma.decompress}


def unpacked(path: Path) -> bytes:
    if path.suffix == ".zst":
        return zstandard.ZstdDecompressor().stream_reader(path.open("rb"), read_across_frames=True).read()
    return UNPACK[path.suffix](path.read_bytes())


@pytest.mark.parametrize("suffix", PACK)
def test_compressed(suffix: str, records: Path, tmp_path: Path) -> None:
    data = records.read_bytes()
    packed = tmp_path / f"a.jsonl{suffix}"
    packed.write_bytes(PACK[suffix](data[:60]) + PACK[suffix](data[60:]))
    assert call("clean", packed, "-o", tmp_path / f"out.jsonl{suffix}").exit_code == 0
    assert unpacked(tmp_path / f"out.jsonl{suffix}").decode() == call("clean", records).stdout
    (tmp_path / f"t.txt{suffix}").write_bytes(PACK[suffix](TEXT.encode()))
    (tmp_path / "out").mkdir()
    assert call("clean", tmp_path / f"t.txt{suffix}", "-o", tmp_path / "out").exit_code == 0
    assert unpacked(tmp_path / "out" / f"t.txt{suffix}").decode() == BODY


@pytest.mark.parametrize("suffix", PACK)
@pytest.mark.parametrize("name", ["a.txt", "a.jsonl", "a.wet", "a"])
def test_an_empty_file_is_no_packed_data(name: str, suffix: str, tmp_path: Path) -> None:
    """But a failed download; a file for removed lines may lie ready, and an input that is not packed may be empty."""
    source, ready = tmp_path / (name + suffix), tmp_path / f"r{suffix}"
    for path in (source, ready):
        path.write_bytes(b"")
    result = call("clean", source, "-o", tmp_path / f"b.jsonl{suffix}", "--output-format", "jsonl")
    refused(result, 1, f"{source}:", "cut short")
    assert names(tmp_path) == sorted([source.name, ready.name])
    if name != "a.wet":
        assert call("clean", source, "--in-place", "--removed", ready).exit_code == 1
        assert source.read_bytes() == b""
    (tmp_path / name).write_bytes(PACK[suffix](b""))
    (tmp_path / name).replace(source)
    (tmp_path / "b.txt").write_bytes(b"")
    for more in (source, tmp_path / "b.txt", "-"):
        assert call("clean", more, "-q", stdin=b"").exit_code == 0


@pytest.mark.parametrize("padding", [7, 40_000])
@pytest.mark.parametrize("suffix", PACK)
def test_padding_behind_compressed_data(suffix: str, padding: int, tmp_path: Path) -> None:
    """It may be longer than what is read at a time; before the first member it is none."""
    packed = tmp_path / f"a.txt{suffix}"
    packed.write_bytes((PACK[suffix](TEXT.encode()) + bytes(padding)) * 2)
    assert b"".join(chunks(str(packed))) == TEXT.encode() * 2
    packed.write_bytes(bytes(7) + PACK[suffix](TEXT.encode()))
    refused(call("clean", packed), 1, f"a.txt{suffix}: damaged")


@pytest.mark.parametrize("suffix", PACK)
def test_cut_off(suffix: str, tmp_path: Path) -> None:
    chance = [RECORD % json.dumps(text) for text in texts(40)]
    data = "".join(chance).encode()
    cut = tmp_path / f"a.jsonl{suffix}"
    whole = PACK[suffix](data)
    cut.write_bytes(whole[: len(whole) * 3 // 4])
    result = call("clean", cut, "--errors", tmp_path / "bad", "-o", tmp_path / "out.jsonl")
    assert result.exit_code == 1
    assert "a.jsonl" in result.stderr
    assert "cut short" in result.stderr
    out = tmp_path / "out.jsonl"  # none, where the cut leaves nothing that can be read
    done = out.read_bytes().count(b"\n") if out.exists() else 0
    assert f":{done + 1}: " in result.stderr
    bad = (tmp_path / "bad").read_bytes().rstrip(b"\n")
    told = {"file": str(cut), "record": done + 1, "reason": "cut"}
    assert (bad and data.splitlines()[done].startswith(bad)) or json.loads(bad) == told


def test_folder_is_mirrored(tmp_path: Path) -> None:
    source, out = tmp_path / "in", tmp_path / "out"
    (source / "deep" / "er").mkdir(parents=True)
    odd = os.fsencode(source) + b"/deep/odd \xff\nname.txt"
    for path in (os.fsencode(source / "a.txt"), os.fsencode(source / "deep/er/b"), odd):
        Path(os.fsdecode(path)).write_text(TEXT)
    (source / "c.jsonl").write_text(RECORD % json.dumps(TEXT))
    (source / "deep" / "loop").symlink_to(source)
    (source / ".hidden").write_text(TEXT)
    result = call("clean", source, "-o", out)
    assert (result.exit_code, result.stderr) == (0, "")
    assert [name for name in names(out) if not (out / name).is_dir()] == sorted(
        ["a.txt", "c.jsonl", "deep/er/b", os.fsdecode(b"deep/odd \xff\nname.txt")]
    )
    assert (out / "a.txt").read_text() == BODY
    assert (out / "c.jsonl").read_text() == RECORD % json.dumps(BODY)
    refused(call("clean", source, "-o", source / "out"), 2, "inside the input folder")
    refused(call("clean", source / "deep" / "er"), 2, "folder")


def test_a_folder_of_one_file_is_mirrored(tmp_path: Path) -> None:
    for deep in ("", "sub/"):
        (source := tmp_path / f"in{deep[:3]}" / deep).mkdir(parents=True)
        (source / "a.txt").write_text(TEXT)
        out = tmp_path / f"out{deep[:3]}"
        result = call("clean", tmp_path / f"in{deep[:3]}", "-o", out)
        assert (result.exit_code, result.stderr) == (0, "")
        assert (out / deep / "a.txt").read_text() == BODY


def test_links_in_a_folder_that_lead_to_no_file(tmp_path: Path) -> None:
    """Reading a pipe or a device might never end."""
    (tmp_path / "in").mkdir()
    os.mkfifo(tmp_path / "pipe")
    for name, target in (("a", "../pipe"), ("b", os.devnull), ("c", "nowhere"), ("d", "e.txt")):
        (tmp_path / "in" / f"{name}.txt").symlink_to(target)
    (tmp_path / "in" / "e.txt").write_text(TEXT)
    refused(call("clean", tmp_path / "in", "-o", tmp_path / "out"), 1, "c.txt: No such file")
    assert names(tmp_path / "out") == ["d.txt"]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with a text, settings, rules and a model, where the command is run."""
    (tmp_path / "a.txt").write_text(TEXT)
    (tmp_path / "rules.txt").write_text("drop: ^SHARE\n")
    (tmp_path / "cleaner.toml").write_text('rules = "rules.txt"\nmodel = "./mine"\n')
    (tmp_path / "pyproject.toml").write_text("SHARE = 1\n")
    (tmp_path / "mine").mkdir()
    for file in find_model("default").iterdir():
        (tmp_path / "mine" / file.name).write_bytes(file.read_bytes())
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_files_of_a_run_are_not_written_over(project: Path) -> None:
    own = ("rules.txt", "cleaner.toml", "pyproject.toml", "mine/card.json", "mine/weights.npz")
    before = {name: (project / name).read_bytes() for name in own}
    (project / "link").symlink_to("rules.txt")
    for name in ("link", *own):
        refused(call("clean", "a.txt", "-o", name, "--output-format", "text"), 2, f"{name}: holds the ", "another")
        for option in ("--removed", "--errors", "--summary"):
            refused(call("clean", "a.txt", "-o", "o.txt", option, name), 2, f"{name}: holds the ", "another output")
    refused(call("clean", "a.txt", "rules.txt", "--in-place"), 2, "rules.txt: holds the rules", "Leave it out")
    assert {name: (project / name).read_bytes() for name in own} == before
    assert (project / "a.txt").read_text() == TEXT


def test_the_files_of_a_run_are_not_cleaned_with_their_folder(project: Path) -> None:
    (project / "other").mkdir()
    (project / "other" / "cleaner.toml").write_text("SHARE = 1\n")
    before = {name: (project / name).read_bytes() for name in names(project) if (project / name).is_file()}
    assert call("clean", ".", "-o", "../out").exit_code == 0
    assert names(project.parent / "out") == ["a.txt"]
    assert call("clean", ".", "--in-place").exit_code == 0
    assert (project / "a.txt").read_text() == f"{BODY}\n"
    assert {name: (project / name).read_bytes() for name in before} == {**before, "a.txt": f"{BODY}\n".encode()}
    refused(call("clean", "other", "-o", "../out"), 2, "other: no files in this folder")
    refused(call("clean", "mine", "-o", "../out"), 2, "mine: holds only files that the run needs")


def test_globs(tmp_path: Path) -> None:
    for name in ("a.txt", "b.txt", "c.md"):
        (tmp_path / name).write_text(TEXT)
    (tmp_path / "out").mkdir()
    assert call("clean", tmp_path / "*.txt", "-o", tmp_path / "out").exit_code == 0
    assert names(tmp_path / "out") == ["a.txt", "b.txt"]
    refused(call("clean", tmp_path / "*.html"), 2, "*.html")


def test_aliases(records: Path, tmp_path: Path) -> None:
    (tmp_path / "link.jsonl").symlink_to(records)
    refused(call("clean", records, tmp_path / "link.jsonl", "-o", tmp_path / "out.jsonl"), 2, "same file")
    refused(call("clean", records, "-o", tmp_path / "link.jsonl"), 2, "input itself")
    refused(call("clean", records, "-o", tmp_path / "o.jsonl", "--removed", tmp_path / "o.jsonl"), 2, "same file")
    refused(call("clean", records, "--errors", records), 2, "input itself")
    (tmp_path / "broken.txt").symlink_to(tmp_path / "nowhere")
    refused(call("clean", tmp_path / "broken.txt"), 1, "broken.txt")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-32", "utf-32-be", "cp1252", "utf-8-sig"])
def test_encodings(encoding: str, tmp_path: Path) -> None:
    mark = "\ufeff" if encoding.endswith("-be") else ""
    body = BODY.replace("office", "böro")
    (tmp_path / "a.txt").write_bytes((mark + body + "\nSHARE THIS\n").encode(encoding))
    arguments = ["--encoding", encoding] if encoding in ("cp1252", "utf-32") else []
    result = call("clean", tmp_path / "a.txt", "-o", tmp_path / "b.txt", *arguments)
    assert (result.exit_code, result.stderr) == (0, "")
    assert (tmp_path / "b.txt").read_bytes() == (mark + body).encode(encoding)


@pytest.mark.parametrize("name", ["a.txt", "a.jsonl"])
def test_an_encoding_of_escapes_is_not_taken_for_utf_8(name: str, tmp_path: Path) -> None:
    """All bytes of ISO 2022 are ASCII, but mean other characters behind an escape."""
    text = "港の事務所は金曜日に橋を直すと述べた。住民は喜んでいる、と町長は語った。\n\nSHARE THIS\n"
    data = (text if name == "a.txt" else json.dumps({"text": text}, ensure_ascii=False) + "\n").encode("iso2022_jp")
    (tmp_path / name).write_bytes(data)
    more = ("--encoding", "iso2022_jp", "--removed", tmp_path / "r")
    result = call("clean", tmp_path / name, "--output-format", "jsonl", *more)
    assert json.loads(result.stdout)["text"] == text.partition("SHARE")[0].rstrip("\n") + "\n"
    assert call("clean", tmp_path / name, "-o", tmp_path / f"b-{name}", *more).exit_code == 0
    restored = call("restore", tmp_path / f"b-{name}", "--removed", tmp_path / "r").stdout
    assert restored == (data.decode("ascii") if name == "a.txt" else data.decode("iso2022_jp"))


@pytest.mark.parametrize("form", ["jsonl", "parquet"])
def test_of_no_bytes_come_no_records(form: str, tmp_path: Path) -> None:
    """Nothing that a filter before it has let through is no document; an empty file is one."""
    out, empty = tmp_path / f"o.{form}", tmp_path / "a.txt"
    assert call("clean", "-", "-o", out, stdin=b"").exit_code == 0
    assert clean_files(out, tmp_path / "again.jsonl", BatchOptions()).counts.get("documents", 0) == 0
    empty.write_bytes(b"")
    assert call("clean", empty, "-o", out).exit_code == 0
    assert clean_files(out, tmp_path / "again.jsonl", BatchOptions()).counts["documents"] == 1


@pytest.mark.parametrize(
    ("encoding", "twice"),
    [("cp932", b"\x87\x90"), ("cp950", b"\xa2\xcc"), ("big5hkscs", b"\xa1\xfe"), ("utf-7", b"+ACE-")],
)
def test_what_cannot_be_written_as_it_came_fails(encoding: str, twice: bytes, tmp_path: Path) -> None:
    """Two sequences of bytes are one character there, and a kept line would be another one."""
    source, out = tmp_path / "a.txt", tmp_path / "b.txt"
    data = b"SHARE THIS\n" + twice + b" " + BODY.encode()
    source.write_bytes(data)
    bad = ["--errors", tmp_path / "bad"]
    for more in (["-o", out, *bad], ["--in-place", *bad], ["--diff"]):
        result = call("clean", source, "--encoding", encoding, *more)
        assert result.exit_code == 1
        assert f"a.txt:2: not the same bytes again in {encoding.upper()} from byte 1" in result.stderr
        assert (result.stdout, source.read_bytes(), out.exists()) == ("", data, False)
    assert base64.b64decode(str(lines_of(tmp_path / "bad")[0]["base64"])) == data
    result = call("clean", source, "--encoding", encoding, "--output-format", "jsonl")
    assert json.loads(result.stdout)["text"] == f"{twice.decode(encoding)} {BODY}"


def test_encoding_is_detected_and_reported(tmp_path: Path) -> None:
    text = "Der Fährmann sagte, das Boot sei nun für alle Gäste zurück und könne wieder fahren.\n" * 4
    (tmp_path / "a.txt").write_bytes(text.encode("cp1252"))
    result = call(
        "clean", tmp_path / "a.txt", "--encoding", "detect", "--summary", tmp_path / "s", "-o", tmp_path / "b"
    )
    assert result.exit_code == 0
    assert sum(json.loads((tmp_path / "s").read_text())["encodings"].values()) == 1
    refused(call("clean", tmp_path / "a.txt", "--encoding", "nonsense"), 2, "nonsense")


@pytest.mark.parametrize("name", ["a.txt", "a.jsonl"])
def test_an_encoding_is_not_forced_on_utf_8(name: str, tmp_path: Path) -> None:
    """Of a mixed folder each file is what it is, and is restored as that."""
    text = f"By Áine Strand\n\n{BODY.replace('office', 'böro')}"
    record = json.dumps({"text": text}, ensure_ascii=False) + "\n"
    data = text if name == "a.txt" else record
    more = ("--always-drop", "^By", "--always-keep", ".", "--encoding", "cp1252")
    for encoding in ("utf-8", "cp1252"):
        folder = tmp_path / encoding
        folder.mkdir()
        (folder / name).write_bytes(data.encode(encoding))
        (folder / "z.txt").write_bytes(text.encode("latin-1"))
        result = call("clean", folder, "-o", tmp_path / "out", "--removed", tmp_path / "r", *more)
        assert (result.exit_code, result.stderr) == (0, "")
        out = (tmp_path / "out" / name).read_bytes()
        kept = out.decode(encoding) if name == "a.txt" else json.loads(out)["text"]
        assert "böro" in kept
        arguments = (tmp_path / "out" / name, "--removed", tmp_path / "r", "--file", name)
        for again in ((), ("--encoding", "cp1252")):
            restored = call("restore", *arguments, *again)
            assert restored.stdout_bytes.decode(encoding if name == "a.txt" else "utf-8") == data


def test_a_line_of_utf_8_in_another_encoding(tmp_path: Path) -> None:
    rows = [json.dumps({"text": BODY, "by": by}, ensure_ascii=False) for by in ("Éva", "Šimić", "Ana")]
    data = rows[0].encode("cp1250") + b"\n" + rows[1].encode() + b"\n" + rows[2].encode() + b"\n"
    (tmp_path / "a.jsonl").write_bytes(data)
    result = call("clean", tmp_path / "a.jsonl", "--encoding", "cp1250")
    assert (result.exit_code, result.stdout.splitlines()) == (0, rows)


@pytest.mark.parametrize("arguments", [(), ("--encoding", "detect")])
def test_the_encoding_of_jsonl_is_to_be_named(arguments: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(json.dumps({"text": f"Böe.\n{TEXT}"}, ensure_ascii=False).encode("cp1252"))
    result = call("clean", tmp_path / "a.jsonl", *arguments)
    refused(result, 1, "a.jsonl:1: not UTF-8", "for example --encoding cp1252; detect is for text files alone.")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
def test_jsonl_with_a_mark(encoding: str, records: Path, tmp_path: Path) -> None:
    (tmp_path / "b.jsonl").write_bytes(records.read_text("utf-8").encode(encoding))
    assert call("clean", tmp_path / "b.jsonl").stdout == call("clean", records).stdout


def test_removed_lines_put_back(tmp_path: Path) -> None:
    odd = f"\ufeff\r\n{TEXT}\r\nBy A. Person\u2028\n\nRead more"
    (tmp_path / "a.txt").write_bytes(odd.encode())
    assert call("clean", tmp_path / "a.txt", "-o", tmp_path / "b.txt", "--removed", tmp_path / "r").exit_code == 0
    rows = lines_of(tmp_path / "r")
    assert {"file", "record", "document", "bytes", "crc32", "removed"} == set(rows[0])
    assert {"file", "record", "document", "line", "label", "kind", "probability", "text"} == set(rows[1])
    result = call("restore", tmp_path / "b.txt", "--removed", tmp_path / "r", "-o", tmp_path / "c.txt")
    assert (result.exit_code, result.stderr) == (0, "")
    assert (tmp_path / "c.txt").read_bytes() == odd.encode()
    assert restore((tmp_path / "b.txt").read_bytes().decode(), rows) == odd
    assert package.restore is restore


@pytest.mark.parametrize("other", ["NaN", '"\\ud800"', "1", "1e400", "1" * 5000])
@pytest.mark.parametrize("arguments", [[], ["--id-field", "id"]])
def test_a_number_names_a_document_whatever_else_its_record_holds(
    other: str, arguments: list[str], tmp_path: Path
) -> None:
    record = f'{{"id": 7, "url": "http://n", "x": {other}, "text": {json.dumps(TEXT)}}}\n'
    (tmp_path / "a.jsonl").write_text(record)
    result = call("clean", tmp_path / "a.jsonl", "--removed", tmp_path / "r", *arguments)
    assert (result.exit_code, result.stdout) == (0, record.replace(json.dumps(TEXT), json.dumps(BODY)))
    assert {row["document"] for row in lines_of(tmp_path / "r")} == {"7"}


def test_jsonl_restored_byte_for_byte(tmp_path: Path) -> None:
    source = jsonl(tmp_path / "a.jsonl", 50)
    with source.open("a") as file:
        file.write('{"text": "SHARE\\/THIS \\u00e9 é\\nSHARE THIS"}\n')
    assert call("clean", source, "-o", tmp_path / "b.jsonl", "--removed", tmp_path / "r.zst").exit_code == 0
    assert call("restore", tmp_path / "b.jsonl", "--removed", tmp_path / "r.zst", "-o", tmp_path / "c").exit_code == 0
    assert (tmp_path / "c").read_bytes() == source.read_bytes()


def test_fields_that_are_added(records: Path) -> None:
    result = call("clean", records, "--add-labels", "--add-quality", "--extract")
    row = json.loads(result.stdout.splitlines()[0])
    assert [one["label"] for one in row["cleaner_labels"]] == ["body", "junk"]
    assert [one["line"] for one in row["cleaner_labels"]] == [1, 3]
    assert set(row["cleaner_quality"]) == {"body_share", "words", "kept", "removed", "uncertain", "flags"}
    assert (row["cleaner_quality"]["kept"], row["cleaner_quality"]["removed"]) == (12, 2)
    assert "very_short" in row["cleaner_quality"]["flags"]
    assert row["cleaner_captions"] == []
    assert result.stdout.startswith('{"n": 12345678901234567890123, "text": ')


def test_fields_that_are_there_already(records: Path) -> None:
    again = call("clean", records, "--add-labels").stdout.encode()
    result = call("clean", "-", "--add-labels", "--input-format", "jsonl", "-q", stdin=again + again)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert "stdin:1: has cleaner_labels already" in result.stderr


@pytest.mark.parametrize(
    ("field", "options"),
    [('"cleaner_labels": 1', {"add_labels": True}), ('"n": ' + "9" * 5000, {"output_format": "parquet"})],
)
def test_records_that_fail_are_not_looked_for_among_all(
    field: str, options: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A record is compared with no other: that would take time by the square of their number."""
    good, bad = RECORD % json.dumps(TEXT), f'{{"text": "x", {field}}}\n'
    (tmp_path / "a.jsonl").write_text((good + bad) * 3)
    monkeypatch.setattr("cleaner.records.Document.__eq__", lambda *_: pytest.fail("compared"))
    out = tmp_path / f"o.{options.get('output_format', 'jsonl')}"
    counts = clean_files(tmp_path / "a.jsonl", out, BatchOptions.of({**options, "workers": 1})).counts
    assert (counts["documents"], counts["failed"]) == (3, 3)


def test_poor_documents(records: Path, tmp_path: Path) -> None:
    poor = json.dumps({"text": "SHARE THIS\nRead more\n"}) + "\n"
    records.write_text(records.read_text() + poor)
    result = call("clean", records, "--min-quality", "0.5", "--rejected", tmp_path / "poor")
    assert result.exit_code == 0
    assert len(result.stdout.splitlines()) == 2
    assert (tmp_path / "poor").read_text() == poor
    refused(call("clean", records, "--min-quality", "0.5"), 2, "--rejected")
    refused(call("clean", records, "--min-quality", "7", "--rejected", "x"), 2, "between 0 and 1")


def test_rules(tmp_path: Path) -> None:
    more = "“It took longer than we had hoped,” the skipper told reporters, “but nobody was hurt.”\n"
    (tmp_path / "a.txt").write_text(f"{BODY}\nSHARE THIS\n\nKEEP: advert\n\n{more}")
    (tmp_path / "rules").write_text("# mine\nkeep: ^SHARE\n")
    result = call(
        "clean", tmp_path / "a.txt", "--always-drop", "advert$", "--rules", tmp_path / "rules",
        "--summary", tmp_path / "s", "--removed", tmp_path / "r",
    )  # fmt: skip
    assert (result.exit_code, result.stdout) == (0, f"{BODY}\nSHARE THIS\n\n{more}")
    assert json.loads((tmp_path / "s").read_text())["rules"] == {"drop: advert$": 1, "keep: ^SHARE": 1}
    assert [(row["line"], row["label"]) for row in lines_of(tmp_path / "r")[1:]] == [(5, "rule"), (6, "blank")]
    assert restore(result.stdout, lines_of(tmp_path / "r")) == (tmp_path / "a.txt").read_text()
    counts = json.loads((tmp_path / "s").read_text())
    assert (counts["words_kept"], counts["words_removed"]) == (29, 2)
    refused(call("clean", tmp_path / "a.txt", "--always-drop", "("), 2, "--always-drop")
    (tmp_path / "rules").write_text("lose: x\n")
    refused(call("clean", tmp_path / "a.txt", "--rules", tmp_path / "rules"), 2, "rules:1:")


@pytest.mark.parametrize(("rule", "kept"), [("^$", 120), (".", 0), ("ferry", 0), ("o 1", 120)])
def test_words_that_a_rule_removes_are_counted(rule: str, kept: int, tmp_path: Path) -> None:
    whole = BODY * 10 + "SHARE THIS\n" * 20 + "Read o 1 次の船は金曜日に出る"
    (tmp_path / "a.jsonl").write_text("".join(json.dumps({"text": text}) + "\n" for text in (whole, "", BODY)))
    more = ("--always-keep", "^The", "--always-drop", rule) if kept else ("--always-drop", rule)
    result = call("clean", tmp_path / "a.jsonl", "--add-quality", "--summary", tmp_path / "s", "-q", *more)
    found = [json.loads(line)["cleaner_quality"] for line in result.stdout.splitlines()]
    assert [(one["words"], one["kept"]) for one in found] == [(173, kept), (0, 0), (12, min(12, kept))]
    assert all(one["removed"] == one["words"] - one["kept"] for one in found)
    assert ["suspicious" in one["flags"] for one in found] == [not kept, False, False]
    counts = json.loads((tmp_path / "s").read_text())
    assert counts["words_kept"] == sum(one["kept"] for one in found)
    assert counts["words_removed"] == sum(one["removed"] for one in found)


@pytest.mark.parametrize("option", ["--always-drop", "--always-keep"])
def test_an_empty_expression_is_refused(option: str, tmp_path: Path) -> None:
    """It may be a variable of the shell that is not set."""
    (tmp_path / "a.txt").write_text(TEXT)
    refused(call("clean", tmp_path / "a.txt", "--in-place", option, ""), 2, f"{option} '': is empty")
    assert (tmp_path / "a.txt").read_text() == TEXT
    assert call("clean", tmp_path / "a.txt", option, ".").exit_code == 0


@pytest.mark.parametrize(
    ("pattern", "words"),
    [("(", "missing )"), ("a{99999999999}", "too large"), ("(" * 3000 + ")" * 3000, "too deep")],
)
def test_an_expression_that_is_wrong_is_named_with_its_place(pattern: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(TEXT)
    (tmp_path / "rules").write_text(f"# mine\nkeep: ferry\ndrop: {pattern}\n")
    refused(call("clean", tmp_path / "a.txt", "--always-drop", pattern), 2, "cleaner: --always-drop", words)
    refused(call("clean", tmp_path / "a.txt", "--rules", tmp_path / "rules"), 2, "rules:3: drop:", words)


def test_an_expression_that_may_come_to_mean_another_thing_is_no_matter(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(TEXT)
    run = subprocess.run(
        [COMMAND, "clean", tmp_path / "a.txt", "--always-drop", "[[a]x"], capture_output=True, check=True
    )
    assert (run.stdout, run.stderr) == (BODY.encode(), b"")


def test_check(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(TEXT)
    (tmp_path / "b.txt").write_text(BODY)
    result = call("clean", "--check", tmp_path / "a.txt", tmp_path / "b.txt")
    assert (result.exit_code, result.stdout) == (1, f"{tmp_path / 'a.txt'}\n")
    (tmp_path / "c.txt").write_text(TEXT)
    result = call("clean", "--check", tmp_path / "c.txt", tmp_path / "a.txt")
    assert result.stdout == f"{tmp_path / 'c.txt'}\n{tmp_path / 'a.txt'}\n"
    assert call("clean", "--check", tmp_path / "b.txt").exit_code == 0
    assert (tmp_path / "a.txt").read_text() == TEXT


def test_in_place(tmp_path: Path, records: Path) -> None:
    (tmp_path / "a.txt").write_text(TEXT)
    (tmp_path / "a.txt").chmod(0o640)
    (tmp_path / "b.txt").write_text(BODY)
    before = (tmp_path / "b.txt").stat()
    result = call("clean", "--in-place", tmp_path / "a.txt", tmp_path / "b.txt", records)
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "")
    assert (tmp_path / "a.txt").read_text() == BODY
    assert (tmp_path / "a.txt").stat().st_mode & 0o777 == 0o640
    assert (tmp_path / "b.txt").stat().st_ino == before.st_ino
    assert records.read_text() == RECORD % json.dumps(BODY) * 2
    refused(call("clean", "--in-place", "-", stdin=b"x"), 2, "stdin")
    refused(call("clean", "--in-place", "--check", records), 2, "--check")


def test_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "a.txt").write_text(TEXT)
    (tmp_path / "pyproject.toml").write_text('[tool.cleaner]\nkeep = ["body", "junk"]\n')
    monkeypatch.chdir(tmp_path / "below")
    assert call("clean", "a.txt").stdout == TEXT
    assert call("clean", "a.txt", "--keep", "body").stdout == BODY
    (tmp_path / "cleaner.toml").write_text('always-drop = ["^The ferry"]\n')
    assert call("clean", "a.txt").stdout == ""
    (tmp_path / "cleaner.toml").write_text("sweep = true\n")
    refused(call("clean", "a.txt"), 2, "sweep", "cleaner.toml")
    assert "--always-drop" in call("clean", "--help").stdout
    assert call("clean", "--", "--help").exit_code == 2


@pytest.mark.parametrize(
    "content",
    [
        '[tool.cleaner]\nkeep = "headline"\n[tool.other]\nx = \n',
        "[tool.'cleaner']\nkeep = caf\xe9\n",
        '[[tool.cleaner]]\nkeep = "headline"\n',
        "tool.cleaner = 5\n",
    ],
)
def test_settings_that_cannot_be_read_are_not_passed_over(
    content: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pyproject.toml").write_text(content, "latin-1")
    monkeypatch.chdir(tmp_path)
    refused(call("clean", stdin=TEXT.encode()), 2, "pyproject.toml: ")
    (tmp_path / "pyproject.toml").write_text("[tool.cleaner-of-others]\nx = \n")
    assert call("clean", stdin=TEXT.encode()).stdout == BODY


def test_settings_with_a_byte_order_mark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cleaner.toml").write_text('keep = ["body", "junk"]', "utf-8-sig")
    assert call("clean", stdin=TEXT.encode()).stdout == TEXT


def test_an_error_names_the_settings_that_it_is_about(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cleaner.toml").write_text('check = true\nmin-quality = 0.3\nrejected = "poor"\nquiet = true\n')
    (tmp_path / "a.txt").write_text(TEXT)
    refused(call("clean", "a.txt", "--diff"), 2, f"do not go together. Choose one. (--check: set in {tmp_path}/cleaner")
    about = f"(--min-quality: set in {tmp_path}/cleaner.toml.)"
    refused(call("clean", "a.txt", "--rejected", ""), 2, about)
    assert "set in" not in call("clean", "a.txt", "--no-check", "--diff", "--in-place").stderr


@pytest.mark.parametrize("line", ["keep = 'title'", "model = 'none'", "encoding = 'none'", "rules = 'none'"])
def test_an_error_names_the_setting_whatever_raised_it(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cleaner.toml").write_text(line)
    (tmp_path / "a.txt").write_text(TEXT)
    name = f"--{line.partition(' ')[0]}"
    said = call("clean", "a.txt").stderr
    assert f"({name}: set in {tmp_path}/cleaner.toml.)" in said
    assert "set in" not in call("clean", "a.txt", name, "other").stderr


def test_a_working_folder_that_was_deleted(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(TEXT)
    (tmp_path / "gone").mkdir()
    line = f"rmdir {tmp_path}/gone; exec {SHELL_COMMAND} clean {tmp_path}/a.txt"
    run = subprocess.run(line, shell=True, cwd=tmp_path / "gone", capture_output=True, check=False)
    assert (run.returncode, run.stdout) == (0, BODY.encode())
    assert b"cleaner: " not in run.stderr, "the shell itself may complain"


def test_conversions(records: Path, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(TEXT)
    result = call("clean", tmp_path / "a.txt", "--output-format", "jsonl")
    assert json.loads(result.stdout) == {"id": "a.txt", "text": BODY}
    refused(call("clean", records, "--output-format", "text"), 2, "text files")
    refused(call("clean", tmp_path / "a.txt", "--add-quality"), 2, "fields")


def test_several_into_one(records: Path, tmp_path: Path) -> None:
    (tmp_path / "b.jsonl").write_text(json.dumps({"text": TEXT}))  # no line feed at its end
    call("clean", tmp_path / "b.jsonl", records, "-o", tmp_path / "out.jsonl")
    assert len(lines_of(tmp_path / "out.jsonl")) == 3


def test_outputs_whose_names_say_another_thing(records: Path, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(TEXT)
    (tmp_path / "old.txt").mkdir()
    before = names(tmp_path)
    for name in ("b.txt", "b.md.gz", "b.zst"):
        for inputs in ([tmp_path / "a.txt", records], [records.parent]):
            refused(call("clean", *inputs, "-o", tmp_path / name), 2, f"{name}: a text file holds one text", "b/")
    for name, form in (("f.jsonl", "parquet"), ("f.PQ.gz", "jsonl"), ("f.txt", "jsonl")):
        refused(call("clean", records, "-o", tmp_path / name, "--output-format", form), 2, name, "--output-format")
    refused(call("clean", records.parent, "-o", tmp_path / "f.jsonl", "--output-format", "parquet"), 2, "f.jsonl")
    assert names(tmp_path) == before
    assert call("clean", tmp_path / "a.txt", "-o", tmp_path / "b.ndjson").exit_code == 0
    assert lines_of(tmp_path / "b.ndjson") == [{"id": "a.txt", "text": BODY}]
    for name in ("old.txt", "new.txt/"):
        assert call("clean", records.parent, "-o", f"{tmp_path}/{name}").exit_code == 0
        assert (tmp_path / name / "a.jsonl").exists()


def test_options_refuse() -> None:
    with pytest.raises(package.CleanerError, match="workers"):
        BatchOptions(workers=-1)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("encoding", None), ("min_quality", "0.5"), ("min_quality", None), ("workers", None), ("workers", "2"),
        ("workers", True), ("always_drop", None), ("always_drop", (b"x",)), ("always_keep", (5,)), ("keep", None),
        ("removed", None), ("removed", b"r"), ("model", None), ("resume", "no"), ("aim", []), ("input_format", []),
    ],
)  # fmt: skip
def test_options_of_another_type(name: str, value: object) -> None:
    with pytest.raises(UsageError, match=rf"^{name}: .* given. Give .*, or leave it out"):
        BatchOptions.of({name: value})


def test_options_take_sets_and_lists() -> None:
    options = BatchOptions(keep={"headline", "body"}, always_drop=["b", "a"])
    assert (options.keep, options.always_drop) == (("body", "headline"), ("b", "a"))
    assert BatchOptions(keep=("headline", "body")).keep == ("headline", "body")


def test_numbers_of_other_kinds_are_options() -> None:
    """A large run writes them into its journal as JSON."""
    for least in (np.float32(0.25), Fraction(1, 4)):
        options = BatchOptions(min_quality=least, rejected="poor", workers=np.int64(2))  # type: ignore[arg-type]
        found = json.loads(json.dumps({"workers": options.workers, **options.decisive()}))
        assert (found["min_quality"], found["workers"]) == (0.25, 2)


def test_keep_is_a_set(records: Path, tmp_path: Path) -> None:
    clean_files(records, tmp_path / "o.jsonl", BatchOptions(keep={"body", "junk"}))
    assert [row["text"] for row in lines_of(tmp_path / "o.jsonl")] == [TEXT, BODY]


def test_options_that_are_a_dict(records: Path, tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="BatchOptions wanted, not dict"):
        clean_files(records, tmp_path / "o.jsonl", {"check": True})  # type: ignore[arg-type]


def test_the_library_writes_the_summary(records: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = clean_files(records, tmp_path / "o.jsonl", BatchOptions(summary=tmp_path / "s.json"))
    assert json.loads((tmp_path / "s.json").read_text()) == found.counts
    assert found.counts["documents"] == 2
    assert call("clean", records, "--summary", tmp_path / "t.json").exit_code == 0
    assert (tmp_path / "t.json").read_bytes() == (tmp_path / "s.json").read_bytes()
    assert call("clean", records, "--summary", tmp_path / "u.json.gz").exit_code == 0
    assert gzip.decompress((tmp_path / "u.json.gz").read_bytes()) == (tmp_path / "s.json").read_bytes()
    refused(call("clean", records, "--summary", tmp_path / "u.zip"), 2, "u.zip: .zip is not written.")
    monkeypatch.chdir(tmp_path)
    clean_files(records, options=BatchOptions(check=True, summary="-"))
    assert not (tmp_path / "-").exists()


def test_no_inputs(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no inputs"):
        clean_files([], tmp_path / "o.txt")
    assert names(tmp_path) == []


@pytest.mark.parametrize("options", [BatchOptions(), BatchOptions(diff=True)])
def test_no_output(options: BatchOptions, records: Path) -> None:
    with pytest.raises(UsageError, match="no output"):
        clean_files(records, options=options)
    assert clean_files(records, options=BatchOptions(check=True)).changed == [str(records)]
    taken = io.BytesIO()
    clean_files((one for one in [records]), options=options, hooks=Hooks(stdout=taken))
    assert taken.getvalue()


def test_a_model_trained_anew_is_read_anew(records: Path, tmp_path: Path) -> None:
    folder, model = tmp_path / "model", Model.load()
    cleaned = []
    for weight in (1.0, 1e6):
        weights = [
            one * (weight if label == "body" else 1)
            for one, label in zip(model.card["weights"], model.labels, strict=True)
        ]
        replace(model, card={**model.card, "weights": weights}).save(folder)
        clean_files([str(records)], str(tmp_path / "out.jsonl"), BatchOptions(model=str(folder)))
        cleaned.append([row["text"] for row in lines_of(tmp_path / "out.jsonl")])
    assert cleaned == [[BODY, BODY], [TEXT, BODY]]


def test_lines_that_differ_in_their_first_bytes_are_counted_apart(tmp_path: Path) -> None:
    lines = [f"{nul}SHARE THIS" for nul in ("", "\0", "\0\0")]
    (tmp_path / "a.txt").write_text(TEXT + "".join(f"{line}\n" for line in lines * 2), "utf-8")
    options = BatchOptions(always_drop=(), removed=str(tmp_path / "removed"))
    found = clean_files([str(tmp_path / "a.txt")], str(tmp_path / "out.txt"), options)
    gone = Counter(
        str(row["text"]).strip() for row in lines_of(tmp_path / "removed") if row.get("label", "blank") != "blank"
    )
    assert sum(line in gone for line in lines) > 1
    assert found.counts["removed_lines"] == gone


def test_removed_lines_are_counted(tmp_path: Path) -> None:
    source = jsonl(tmp_path / "a.jsonl", 60)
    found = clean_files([str(source)], str(tmp_path / "o.jsonl"), BatchOptions(removed=str(tmp_path / "removed")))
    gone = Counter(
        str(row["text"]).strip() for row in lines_of(tmp_path / "removed") if row.get("label", "blank") != "blank"
    )
    counted = found.counts["removed_lines"]
    assert len(counted) > 50
    assert counted == {text: gone[text] for text in counted}
    short = Counter({text: number for text, number in gone.items() if len(text.encode()) <= LONGEST})
    assert set(dict(short.most_common(20))) <= set(counted) | {text for text in gone if gone[text] < 2}


def test_same_output_for_any_number_of_workers(tmp_path: Path) -> None:
    source = jsonl(tmp_path / "a.jsonl", 1700)
    outs = []
    for workers in (1, 2):
        out = tmp_path / f"out{workers}.jsonl"
        found = clean_files([str(source)], str(out), BatchOptions(workers=workers, removed=f"{out}.removed"))
        assert (found.big, found.counts["documents"]) == (True, 1700)
        outs.append((out.read_bytes(), Path(f"{out}.removed").read_bytes()))
    assert outs[0] == outs[1]
    assert names(tmp_path) == ["a.jsonl", *sorted(f"out{n}.jsonl{e}" for n in (1, 2) for e in ("", ".removed"))]


@pytest.fixture(params=["small", "large"])
def any_size(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run as few small files are, and as many or large ones."""
    monkeypatch.setattr("cleaner.plain.HUGE_BYTES", 2000)
    if request.param == "large":
        monkeypatch.setattr("cleaner.batch.SMALL_BYTES", 0)


def parquet(path: Path, texts: list[str | None]) -> Path:
    pq.write_table(pa.table({"text": pa.array(texts, pa.string())}), path, row_group_size=2)
    return path


def unreadable(folder: Path) -> list[Path]:
    """Write files of which nothing can be read."""
    (folder / "a.parquet").write_bytes(parquet(folder / "a.parquet", [TEXT] * 3).read_bytes()[:-12] + b"no footer...")
    (folder / "b.txt").write_bytes(TEXT.encode() * 40 + b"\xff\xe9")
    (folder / "c.jsonl.gz").write_bytes(b"no gzip at all")
    (folder / "d.jsonl").write_text('{"text": 3}\n')
    return sorted(folder.iterdir())


@pytest.mark.parametrize("form", ["jsonl", "parquet"])
def test_the_records_of_a_huge_text_have_ids_of_their_own(
    form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cleaner.plain.HUGE_BYTES", 2000)
    monkeypatch.setattr("cleaner.plain.BLOCK_BYTES", 1000)
    (tmp_path / "a.txt").write_text(BODY * 40)
    out = tmp_path / f"b.{form}"
    keep = "body,headline,caption,byline,junk"
    assert call("clean", tmp_path / "a.txt", "-o", out, "--keep", keep).exit_code == 0
    rows = pq.read_table(out).to_pylist() if form == "parquet" else list(map(json.loads, out.read_text().splitlines()))
    assert "".join(row["text"] for row in rows) == BODY * 40
    assert [row["id"] for row in rows] == ["a.txt", "a.txt#16", "a.txt#31"]


@pytest.mark.usefixtures("any_size")
def test_what_cannot_be_read_replaces_nothing(tmp_path: Path) -> None:
    source, out = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    out.mkdir()
    files = unreadable(source)
    before = {path.name: path.read_bytes() for path in files}
    for path in files:
        (out / path.name).write_text("of yesterday")
        assert call("clean", path, "--in-place", "--encoding", "utf-8").exit_code == 1
        assert call("clean", path, "-o", out / path.name, "--encoding", "utf-8").exit_code == 1
    assert call("clean", source, "-o", out, "--encoding", "utf-8").exit_code == 1
    assert {path.name: path.read_bytes() for path in source.iterdir()} == before
    assert {path.name: path.read_text() for path in out.iterdir()} == dict.fromkeys(before, "of yesterday")


@pytest.mark.usefixtures("any_size")
def test_where_all_that_can_be_read_is_rejected_the_output_is_empty(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("SHARE THIS\n")
    (tmp_path / "b.txt").write_bytes(b"caf\xe9\n")
    poor = ("--min-quality", "1", "--rejected", tmp_path / "poor")
    assert call("clean", tmp_path / "a.txt", tmp_path / "b.txt", "-o", tmp_path / "c.jsonl", *poor).exit_code == 1
    assert (tmp_path / "c.jsonl").read_bytes() == b""


@pytest.mark.usefixtures("any_size")
@pytest.mark.parametrize("form", ["text", "jsonl"])
def test_the_earlier_output_of_a_rejected_text_is_removed(form: str, tmp_path: Path) -> None:
    """That of one that fails is not, nor a file that is cleaned in place."""
    source, out, ending = tmp_path / "in", tmp_path / "out", "txt" if form == "text" else form
    source.mkdir()
    files = {
        "bad.txt": b"caf\xe9\n",
        "good.txt": TEXT.encode(),
        "link.txt": b"SHARE THIS\n",
        "poor.txt": b"SHARE THIS\n",
    }
    for name, data in files.items():
        (source / name).write_bytes(data)
    assert call("clean", source, "-o", f"{out}/", "--encoding", "latin-1", "--output-format", form).exit_code == 0
    (out / f"link.{ending}").rename(tmp_path / "elsewhere")
    (out / f"link.{ending}").symlink_to(tmp_path / "elsewhere")
    poor = ("--min-quality", "0.5", "--rejected", tmp_path / "poor")
    assert call("clean", source, "-o", f"{out}/", "--output-format", form, *poor).exit_code == 1
    assert names(out) == [f"bad.{ending}", f"good.{ending}"]
    assert (tmp_path / "elsewhere").exists()
    assert call("clean", source, "--in-place", *poor[:3], tmp_path / "poor too").exit_code == 1
    assert {path.name: path.read_bytes() for path in source.iterdir()} == {**files, "good.txt": BODY.encode()}
    (tmp_path / "one.txt").write_text("of yesterday")
    assert call("clean", source / "poor.txt", "-o", tmp_path / "one.txt", *poor).exit_code == 0
    assert not (tmp_path / "one.txt").exists()
    os.mkfifo(tmp_path / "pipe")
    assert call("clean", source / "poor.txt", "-o", tmp_path / "pipe", *poor).exit_code == 0
    assert (tmp_path / "pipe").exists()


@pytest.mark.usefixtures("any_size")
def test_in_place_a_file_with_a_failed_record_is_left_as_it_was(records: Path, tmp_path: Path) -> None:
    folder = records.parent
    (folder / "b.jsonl").write_text(RECORD % json.dumps(TEXT) + "{broken\n" + RECORD % json.dumps(TEXT))
    damaged = [gzip.compress((RECORD % json.dumps(TEXT)).encode()) for _ in range(3)]
    (folder / "c.jsonl.gz").write_bytes(damaged[0] + damaged[1][:-8] + b"xxxxxxxx" + damaged[2])
    parquet(folder / "d.parquet", [TEXT, None, TEXT])
    (folder / "e.txt").write_text(TEXT)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    result = call("clean", folder, "--in-place", "--removed", tmp_path / "removed", "--errors", tmp_path / "errors")
    assert result.exit_code == 1
    assert result.stderr.count("left as it was") == 3
    same = {path.name for path in folder.iterdir() if path.read_bytes() == before[path.name]}
    assert same == {"b.jsonl", "c.jsonl.gz", "d.parquet"}
    assert {str(row["file"]) for row in lines_of(tmp_path / "removed")} == {"a.jsonl", "e.txt"}
    assert (tmp_path / "errors").read_bytes().startswith(b"{broken\n")
    assert names(tmp_path) == sorted(["errors", "in", *(f"in/{name}" for name in before), "removed"])


@pytest.mark.usefixtures("any_size")
def test_what_is_left_as_it_was_is_not_counted(records: Path, tmp_path: Path) -> None:
    """Whatever was counted of it before the record that failed."""
    folder = records.parent
    good = RECORD % json.dumps(TEXT)
    (folder / "b.jsonl").write_text(RECORD % json.dumps(f"{TEXT}\nALSO READ\n") * 25 + "{broken\n" + good)
    (folder / "c.jsonl").write_text('{"text": 3}\n')
    before = (folder / "b.jsonl").read_bytes()
    options = BatchOptions(in_place=True, min_quality=0.5, rejected=tmp_path / "r", workers=1)
    counts = clean_files(folder, "", options).counts
    assert (folder / "b.jsonl").read_bytes() == before
    assert [counts[name] for name in ("documents", "cleaned", "rejected", "failed")] == [2, 2, 0, 2]
    assert (counts["words_kept"], counts["words_removed"]) == (24, 2)
    assert counts["removed_lines"] == {"SHARE THIS": 1}
    assert counts["lines"] == {"body": 2, "junk": 1}
    assert len(counts["failed_records"]) == 2


@pytest.mark.parametrize("option", ["--check", "--diff"])
def test_what_writes_nothing_leaves_other_files_alone(
    option: str, records: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And refuses those that are given, but for those of a file of settings."""
    (tmp_path / "old").write_text("of yesterday")
    for name in ("--removed", "--errors", "-o"):
        refused(call("clean", records, option, name, tmp_path / "old"), 2, f"{tmp_path}/old: ", f"{option} writes no ")
    with pytest.raises(UsageError, match=f"old: {option} writes no text"):
        clean_files(records, tmp_path / "old", BatchOptions.of({option[2:]: True}))
    (tmp_path / "cleaner.toml").write_text('removed = "old"\nerrors = "old"\n')
    monkeypatch.chdir(tmp_path)
    assert call("clean", records, option).stdout
    assert call("clean", records, option, "-o", "-").stdout
    assert (tmp_path / "old").read_text() == "of yesterday"


@pytest.mark.usefixtures("any_size")
@pytest.mark.parametrize("more", [(), ("--removed", "r")])
def test_texts_on_stdout_begin_on_a_line_of_their_own(
    more: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """But nothing is put between the pieces of one, or before what a line feed of one byte would break."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("cleaner.plain.BLOCK_BYTES", 1000)
    huge = f"{BODY.strip()}\u2028SHARE THIS\n" * 40
    found = {"a.txt": TEXT, "b.txt": BODY.strip(), "c.txt": "SHARE THIS", "d.txt": huge, "e.txt": BODY}
    for name, text in found.items():
        Path(name).write_text(text)
    Path("w.txt").write_text(BODY.strip(), "utf-16")
    whole = call("clean", "d.txt").stdout
    assert len(whole) > 1000
    assert "\n" not in whole
    assert call("clean", *found, *more).stdout == f"{BODY}{BODY.strip()}\n{whole}\n{BODY}"
    assert call("clean", "a.txt", "b.txt", *more).stdout == BODY + BODY.strip()
    wide = Path("w.txt").read_bytes()
    assert call("clean", "b.txt", "w.txt", "e.txt", *more).stdout_bytes == BODY.strip().encode() + wide + BODY.encode()


@pytest.mark.parametrize("name", ["o.jsonl.lz4", "o.zip", "o.ZSTD", "o.7z", "o.rar", "o.csv", "o.tsv.gz", "o.xlsx"])
def test_a_name_that_promises_another_thing(name: str, records: Path, tmp_path: Path) -> None:
    """Is refused, also for what lies beside the output; a folder has any name."""
    (tmp_path / "a.txt").write_text(TEXT)
    before, out = names(tmp_path), tmp_path / name
    for more in (("-o", out), ("-o", f"memory://{name}"), ("-o", tmp_path / "b.jsonl", "--removed", out)):
        for source in (records, tmp_path / "a.txt", records.parent):
            refused(call("clean", source, *more), 2, f"{name}: .", " is not written. End its name in one of .jsonl, ")
    assert names(tmp_path) == before
    assert call("clean", records.parent, "-o", f"{out}/").exit_code == 0
    assert call("clean", records.parent, "-o", out).exit_code == 0


@pytest.mark.usefixtures("any_size")
@pytest.mark.parametrize("count", [1, 40])
@pytest.mark.parametrize(("first", "second"), [(".txt.gz", ".txt"), (".txt", ".txt.gz"), (".txt.gz", ".txt.zst")])
def test_a_text_is_compressed_as_its_output(first: str, second: str, count: int, tmp_path: Path) -> None:
    pack = PACK.get(Path(first).suffix, bytes)
    text = TEXT + "".join(f"On day {n} the crossing took {n} minutes, and the sea was calm.\n" for n in range(1, count))
    cleaned = package.clean(text)
    assert cleaned.count("\n") >= max(1, count - 5)
    (tmp_path / f"a{first}").write_bytes(pack(text.encode()))
    assert call("clean", tmp_path / f"a{first}", "-o", tmp_path / f"o{second}").exit_code == 0
    out = tmp_path / f"o{second}"
    assert (unpacked(out) if out.suffix in PACK else out.read_bytes()) == cleaned.encode()


@pytest.mark.usefixtures("any_size")
@pytest.mark.parametrize("suffix", PACK)
def test_nothing_is_compressed_too(suffix: str, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("SHARE THIS\n")
    (tmp_path / "a.jsonl").write_bytes(b"")
    for name in ("a.txt", "a.jsonl"):
        out, bad = tmp_path / f"o-{name}{suffix}", tmp_path / f"bad{suffix}"
        assert call("clean", tmp_path / name, "-o", out, "--errors", bad).exit_code == 0
        assert out.stat().st_size
        assert unpacked(out) == unpacked(bad) == b""
        assert bad.stat().st_size


def test_a_byte_order_mark_does_not_come_into_the_midst(records: Path, tmp_path: Path) -> None:
    (tmp_path / "b.jsonl").write_bytes(b"\xef\xbb\xbf" + records.read_bytes())
    (tmp_path / "c.jsonl").write_bytes(b"\xef\xbb\xbf" + b'{"text": "SHARE THIS"}\n')
    poor = ("--min-quality", "0.5", "--rejected", tmp_path / "poor")
    out = tmp_path / "o.jsonl"
    assert call("clean", tmp_path / "b.jsonl", records, tmp_path / "c.jsonl", "-o", out, *poor).exit_code == 0
    assert out.read_bytes().rfind(b"\xef\xbb\xbf") == 0
    assert call("clean", out, "-o", tmp_path / "again.jsonl").exit_code == 0
    assert (tmp_path / "poor").read_bytes() == b'{"text": "SHARE THIS"}\n'


def test_long_names(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for name in ("щ" * 125, "x" * 255):
        (tmp_path / "in" / name).write_text(TEXT)
    assert call("clean", tmp_path / "in", "-o", tmp_path / "out").exit_code == 0
    for name in names(tmp_path / "out"):
        assert (tmp_path / "out" / name).read_text() == BODY
        assert (
            call("clean", tmp_path / "in" / name, "--in-place", "--removed", tmp_path / f"r{len(name)}").exit_code == 0
        )
        assert (tmp_path / "in" / name).read_text() == BODY


@pytest.mark.usefixtures("any_size")
def test_texts_become_records(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for name in ("a.txt", "b.txt"):
        (tmp_path / "in" / name).write_text(TEXT)
    result = call("clean", tmp_path / "in" / "a.txt", tmp_path / "in" / "b.txt", "-o", tmp_path / "all.jsonl")
    assert result.exit_code == 0
    assert [row["id"] for row in lines_of(tmp_path / "all.jsonl")] == ["a.txt", "b.txt"]
    for form in ("jsonl", "parquet"):
        assert call("clean", tmp_path / "in", "-o", tmp_path / "out", "--output-format", form).exit_code == 0
    assert [row["id"] for row in lines_of(tmp_path / "out" / "b.jsonl")] == ["b.txt"]
    assert pq.read_table(tmp_path / "out" / "a.parquet").to_pylist() == [{"id": "a.txt", "text": BODY}]
    assert names(tmp_path / "out") == ["a.jsonl", "a.parquet", "b.jsonl", "b.parquet"]


def test_texts_of_one_name_in_several_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folders = ["one/x", "two/x", "two/y"]
    for number, folder in enumerate(folders):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "a.txt").write_text("SHARE THIS\n" * number + TEXT)
    (tmp_path / "two" / "y" / "b.txt").write_text(TEXT)
    monkeypatch.chdir(tmp_path / "two" / "x")
    places = ["../../one/x/", ".", str(tmp_path / "two" / "y")]
    assert call("clean", *places, "-o", "../../all.jsonl").exit_code == 0
    ids = ["one/x/a.txt", "two/x/a.txt", "y/a.txt", "b.txt"]
    assert [row["id"] for row in lines_of(tmp_path / "all.jsonl")] == ids
    before = [(tmp_path / folder / "a.txt").read_text() for folder in folders]
    assert call("clean", *places, "--in-place", "--removed", tmp_path / "r").exit_code == 0
    for folder, name, text in zip(folders, ids, before, strict=False):
        result = call("restore", tmp_path / folder / "a.txt", "--removed", tmp_path / "r", "--file", name)
        assert (result.exit_code, result.stdout) == (0, text)


@pytest.mark.parametrize("first", [b'{"text": "cut\n', b'and so on", "id": 3}\n', b"[" * 9000 + b"\n"])
def test_a_damaged_first_line_does_not_make_it_text(first: bytes, tmp_path: Path) -> None:
    data = first + jsonl(tmp_path / "a", 5).read_bytes()
    (tmp_path / "nameless").write_bytes(data)
    for result in (call("clean", stdin=data), call("clean", tmp_path / "nameless")):
        assert (result.exit_code, result.stdout.count("\n")) == (1, 5)
        assert ":1: not a JSON object" in result.stderr


@pytest.mark.parametrize("at", [0, 2, 6])
def test_a_line_of_json_does_not_make_records_of_a_text(at: int) -> None:
    lines = [line for line in TEXT.splitlines() if line] * 3
    lines.insert(at, '{"@context": "https://schema.example", "@type": "NewsArticle"}')
    result = call("clean", "-q", stdin="\n".join(lines).encode())
    assert (result.exit_code, result.stderr) == (0, "")
    assert BODY.strip() in result.stdout


@pytest.mark.parametrize("data", [gzip.compress(b"x", mtime=0), b'[{"text": "x"}]\n'])
def test_what_cannot_be_read_fails_by_its_first_bytes(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a").write_bytes(data)
    (tmp_path / "in" / "b.txt").write_text(TEXT)
    refused(call("clean", "-q", stdin=data), 1, "stdin: ", "Decompress" if data[:1] != b"[" else "jq")
    arguments = ("--encoding", "latin-1", "--errors", tmp_path / "bad")
    refused(call("clean", tmp_path / "in", "-o", tmp_path / "out", *arguments), 1, "in/a: ")
    assert lines_of(tmp_path / "bad") == [{"file": str(tmp_path / "in" / "a"), "record": 0, "reason": "format"}]
    assert names(tmp_path / "out") == ["b.txt"]
    result = call("clean", tmp_path / "in" / "a", "--in-place")
    assert (result.exit_code, result.stderr.count("in/a: ")) == (1, 2)
    assert (tmp_path / "in" / "a").read_bytes() == data


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
@pytest.mark.parametrize("huge", [100, 10**6])
def test_records_that_are_called_a_text(
    encoding: str, huge: int, records: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cleaner.plain.HUGE_BYTES", huge if encoding.startswith("utf-8") else 10**6)
    whole = call("clean", records).stdout
    data = records.read_text("utf-8").encode(encoding)
    more = ("--encoding", encoding) if encoding == "utf-16-le" else ()
    for name in ("a.txt", "a.md.gz"):
        (tmp_path / name).write_bytes(gzip.compress(data) if name == "a.md.gz" else data)
        for verb, remedy in (
            ("clean", "--input-format jsonl; or --input-format text"),
            ("label", "not text. Label its"),
        ):
            refused(call(verb, tmp_path / name, *more), 1, f"{name}: ", "records", remedy)
        result = call("clean", tmp_path / name, "--input-format", "jsonl", *more)
        assert (result.exit_code, result.stdout.removeprefix("\ufeff")) == (0, whole)
        assert call("clean", tmp_path / name, "--input-format", "text", *more).exit_code == 0
    (tmp_path / "in" / "b").write_bytes(data)
    for source in (tmp_path / "in" / "b", "-")[: 2 * (not more)]:
        result = call("clean", source, stdin=data)
        assert (result.exit_code, result.stdout.removeprefix("\ufeff")) == (0, whole)


QUOTED = '{"berth": 4, "text": "x"}'


@pytest.mark.parametrize(
    "text",
    [
        f'{QUOTED}, said the page, "on Friday": no.',
        f"{QUOTED}\n{BODY.strip()}",
        BODY + QUOTED,
        f"{QUOTED}\n{BODY}" * 2000,
    ],
)
def test_a_text_with_records_in_it(text: str, tmp_path: Path) -> None:
    """It may begin with one, or be of one line that does."""
    (tmp_path / "a.txt").write_text(text)
    for verb in ("clean", "label"):
        assert call(verb, tmp_path / "a.txt").exit_code == 0


MARKS = {".lz4": b'\x04"M\x18', ".zip": b"PK\3\4", ".parquet": b"PAR1\x15"}


@pytest.mark.parametrize("suffix", [*PACK, *MARKS])
@pytest.mark.parametrize("huge", [1000, 10**6])
def test_packed_data_whose_name_says_another_thing(
    suffix: str, huge: int, records: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However it is encoded, nothing of it is cleaned, and one failure tells what it is and what to do."""
    monkeypatch.setattr("cleaner.plain.HUGE_BYTES", huge)
    data = records.read_bytes() * 9
    data = PACK[suffix](data) + bytes(1000) if suffix in PACK else MARKS[suffix] + data
    remedy = "Decompress it first" if suffix in (".lz4", ".zip") else f"End its name in {suffix}."
    for name in ("a", "a.txt", "a.jsonl", "a.wet", "a.jsonl.gz", "a.xz"):
        if (name, suffix) in {("a.jsonl.gz", ".gz"), ("a.xz", ".xz"), ("a", ".parquet")}:
            continue
        (tmp_path / name).write_bytes(data)
        result = call("clean", tmp_path / name, "-q", "-o", tmp_path / "o.jsonl")
        refused(result, 1, f"{name}:", "data, which its name does not say", remedy)
        assert call("clean", tmp_path / name, "-q", "--encoding", "latin-1", "-o", tmp_path / "o.jsonl").exit_code == 1
        assert not (tmp_path / "o.jsonl").exists()


@pytest.mark.parametrize("form", ["", "text", "jsonl"])
def test_packed_data_inside_what_is_unpacked(form: str, tmp_path: Path) -> None:
    data = gzip.compress(TEXT.encode())
    (tmp_path / "a.gz").write_bytes(gzip.compress(data))
    options = ("-j", "1", *(("--input-format", form) if form else ()))
    refused(call("clean", tmp_path / "a.gz", "-q", *options), 1, "a.gz:", "gzip data", "Decompress it first")
    refused(call("clean", "-", "-q", *options, stdin=data), 1, "stdin:", "gzip data", "Decompress it first")
    (tmp_path / "b.txt").write_text(f"BZh is no word.\n\n{BODY}")
    assert call("clean", tmp_path / "b.txt").exit_code == 0


def test_a_record_with_many_texts_inside(tmp_path: Path) -> None:
    """Each candidate is not the record's own field; reading the line for each takes a minute."""
    record = {"comments": [{"text": f"Comment {number}", "by": "x"} for number in range(40_000)], "text": TEXT}
    (tmp_path / "a.jsonl").write_text(json.dumps(record) + "\n")
    result = call("clean", tmp_path / "a.jsonl")
    assert json.loads(result.stdout) == {**record, "text": BODY}


@pytest.mark.parametrize("encoding", ["cp1252", "UTF8", "utf-8-sig"])
def test_a_bad_byte_fails_its_record_alone(encoding: str, tmp_path: Path) -> None:
    lines = [json.dumps({"id": "é", "text": TEXT}, ensure_ascii=False).encode(encoding[:6]) + b"\n"] * 20
    lines[10] = lines[10].replace(b"back", b"ba\x81k")
    (tmp_path / "a.jsonl").write_bytes(b"".join(lines))
    result = call("clean", tmp_path / "a.jsonl", "--encoding", encoding, "--errors", tmp_path / "bad")
    refused(result, 1, "a.jsonl:11: not ")
    assert [json.loads(line) for line in result.stdout.splitlines()] == [{"id": "é", "text": BODY}] * 19
    assert (tmp_path / "bad").read_bytes() == lines[10]


def test_utf_16_that_ends_inside_a_character(tmp_path: Path) -> None:
    data = (json.dumps({"text": TEXT}) + "\n").encode("utf-16")
    (tmp_path / "a.jsonl").write_bytes(data + b"x")
    result = call("clean", tmp_path / "a.jsonl")
    refused(result, 1, "a.jsonl:2: not UTF-16")
    assert json.loads(result.stdout) == {"text": BODY}


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_no_mark_is_added(encoding: str, tmp_path: Path) -> None:
    plain = encoding.replace("-sig", "") if "8" in encoding else f"{encoding}-le"
    (tmp_path / "a.txt").write_bytes(TEXT.encode(plain))
    assert call("clean", tmp_path / "a.txt", "--encoding", encoding, "-o", tmp_path / "b.txt").exit_code == 0
    assert (tmp_path / "b.txt").read_bytes() == BODY.encode(plain)


@pytest.mark.parametrize("encoding", ["hex", "rot13", "a\0b", "undefined", "idna", "punycode"])
def test_encodings_that_are_none_of_text(encoding: str, records: Path) -> None:
    refused(call("clean", records, "--encoding", encoding), 2, "--encoding ", "unknown")
    refused(call("label", records, "--encoding", encoding), 2, "--encoding ", "unknown")


def test_nested_too_deeply(tmp_path: Path) -> None:
    deep = '{"text": "x", "a": ' + "[" * 100_000 + "]" * 100_000 + "}\n"
    (tmp_path / "a.jsonl").write_text(deep + json.dumps({"text": TEXT}))
    result = call("clean", tmp_path / "a.jsonl")
    refused(result, 1, "a.jsonl:1: ", "nested too deeply")
    assert json.loads(result.stdout) == {"text": BODY}
