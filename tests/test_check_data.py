"""What check-data finds in labelled files, and the suspects."""

import gzip
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from cleaner.annotate_session import Session
from cleaner.annotate_suspects import file_name, suspect_sheets
from cleaner.checking import Located, Reader
from cleaner.checking_documents import between, leaks
from cleaner.cleaning import Cleaner
from cleaner.cli import app
from cleaner.cli_data import screen
from cleaner.corpus import LabelledDocument, read_tsv
from cleaner.errors import DataError, UsageError
from cleaner.labels import LABELS
from cleaner.model import Model
from cleaner.suspects import Suspect, Suspects, find_suspects, opinions

ARTICLE = """# language: en
# view: page

headline\tFerry back in service
junk\tA. Person / Agency\tcredit

body\tThe ferry was back in service on Friday, the harbour office said in a note.
body\tNobody was hurt, and the repairs will cost about half of what was feared.
junk\tSHARE THIS\tshare/bar
"""
OTHER = """headline\tBridge toll to rise
body\tThe toll on the bridge will rise by a tenth in autumn, the county said on Monday.
body\tDrivers who cross each day will pay less than they do now, if they register first.
junk\tSHARE THIS
body\tThe last rise was nine years ago.
junk\tRead more
junk\tMost read
body\tA vote is due.
junk\tTop of the page
"""


def put(path: Path, content: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Return a folder with nothing wrong in it."""
    put(tmp_path / "data/quay/ferry.tsv", ARTICLE)
    put(tmp_path / "data/quay/toll.tsv", OTHER)
    put(tmp_path / "data/pier/tide.tsv", OTHER.replace("bridge", "pier").replace(" on ", " since ").replace("by", "at"))
    put(
        tmp_path / "data/pier/tide.tsv",
        "\n".join(f"body\tTide {n} came in late." for n in "abcdefghi") + "\njunk\tEnd\n",
    )
    return tmp_path / "data"


def call(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(one) for one in arguments])


def found(*paths: Path) -> tuple[list[Located], list[str]]:
    reader = Reader()
    documents = reader.read_all(paths)
    return documents, [str(one) for one in sorted([*reader.problems, *between(documents, reader.problems)])]


def test_nothing_wrong(data: Path) -> None:
    result = call("check-data", data)
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "0 problems in 3 documents, 24 lines\n")


def test_the_training_data_of_this_project_is_right() -> None:
    assert found(Path(__file__).parents[1] / "training_data")[1] == []


def test_documents_are_those_that_training_reads(data: Path) -> None:
    for one in found(data)[0]:
        read = read_tsv(one.path)
        document = one.document
        assert document == read
        rows = one.path.read_text().split("\n")
        assert [rows[number - 1].split("\t")[1] for number in one.numbers] == list(document.lines)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("Two.", "1 column"),
        ("Body\tTwo.", "'Body' is no label. Write 'body'"),
        (" body\tTwo.", "Write 'body'"),
        ("\tTwo.", "a text and no label. Give it one, such as body"),
        ("captoin\tTwo.", "unknown label 'captoin'. Perhaps 'caption'?"),
        ("price,sum\t3.20", "'price,sum' is no label, with a comma in it"),
        ("#price\t3.20", "'#price' is no label, as what begins with # is a header. Take it out."),
        ("rule\tStir it.", "'rule' is no label, as removed lines without one are called so. Choose another name."),
        ("price\t3.20", "unknown label 'price'. Labels of your own: --labels body,price"),
        ("body\t", "a label and no text"),
        ("body\t \u00a0", "a label and no text"),
        ("body\tTwo.\tcredit", "kind of junk (credit) on a line labelled 'body'"),
        ("body\tTwo\ttabs\there", "4 columns: a tab in the text, or a column too many"),
        ("The mayor spoke.\tBody", "the text before its label. Write label<TAB>line."),
        ("\u200bbody\tTwo.", "an invisible character in it. Take it out."),
        ("Label\tText", "names of columns. Take the row out."),
        ("label\tline\tkind", "names of columns. Take the row out."),
        ("junk\tA tab\tinside", "'inside' is no kind of junk, or follows a tab in the text. Kinds: "),
        (b"body\tcaf\xe9", "not UTF-8 at byte 9 of the line"),
        ("body\tcaf\ufffd", "a replacement character"),
        ("body\tcafÃ©", "Windows-1252"),
        ("body\tbell\x07", "a control character"),
        ("# language: en", "a header below the first line"),
        ("junk,SHARE THIS", "1 column (separated by commas, it seems). Write"),
        ('body\t"He said ""come"", and went."', "a text in quotes, its own quotes doubled. Exported with quotes"),
        ('"body\tHe said ""come"""', "Exported with quotes"),
        ('junk\tTwo.\t"credit"', "Exported with quotes"),
    ],
)
def test_wrong_rows_are_all_named(data: Path, row: str | bytes, words: str) -> None:
    raw = row.encode() if isinstance(row, str) else row
    put(data / "quay/ferry.tsv", ARTICLE.encode() + raw + b"\n" + raw + b"\nbody\tThe end.\n")
    result = call("check-data", data)
    assert result.exit_code == 1
    rows = result.stdout.splitlines()
    assert [one.split(": ")[0] for one in rows] == [f"{data}/quay/ferry.tsv:{number}" for number in (10, 11)]
    assert all(words in one for one in rows)


