import gzip
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cleaner import adapt, compare, train
from cleaner.checking import Reader
from cleaner.cleaning import Cleaner
from cleaner.corpus import as_paths, digest, fold_of, read_labelled, read_tsv
from cleaner.data_files import left_out
from cleaner.errors import DataError, UsageError
from cleaner.evaluation import evaluate

TSV = """# language: en
# view: page

headline\tFerry back in service
body\tThe ferry was back in service on Friday.

body\tNobody was hurt.
junk\tA. Person / Agency\tcredit
junk\tSHARE THIS\tshare/bar
"""
RECORD: dict[str, Any] = {
    "id": "p1",
    "site": "quay.example",
    "source": "made-up",
    "lang": "en",
    "view": "page",
    "lines": [
        {"text": "Ferry back in service", "label": "headline"},
        {"text": "The ferry was back in service.", "label": "body", "blank_before": True},
        {"text": " ", "label": "junk"},
        {"text": "two\nlines", "label": "junk", "weak": True, "kind": "related"},
    ],
}


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str | bytes], Path]:
    def put(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return put


Write = Callable[[str, str | bytes], Path]


def test_tsv(write: Write) -> None:
    found = read_tsv(write("quay/ferry.tsv", TSV))
    assert (found.id, found.site, found.language, found.view) == ("quay/ferry", "quay", "en", "page")
    assert found.labels == ("headline", "body", "body", "junk", "junk")
    assert found.kinds == ("", "", "", "credit", "share/bar")
    assert found.blank_before == (False, False, True, False, False)
    assert found.weak == (False,) * 5
    body = "The ferry was back in service on Friday.\n\nNobody was hurt.\n"
    assert found.text() == f"Ferry back in service\n{body}A. Person / Agency\nSHARE THIS\n"


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_tsv_endings_and_no_final_newline(write: Write, ending: str) -> None:
    found = read_tsv(write("quay/ferry.tsv", ending.join(TSV.rstrip("\n").split("\n"))))
    assert found == read_tsv(write("quay/ferry.tsv", TSV))


def test_tsv_without_header(write: Write) -> None:
    found = read_tsv(write("quay/ferry.tsv", "body\tOne.\nprice\t3.20\n"))
    assert (found.language, found.view, found.labels) == ("", "", ("body", "price"))


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("body\tOne.\nTwo.\n", 2),
        ("body\tOne.\nbody\tTwo.\tcredit\tmore\n", 2),
        ("Body\tOne.\n", 1),
        ("# language: en\n\nBODY\tOne.\n", 3),
        (" body\tOne.\n", 1),
        ("\tOne.\n", 1),
        ("body\t\n", 1),
        ("body\tOne.\n\nbody\t \u00a0\n", 3),
        ("junk\tOne.\tadverb\n", 1),
        ("junk\tOne.\tother/\njunk\tTwo.\tShare\n", 2),
        ("body\tOne.\n# language: en\n", 2),
    ],
)
def test_wrong_tsv(write: Write, content: str, line: int) -> None:
    path = write("quay/ferry.tsv", content)
    with pytest.raises(DataError) as caught:
        read_labelled([path])
    assert str(caught.value).startswith(f"{path}:{line}: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["ferry.tsv", "ferry.jsonl", "ferry.jsonl.gz", "ferry.txt", "ferry"])
def test_missing(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError, match=name):
        read_labelled([tmp_path / name])


def test_not_utf8(write: Write) -> None:
    for path in (write("a/b.tsv", b"body\tcaf\xe9\n"), write("c.jsonl", b'{"id": "\xe9"}\n')):
        with pytest.raises(DataError, match=path.name):
            read_labelled([path])


def test_folder(write: Write, tmp_path: Path) -> None:
    for name in ("b/2.tsv", "b/1.tsv", "a/3.tsv"):
        write(name, TSV)
    write("a/empty.tsv", "# language: en\n")
    write("a/notes.txt", "not data")
    assert [found.id for found in read_labelled([tmp_path])] == ["a/3", "b/1", "b/2"]


def test_one_path_is_a_list_of_one(write: Write, tmp_path: Path) -> None:
    path = write("site/a.tsv", b"body\tOne line.\nbody\tTwo lines.\njunk\tSHARE\n")
    assert as_paths(path) == as_paths(str(path)) == as_paths([str(path)]) == [path]
    assert evaluate(str(path)) == evaluate([path])


def test_an_empty_path_is_not_the_working_directory(write: Write, tmp_path: Path) -> None:
    path = write("site/a.tsv", TSV)
    empty: tuple[str | list[Path | str], ...] = ("", [path, ""])
    for data in empty:
        with pytest.raises(UsageError, match="path is empty"):
            evaluate(data)
    with pytest.raises(UsageError, match="path is empty"):
        compare("default", "default", "")
    for make in (adapt, train):
        with pytest.raises(UsageError, match="path is empty"):
            make("", tmp_path / "model")
        with pytest.raises(TypeError, match="wanted, not dict"):
            make(path, tmp_path / "model", options={"seed": 1})  # type: ignore[arg-type]


def test_a_model_is_measured_as_its_cleaner_is(write: Write, cleaner: Cleaner) -> None:
    path = write("site/a.tsv", TSV)
    assert evaluate(path, cleaner.model) == evaluate(path, cleaner) == evaluate(path)
    assert compare(cleaner.model, "default", path) == compare(cleaner, cleaner, path)


def test_folder_without_data(write: Write, tmp_path: Path) -> None:
    write("a/notes.txt", "not data")
    with pytest.raises(DataError, match="no labelled files"):
        read_labelled([tmp_path])


@pytest.mark.parametrize("name", ["pages.jsonl", "pages.jsonl.gz"])
def test_jsonl(write: Write, name: str) -> None:
    data = (json.dumps(RECORD) + "\n").encode() * 2
    found = read_labelled([write(name, gzip.compress(data) if name.endswith("gz") else data)])
    assert len(found) == 2
    one = found[0]
    assert (one.id, one.site, one.source, one.language, one.view) == ("p1", "quay.example", "made-up", "en", "page")
    assert one.lines == ("Ferry back in service", "The ferry was back in service.", "two lines")
    assert one.labels == ("headline", "body", "junk")
    assert one.weak == (False, False, True)
    assert one.blank_before == (False, True, False)
    assert one.kinds == ("", "", "related")


def test_gzip_cut_off(write: Write) -> None:
    rows = "".join(json.dumps({**RECORD, "id": str(number)}) + "\n" for number in range(2000))
    data = gzip.compress(rows.encode())
    path = write("pages.jsonl.gz", data[: len(data) // 2])
    with pytest.raises(DataError, match=r"pages\.jsonl\.gz"):
        read_labelled([path])


def test_no_gzip(write: Write) -> None:
    with pytest.raises(DataError, match=r"pages\.jsonl\.gz"):
        read_labelled([write("pages.jsonl.gz", b"plain text")])


@pytest.mark.parametrize(
    "bad",
    [
        "{",
        "[]",
        pytest.param("[" * 100_000, id="deep"),
        pytest.param("9" * 5000, id="long number"),
        "null",
        '"text"',
        "{}",
        json.dumps({**RECORD, "lines": None}),
        json.dumps({**RECORD, "lines": ["text"]}),
        json.dumps({**RECORD, "lines": [{"text": "One."}]}),
        json.dumps({**RECORD, "lines": [{"text": 1, "label": "body"}]}),
        json.dumps({**RECORD, "lines": [{"text": "One.", "label": None}]}),
        json.dumps({**RECORD, "lines": [{"text": "One.", "label": 3}]}),
        json.dumps({**RECORD, "lines": [{"text": "One.", "label": "Body"}]}),
        json.dumps({**RECORD, "lines": [{"text": "One.", "label": ""}]}),
        json.dumps({**RECORD, "site": None}),
        json.dumps({**RECORD, "id": 7}),
        json.dumps({**RECORD, "view": ["page"]}),
        *(
            json.dumps({**RECORD, "lines": [{"text": "One.", "label": "junk", **more}]})
            for more in ({"kind": 3}, {"kind": ["share"]}, {"kind": "navi"}, {"weak": "false"}, {"blank_before": 1})
        ),
    ],
)
def test_wrong_jsonl(write: Write, bad: str) -> None:
    path = write("pages.jsonl", f"{json.dumps(RECORD)}\n{bad}\n{json.dumps(RECORD)}\n")
    with pytest.raises(DataError) as caught:
        read_labelled([path])
    assert str(caught.value).startswith(f"{path}:2: ")
    assert "\n" not in str(caught.value)


def test_jsonl_errors_say_which_key_and_what_a_record_is(write: Write) -> None:
    record = {key: value for key, value in RECORD.items() if key != "site"}
    with pytest.raises(DataError, match=r'pages\.jsonl:1: "site" is missing\. A record is .*"site": "quay\.example"'):
        read_labelled([write("pages.jsonl", json.dumps(record))])
    content = json.dumps(RECORD).encode().replace(b"Ferry", b"F\xe9rry")
    with pytest.raises(DataError, match=r"pages\.jsonl:1: not UTF-8 at byte \d+ of the record\. Save .{0,40}$"):
        read_labelled([write("pages.jsonl", content)])
    wrong = {**RECORD, "lines": [*RECORD["lines"], {"text": "Share", "label": "junk", "kind": "navi"}]}
    with pytest.raises(DataError, match=r"pages\.jsonl:1: line 5: 'navi' is no kind\. Use one of credit"):
        read_labelled([write("pages.jsonl", json.dumps(wrong))])


def test_jsonl_blank_lines_nulls_and_kinds_of_gold_sets(write: Write) -> None:
    nulls = {"text": "One.", "label": "junk", "kind": None, "weak": None, "blank_before": None}
    kinds = [{"text": kind, "label": "junk", "kind": kind} for kind in ("date", "title", "bio", "share/bar")]
    record = {**RECORD, "view": None, "lines": [nulls, *kinds]}
    (one,) = read_labelled([write("PAGES.JSONL", f"\n{json.dumps(record)}\n \n\n")])
    assert one.kinds == ("", "date", "title", "bio", "share/bar")
    assert (one.weak[0], one.blank_before[0], one.view) == (False, False, "")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("\tOne.\n", ":1: a text and no label"),
        ('"body\tHe said ""come"""\n', ":1: '\"body' is no label. Exported with quotes"),
        ('junk\tOne.\t"credit"\n', ":1: '\"credit\"' is no kind of junk. Exported with quotes"),
        (2 * 'body\t"He said ""come""."\n', ":1: a text in quotes, its own quotes doubled. Exported with quotes"),
        ("junk,SHARE THIS\n", ":1: 1 column (separated by commas, it seems). Write label<TAB>line"),
        ("body\tOne.\nspeaker;ILSE\n", ":2: 1 column (separated by semicolons, it seems)"),
        ("well, she said\n", ":1: 1 column. Write"),
    ],
)
def test_what_spreadsheets_leave(write: Write, content: str, words: str) -> None:
    path = write("quay/ferry.tsv", content)
    with pytest.raises(DataError) as caught:
        read_labelled([path])
    assert f"{path}{words}" in str(caught.value)


def test_blank_rows_of_spreadsheets_are_blank_lines(write: Write) -> None:
    found = read_tsv(write("quay/ferry.tsv", "body\tOne.\n\t\t\nbody\tTwo.\n \t\nbody\tThree.\nbody\tFour.\n"))
    assert found.blank_before == (False, True, True, False)


@pytest.mark.parametrize("text", ['"Come."', '"Come", he said, "now."', '""Come"", he said.', '6""', '"'])
def test_quotes_of_real_texts_stay(write: Write, text: str) -> None:
    assert read_tsv(write("quay/ferry.tsv", f"body\t{text}\n")).lines == (text,)


@pytest.mark.parametrize(
    "texts",
    [
        ['"He said ""come"", and went."'],
        ['"""Return the number of ferries."""', '"""Return the number of bridges."""'],
        ['"He said ""come""."', '"He said ""go""."', 'print("He said ""stay"".")'],
    ],
)
def test_quotes_that_no_spreadsheet_has_doubled_stay(write: Write, texts: list[str]) -> None:
    path = write("quay/ferry.tsv", "".join(f"body\t{text}\n" for text in texts))
    reader = Reader()
    assert read_tsv(path).lines == reader.located(path)[0].document.lines == tuple(texts)
    assert reader.problems == []


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-32", "utf-32-be"])
def test_other_encodings_are_named(write: Write, encoding: str) -> None:
    path = write("quay/ferry.tsv", ("" if encoding[6:] == "" else "\ufeff").encode(encoding) + TSV.encode(encoding))
    with pytest.raises(DataError, match=f"{encoding[:6].upper()}. Save the file as UTF-8"):
        read_tsv(path)


@pytest.mark.parametrize("label", ["a\tb", "a\nb", "a\x00b", "A\x85b"])
def test_labels_with_control_characters(write: Write, label: str) -> None:
    row = {"text": "One.", "label": label}
    path = write("pages.jsonl", json.dumps({**RECORD, "lines": [row]}) + "\n")
    with pytest.raises(DataError, match="with a tab or an invisible character in it"):
        read_labelled([path])


def record(name: str, site: str, view: str = "", text: str = "One.") -> str:
    rows = [{"text": text, "label": "body"}]
    return json.dumps({"id": name, "site": site, "view": view, "lines": rows}) + "\n"


def test_records_of_one_id_in_several_files_are_documents_of_their_own(write: Write, tmp_path: Path) -> None:
    write("d/a.jsonl", record("1", "quay") + record("1", "quay", "page") + record("1", "pier"))
    write("d/b.jsonl", record("1", "quay") + record("1", "mole") + record("1", "mole", "page"))
    write("d/c.jsonl", record("1", "pier", "page") + record("1", "quay") + record("2", "quay"))
    names = ["1", "1", "pier/1", "quay/1", "mole/1", "mole/1", "pier/1", "c.jsonl/1", "2"]
    assert [one.id for one in read_labelled([tmp_path / "d"])] == names
    reader = Reader()
    checked = [one.document.id for path in sorted((tmp_path / "d").iterdir()) for one in reader.located(path)]
    assert checked == names


def test_other_files_are_counted(write: Write, tmp_path: Path) -> None:
    write("d/quay/a.tsv", "body\tOne.\n")
    for name in ("quay/a.csv", "quay/.hidden.csv", "annotate.journal", "README.md"):
        write(f"d/{name}", "x")
    words = f"1 other file left out, such as {tmp_path}/d/quay/a.csv: labels are read from .tsv, .jsonl and .jsonl.gz"
    assert left_out([tmp_path / "d", tmp_path / "d/quay/a.tsv"]) == words
    write("d/b.txt", "x")
    assert left_out([tmp_path / "d"]).startswith(f"2 other files left out, such as {tmp_path}/d/b.txt: ")
    assert left_out([tmp_path / "d/quay/a.tsv"]) == ""


def test_hidden_files_are_left_out(write: Write, tmp_path: Path) -> None:
    write("data/.kept/quay/A.TSV", TSV)
    write("data/.kept/quay/._a.tsv", b"\x00\xff")
    write("data/.kept/.ipynb_checkpoints/a-checkpoint.tsv", TSV)
    assert [one.id for one in read_labelled([tmp_path / "data/.kept"])] == ["quay/A"]
    with pytest.raises(DataError, match="no labelled files"):
        read_labelled([tmp_path / "data"])


def test_files_of_one_name_are_documents_of_their_own(write: Write, tmp_path: Path) -> None:
    for name in ("2020/news/1.tsv", "2021/news/1.tsv", "2021/news/2.tsv"):
        write(f"r/{name}", f"body\tStory {name}.\n")
    first = ["news/1", "2021/news/1", "news/2"]
    assert [one.id for one in read_labelled([tmp_path / "r"])] == first
    assert [one.id for one in read_labelled([tmp_path / "r", tmp_path / "r/2021/news", tmp_path / "r"])] == first
    write("r/2021/news/1.TSV", "body\tStory.\n")
    assert len({one.id for one in read_labelled([tmp_path / "r"])}) == 4


def test_a_view_does_not_make_a_file_one_of_this_project(write: Write) -> None:
    assert read_tsv(write("quay/ferry.tsv", TSV)).source == "tsv"
    root = Path(__file__).parents[1]
    for folder in ("training_data", "tests/benchmarks/sites"):
        assert read_tsv(next((root / folder).rglob("*.tsv"))).source == "invented"


def test_evaluate_refuses_unknown_labels_and_nothing(write: Write, cleaner: Cleaner) -> None:
    with pytest.raises(DataError, match="price"):
        evaluate([write("a/b.tsv", "body\tOne.\nprice\t3.20\n")], cleaner)
    with pytest.raises(DataError, match="no labelled lines"):
        evaluate([write("a/b.tsv", "\n")], cleaner)


def test_evaluate_counts_sure_lines(write: Write, cleaner: Cleaner) -> None:
    found = evaluate([write("pages.jsonl", json.dumps(RECORD) + "\n")], cleaner)
    assert (found["documents"], found["lines"]) == (1, 2)
    assert {label: row["lines"] for label, row in found["labels"].items() if row["lines"]} == {"body": 1, "headline": 1}
    assert json.loads(json.dumps(found)) == found


def test_fold_and_digest_do_not_change_with_the_machine(write: Write) -> None:
    assert [fold_of(site, 5) for site in ("quay", "pier", "quay.example")] == [2, 4, 1]
    assert fold_of(os.fsdecode("café".encode("latin-1")), 5) in range(5)  # a folder's name that is not UTF-8
    one = [read_tsv(write("quay/ferry.tsv", TSV))]
    assert digest(one) == digest(one)
    assert digest(one) != digest([*one, *one])


def test_white_space_behind_the_headers_is_none(tmp_path: Path) -> None:
    """As of spreadsheets, which write all rows with as many columns."""
    path = tmp_path / "quay" / "a.tsv"
    path.parent.mkdir()
    path.write_text("# view: page\t\t\n# language: en \t\nbody\tOne.\n")
    document = read_tsv(path)
    assert (document.view, document.language) == ("page", "en")
