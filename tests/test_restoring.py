"""Cleaned text and removed lines are the input again; what is told of lines agrees with the library."""

import gzip
import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from test_cleaning import TEXTS
from test_cli import BODY, TEXT, call, refused

from cleaner import BatchOptions, clean_files, restore
from cleaner.alphabet import WORDS
from cleaner.cleaning import Cleaner
from cleaner.corpus import read_labelled
from cleaner.errors import DataError, UsageError
from cleaner.grouping import pieces
from cleaner.lines import BOM, MARK, line_pieces, split
from cleaner.opening import chunks
from cleaner.outcomes import SURE, How, outcomes
from cleaner.restoring import restore_file
from cleaner.rules import Rules

VALID = Path(__file__).parents[2] / "shared" / "corpus" / "valid"
RULES = st.sampled_from([Rules(), Rules(("SHARE|Read",), ()), Rules(("o",), ("office",))])


def row(line: object) -> dict[str, object]:
    return {"line": line.number, "text": line.data.decode("utf-8", "surrogatepass")}  # type: ignore[attr-defined]


@example(["SHARE\n\ufeffThe ferry was back in service on Friday, the office said."], Rules(("SHARE",), ()))
@example(["\ufeffSHARE\nThe ferry was back in service on Friday, the office said."], Rules(("SHARE",), ()))
@example(["SHARE\n\ufeffRead more\nThe ferry was back in service on Friday, the office said."], Rules(("SHARE",), ()))
@given(st.lists(TEXTS, max_size=4), RULES)
def test_outcomes(cleaner: Cleaner, texts: list[str], rules: Rules) -> None:
    documents = [text.encode("utf-8", "surrogatepass") for text in texts]
    found = list(outcomes(cleaner, documents, How(rules, full=True, labels=True)))
    assert len(found) == len(texts)
    for text, one in zip(texts, found, strict=True):
        assert restore(one.cleaned.decode("utf-8", "surrogatepass"), map(row, one.removed)) == text
    if not rules:
        assert [one.cleaned for one in found] == list(cleaner.clean_bytes(documents))
        for text, one in zip(texts, found, strict=True):
            lines = cleaner.label(text)
            (labelled,) = one.labelled
            assert labelled.numbers.tolist() == [line.number for line in lines]
            assert [cleaner.model.labels[code] for code in labelled.codes] == [line.label for line in lines]
            assert [[*cleaner.model.kinds, ""][kind] for kind in labelled.kinds] == [line.kind for line in lines]
            shares = [line.probabilities[line.label] for line in lines]
            assert labelled.shares.tolist() == pytest.approx(shares, abs=1e-4)


@given(st.lists(TEXTS, max_size=4))
def test_sums(cleaner: Cleaner, texts: list[str]) -> None:
    """What a kernel adds up, for each document and in all, is what the lines say."""
    documents, how = [text.encode("utf-8", "surrogatepass") for text in texts], How(Rules())
    found = list(outcomes(cleaner, documents, how))
    result = cleaner.result(documents)
    words, label = result.batch.counts[:, WORDS], np.array(cleaner.model.labels)[result.codes]
    most, body = result.probabilities.max(axis=1, initial=0), result.probabilities[:, 0]
    for number, one in enumerate(found):
        here = result.batch.document == number
        kept = words[here & (label == "body")].sum()
        expected = (words[here].sum(), kept, (words * body)[here].sum(), words[here & (most < np.float32(SURE))].sum())
        assert one.sums[:4] == pytest.approx(expected)
        text, left = texts[number], one.cleaned.decode("utf-8", "surrogatepass")
        assert one.gone == one.sums.gone == len(split(text.removeprefix(BOM))) - len(split(left.removeprefix(BOM)))
    assert +how.counts["lines"] == Counter(label.tolist())
    assert +how.counts["words"] == +Counter({name: int(words[label == name].sum()) for name in set(label.tolist())})
    assert +how.counts["kinds"] == Counter(kind for kind in cleaner.kinds_of(result) if kind)