@pytest.mark.parametrize(
    ("header", "words"), [("# langauge: en", "'langauge' is no header"), ("# view: whole", "'whole' is no view")]
)
def test_wrong_header(data: Path, header: str, words: str) -> None:
    put(data / "quay/ferry.tsv", f"{header}\n{ARTICLE.partition('page')[2].lstrip()}")
    (problem,) = found(data)[1]
    assert problem.startswith(f"{data}/quay/ferry.tsv:1: ")
    assert words in problem


def test_rows_may_end_with_cr(data: Path) -> None:
    for path in data.rglob("*.tsv"):
        put(path, path.read_bytes().replace(b"\n", b"\r"))
    assert found(data)[1] == []


def test_hidden_files_and_files_of_one_name(data: Path) -> None:
    put(data / "quay/.ipynb_checkpoints/ferry-checkpoint.tsv", "wrong")
    put(data / "2021/quay/ferry.TSV", "body\tAnother story.\n")
    documents, problems = found(data, data / "quay")
    assert problems == []
    assert [one.document.id for one in documents] == ["quay/ferry", "pier/tide", "data/quay/ferry", "quay/toll"]


def test_blank_rows_of_spreadsheets_are_blank_lines(data: Path) -> None:
    (ferry,) = [one.document for one in found(data)[0] if one.document.id == "quay/ferry"]
    put(data / "quay/ferry.tsv", ARTICLE.replace("\n\n", "\n\t\t\n"))
    documents, problems = found(data)
    assert (problems, ferry in [one.document for one in documents]) == ([], True)


def test_texts_with_commas_that_are_nearly_all_in_quotes(data: Path) -> None:
    rows = [f'body\t"Tide {number} came in late, the office said."\n' for number in "abcdefgh"]
    path = put(data / "pier/export.tsv", "".join(rows) + "body\tNo comma here.\n")
    words = "8 of 8 texts with a comma are in quotes, as a spreadsheet saves them. Exported with quotes"
    assert f"{path}: {words}" in " ".join(found(data)[1])
    talk = "body\tNobody knew, they said.\n"
    for text in ("".join(rows) + talk, "".join(rows[:4])):
        put(path, text)
        assert not [one for one in found(data)[1] if "quotes" in one]


def test_unknown_labels_that_are_frequent_are_one_finding(tmp_path: Path) -> None:
    path = put(tmp_path / "play/a.tsv", "speaker\tILSE\nbody\tSo it is.\nstage\tExit.\n" * 12 + "stge\tLights.\n")
    put(tmp_path / "farce/b.tsv", "body\tLine {0}.\n" * 12)
    reader = Reader()
    documents = reader.read_all([tmp_path])
    put(path, path.read_text() + "song\tLa la.\n")
    reader = Reader()
    documents = reader.read_all([tmp_path])
    assert len(reader.problems) == 26
    first, second = map(str, reader.summed(documents))
    counts = "unknown labels 'speaker' (12 lines), 'stage' (12 lines), 'song' (1 line)."
    names = f"{counts} If they are meant: --labels body,song,speaker,stage"
    assert (first, second.partition(" Labels")[0]) == (f"{path}: {names}", f"{path}:37: unknown label 'stge'.")
    result = call("check-data", tmp_path)
    assert "the only label" not in result.stdout
    assert result.stdout.count("unknown label") == 2


def test_other_files_are_counted(data: Path) -> None:
    put(data / "quay/notes.csv", "junk,SHARE THIS\n")
    result = call("check-data", data)
    assert (result.exit_code, result.stdout) == (0, "")
    assert f"1 other file left out, such as {data}/quay/notes.csv" in result.stderr


