import errno
import gzip
import io
import json
import os
import shlex
import shutil
import subprocess
import sys
import tarfile
import time
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path

import pytest
from documents import jsonl
from typer.testing import CliRunner, Result

from cleaner.batch import SMALL_FILES
from cleaner.cleaning import Cleaner
from cleaner.cli import app
from cleaner.corpus import read_tsv
from cleaner.model_files import find_model
from cleaner.opening import compress
from cleaner.reporting import Reporter

COMMAND = str(Path(sys.executable).with_name("cleaner"))
SHELL_COMMAND = shlex.quote(COMMAND)
BODY = "The ferry was back in service on Friday, the harbour office said.\n"
TEXT = f"{BODY}\nSHARE THIS\n"


def call(*arguments: str | Path, stdin: bytes | None = None) -> Result:
    return CliRunner().invoke(app, [str(one) for one in arguments], input=stdin)


def refused(result: Result, code: int, *words: str) -> None:
    """Check exit code and that stderr is one plain line with the words in it."""
    assert result.exit_code == code, result.stderr
    assert result.exception is None or isinstance(result.exception, SystemExit)
    assert result.stderr.count("\n") == 1
    assert result.stderr.endswith("\n")
    for word in ("cleaner: ", *words):
        assert word in result.stderr


def test_packed_standard_input_is_refused_alike() -> None:
    for command in ("clean", "label"):
        result = call(command, "-", stdin=gzip.compress(TEXT.encode()))
        assert result.exit_code > 0
        assert "is gzip data, which its name does not say. Decompress it first." in result.stderr


def test_what_commands_a_terminal_is_not_shown(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"\\u001b[2Jx": 1}\n', "utf-8")
    refused(call("clean", tmp_path / "a.jsonl"), 1, "Its fields:  [2Jx")
    row = {"id": "\x1b[2Jy", "site": "s", "lines": []}
    (tmp_path / "b.jsonl").write_text(json.dumps(row) + "\n", "utf-8")
    shown = call("check-data", tmp_path / "b.jsonl").stdout
    assert " [2Jy: no labelled lines" in shown
    assert "\x1b" not in shown


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


@pytest.fixture
def article(tmp_path: Path) -> Path:
    path = tmp_path / "article.txt"
    path.write_text(TEXT)
    return path


def test_clean_to_stdout(article: Path) -> None:
    result = call("clean", article)
    assert (result.exit_code, result.stdout, result.stderr) == (0, BODY, "")
    assert article.read_text() == TEXT


@pytest.mark.parametrize("arguments", [(), ("-",)])
def test_clean_stdin(arguments: tuple[str, ...]) -> None:
    result = call("clean", *arguments, stdin=TEXT.encode())
    assert (result.exit_code, result.stdout, result.stderr) == (0, BODY, "")


def test_clean_to_file(article: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.txt"
    out.write_text("old")
    result = call("clean", article, "-o", out)
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "")
    assert out.read_bytes() == BODY.encode()
    assert names(tmp_path) == ["article.txt", "out.txt"]


def test_clean_several_to_a_folder(article: Path, tmp_path: Path) -> None:
    (tmp_path / "second.txt").write_bytes(b"\xef\xbb\xbf" + TEXT.replace("\n", "\r\n").encode())
    (tmp_path / "out").mkdir()
    result = call("clean", article, tmp_path / "second.txt", "-", "-o", tmp_path / "out", stdin=b"SHARE THIS\n")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "")
    assert names(tmp_path / "out") == ["article.txt", "second.txt", "stdin.txt"]
    assert (tmp_path / "out" / "article.txt").read_bytes() == BODY.encode()
    assert (tmp_path / "out" / "second.txt").read_bytes() == b"\xef\xbb\xbf" + BODY.replace("\n", "\r\n").encode()
    assert (tmp_path / "out" / "stdin.txt").read_bytes() == b""