def test_document_in_pieces(cleaner: Cleaner) -> None:
    """A document larger than a piece: numbers of lines run on."""
    text = (BODY * 30 + "SHARE THIS\n") * 1200
    (one,) = outcomes(cleaner, [text.encode()], How(Rules(), full=True, labels=True))
    assert len(text) > 2_000_000
    assert restore(one.cleaned.decode(), map(row, one.removed)) == text
    numbers = [number for piece in one.labelled for number in piece.numbers.tolist()]
    assert numbers == list(range(1, text.count("\n") + 1))


@given(
    st.lists(st.sampled_from([b"\n", b"a", b"\xef", b"\xef\xbb", MARK]), max_size=60).map(b"".join),
    st.integers(1, 12),
    st.integers(1, 9),
)
@example(b"aaaa\naa", 4, 5)
@example(b"a\n" + MARK + b"aaa\naaa", 4, 6)
def test_pieces_depend_on_the_content_alone(data: bytes, size: int, chunk: int) -> None:
    """Neither on how a stream is read nor on where that began; and none begins with a byte order mark but the first."""

    def streamed(begin: int) -> list[tuple[bytes, bool]]:
        return list(line_pieces(iter(data[at : at + chunk] for at in range(begin, len(data), chunk)), size))

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("cleaner.grouping.PIECE_BYTES", size)
        whole = list(pieces(data))
    assert streamed(0) == whole
    assert b"".join(piece for piece, _ in whole) == data
    assert all(piece.endswith(b"\n") != last for piece, last in whole[:-1])
    assert not any(piece.startswith(MARK) for piece, _ in whole[1:])
    if len(whole) > 1:
        assert streamed(len(whole[0][0])) == whole[1:]


def test_a_line_with_a_byte_order_mark_where_a_piece_ends(tmp_path: Path, cleaner: Cleaner) -> None:
    begin = BODY * 30_300
    text = begin + "x" * (1_999_999 - len(begin)) + f"\n{BOM}SHARE THIS\n" + BODY * 100
    assert [line.text for line in cleaner.label(text) if "SHARE" in line.text] == [f"{BOM}SHARE THIS"]
    (tmp_path / "a.txt").write_text(text, "utf-8")
    clean_files(str(tmp_path / "a.txt"), str(tmp_path / "b.txt"), BatchOptions(removed=str(tmp_path / "r")))
    assert BOM not in (tmp_path / "b.txt").read_text("utf-8")
    assert restore_file(str(tmp_path / "b.txt"), str(tmp_path / "r")) == text.encode()