def test_utf_16(data: Path) -> None:
    put(data / "quay/ferry.tsv", ARTICLE.encode("utf-16"))
    assert f"{data}/quay/ferry.tsv:1: UTF-16. Save the file as UTF-8." in found(data)[1]


def test_what_was_left_out_is_not_missing(tmp_path: Path) -> None:
    put(tmp_path / "quay/a.tsv", "body\tOne.\tcredit\njunk\tTwo.\n")
    put(tmp_path / "pier/b.tsv", OTHER.encode("utf-16"))
    assert [one.partition(": ")[2][:6] for one in found(tmp_path)[1]] == ["UTF-16", "a kind"]
    rows = [{**RECORD, "id": str(number)} for number in range(3)]
    rows[0]["lines"] = [{**RECORD["lines"][1], "kind": "navi"}, RECORD["lines"][0]]
    rows[1]["lines"] = [{"text": "Bridge closed", "label": "headline"}]
    problems = found(put(tmp_path / "c.jsonl", "".join(json.dumps(one) + "\n" for one in rows)))[1]
    assert [one.rpartition("/")[2][:19] for one in problems] == ["c.jsonl:1: line 1: ", "c.jsonl:2: 1: no li"]


def test_all_lines_are_weak(tmp_path: Path) -> None:
    lines = [{**line, "weak": True} for line in RECORD["lines"]]
    records = [{**RECORD, "id": name, "lines": [*lines, {**lines[0], "text": name}]} for name in ("one", "two")]
    path = put(tmp_path / "a.jsonl", "".join(json.dumps(one) + "\n" for one in records))
    words = "all lines are weak, and such lines neither train nor are measured. Give lines whose labels are sure."
    assert found(path)[1] == [f"{path}: {words}"]
    for arguments in (["evaluate"], ["evaluate", "--learning-curve"], ["train", "-o", tmp_path / "m"]):
        result = call(*arguments, path)
        assert (result.exit_code, result.stderr.strip()) == (2, f"cleaner: {path}: {words}")
    result = call("train", path, "--base", "default", "-o", tmp_path / "m")
    assert (result.exit_code, result.stderr.strip()) == (2, f"cleaner: {path}: {words}")


def test_the_labels_to_give_have_body_once(data: Path) -> None:
    put(data / "quay/menu.tsv", "body\tA menu.\n" + "price\t3.20\n" * 12)
    for names in ("junk,headline", "Body"):
        result = call("check-data", data, "--labels", names)
        assert (result.exit_code, result.stdout, "body" in result.stderr) == (2, "", True)
    result = call("check-data", data, "--labels", "body,junk")
    assert "--labels body,junk,headline,price" in result.stdout


def test_labels_of_the_user(data: Path) -> None:
    put(data / "quay/menu.tsv", OTHER.replace("The ", "One ").replace("by ", "at ") + "price\t3.20\n")
    assert call("check-data", data).exit_code == 1
    result = call("check-data", data, "--labels", "body, headline,junk,price")
    assert "price" not in result.stdout


def test_empty_and_without_body(data: Path) -> None:
    put(data / "quay/empty.tsv", "# language: en\n")
    put(data / "quay/menu.tsv", "junk\tSHARE THIS\n")
    assert [one.partition(": ")[2] for one in found(data)[1]] == [
        "quay/empty: no labelled lines. Label some, or take it out.",
        "quay/menu: no line is body. Label its text, or take it out.",
    ]


def test_too_little(tmp_path: Path) -> None:
    put(tmp_path / "quay/a.tsv", "body\tOne.\n")
    problems = " ".join(found(tmp_path)[1])
    assert "the only label in all of the data is 'body'" in problems
    assert "the only document" in problems
    put(tmp_path / "quay/b.tsv", "body\tTwo.\njunk\tThree.\n")
    put(tmp_path / "pier/c.tsv", "".join(f"body\tLine number {n}.\n" for n in "abcdefghijk"))
    assert [one for one in found(tmp_path)[1] if "site" in one] == [
        f"{tmp_path}/quay/a.tsv: site 'quay' has 3 lines. Label more of it."
    ]