def test_clean_one_to_a_folder(article: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    assert call("clean", article, "-o", tmp_path / "out").exit_code == 0
    assert (tmp_path / "out" / "article.txt").read_text() == BODY


def test_keep(article: Path) -> None:
    assert call("clean", article, "--keep", "body, junk").stdout == TEXT
    assert call("clean", article, "--keep", "junk").stdout == "SHARE THIS\n"


def test_diff(article: Path) -> None:
    result = call("clean", article, "--diff")
    assert result.exit_code == 0
    rows = result.stdout.split("\n")
    assert rows[:2] == [f"--- {article}\t", f"+++ {article} (cleaned)\t"]
    assert [row for row in rows[2:] if row[:1] in ("-", "+")] == ["-", "-SHARE THIS"]
    article.write_text(BODY)
    assert call("clean", article, "--diff").stdout == ""


def applied(diff: bytes, old: bytes) -> bytes:
    """Apply a unified diff of one file."""
    lines, out, at = io.BytesIO(old).readlines(), list[bytes](), 0
    rows = io.BytesIO(diff).readlines()[2:]
    for row, after in pairwise([*rows, b""]):
        kind, line = row[:1], row[1:-1] if after[:1] == b"\\" else row[1:]
        if kind == b"@":
            begin = int(row.split(b" ")[1][1:].partition(b",")[0]) - 1
            out, at = out + lines[at:begin], begin
        elif kind in b" -":
            assert lines[at] == line
            at += 1
        out += [line] * (kind in b" +")
    return b"".join(out + lines[at:])


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
@pytest.mark.parametrize("last", [BODY.strip(), "SHARE THIS", "SHARE\u2028THIS\x0c\rNOW"])
def test_a_diff_can_be_applied(last: str, end: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = f"SHARE THIS\n\n{BODY * 9}\nRead\x0bmore\n{last}"
    old = (text.replace("\n", end or "\n") + end).encode()
    name = os.fsdecode(b"a  b\xff.txt")
    Path(name).write_bytes(old)
    diff, new = call("clean", name, "--diff").stdout_bytes, call("clean", name).stdout_bytes
    assert old != new
    assert applied(diff, old) == new
    if shutil.which("patch"):
        subprocess.run(["patch", "-p0", "--binary"], input=diff, capture_output=True, check=True)
        assert Path(name).read_bytes() == new


@pytest.mark.skipif(not shutil.which("patch"), reason="patch is not installed")
def test_a_diff_names_any_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    name = 'a\tb\n+++ "c\\1".txt'
    Path(name).write_text(TEXT)
    diff, new = call("clean", name, "--diff").stdout_bytes, call("clean", name).stdout_bytes
    subprocess.run(["patch", "-p0"], input=diff, capture_output=True, check=True)
    assert Path(name).read_bytes() == new


@pytest.mark.parametrize("encoding", ["cp1252", "cp932", "utf-8-sig", "utf-16"])
def test_a_diff_is_in_the_encoding_of_its_document(encoding: str, tmp_path: Path) -> None:
    """Where that is one of lines with bytes alone; else in UTF-8, as README says."""
    old = f"SHARE £ THIS\n{BODY.replace('Friday', '£ Friday')}Read £ more".encode(encoding)
    (tmp_path / "a.txt").write_bytes(old)
    arguments = () if encoding.startswith("utf") else ("--encoding", encoding)
    diff = call("clean", tmp_path / "a.txt", "--diff", *arguments).stdout_bytes
    assert call("clean", tmp_path / "a.txt", "-o", tmp_path / "b.txt", *arguments).exit_code == 0
    new = (tmp_path / "b.txt").read_bytes()
    assert new != old
    if encoding == "utf-16":
        old, new = (data.decode("utf-16-le").encode() for data in (old, new))
    assert applied(diff, old) == new


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
def test_label_of_a_compressed_text(suffix: str, article: Path, tmp_path: Path) -> None:
    kind = {".gz": "gzip", ".zst": "zstd"}[suffix]
    (tmp_path / f"article.txt{suffix}").write_bytes(compress(kind, TEXT.encode()))
    rows = call("label", tmp_path / f"article.txt{suffix}", "--format", "tsv").stdout
    assert rows == call("label", article, "--format", "tsv").stdout
    (tmp_path / f"article.txt{suffix}").write_bytes(compress(kind, TEXT.encode())[:-9])
    refused(call("label", tmp_path / f"article.txt{suffix}"), 1, f"article.txt{suffix}: ", "Fetch the file again")


@pytest.mark.parametrize(
    ("name", "data", "form"),
    [
        ("a.jsonl", b"", "jsonl"),
        ("a.jsonl.gz", b"", "jsonl"),
        ("a", b'{"text": "one"}\n', "jsonl"),
        ("-", b'{"text": "one"}\n', "jsonl"),
        ("a.parquet", b"PAR1", "parquet"),
        ("a", b"PAR1", "parquet"),
        ("a.warc.wet", b"", "wet"),
    ],
)
def test_records_are_not_labelled_as_lines(
    name: str, data: bytes, form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    if name != "-":
        Path(name).write_bytes(data)
    shown = "stdin" if name == "-" else name
    result = call("label", name, stdin=data)
    refused(
        result,
        1,
        f"{shown}: is {form}, not text. ",
        f"cleaner clean {name} --input-format {form} --add-labels -o OUTPUT",
    )
    assert result.stdout == ""


def test_json_that_is_no_record_a_line_is_not_labelled(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('[{"text": "a"},\n {"text": "b"}]')
    refused(call("label", tmp_path / "a.json"), 1, "a.json: JSON, but not a record a line", "jq -c '.[]'")


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="no such file here")
def test_what_cannot_be_read_is_named() -> None:
    refused(call("label", "/proc/self/mem"), 1, "/proc/self/mem: Input/output error. Check the file")


def test_label_table(article: Path) -> None:
    result = call("label", article)
    assert (result.exit_code, result.stderr) == (0, "")
    assert all(word in result.stdout for word in ("label", "body", "junk", "SHARE THIS"))


def test_label_tsv_is_training_data(article: Path, tmp_path: Path) -> None:
    article.write_text("SHARE\tTHIS\n\n" + TEXT)
    result = call("label", article, "--format", "tsv")
    rows = [row.split("\t")[:2] for row in result.stdout.splitlines()]
    assert rows == [["junk", "SHARE THIS"], [""], ["body", BODY.strip()], [""], ["junk", "SHARE THIS"]]
    (tmp_path / "quay").mkdir()
    (tmp_path / "quay" / "article.tsv").write_text(result.stdout)
    found = read_tsv(tmp_path / "quay" / "article.tsv")
    assert found.labels == ("junk", "body", "junk")
    assert found.text() == article.read_text().replace("\t", " ")


def test_several_texts_are_not_one_document_of_training_data(article: Path) -> None:
    result = call("label", article, article, "--format", "tsv")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "Give one at a time" in result.stderr


def test_label_jsonl(article: Path, cleaner: Cleaner) -> None:
    rows = [json.loads(row) for row in call("label", article, "--format", "jsonl").stdout.splitlines()]
    assert [(row["file"], row["line"], row["label"], row["text"]) for row in rows] == [
        (str(article), 1, "body", BODY.strip()),
        (str(article), 3, "junk", "SHARE THIS"),
    ]
    for row, line in zip(rows, cleaner.label(TEXT), strict=True):
        assert row["probabilities"] == pytest.approx(line.probabilities, abs=1e-3)


def test_info() -> None:
    result = call("info")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "labels" in result.stdout
    card = json.loads(call("info", "default", "--json").stdout)
    assert card["labels"] == ["body", "headline", "caption", "byline", "junk"]


def test_version() -> None:
    assert call("--version").stdout == version("line-cleaner") + "\n"


VERBS = [str(one.name or one.callback.__name__).replace("_", "-") for one in app.registered_commands if one.callback]


def test_help_says_what_is_so_without_an_option() -> None:
    def shown(verb: str) -> str:
        return " ".join(call(verb, "--help").stdout.replace("│", " ").split())

    assert "may fall in general; else 0.003." in shown("train")
    assert "(0.003)" not in shown("train")
    assert "Write the summary as JSON; - is stdout." in shown("clean")


def test_help_says_which_rule_wins() -> None:
    shown = " ".join(call("clean", "--help").stdout.replace("│", " ").split())
    assert "Lines that go, unless --always-keep finds them." in shown
    assert "Lines that stay, whatever --always-drop says." in shown
    assert call("clean", "--always-drop", "ferry", "--always-keep", "Friday", stdin=TEXT.encode()).stdout == BODY


@pytest.mark.parametrize("verb", VERBS)
def test_help_has_an_example(verb: str) -> None:
    result = call(verb, "--help")
    assert result.exit_code == 0
    assert f"Example: cleaner {verb}" in result.stdout


@pytest.mark.parametrize("verb", VERBS)
def test_the_readme_shows_how_to_call_it(verb: str) -> None:
    assert f"\ncleaner {verb} " in Path(__file__).parents[1].joinpath("README.md").read_text("utf-8")


@pytest.mark.parametrize(
    "words",
    [
        "evaluate",
        "check-data",
        "check-data x --test",
        "compare default default",
        "train -o x",
        "train y -o x --test",
        "annotate -o x",
        "annotate x -o",
    ],
)
def test_an_empty_path_is_not_the_working_directory(words: str) -> None:
    """As of a variable of the shell that is not set."""
    result = call(*words.split(), "")
    assert (result.exit_code, "a path is empty" in result.stderr) == (2, True)


def test_evaluate(tmp_path: Path) -> None:
    (tmp_path / "quay").mkdir()
    (tmp_path / "quay" / "article.tsv").write_text(f"# view: page\nbody\t{BODY}junk\tSHARE THIS\tshare/bar\n")
    found = json.loads(call("evaluate", tmp_path, "--json").stdout)
    assert (found["documents"], found["lines"], found["body_f1"]) == (1, 2, 1.0)
    assert found["labels"]["junk"]["recall"] == 1.0
    shown = call("evaluate", tmp_path)
    assert (shown.exit_code, shown.stderr) == (0, "")
    assert "precision" in shown.stdout
    (tmp_path / "b.csv").write_text("x")
    for words in (["evaluate"], ["compare", "default", "default"]):
        assert "1 other file left out" in call(*words, tmp_path).stderr


@pytest.mark.parametrize("verb", ["clean", "label"])
def test_missing_file_and_folder(verb: str, article: Path, tmp_path: Path) -> None:
    refused(call(verb, tmp_path / "nowhere.txt"), 2, "nowhere.txt")
    refused(call(verb, article, tmp_path / "nowhere.txt"), 2, "nowhere.txt")
    refused(call(verb, tmp_path), 2, tmp_path.name, "folder")


@pytest.mark.parametrize("verb", ["clean", "label"])
@pytest.mark.parametrize(
    ("data", "place"), [(b"fine\nbad \xff\n", ":2:"), (b"cut \xe2\x82", ":1:"), (bytes(range(256)) * 9, ":2:")]
)
def test_not_utf8(verb: str, data: bytes, place: str, tmp_path: Path) -> None:
    (tmp_path / "bad.txt").write_bytes(data)
    result = call(verb, tmp_path / "bad.txt")
    refused(result, 1, f"bad.txt{place}")
    assert result.stdout == ""
    refused(call(verb, stdin=data), 1, f"stdin{place}")


def tarred(text: str) -> bytes:
    """Return an archive with a text in it."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("a.txt"), io.BytesIO(text.encode()))
    return out.getvalue()


@pytest.mark.parametrize("data", [TEXT.encode("utf-16-le"), TEXT.encode("utf-16-be"), tarred(TEXT)])
@pytest.mark.parametrize("huge", [100, 10**6])
def test_bytes_that_are_no_text(data: bytes, huge: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However they are said to be encoded, if not truly."""
    monkeypatch.setattr("cleaner.plain.HUGE_BYTES", huge)
    (tmp_path / "a.txt").write_bytes(data)
    for arguments in ((), ("--encoding", "detect"), ("--encoding", "latin-1")):
        for verb in ("clean", "label"):
            result = call(verb, tmp_path / "a.txt", *arguments)
            refused(result, 1, "a.txt: ", "bytes are NUL", "--encoding utf-16-le or utf-16-be")
        assert call("clean", "--in-place", tmp_path / "a.txt", *arguments).exit_code == 1
        assert (tmp_path / "a.txt").read_bytes() == data
    if data == TEXT.encode("utf-16-le"):
        assert call("clean", tmp_path / "a.txt", "--encoding", "utf-16-le", "--in-place").exit_code == 0
        assert (tmp_path / "a.txt").read_bytes() == BODY.encode("utf-16-le")


def test_a_few_nuls_in_a_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or many, in a huge one, behind its beginning: no piece of it is lost."""
    (tmp_path / "a.txt").write_text(TEXT.replace("Friday", "Fri\0day"))
    result = call("clean", tmp_path / "a.txt")
    assert (result.exit_code, result.stdout) == (0, BODY.replace("Friday", "Fri\0day"))
    monkeypatch.setattr("cleaner.plain.HUGE_BYTES", 80_000)
    monkeypatch.setattr("cleaner.plain.BLOCK_BYTES", 80_000)
    (tmp_path / "a.txt").write_text(BODY * 1300 + BODY.replace(" ", "\0") * 90 + BODY)
    result = call("clean", tmp_path / "a.txt", "--keep", "body,headline,caption,byline,junk")
    assert (result.exit_code, result.stdout) == (0, (tmp_path / "a.txt").read_text())


@pytest.mark.parametrize("arguments", [["--encoding", "cp1252"], ["--encoding", "detect"]])
def test_label_of_another_encoding(arguments: list[str], tmp_path: Path) -> None:
    text = "Gesperrt wurde die Straße am Freitag, sagte die Behörde über die schönen Brücken.\n"
    (tmp_path / "alt.txt").write_bytes(text.encode("cp1252"))
    refused(call("label", tmp_path / "alt.txt"), 1, "alt.txt:1: not UTF-8", "--encoding detect.")
    refused(call("clean", tmp_path / "alt.txt", "--strict"), 1, "--encoding detect. Stopped at this record")
    result = call("label", tmp_path / "alt.txt", "--format", "jsonl", *arguments)
    assert json.loads(result.stdout)["text"] == text.strip()
    refused(call("label", tmp_path / "alt.txt", "--encoding", "nonsense"), 2, "nonsense")


def test_a_bad_file_does_not_stop_the_others(article: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.txt").write_bytes(b"\xff")
    (tmp_path / "out").mkdir()
    refused(call("clean", tmp_path / "bad.txt", article, "-o", tmp_path / "out"), 1, "bad.txt:1:")
    assert names(tmp_path / "out") == ["article.txt"]


@pytest.mark.parametrize("data", [b"", b"\n", b"\xef\xbb\xbf", b"\x00\n"])
def test_hardly_anything(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "small.txt").write_bytes(data)
    for arguments in (
        ["clean"],
        ["clean", "--diff"],
        *(["label", "--format", form] for form in ("table", "tsv", "jsonl")),
    ):
        result = call(*arguments, tmp_path / "small.txt")
        assert (result.exit_code, result.stderr) == (0, "")


def test_output_that_cannot_be(article: Path, tmp_path: Path) -> None:
    before = names(tmp_path)
    refused(call("clean", article, "-o", tmp_path / "missing" / "out.txt"), 2, "missing")
    refused(call("clean", article, "-o", article / "out.txt"), 2, "article.txt")
    refused(call("clean", article, "-o", article), 2, "article.txt", "input itself")
    refused(call("clean", article, "-o", tmp_path), 2, "article.txt", "input itself")
    refused(call("clean", article, "-", "-o", tmp_path / "missing", stdin=b"x"), 2, "missing")
    refused(call("clean", article, article, "-o", tmp_path), 2, "given twice")
    assert names(tmp_path) == before
    assert article.read_text() == TEXT


def test_message_names_the_output_as_given(article: Path, tmp_path: Path) -> None:
    refused(call("clean", article, "-o", tmp_path / "missing" / "out.txt"), 2, f"{tmp_path}/missing/out.txt: ")


def test_output_through_a_link(article: Path, tmp_path: Path) -> None:
    """What -o names stays what it is: a link to a file, as a device would."""
    (tmp_path / "real.txt").write_text("old")
    (tmp_path / "link.txt").symlink_to("real.txt")
    assert call("clean", article, "-o", tmp_path / "link.txt").exit_code == 0
    assert (tmp_path / "link.txt").is_symlink()
    assert (tmp_path / "real.txt").read_text() == BODY


def test_output_to_a_pipe(article: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with subprocess.Popen(["cat", str(tmp_path / "pipe")], stdout=subprocess.PIPE) as reader:
        try:
            assert call("clean", article, "-o", tmp_path / "pipe").exit_code == 0
            assert reader.communicate(timeout=5)[0] == BODY.encode()
        finally:
            reader.kill()


def test_output_to_what_only_a_shell_names(article: Path, tmp_path: Path) -> None:
    jsonl(tmp_path / "a.jsonl", 2)
    for source, large in ((article, "0"), (tmp_path / "a.jsonl", "1")):
        for output in ("-o /dev/stdout", "-o -", "-o >(cat)", "-o /dev/fd/3 3>&1"):
            code = f"import cleaner.batch; cleaner.batch.SMALL_BYTES *= 1 - {large}; from cleaner.cli import app; app()"
            line = (
                f'{{ {shlex.quote(sys.executable)} -c "{code}" clean {source} --removed >(wc -l >&2) {output}; }} | cat'
            )
            run = subprocess.run(["bash", "-o", "pipefail", "-c", line], cwd=tmp_path, capture_output=True, check=False)
            assert run.returncode == 0, run.stderr
            assert run.stdout.count(b"\n") == (2 if source.suffix == ".jsonl" else 1)
            assert b"cleaner" not in run.stderr
            assert names(tmp_path) == ["a.jsonl", "article.txt"]


def test_standard_output_is_no_file(article: Path, tmp_path: Path) -> None:
    assert call("clean", article, "-o", "-").stdout == BODY
    removed = tmp_path / "removed"
    assert call("clean", article, "-o", tmp_path / "o.txt", "--removed", removed).exit_code == 0
    assert call("restore", tmp_path / "o.txt", "--removed", removed, "-o", "-").stdout == TEXT
    for option in ("--removed", "--errors", "--rejected"):
        refused(call("clean", article, option, "-"), 2, f"{option} -: stdout", "Give a file")
    assert names(tmp_path) == ["article.txt", "o.txt", "removed"]


def test_read_only_folder(article: Path, tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o555)
    if os.access(closed, os.W_OK):
        pytest.skip("this user may write everywhere")
    refused(call("clean", article, "-o", closed / "out.txt"), 2, "closed")
    assert names(closed) == []


@pytest.mark.parametrize(
    ("keep", "words"),
    [
        ("Body", "'Body': no label of the model."),
        ("", "no label is given."),
        ("body,", "'': no label of the model."),
        ("prose,body,text", "'prose', 'text': no label of the model."),
    ],
)
def test_unknown_keep(keep: str, words: str, article: Path, tmp_path: Path) -> None:
    result = call("clean", article, "--keep", keep, "-o", tmp_path / "out.txt")
    refused(result, 2, f"keep: {words} Choose among body, headline, caption, byline, junk.")
    assert names(tmp_path) == ["article.txt"]


def test_wrong_use(article: Path, tmp_path: Path) -> None:
    refused(call("label", article, "--format", "xml"), 2, "xml", "jsonl")
    refused(call("clean", article, "--model", tmp_path / "nowhere"), 2, "nowhere")
    refused(call("info", tmp_path), 2, "card.json")
    refused(call("evaluate", tmp_path / "nowhere"), 2, "nowhere")
    refused(call("evaluate", article), 2, "article.txt")
    for arguments in (["--nonsense"], ["sweep"], ["clean", "--nonsense"], ["train", str(article)], ["evaluate"]):
        result = call(*arguments)
        assert result.exit_code == 2
        assert "Traceback" not in result.stderr


def test_train_on_too_little(tmp_path: Path) -> None:
    (tmp_path / "quay").mkdir()
    (tmp_path / "quay" / "article.tsv").write_text(f"body\t{BODY}junk\tSHARE THIS\tshare/bar\n")
    result = call("train", tmp_path / "quay", "-o", tmp_path / "model")
    assert result.exit_code == 2
    assert "one document is too few" in result.stderr.splitlines()[-1]
    assert names(tmp_path) == ["quay", "quay/article.tsv"]


def test_installed_command(article: Path) -> None:
    run = subprocess.run([COMMAND, "clean", article], capture_output=True, check=False)
    assert (run.returncode, run.stdout, run.stderr) == (0, BODY.encode(), b"")
    run = subprocess.run([COMMAND, "clean", "nowhere.txt"], capture_output=True, check=False)
    assert (run.returncode, run.stdout, run.stderr.count(b"\n")) == (2, b"", 1)


@pytest.mark.parametrize("form", ["table", "tsv", "jsonl"])
def test_odd_terminal_encoding(form: str, tmp_path: Path) -> None:
    (tmp_path / "odd.txt").write_text("Caf\u00e9 \u2013 \u6e2f\u53e3\n", "utf-8")
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    run = subprocess.run(
        [COMMAND, "label", "--format", form, tmp_path / "odd.txt"], capture_output=True, env=environment, check=False
    )
    assert (run.returncode, run.stderr) == (0, b"")


@pytest.mark.parametrize(
    "verb",
    [
        "clean --keep body,headline,caption,byline,junk",
        "clean --diff",
        "label --format tsv",
        "label --format jsonl",
        "label",
    ],
)
def test_closed_pipe(verb: str, tmp_path: Path) -> None:
    (tmp_path / "big.txt").write_text(BODY + "\n" * 200_000 + "SHARE THIS")
    line = f"{SHELL_COMMAND} {verb} {tmp_path / 'big.txt'} | head -1"
    run = subprocess.run(line, shell=True, capture_output=True, check=False)
    assert run.stderr == b""
    assert run.stdout.count(b"\n") == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
@pytest.mark.parametrize("verb", ["clean", "--version"])
def test_full_disk(verb: str, article: Path) -> None:
    arguments = [verb, article] if verb == "clean" else [verb]
    with open("/dev/full", "wb") as full:
        run = subprocess.run([COMMAND, *arguments], stdout=full, stderr=subprocess.PIPE, check=False)
    assert run.returncode == 2
    assert run.stderr == b"cleaner: output: No space left on device. Put that right, then run the command again.\n"


@pytest.mark.parametrize(
    ("line", "code", "words"),
    [
        ("clean a.txt -o b.txt >&-", 0, ""),
        ("clean a.txt -o b.txt <&- >&- 2>&-", 0, ""),
        ("clean a.txt >&-", 2, "output: Bad file descriptor"),
        ("clean a.txt --check 2>&-", 1, ""),
        ("label a.txt >&-", 2, "output: Bad file descriptor"),
        ("info >&-", 2, "output: Bad file descriptor"),
        ("info --json >&-", 2, "output: Bad file descriptor"),
        ("clean <&-", 1, "stdin: Bad file descriptor"),
        ("label <&-", 1, "stdin: Bad file descriptor"),
        ("clean nowhere.txt 2>&-", 2, ""),
    ],
)
def test_closed_streams(line: str, code: int, words: str, article: Path, tmp_path: Path) -> None:
    article.rename(tmp_path / "a.txt")
    run = subprocess.run(
        f"{SHELL_COMMAND} {line}", shell=True, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (run.returncode, run.stdout) == (code, "a.txt\n" if "--check" in line else "")
    assert run.stderr.startswith(f"cleaner: {words}") if words else run.stderr == ""
    assert run.stderr.count("\n") == bool(words)
    if "-o" in line:
        assert (tmp_path / "b.txt").read_text() == BODY


def test_workers_with_closed_streams(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for number in range(SMALL_FILES + 1):
        (tmp_path / "in" / f"{number}.txt").write_text(TEXT)
    line = f"{SHELL_COMMAND} clean in -o out --workers 2 <&- >&- 2>&-"
    assert subprocess.run(line, shell=True, cwd=tmp_path, check=False).returncode == 0
    assert {path.read_text() for path in (tmp_path / "out").iterdir()} == {BODY}


def test_a_text_by_a_pipe_of_a_name(article: Path) -> None:
    line = f"{SHELL_COMMAND} label --format tsv <(cat {article})"
    run = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=True)
    assert run.stdout == call("label", article, "--format", "tsv").stdout


@pytest.mark.parametrize("verb", ["clean - -q --summary - -o out.txt", "check-data caf\u00e9 --json", "info --json"])
def test_json_whatever_the_encoding_of_the_terminal(verb: str, tmp_path: Path) -> None:
    (tmp_path / "caf\u00e9").mkdir()
    (tmp_path / "caf\u00e9" / "a.tsv").write_text("captoin\tThe caf\u00e9.\nbody\tThe end.\n", "utf-8")
    run = subprocess.run(
        [COMMAND, *verb.split()],
        input="SHARE THIS \u00e9\n".encode(),
        cwd=tmp_path,
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        check=False,
    )
    assert run.stdout
    rows = run.stdout.splitlines() if verb.startswith("check") else [run.stdout]
    found = [json.loads(row) for row in rows]
    if verb.startswith("check"):
        assert {row["file"] for row in found} == {"caf\u00e9/a.tsv"}


def test_commands_to_the_terminal_in_a_text_are_not_passed_on(tmp_path: Path) -> None:
    escape = "\x1b[2J\x1b]0;pwn\x07 \x9b1m"
    (tmp_path / "a.txt").write_text(f"SHARE THIS {escape}\n", "utf-8")
    record = {"id": escape, "site": "b", "lines": [{"text": BODY + escape, "label": "junk"}]}
    (tmp_path / "a.jsonl").write_text(json.dumps(record))
    other = tmp_path / "other"
    shutil.copytree(find_model("default"), other)
    for arguments, words in (
        (("label", tmp_path / "a.txt"), "SHARE THIS"),
        (("evaluate", tmp_path / "a.jsonl", "--errors", "3"), "costliest"),
        (("compare", "default", other, tmp_path / "a.jsonl"), "differ"),
    ):
        result = call(*arguments)
        assert (result.exit_code, words in result.stdout) == (0, True)
        assert not set(result.stdout) & set("\x1b\x07\x9b")
    said: list[str] = []
    counts: dict[str, object] = dict.fromkeys(("documents", "failed", "rejected", "words_kept", "words_removed"), 1)
    Reporter(False, said.append).summary({**counts, "removed_lines": {f"SHARE {escape}": 1}})
    assert said[-1].endswith(" SHARE  [2J ]0;pwn   1m")


@pytest.mark.parametrize(
    ("arguments", "again"),
    [
        ("a.txt -o b.txt", "go on with --resume"),
        ("a.txt --in-place", "go on with --resume"),
        ("a.txt", "run the command again"),
        ("a.txt -o -", "run the command again"),
        ("- -o b.txt", "run the command again"),
        ("-o b.txt", "run the command again"),
    ],
)
def test_resuming_is_suggested_where_it_works(arguments: str, again: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("cleaner.console.forget_output", lambda: None)
    monkeypatch.setattr("cleaner.cli_clean.run", full)
    refused(call("clean", *arguments.split()), 2, f"Put that right, then {again}.")


@pytest.mark.slow
def test_start_takes_at_most_half_of_importing_scikit_learn(article: Path) -> None:
    def median(command: list[str]) -> float:
        times = []
        for _ in range(5):
            begin = time.perf_counter()
            subprocess.run(command, capture_output=True, check=True)
            times.append(time.perf_counter() - begin)
        return sorted(times)[2]

    mine = median([COMMAND, "clean", str(article)])
    assert mine <= median([sys.executable, "-c", "import sklearn.linear_model"]) / 2


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("always-drop = 1", "a list of texts"),
        ("keep = [1]", "a list of texts"),
        ("encoding = 1252", "text."),
        ("text-field = 3", "text."),
        ("aim = true", "text."),
        ("removed = true", "text."),
        ('extract = "yes"', "true or false."),
        ('workers = "two"', "a whole number."),
        ("workers = 1.5", "a whole number."),
        ("min-quality = true", "a number."),
    ],
)
def test_settings_of_another_kind(
    line: str, wanted: str, article: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cleaner.toml").write_text(line)
    refused(call("clean", article), 2, "cleaner.toml: ", line.partition(" =")[0], f"Give {wanted}")


@pytest.mark.parametrize("model", ["./mine", "mine"])
@pytest.mark.parametrize("name", ["cleaner.toml", "pyproject.toml"])
def test_paths_of_settings_start_at_their_file(
    name: str, model: str, article: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = [
        'rules = "rules.txt"',
        'removed = "removed.jsonl"',
        'errors = "errors.jsonl"',
        f'summary = "{tmp_path / "summary.json"}"',
        f'model = "{model}"',
    ]
    (tmp_path / "below").mkdir()
    (tmp_path / name).write_text("\n".join(["[tool.cleaner]" * name.startswith("py"), *settings]))
    (tmp_path / "rules.txt").write_text("drop: ^The ferry")
    shutil.copytree(find_model("default"), tmp_path / "mine")
    monkeypatch.chdir(tmp_path / "below")
    result = call("clean", article)
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "")
    assert (tmp_path / "removed.jsonl").read_text().count("\n") == 4  # the last row is of the text that is left
    assert (tmp_path / "summary.json").exists()
    assert names(tmp_path / "below") == []
    assert call("clean", article, "--summary", "-", "--rules", "", "--removed", "mine.jsonl").exit_code == 0
    assert names(tmp_path / "below") == ["mine.jsonl"]


def test_switches_of_settings_are_switched_off(article: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cleaner.toml").write_text("extract = true\nquiet = true")
    refused(call("clean", article), 2, "no fields to add to")
    assert call("clean", article, "--no-extract").stdout == BODY
    result = call("clean", "--output-format", "jsonl", "--no-quiet", article, "--no-extract", "--extract")
    assert json.loads(result.stdout)["cleaner_captions"] == []
    assert "--no-" not in call("clean", "--help").stdout


@pytest.mark.parametrize("value", ['model = "default"', 'summary = "-"', 'removed = ""'])
def test_settings_that_are_no_paths(value: str, article: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cleaner.toml").write_text(value)
    (tmp_path / "default").mkdir()
    assert call("clean", article).exit_code == 0
    assert names(tmp_path) == ["article.txt", "cleaner.toml", "default"]


def test_settings_that_fit(article: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").write_text("tool = 1")
    assert call("clean", article).stdout == BODY
    (tmp_path / "cleaner.toml").write_text('always-drop = "^The ferry"\nworkers = 1\nquiet = true\n')
    assert call("clean", article).stdout == ""


@pytest.fixture
def odd(tmp_path: Path) -> Path:
    """Return a labelled document whose names look like markup, and whose lines do not begin at row 1."""
    (tmp_path / "[final]").mkdir()
    path = tmp_path / "[final]" / "report [new] :smile:.tsv"
    path.write_text(f"# language: en\n\njunk\t{BODY}\nbody\tSHARE THIS [/b]\n", "utf-8")
    return path


def test_names_are_no_markup(odd: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = tmp_path / "mine [new]"
    shutil.copytree(find_model("default"), model)
    (tmp_path / "[final].txt").write_text(TEXT)
    monkeypatch.chdir(tmp_path)
    name = f"[final]/{odd.stem}"
    assert f"{name}.tsv" in call("evaluate", f"{name}.tsv").stdout
    record = {"id": "arch[/2021/]d0", "site": "b", "lines": [{"text": BODY, "label": "junk"}]}
    (tmp_path / "a.jsonl").write_text(json.dumps(record))
    shown = call("evaluate", odd, "a.jsonl", "--errors", "3").stdout
    assert all(word in shown for word in ("arch[/2021/]d0", "SHARE THIS [/b]", "[new] :smile:"))
    assert "[final].txt" in call("label", "[final].txt").stdout
    compared = call("compare", "default", model.name, odd, "--lines", "3")
    assert (compared.exit_code, "mine [new]" in compared.stdout) == (0, True)


def test_lines_are_numbered_as_in_the_file(odd: Path, tmp_path: Path) -> None:
    found = json.loads(call("evaluate", odd, "--errors", "9", "--json").stdout)["costliest"]
    assert {row["text"]: row["line"] for row in found} == {BODY.strip(): 3, "SHARE THIS [/b]": 5}
    record = {"id": "a", "site": "b", "lines": [{"text": BODY, "label": "junk"}]}
    (tmp_path / "a.jsonl").write_text(json.dumps(record))
    found = json.loads(call("evaluate", tmp_path / "a.jsonl", "--errors", "9", "--json").stdout)["costliest"]
    assert [row["line"] for row in found] == [1]


def test_a_label_that_the_model_does_not_know_is_named_with_its_line(odd: Path) -> None:
    odd.write_text(f"# language: en\n\nbody\t{BODY}\nboddy\tSHARE THIS\n", "utf-8")
    words = (f"{odd}:5: the model", "does not know the label 'boddy'", "Correct the label")
    refused(call("evaluate", odd), 2, *words)
    refused(call("compare", "default", "default", odd), 2, "the model default does not know", *words)


@pytest.mark.parametrize(
    "arguments",
    [
        "train x -o y --seed -1",
        "train x -o y --seed 99999999999",
        "train x -o y --margin 0.1",
        "train x -o y --base default --margin nan",
        "train x -o y --base default --margin inf",
        "evaluate x --errors -1",
        "evaluate x --errors 1 --learning-curve",
        "compare default default x --lines -1",
    ],
)
def test_numbers_that_cannot_be(arguments: str) -> None:
    result = call(*arguments.split())
    assert result.exit_code == 2
    assert "no such file" not in result.stderr
    assert any(word in result.stderr for word in ("range", "margin", "--learning-curve"))


def test_mean_f1_is_that_of_the_labels_that_occur(odd: Path) -> None:
    odd.write_text(f"body\t{BODY}junk\tSHARE THIS\n", "utf-8")
    assert json.loads(call("evaluate", odd, "--json").stdout)["macro_f1"] == 1.0
    figures = json.loads(call("compare", "default", "default", odd, "--json").stdout)["figures"]
    assert [row["first"] for row in figures if row["figure"] == "mean F1"] == [1.0]


def test_nothing_is_compared_on_weak_lines_alone(tmp_path: Path) -> None:
    record = {"id": "a", "site": "b", "lines": [{"text": BODY, "label": "body", "weak": True}]}
    (tmp_path / "a.jsonl").write_text(json.dumps(record))
    refused(call("compare", "default", "default", tmp_path / "a.jsonl"), 2, "a.jsonl: all lines are weak", "sure")


def test_info_of_a_card_with_gaps(tmp_path: Path) -> None:
    model = Path(shutil.copytree(find_model("default"), tmp_path / "model"))
    card = json.loads((model / "card.json").read_text("utf-8"))
    for data in (None, [{"lines": 4}]):
        (model / "card.json").write_text(json.dumps({**card, "data": data}), "utf-8")
        result = call("info", model)
        assert (result.exit_code, result.stderr) == (0, "")


def test_info_of_a_card_of_another_form(tmp_path: Path) -> None:
    """Figures that are none are an error, and nothing that commands a terminal reaches it."""
    model = Path(shutil.copytree(find_model("default"), tmp_path / "model"))
    card = json.loads((model / "card.json").read_text("utf-8"))
    odd = "\x1b]0;owned\x07 \x9b31m\ud800"
    labels = [odd if label == "byline" else label for label in card["labels"]]
    texts = {"labels": labels, "date": odd, "warnings": [odd], "base": {"name": odd}, "data": [{"source": odd}]}
    for scores, code in ((card["scores"], 0), ({"a": 1}, 2)):
        renamed = json.loads(json.dumps(scores).replace('"byline"', json.dumps(odd)))
        (model / "card.json").write_text(json.dumps({**card, **texts, "scores": renamed}), "utf-8")
        result = call("info", model)
        assert result.stdout.count("31m") >= 4
        assert all(char.isprintable() or char == "\n" for char in result.stdout)
        assert result.exit_code == code
    refused(result, 2, "KeyError: 'labels'", "Use --json")


def test_stopping_does_not_wait_for_threads_that_fit_a_model() -> None:
    """Python would wait for some, and with others the orderly end of the process may abort."""
    code = "import threading, time\nfrom cleaner.console import errors\nwith errors():\n"
    code += "    threading.Thread(target=time.sleep, args=[50]).start()\n    raise KeyboardInterrupt"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=40, check=False)
    assert (run.returncode, run.stderr) == (130, b"cleaner: stopped.\n")


@pytest.mark.parametrize("terminal", [True, False])
def test_what_is_logged_shows_at_a_terminal(terminal: bool) -> None:
    pty = pytest.importorskip("pty")
    ours, theirs = pty.openpty() if terminal else os.pipe()
    code = "import logging, cleaner.console as c\nwith c.errors():\n    logging.getLogger('cleaner').info('so')"
    subprocess.run([sys.executable, "-c", code], stderr=theirs, check=True)
    os.close(theirs)
    try:
        shown = os.read(ours, 99)
    except OSError:  # a terminal that nobody writes to
        shown = b""
    os.close(ours)
    assert shown.strip() == (b"cleaner: so" if terminal else b"")