def test_huge_text_is_cut_as_the_library_does(
    tmp_path: Path, cleaner: Cleaner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cleaner.plain.HUGE_BYTES", 3_000_000)
    text = (BODY * 30 + "SHARE THIS\n") * 2200
    (tmp_path / "a.txt").write_text(text)
    options = BatchOptions(workers=1, removed=str(tmp_path / "r"))
    counts = clean_files([str(tmp_path / "a.txt")], str(tmp_path / "b.txt"), options).counts
    assert counts["documents"] == 1
    assert (tmp_path / "b.txt").read_text() == cleaner.clean(text)
    assert restore_file(str(tmp_path / "b.txt"), str(tmp_path / "r")) == text.encode()


@pytest.mark.parametrize("others", [0, 1])
def test_a_huge_text_that_cannot_be_read_is_no_document(
    others: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cleaner.plain.HUGE_BYTES", 1000)
    for name in ("in", "out"):
        (tmp_path / name).mkdir()
    (tmp_path / "in" / "a.txt").write_bytes((BODY * 100 + "café\n").encode("latin-1"))
    for number in range(others):
        (tmp_path / "in" / f"{number}.txt").write_text(TEXT)
    counts = clean_files(str(tmp_path / "in"), str(tmp_path / "out"), BatchOptions(workers=1)).counts
    assert (counts["documents"], counts["cleaned"], counts["failed"]) == (others, others, 1)
    assert sorted(path.name for path in tmp_path.glob("out/*")) == [f"{number}.txt" for number in range(others)]


def test_names_of_files_are_no_rows() -> None:
    with pytest.raises(UsageError, match="rows"):
        restore("body.txt", "removed.jsonl")  # type: ignore[arg-type]


@pytest.mark.parametrize("row", [None, {"line": 1}, {"line": "1", "text": "a"}, {"crc32": 0}, {"raw": 5}])
def test_rows_that_are_none(row: Any) -> None:
    with pytest.raises(DataError, match=r"row 2 .*not a removed line"):
        restore("one\n", [{"skipped": "it was poor"}, row])


def test_a_line_that_is_given_twice() -> None:
    with pytest.raises(DataError, match="line 1 is in the rows twice"):
        restore("x", [{"line": 1, "text": "a"}, {"line": 1, "text": "b"}])


def test_rows_of_another_text() -> None:
    with pytest.raises(DataError, match="not of this text"):
        restore("one\n", [{"line": 9, "text": "x\n"}])


@pytest.mark.slow
@pytest.mark.skipif(not VALID.is_dir(), reason="the real pages are not here")
def test_every_document_of_valid(tmp_path: Path) -> None:
    source = tmp_path / "a.jsonl"
    with source.open("w", encoding="utf-8") as file:
        for document in read_labelled([VALID]):
            file.write(json.dumps({"id": document.id, "text": document.text()}, ensure_ascii=False) + "\n")
    options = BatchOptions(removed=str(tmp_path / "r.gz"))
    clean_files([str(source)], str(tmp_path / "b.jsonl"), options)
    assert len(gzip.decompress((tmp_path / "r.gz").read_bytes())) > 1000
    assert restore_file(str(tmp_path / "b.jsonl"), str(tmp_path / "r.gz")) == source.read_bytes()


def test_restoring_finds_the_field_that_clean_was_given(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(json.dumps({"raw": TEXT}) + "\n")
    options = BatchOptions(text_field="raw", removed=str(tmp_path / "r"))
    clean_files([str(tmp_path / "a.jsonl")], str(tmp_path / "b.jsonl"), options)
    result = call("restore", tmp_path / "b.jsonl", "--removed", tmp_path / "r", "--text-field", "raw")
    assert (result.exit_code, result.stdout) == (0, (tmp_path / "a.jsonl").read_text())
    with pytest.raises(DataError, match="unknown"):
        restore_file(str(tmp_path / "b.jsonl"), str(tmp_path / "r"), encoding="hex")


@pytest.mark.parametrize("second", ["one/x.jsonl", "two/x.jsonl", "two/y.jsonl"])
def test_several_inputs_in_one_output_are_not_restored(second: str, tmp_path: Path) -> None:
    paths = [tmp_path / "one" / "x.jsonl", tmp_path / second]
    for place, path in enumerate(paths):
        path.parent.mkdir(exist_ok=True)
        path.write_text("".join(json.dumps({"text": "SHARE THIS\n" * place + TEXT}) + "\n" for _ in range(3)))
    options = BatchOptions(removed=str(tmp_path / "r"))
    clean_files(sorted({str(path) for path in paths}), str(tmp_path / "joined.jsonl"), options)
    name = {"two/x.jsonl": second, "two/y.jsonl": "y.jsonl"}.get(second, "")
    if second == "one/x.jsonl":
        assert restore_file(str(tmp_path / "joined.jsonl"), str(tmp_path / "r")) == paths[0].read_bytes()
    else:
        with pytest.raises(DataError, match="clean to a folder"):
            restore_file(str(tmp_path / "joined.jsonl"), str(tmp_path / "r"), name)
        rows = (tmp_path / "r").read_text()
        (tmp_path / "r").write_text(rows.replace("one/", "").replace("two/", ""))  # as they were once
        with pytest.raises(DataError, match="clean to a folder"):
            restore_file(str(tmp_path / "joined.jsonl"), str(tmp_path / "r"), paths[1].name)


def test_rows_of_another_file_are_not_put_in(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.jsonl").write_text(json.dumps({"id": name, "text": TEXT}) + "\n")
    options = BatchOptions(removed=str(tmp_path / "r"))
    clean_files([str(tmp_path / "a.jsonl")], str(tmp_path / "out.jsonl"), options)
    with pytest.raises(DataError, match="record 1: not 'a'"):
        restore_file(str(tmp_path / "b.jsonl"), str(tmp_path / "r"))
    (tmp_path / "out.jsonl").write_bytes(b"")
    with pytest.raises(DataError, match="has 0 records"):
        restore_file(str(tmp_path / "out.jsonl"), str(tmp_path / "r"))


@pytest.mark.parametrize(
    "change",
    [
        {"record": None},
        {"record": "1"},
        {"record": True},
        {"file": 1},
        {"text": None},
        {"text": ["SHARE THIS"]},
        {"line": "2"},
        {"line": None, "text": None},
        {"document": {}},
        {"raw": 1},
        {"line": None, "crc32": 1},
        {"line": None, "crc32": 1, "bytes": "1"},
        {"encoding": 1},
        {"line": None, "crc32": 1, "bytes": 1, "removed": "1"},
        {"line": None, "crc32": 1, "bytes": 1, "added": "cleaner_quality"},
        {"line": None, "crc32": 1, "bytes": 1, "added": [1]},
    ],
)
def test_rows_that_are_none_of_removed_lines(change: dict[str, object], tmp_path: Path) -> None:
    """None stands for no such key."""
    whole: dict[str, object] = {"file": "a.txt", "record": 1, "document": "", "line": 2, "text": "SHARE THIS\n"}
    rows = [whole, {name: value for name, value in {**whole, "line": 3, **change}.items() if value is not None}]
    (tmp_path / "r").write_text("".join(json.dumps(one) + "\n" for one in rows))
    for name, content in (("a.txt", BODY), ("a.jsonl", json.dumps({"text": BODY}))):
        (tmp_path / name).write_text(content)
        with pytest.raises(DataError, match=r"r:2: not a removed line\. Give"):
            restore_file(str(tmp_path / name), str(tmp_path / "r"))


@pytest.mark.parametrize("row", ["[]", "1", "null", "[" * 100_000])
def test_rows_that_are_no_objects(row: str, tmp_path: Path) -> None:
    (tmp_path / "r").write_text(row)
    (tmp_path / "a.txt").write_text(BODY)
    with pytest.raises(DataError, match="r:1: not a removed line"):
        restore_file(str(tmp_path / "a.txt"), str(tmp_path / "r"))


@pytest.mark.parametrize("line", [b'{"text": "The fer', b"[1]", b'{"text": "\xff"}', b'{"n": 1}'])
def test_a_damaged_line_is_not_restored(line: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text((json.dumps({"text": TEXT}) + "\n") * 2)
    clean_files(str(tmp_path / "a.jsonl"), str(tmp_path / "b.jsonl"), BatchOptions(removed=str(tmp_path / "r")))
    first, _ = (tmp_path / "b.jsonl").read_bytes().splitlines(keepends=True)
    (tmp_path / "b.jsonl").write_bytes(first + line)
    with pytest.raises(DataError, match=r"b\.jsonl: (line|record) 2: .*(Give|Choose)"):
        restore_file(str(tmp_path / "b.jsonl"), str(tmp_path / "r"))


def test_removed_lines_that_the_encoding_cannot_hold(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(BODY)
    (tmp_path / "r").write_text(json.dumps({"file": "a.txt", "record": 1, "line": 2, "text": "\u0416\n"}))
    with pytest.raises(DataError, match=r"a\.txt: .*not of this text"):
        restore_file(str(tmp_path / "a.txt"), str(tmp_path / "r"), encoding="cp1252")


def without_texts(path: Path) -> None:
    """Make a file of removed lines as they were when texts had no rows."""
    rows = [line for line in path.read_bytes().splitlines(keepends=True) if b"crc32" not in line]
    path.write_bytes(b"".join(rows))


@pytest.mark.parametrize("suffix", [".txt", ".jsonl"])
def test_only_the_cleaned_text_is_restored(suffix: str, tmp_path: Path) -> None:
    texts = [TEXT, BODY, f"SHARE THIS\n{TEXT}", ""]
    data = TEXT if suffix == ".txt" else "".join(json.dumps({"text": text}) + "\n" for text in texts)
    source, out, removed = (tmp_path / name for name in (f"a{suffix}", f"b{suffix}", "r"))
    source.write_text(data)
    clean_files(source, out, BatchOptions(removed=removed))
    good = out.read_text()
    word = r"(not the text|has no row|were more).* Give|clean to a folder"
    wrong = [data, good.replace("Friday", "Sunday"), good + good, ""]
    wrong += [good.replace("\n", "\r\n")] if suffix == ".txt" else [good[: good.rindex("{")]]
    for content in wrong:
        out.write_bytes(content.encode())
        with pytest.raises(DataError, match=rf"b\{suffix}: .*({word})"):
            restore_file(str(out), str(removed))
    out.write_text(good)
    assert restore_file(str(out), str(removed)).decode() == data
    without_texts(removed)
    assert restore_file(str(out), str(removed)).decode() == data
    out.write_text(data)
    assert restore_file(str(out), str(removed)).decode() != data  # nobody could tell


def test_another_field_is_not_restored(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(json.dumps({"text": "", "story": TEXT}) + "\n")
    options = BatchOptions(text_field="story", removed=tmp_path / "r")
    clean_files(tmp_path / "a.jsonl", tmp_path / "b.jsonl", options)
    with pytest.raises(DataError, match=r"record 1: field 'text': not the text .*--text-field"):
        restore_file(str(tmp_path / "b.jsonl"), str(tmp_path / "r"))
    assert restore_file(str(tmp_path / "b.jsonl"), str(tmp_path / "r"), text_field="story").decode().count("SHARE") == 1


def test_a_file_that_lost_nothing_is_restored_too(tmp_path: Path) -> None:
    contents = {"a.txt": TEXT, "clean.txt": BODY, "c.jsonl": json.dumps({"text": BODY}), "d.jsonl": "", "e.txt": ""}
    (tmp_path / "in").mkdir()
    for name, content in contents.items():
        (tmp_path / "in" / name).write_text(content)
    clean_files(tmp_path / "in", f"{tmp_path}/out/", BatchOptions(removed=tmp_path / "r"))
    del contents["d.jsonl"]  # nothing tells that there was a file of no records
    for name, content in contents.items():
        assert restore_file(str(tmp_path / "out" / name), str(tmp_path / "r"), name).decode() == content
    with pytest.raises(UsageError, match=r"nothing about 'b\.txt'"):
        restore_file(str(tmp_path / "out" / "clean.txt"), str(tmp_path / "r"), "b.txt")
    with pytest.raises(DataError, match="not the text"):
        restore_file(str(tmp_path / "out" / "e.txt"), str(tmp_path / "r"), "clean.txt")


def test_the_encoding_is_known_where_no_letter_of_it_is_left(tmp_path: Path) -> None:
    text = f"{BODY}\nBy Éva Šimić\n"
    (tmp_path / "a.txt").write_bytes(text.encode("cp1250"))
    options = BatchOptions(encoding="cp1250", removed=tmp_path / "r", always_drop=("^By",))
    clean_files(tmp_path / "a.txt", tmp_path / "b.txt", options)
    assert (tmp_path / "b.txt").read_bytes().isascii()
    assert restore_file(str(tmp_path / "b.txt"), str(tmp_path / "r")) == text.encode("cp1250")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
@pytest.mark.parametrize("text", [TEXT, f"SHARE THIS\n{BODY}", f"SHARE THIS\n{BOM}{BODY}", "SHARE THIS\n", ""])
@pytest.mark.parametrize("huge", [0, 10**6])
def test_a_byte_order_mark_is_no_part_of_a_record(
    huge: int, text: str, encoding: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the record is restored without it."""
    monkeypatch.setattr("cleaner.plain.HUGE_BYTES", 10**6 if encoding == "utf-16" else huge)
    found = []
    for source in ("utf-8", encoding):
        (tmp_path / "a.txt").write_bytes(text.encode(source))
        for form in ("parquet", "jsonl"):
            options = BatchOptions(removed=tmp_path / "r", output_format=form, always_drop=("SHARE",), workers=1)
            clean_files(tmp_path / "a.txt", tmp_path / f"b.{form}", options)
        found.append((pq.read_table(tmp_path / "b.parquet").to_pylist(), (tmp_path / "b.jsonl").read_bytes()))
    assert found[0] == found[1]
    diffs = [call("clean", tmp_path / "a.txt", "--diff", "--output-format", form).stdout for form in ("text", "jsonl")]
    assert diffs[0] == diffs[1]
    assert json.loads(restore_file(str(tmp_path / "b.jsonl"), str(tmp_path / "r")))["text"] == text


@pytest.mark.parametrize("name", ["in", "in/*.txt"])
def test_one_file_is_restored_at_a_time(name: str, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for one in ("a.txt", "b.txt"):
        (tmp_path / "in" / one).write_text(BODY)
    (tmp_path / "r").write_text("")
    refused(call("restore", tmp_path / name, "--removed", tmp_path / "r"), 2, "2 files. Give one file")


@pytest.mark.parametrize("suffix", [".txt", ".jsonl"])
def test_rows_that_are_cut_restore_nothing(suffix: str, tmp_path: Path) -> None:
    text = f"SHARE THIS\n{BODY}SHARE THIS\n\nRead more\n"
    data = text if suffix == ".txt" else (json.dumps({"text": text}) + "\n") * 2
    source, out, removed = (tmp_path / name for name in (f"a{suffix}", f"b{suffix}", "r"))
    source.write_text(data)
    clean_files(source, out, BatchOptions(removed=removed))
    rows = removed.read_text().splitlines(keepends=True)
    assert [json.loads(row).get("removed") for row in rows[:5]] == [4, None, None, None, None]
    for number in range(len(rows)):
        removed.write_text("".join(rows[:number]))
        refused(call("restore", out, "--removed", removed), 2, ". Give ", ("r: has no rows", "b" + suffix)[number > 0])
    removed.write_text("".join(rows[:1] + rows[2:]))
    with pytest.raises(DataError, match="4 lines were removed, but 3 are in the rows"):
        restore_file(str(out), str(removed))
    removed.write_text("".join(rows).replace(', "removed": 4', ""))  # as it was once
    assert restore_file(str(out), str(removed)).decode() == data


def test_a_file_without_records_is_restored(tmp_path: Path) -> None:
    for name, text in (("a", ""), ("b", json.dumps({"text": TEXT}) + "\n")):
        (tmp_path / f"{name}.jsonl").write_text(text)
    (tmp_path / "out").mkdir()
    for inputs in (["a.jsonl"], ["a.jsonl", "b.jsonl"]):
        some = [tmp_path / name for name in inputs]
        assert call("clean", *some, "-o", tmp_path / "out", "--removed", tmp_path / "r").exit_code == 0
        result = call("restore", tmp_path / "out/a.jsonl", "--removed", tmp_path / "r", "--file", "a.jsonl")
        assert (result.exit_code, result.stdout) == (0, "")


def test_what_is_read_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(TEXT)
    out, removed = tmp_path / "b.txt", tmp_path / "r.jsonl"
    assert call("clean", tmp_path / "a.txt", "-o", out, "--removed", removed).exit_code == 0
    before = out.read_bytes(), removed.read_bytes()
    (tmp_path / "link").symlink_to(removed)
    for target in (out, removed, f"file://{removed}", tmp_path / "link"):
        refused(call("restore", out, "--removed", removed, "-o", target), 2, "is read. Choose another output.")
    assert (out.read_bytes(), removed.read_bytes()) == before


@pytest.mark.parametrize("suffix", [".txt", ".txt.gz", ".txt.zst"])
def test_what_is_restored_is_compressed_as_its_name_says(suffix: str, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(TEXT)
    assert call("clean", tmp_path / "a.txt", "-o", tmp_path / "b.txt", "--removed", tmp_path / "r").exit_code == 0
    new = tmp_path / f"c{suffix}"
    assert call("restore", tmp_path / "b.txt", "--removed", tmp_path / "r", "-o", new).exit_code == 0
    assert b"".join(chunks(str(new))).decode() == TEXT
    assert new.read_bytes().startswith(b"The") == (suffix == ".txt")
    found = call("restore", tmp_path / "b.txt", "--removed", tmp_path / "r", "-o", tmp_path / "c.zip")
    assert ".zip is not written" in found.stderr
    assert not (tmp_path / "c.zip").exists()


ODD = (
    b'{"text": %s}',
    b'\xef\xbb\xbf{"text":%s}',
    b'{"text": %s \t}  ',
    b'{"id": 1.10, "text": %s, "x": {"cleaner_quality": 2, "cleaner_headline": null} }',
    b'{"x": ", \\"cleaner_quality\\": 1}", "text": %s, "n": NaN, "x": "}"}\r',
    b'{"text": "no", "n": 12345678901234567890123, "text": %s}',
    b'{ "t\\u0065xt" : %s , "x": "\\ud800" , "x" : [] }',
)
ADDS = ({"add_quality": True}, {"extract": True, "add_labels": True, "add_quality": True}, {"extract": True})


@pytest.mark.parametrize("adds", ADDS)
def test_fields_that_were_added_are_taken_out_again(adds: dict[str, bool], tmp_path: Path) -> None:
    """And none that was there before; whether a line was removed or not."""
    texts = [f'{TEXT}, "cleaner_headline": 1\n', BODY, 'SHARE THIS", "cleaner_quality": {}}\n', ""]
    data = b"\n".join(record % json.dumps(text).encode() for record in ODD for text in texts)
    data = data.replace(b"\n" + MARK, b"\n")  # a mark stands at the beginning
    (tmp_path / "a.jsonl").write_bytes(data)
    options = BatchOptions(removed=tmp_path / "r", **adds)  # type: ignore[arg-type]
    assert clean_files(tmp_path / "a.jsonl", tmp_path / "b.jsonl", options).counts["documents"] == len(ODD) * 4
    good = (tmp_path / "b.jsonl").read_bytes()
    assert good.count(b"cleaner_quality") > data.count(b"cleaner_quality") or "add_quality" not in adds
    assert restore_file(str(tmp_path / "b.jsonl"), str(tmp_path / "r")) == data
    for old, new in ((b"}\n", b', "mine": 1}\n'), (b', "cleaner_', b', "their_'), (b', "cleaner_', b',"cleaner_')):
        (tmp_path / "b.jsonl").write_bytes(good.replace(old, new))
        with pytest.raises(DataError, match=r"record 1: has not cleaner_.* at its end\. Give"):
            restore_file(str(tmp_path / "b.jsonl"), str(tmp_path / "r"))