def test_one_site_is_no_problem(tmp_path: Path) -> None:
    """The documents of one site are what a model is adapted to."""
    put(tmp_path / "quay/a.tsv", ARTICLE)
    put(tmp_path / "quay/b.tsv", OTHER)
    result = call("check-data", tmp_path / "quay")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr.splitlines()[1:] == [
        "note: all documents are from one site, 'quay'. If they are not: a folder is a site."
    ]


def test_one_of_a_thing_is_singular(tmp_path: Path) -> None:
    put(tmp_path / "quay/a.tsv", "body\tOne.\njunk\tTwo.\n")
    assert call("check-data", tmp_path).stderr == "1 problem in 1 document, 2 lines\n"


def test_the_same_text_labelled_in_two_ways(data: Path) -> None:
    for name, label in (("a", "junk"), ("b", "junk"), ("c", "byline")):
        put(
            data / f"quay/{name}.tsv",
            f"body\tStory {name}.\n{label}\tPublished {name.count('a')} May\nbody\tEnd {name}.\n",
        )
    (problem,) = found(data)[1]
    assert problem.startswith(f"{data}/quay/c.tsv:2: labelled 'byline'; the same text is 'junk' at {data}/quay/")
    put(data / "quay/c.tsv", "headline\tStory c.\nbyline\tPublished 3 May\nbody\tEnd c.\n")
    assert found(data)[1] == []  # other surroundings
    put(data / "pier/d.tsv", "body\tStory d.\nbyline\tPublished 3 May\nbody\tEnd d.\n")
    assert found(data)[1] == []  # few words, another site


def test_duplicates(data: Path) -> None:
    put(data / "pier/again.tsv", OTHER.replace("A vote is due", "No vote is due"))
    put(
        data / "quay/twice.tsv",
        ARTICLE.replace("junk\tSHARE", "body\tNobody else was there to see it on that cold morning.\njunk\tSHARE")
        .replace("ferry", "raft")
        .replace("hurt", "wet")
        + "body\tNobody else was there to see it on that cold morning.\n",
    )
    problems = found(data)[1]
    assert any("quay/toll: the same document as" in one for one in problems)
    (repeat,) = [one for one in problems if "the same line as line 9, both body" in one]
    assert repeat.startswith(f"{data}/quay/twice.tsv:11: ")


def test_documents_without_long_lines_that_are_the_same(data: Path) -> None:
    put(data / "pier/a.tsv", "headline\tTide\nbody\tIt was late.\nbody\tIt left.\n")
    put(data / "quay/b.tsv", "headline\tTide\nbody\tIt was late.\nbody\tIt left.\n")
    (problem,) = found(data)[1]
    assert "quay/b: the same document as" in problem


def test_one_footer_or_other_digits_make_no_copies(data: Path) -> None:
    footer = "junk\tAll recipes are tested twice by our own cooks in the kitchen at the quay.\n"
    for name, dish in (("c", "bread"), ("d", "soup")):
        put(data / f"quay/{name}.tsv", f"headline\t{dish}\nbody\tMake the {dish}.\nbody\tEat {dish} hot.\n{footer}")
    for number in (1, 2):
        put(data / f"pier/{number}.tsv", f"headline\tTide\nbody\tIt was {number} hours late.\nbody\tIt left.\n")
    assert found(data)[1] == []


def test_records_of_one_id_that_are_no_views(data: Path) -> None:
    rows = [
        {"text": f"In winter the {name} office opens late on Mondays and Fridays.", "label": "body"} for name in "abc"
    ]
    records = [{**RECORD, "id": "export", "lines": [row, {"text": "Share", "label": "junk"}]} for row in rows]
    path = put(data / "a.jsonl", "".join(json.dumps(one) + "\n" for one in records))
    (problem,) = [one for one in found(data)[1] if "site" not in one]
    assert problem.startswith(f"{path}: all 3 records have the id 'export', as views of one document have")
    records[1]["lines"] = records[0]["lines"]
    put(path, "".join(json.dumps(one) + "\n" for one in records))
    assert not [one for one in found(data)[1] if "export" in one]


def test_split(data: Path, tmp_path: Path) -> None:
    put(tmp_path / "test/quay/new.tsv", "body\tOne.\njunk\tTwo.\n")
    put(tmp_path / "test/mole/copy.tsv", OTHER)
    result = call("check-data", data, "--test", tmp_path / "test")
    assert result.exit_code == 1
    first, second = result.stdout.splitlines()
    assert first.startswith(
        f"{tmp_path}/test/mole/copy.tsv:1: mole/copy: also in the training data, {data}/quay/toll.tsv"
    )
    assert second.startswith(f"{tmp_path}/test/quay/new.tsv: site 'quay' is on both sides")
    assert list(leaks(found(data)[0], [])) == []


RECORD: dict[str, Any] = {
    "id": "p1",
    "site": "quay.example",
    "lines": [{"text": "Ferry back", "label": "headline"}, {"text": "It sails again.", "label": "body"}],
}


@pytest.mark.parametrize("name", ["pages.jsonl", "pages.jsonl.gz"])
def test_json_lines(tmp_path: Path, name: str) -> None:
    wrong = {**RECORD, "id": "p2", "lines": [{"text": "One.", "label": "Body"}, {"text": "cafÃ©", "label": "body"}]}
    rows = [json.dumps(RECORD), "{", json.dumps(wrong), json.dumps({"id": "p3"}), json.dumps({**RECORD, "lines": [3]})]
    content = "\n".join(rows).encode()
    path = put(tmp_path / name, gzip.compress(content) if name.endswith("gz") else content)
    documents, problems = found(path)
    assert [one.document.id for one in documents] == ["p1", "p2", "p1"]
    places = [one.split(" ")[0] for one in problems]
    assert places == [f"{path}:{number}:" for number in (2, 3, 3, 4, 5)]
    assert f'{path}:4: "site" is missing. A record is ' in " ".join(problems)
    assert f"{path}:3: line 1: 'Body' is no label. Write 'body'." in problems


def test_json_lines_are_checked_as_training_reads_them(tmp_path: Path) -> None:
    fields: list[dict[str, Any]] = [{"kind": None}, {"kind": "date"}]
    fields += [{"kind": 3}, {"kind": "navi"}, {"weak": "false"}, {"label": None}]
    lines = [{"text": "Read on.", "label": "junk", **one} for one in fields]
    path = put(tmp_path / "a.jsonl", "\n" + json.dumps({**RECORD, "lines": RECORD["lines"] + lines}) + "\n\n")
    reader = Reader()
    (one,) = reader.located(path)
    assert [problem.message.split(":")[0] for problem in reader.problems] == [f"line {n}" for n in (5, 6, 7, 8)]
    assert (len(one.document.lines), one.numbers[0]) == (4, 2)
    empty = put(tmp_path / "empty.jsonl", "\n")
    assert found(empty)[1] == [f"{empty}: no labelled documents. Label some, or take it out."]
    deep = put(tmp_path / "deep.jsonl", "[" * 100_000)
    assert "nested too deeply" in found(deep)[1][0]


def test_gzip_cut_off(tmp_path: Path) -> None:
    content = gzip.compress("\n".join(json.dumps({**RECORD, "id": str(n)}) for n in range(2000)).encode())
    path = put(tmp_path / "pages.jsonl.gz", content[: len(content) // 2])
    assert any(one.startswith(f"{path}: cannot be read") for one in found(path)[1])


@given(st.binary(max_size=300), st.sampled_from(["x.tsv", "x.jsonl", "x.jsonl.gz"]))
def test_any_bytes(tmp_path_factory: pytest.TempPathFactory, content: bytes, name: str) -> None:
    found(put(tmp_path_factory.mktemp("any") / name, content))


def test_many_lines(tmp_path: Path) -> None:
    rows = "".join(f"body\tLine {number} of a long list that goes on for very long.\n" for number in range(100_000))
    put(tmp_path / "a/long.tsv", rows)
    assert len(found(tmp_path)[0][0].document.lines) == 100_000


def test_wrong_use(data: Path, tmp_path: Path) -> None:
    for arguments in ([tmp_path / "nowhere"], [put(tmp_path / "notes/x.txt", "x").parent], [tmp_path / "notes/x.txt"]):
        result = call("check-data", *arguments)
        assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
        assert str(arguments[0]) in result.stderr


def test_as_json(data: Path) -> None:
    put(data / "quay/ferry.tsv", ARTICLE + "Two.\n")
    (row,) = [json.loads(one) for one in call("check-data", data, "--json").stdout.splitlines()]
    assert (row["file"], row["line"]) == (f"{data}/quay/ferry.tsv", 10)


# Suspects


def document(labels: str, name: str = "quay/a", weak: str = "") -> LabelledDocument:
    full = {label[0]: label for label in LABELS if label != "byline"}
    size = len(labels)
    lines = tuple(f"Line {number}." for number in range(size))
    sure = tuple(char == "w" for char in weak.ljust(size))
    names = tuple(full[char] for char in labels)
    return LabelledDocument(name, name.partition("/")[0], lines, names, ("",) * size, sure, (False,) * size)


def shares(truth: str, sure: float = 0.9) -> Any:
    codes = np.array(["bhcj".index(char) for char in truth])
    return np.where(np.eye(4, dtype=np.float32)[codes] > 0, sure, (1 - sure) / 3).astype(np.float32)


NAMES = ["body", "headline", "caption", "junk"]


def test_suspects_are_ordered() -> None:
    documents = [document("bbbbbjjjjjhhcc" * 3), document("bbjbbjjjbjhhcc", "quay/b")]
    believed = [shares("bbbbbjjjjjhhcc" * 3), shares("bbbbbjjjjjhhcc")]
    believed[1][2] = [0.98, 0.01, 0.005, 0.005]
    suspects = find_suspects(documents, believed, NAMES)
    assert len(suspects.ranked) == 56
    assert suspects.flagged == 2
    first, second = suspects.ranked[:2]
    assert (first.place, first.label, first.suggested) == ((1, 2), "junk", "body")
    assert (second.place, second.label, second.suggested) == ((1, 8), "body", "junk")
    assert first.given < second.given
    assert first.confidence == pytest.approx(0.98)


def test_weak_lines_are_not_judged() -> None:
    suspects = find_suspects([document("bbjb", weak="  w ")], [shares("bbbb")], NAMES)
    assert [one.place for one in suspects.ranked] == [(0, 0), (0, 1), (0, 3)]
    with pytest.raises(DataError, match="all are weak"):
        find_suspects([document("b", weak="w")], [shares("b")], NAMES)


@given(st.text("bhcj", min_size=1, max_size=12), st.data())
def test_suspects_of_hardly_anything(labels: str, draw: st.DataObject) -> None:
    believed = draw.draw(st.text("bhcj", min_size=len(labels), max_size=len(labels)))
    found = find_suspects([document(labels)], [shares(believed)], NAMES)
    assert len(found.ranked) == len(labels)
    assert found.flagged <= len(labels)


def silent(step: str, share: float) -> None:
    """Show nothing."""


def test_few_sites_are_judged_by_the_model(cleaner: Cleaner) -> None:
    found = opinions([document("bbj")], cleaner.model, silent)
    assert found.labels == cleaner.model.labels
    assert found.probabilities[0].shape == (3, 5)
    assert "new to these lines" in found.judge


KNOWN = "; the one given may know these lines"


def test_a_model_does_not_judge_what_it_was_trained_on(cleaner: Cleaner, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def ask(documents: list[LabelledDocument], report: object) -> list[object]:
        asked.append(len(documents))
        return []

    monkeypatch.setattr("cleaner.suspects.out_of_fold", ask)
    one = document("bbj")
    cards: list[dict[str, Any]] = [{"data": [{"source": "tsv"}]}, {"data": [{"source": ""}]}, {"base": {}}]
    for more in cards:
        own = Model(cleaner.model.arrays, {**cleaner.model.card, **more})
        assert opinions([one], own, silent).judge == f"models trained on the other documents{KNOWN}"
    shipped = replace(one, source="invented"), replace(one, source="invented", site="pier")
    assert opinions(shipped, cleaner.model, silent).judge == f"models trained on the other sites{KNOWN}"
    price = replace(one, labels=("body", "price", "junk"))
    assert opinions([price], cleaner.model, silent).labels == ["body", "price", "junk"]
    opinions([replace(one, site=str(number)) for number in range(100)], cleaner.model, silent)
    assert asked == [1, 1, 1, 2, 1, 100]


def test_a_model_that_may_know_the_only_document_says_so(cleaner: Cleaner) -> None:
    own = Model(cleaner.model.arrays, {**cleaner.model.card, "base": {}})
    found = opinions([document("bbj")], own, silent)
    assert found.judge.startswith("the model, which may have been trained on these lines")
    assert found.probabilities[0].shape == (3, 5)


@pytest.mark.parametrize("labels", ["bbb", "jj"])
def test_lines_of_one_label_are_judged(labels: str, cleaner: Cleaner) -> None:
    """Nothing can be trained on them, and nothing needs to be."""
    found = opinions([document(labels), document(labels)], cleaner.model, silent)
    assert (found.labels, [len(one) for one in found.probabilities]) == (cleaner.model.labels, [len(labels)] * 2)


def test_one_site_with_labels_of_its_own(cleaner: Cleaner) -> None:
    price = replace(document("bbj"), labels=("body", "price", "junk"))
    with pytest.raises(DataError, match="one document is too few"):
        opinions([price], cleaner.model, silent)


def test_without_cleanlab(monkeypatch: pytest.MonkeyPatch, data: Path) -> None:
    monkeypatch.setitem(sys.modules, "cleanlab.filter", None)
    with pytest.raises(UsageError, match=r"pip install 'line-cleaner\[suspects\]'"):
        find_suspects([document("bj")], [shares("bj")], NAMES)
    assert call("check-data", data).exit_code == 0


CASES = Path(__file__).with_name("cases")
LINE = 4  # of the suspect, from 0


@pytest.fixture
def mistaken(tmp_path: Path) -> Path:
    """Return labelled documents of one site, one of their lines labelled wrongly."""
    for path in CASES.glob("en-*.tsv"):
        put(tmp_path / f"wrong/quay/{path.name}", path.read_text("utf-8"))
    path = tmp_path / "wrong/quay/en-flood.tsv"
    document = read_tsv(path)
    assert document.labels[LINE] == "body"
    text = path.read_text("utf-8")
    put(path, text.replace(f"body\t{document.lines[LINE]}", f"junk\t{document.lines[LINE]}"))
    return tmp_path / "wrong"


def test_suspects_are_listed(mistaken: Path) -> None:
    result = call("check-data", mistaken, "--suspects")
    assert result.exit_code == 1
    rows = result.stdout.splitlines()
    flood = str(mistaken / "quay/en-flood.tsv")
    (row,) = [row for row in rows if f"{flood}:" in row and "labelled 'junk'" in row and "rather 'body'" in row]
    number = int(row.removeprefix(f"{flood}:").partition(":")[0])
    assert Path(flood).read_text("utf-8").split("\n")[number - 1].split("\t")[1] == read_tsv(Path(flood)).lines[LINE]
    assert "suspects" in result.stderr
    listed = [json.loads(row) for row in call("check-data", mistaken, "--suspects", "--json").stdout.splitlines()]
    assert {"file", "line", "label", "suggested", "confidence", "text"} <= listed[-1].keys()


def test_no_suspects_without_the_lines_of_unknown_labels(mistaken: Path) -> None:
    path = mistaken / "quay/en-flood.tsv"
    put(path, path.read_text("utf-8") + "price\t3.20\n")
    result = call("check-data", mistaken, "--suspects")
    assert (result.exit_code, result.stderr.count("'price'")) == (2, 1)
    assert "unknown label 'price'" in result.stdout
    assert "rather" not in result.stdout


def test_a_missing_label_is_named_too(mistaken: Path) -> None:
    path = mistaken / "quay/en-flood.tsv"
    put(path, path.read_text("utf-8") + "\tOne.\nboddy\tTwo.\n")
    assert "without the lines labelled '', 'boddy'. " in call("check-data", mistaken, "--suspects").stderr


def test_no_suspects_are_none_to_look_at(data: Path) -> None:
    assert call("check-data", data, "--suspects").stderr.endswith("\n0 suspects\n")


def test_the_labels_of_a_given_model_are_known(data: Path, tmp_path: Path, cleaner: Cleaner) -> None:
    names = {"junk": "rest"}
    labels = [names.get(label, label) for label in cleaner.model.labels]
    Model(cleaner.model.arrays, {**cleaner.model.card, "labels": labels}).save(tmp_path / "model")
    for path in data.rglob("*.tsv"):
        put(path, "".join(f"{row}\n" for row in path.read_text("utf-8").replace("junk\t", "rest\t").split("\n")))
    put(data / "quay/ferry.tsv", OTHER.replace("junk\t", "rest\t").replace("bridge", "ferry"))
    put(data / "quay/toll.tsv", ARTICLE.split("body", 1)[0].partition("junk")[0] + "body\tThe end.\nrest\tShare\n")
    assert "unknown label 'rest'" in call("check-data", data).stdout
    assert call("check-data", data, "-m", tmp_path / "model").stdout == ""


def sheets_of(folder: Path, cleaner: Cleaner, output: Path | None) -> Any:
    documents = [one for one in found(folder)[0] if one.document.id == "quay/en-flood"]
    return suspect_sheets(documents, Suspects([Suspect((0, LINE), "junk", "body", 0.1, 0.9)], 1), cleaner, output)


def test_suspects_are_opened_and_corrected(mistaken: Path, tmp_path: Path, cleaner: Cleaner) -> None:
    (sheet,) = sheets_of(mistaken, cleaner, tmp_path / "right")
    assert (sheet.name, sheet.place) == ("quay/en-flood", tmp_path / "right/quay/en-flood.tsv")
    before = (mistaken / "quay/en-flood.tsv").read_text("utf-8")
    one = Session([sheet], cleaner.model.labels, Nothing())
    assert one.page is not None
    assert one.page.tsv() == before
    assert one.page.cursor == LINE
    one.press("b")
    assert one.page.tsv() == (CASES / "en-flood.tsv").read_text("utf-8")
    (sheet,) = sheets_of(mistaken, cleaner, None)
    assert sheet.place == mistaken / "quay/en-flood.tsv"


def test_documents_begun_are_opened_though_nothing_is_flagged_now(mistaken: Path, cleaner: Cleaner) -> None:
    """What is flagged hangs on what has been corrected since, and labels that are given must come into the file."""
    documents = found(mistaken)[0]
    nothing = Suspects([], 0)
    assert suspect_sheets(documents, nothing, cleaner, None) == []
    (sheet,) = suspect_sheets(documents, nothing, cleaner, None, {"quay/en-flood"})
    assert (sheet.place, set(sheet.doubt)) == (mistaken / "quay/en-flood.tsv", {0.0})


class Nothing:
    def record(self, entry: Any) -> None: ...

    def finished(self, page: Any) -> None: ...

    def reopened(self, page: Any) -> None: ...

    def objection(self, page: Any) -> str:
        return ""


def test_suspects_of_json_lines_become_files(tmp_path: Path, cleaner: Cleaner) -> None:
    path = put(tmp_path / "pages.jsonl", "".join(json.dumps({**RECORD, "id": "x/1"}) + "\n" for _ in range(2)))
    suspects = Suspects([Suspect((number, 0), "headline", "body", 0.1, 0.9) for number in (0, 1)], 2)
    sheets = suspect_sheets(found(path)[0], suspects, cleaner, tmp_path / "out")
    assert [one.name for one in sheets] == ["quay.example/x-1", "quay.example/x-1-2"]
    assert [one.place.name for one in sheets] == ["x-1.tsv", "x-1-2.tsv"]
    with pytest.raises(UsageError, match=r"only \.tsv"):
        suspect_sheets(found(path)[0], suspects, cleaner, None)
    assert file_name("../..") == "document"


def test_suspects_keep_what_tsv_has(tmp_path: Path, cleaner: Cleaner) -> None:
    """A kind of a byline is none there, and a document with weak labels is left out: its lines would train."""
    lines = [*RECORD["lines"], {"text": "4 May 2016", "label": "byline", "kind": "date"}]
    weak = [{**line, "weak": number == 0} for number, line in enumerate(lines)]
    rows = [{**RECORD, "id": name, "lines": some} for name, some in (("x/1", lines), ("x/2", weak))]
    path = put(tmp_path / "pages.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    suspects = Suspects([Suspect((number, 1), "headline", "body", 0.1, 0.9) for number in (0, 1)], 2)
    (sheet,) = suspect_sheets(found(path)[0], suspects, cleaner, tmp_path / "out")
    one = Session([sheet], cleaner.model.labels, Nothing())
    assert one.page is not None
    (again,) = found(put(tmp_path / "out" / "quay" / "x-1.tsv", one.page.tsv()))[0]
    assert list(again.document.labels) == [line["label"] for line in lines]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["IN"], "with -o"),
        (["IN", "-o", "OUT"], "needs a terminal"),
        (["IN", "-o", "OUT", "--in-place"], "--in-place"),
        (["IN", "--in-place"], "--in-place"),
        (["IN", "--suspects", "-o", "IN"], "is the input itself"),
    ],
)
def test_annotate_wrong_use(arguments: list[str], words: str, data: Path, tmp_path: Path) -> None:
    places = {"IN": str(data), "OUT": str(tmp_path / "out")}
    result = call("annotate", *(places.get(one, one) for one in arguments))
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert words in result.stderr
    assert not (tmp_path / "out").exists()


def test_annotate_without_textual(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cleaner.annotate_app", None)
    for stream in (sys.stdin, sys.stdout):
        monkeypatch.setattr(stream, "isatty", lambda: True)
    with pytest.raises(UsageError, match=r"pip install 'line-cleaner\[annotate\]'"):
        screen()
