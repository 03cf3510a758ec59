"""The annotation without its screen: session, journal, order of documents, files."""

import gzip
import os
import signal
import subprocess
import sys
import zlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleaner.annotate_files import Folder, digests, own_labels, places, proposals, text_files
from cleaner.annotate_journal import NAME, Journal
from cleaner.annotate_order import Order
from cleaner.annotate_page import Page, Sheet
from cleaner.annotate_session import Entry, Session, label_keys
from cleaner.cleaning import Cleaner, LabelledLine
from cleaner.corpus import read_tsv
from cleaner.errors import DataError, UsageError

LABELS = ["body", "headline", "caption", "byline", "junk"]


def sheet(
    name: str, proposed: str, doubt: str = "", lines: Sequence[str] = (), keys: Sequence[int] = (), word: int = 0
) -> Sheet:
    """Return a sheet: a letter a proposal, a digit a line's doubt in tenths."""
    size = len(proposed)
    letter = label_keys(LABELS)
    words = np.zeros(8, np.float32)
    words[word] = 3
    return Sheet(
        name,
        Path(f"{name}.tsv"),
        tuple(lines) or tuple(f"line {number} of {name}" for number in range(size)),
        (False,) * size,
        tuple(letter[char] for char in proposed),
        ("",) * size,
        tuple(int(char) / 10 for char in doubt or "0" * size),
        ("",) * size,
        tuple(keys) or (0,) * size,
        words,
    )


class Memory:
    """A store in memory."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.written: dict[str, str] = {}

    def record(self, entry: Entry) -> None:
        self.entries.append(entry)

    def finished(self, page: Page) -> None:
        self.written[page.sheet.name] = page.tsv()

    def reopened(self, page: Page) -> None:
        del self.written[page.sheet.name]

    def objection(self, page: Page) -> str:
        return ""


def session(*sheets: Sheet, store: Memory | None = None) -> Session:
    return Session(sheets, LABELS, store or Memory())


def press(one: Session, keys: str) -> Session:
    """Press keys, separated by spaces."""
    for key in keys.split():
        one.press(key)
    return one


def shown(one: Session) -> str:
    """Return the labels of the open document, a letter each."""
    assert one.page is not None
    letter = {label: key for key, label in one.labels.items()}
    return "".join(letter[label] for label in one.page.labels())


def at(one: Session) -> int:
    assert one.page is not None
    return one.page.cursor


def state(one: Session) -> object:
    """Return all that a restart must bring back."""
    pages = {name: (page.given, page.steps, page.done) for name, page in one.pages.items()}
    here = (one.page.sheet.name, one.page.cursor, one.page.start, one.page.labels()) if one.page else None
    return pages, here, one.skipped, one.finished


def test_keys_of_many_labels() -> None:
    labels = ["body", "price", "place", "plan", "recipe_step", "a", "e", "l", "n", "p", "c", "1"]
    keys = label_keys(labels)
    assert list(keys.values()) == labels
    assert all(len(key) == 1 and key.islower() for key in keys)
    with pytest.raises(UsageError, match="27 labels"):
        label_keys([f"label_{number}" for number in range(27)])


def test_starts_at_the_first_line_in_doubt_and_goes_on_to_the_next() -> None:
    one = session(sheet("quay/a", "bbbbbb", "003090"))
    assert at(one) == 2
    assert at(press(one, "j")) == 4
    assert shown(one) == "bbjbbb"
    assert at(press(one, "enter")) == 5  # none left: the line below
    assert at(press(one, "up up up tab")) == 3


def test_no_line_in_doubt() -> None:
    assert at(session(sheet("quay/a", "bbb"))) == 0


def test_tab_goes_round() -> None:
    one = session(sheet("quay/a", "bbbbb", "09009"))
    assert [at(press(one, key)) for key in ("tab", "tab", "shift+tab")] == [4, 1, 4]


@pytest.mark.parametrize(
    ("keys", "wanted"),
    [
        ("2 . 4 j", "bjjjb"),
        ("4 . 2 j", "bjjjb"),
        ("2 shift+down shift+down j", "bjjjb"),
        ("2 . down escape j", "bbjbb"),
        ("2 J", "bjjjj"),
        ("3 c 2 J", "bjcbb"),  # the run ends at a line that has its label
        ("home . end h", "hhhhh"),
        ("5 pageup c", "cbbbb"),
        ("9 9 c", "bbbbc"),
        ("0 c", "cbbbb"),
    ],
)
def test_ranges_and_moves(keys: str, wanted: str) -> None:
    assert shown(press(session(sheet("quay/a", "bbbbb")), keys)) == wanted


def test_digits_make_a_number_until_another_key() -> None:
    one = session(sheet("quay/a", "b" * 60))
    assert at(press(one, "4 2")) == 41
    assert at(press(one, "escape 7")) == 6


def test_undo_takes_a_range_back_at_once() -> None:
    one = press(session(sheet("quay/a", "bbbb")), "c 2 . 4 j")
    assert shown(one) == "cjjj"
    assert shown(press(one, "backspace")) == "cbbb"
    assert at(one) == 1
    assert shown(press(one, "ctrl+z")) == "bbbb"
    assert shown(press(one, "backspace")) == "bbbb"


def test_rest_writes_and_opens_the_next() -> None:
    store = Memory()
    one = press(session(sheet("quay/a", "hb", "09"), sheet("quay/b", "bb", "05"), store=store), "c space")
    assert store.written == {"quay/a": "headline\tline 0 of quay/a\ncaption\tline 1 of quay/a\n"}
    assert one.page is not None
    assert (one.page.sheet.name, one.left()) == ("quay/b", 1)
    press(one, "space")
    assert (one.left(), len(store.written)) == (0, 2)
    assert not one.page


def test_undo_goes_back_into_the_document_before() -> None:
    store = Memory()
    one = press(
        session(sheet("quay/a", "hb", "09"), sheet("quay/b", "bb", "05"), store=store), "c space space backspace"
    )
    assert one.page is not None
    assert (one.page.sheet.name, one.left(), list(store.written)) == ("quay/b", 1, ["quay/a"])
    press(one, "backspace")
    assert (one.page.sheet.name, one.left(), list(store.written)) == ("quay/a", 2, [])
    assert shown(one) == "hc"
    press(one, "space")
    assert store.written["quay/a"].startswith("headline")


def test_skip_comes_last_and_again() -> None:
    one = session(sheet("quay/a", "b", "9"), sheet("quay/b", "b", "5"))
    names = []
    for key in ("-", "-", "-", "space", "space"):
        assert one.page is not None
        names.append(one.page.sheet.name)
        one.press(key)
    assert names == ["quay/a", "quay/b", "quay/a", "quay/b", "quay/a"]
    assert one.page is None


def test_search() -> None:
    one = session(sheet("quay/a", "bbb", lines=["One ferry", "two", "FERRIES sail"]))
    assert one.search("ferr")
    assert at(one) == 2
    assert one.search("")
    assert at(one) == 0
    assert not one.search("bridge")
    assert not session(sheet("quay/a", "b")).search("")


def test_labels_carry_over_to_like_lines_of_the_site() -> None:
    one = session(
        sheet("quay/a", "bbb", "990", keys=[7, 8, 7]),
        sheet("quay/b", "bb", "55", keys=[8, 7]),
        sheet("pier/c", "bb", keys=[8, 7]),
    )
    assert shown(press(one, "j")) == "jbj"
    assert shown(press(one, "backspace")) == "bbb"
    press(one, "j space")
    assert one.page is not None
    assert (one.page.sheet.name, shown(one), one.page.doubt) == ("quay/b", "bj", [0.0, 0.0])
    press(one, "space")
    assert (one.page.sheet.name, shown(one)) == ("pier/c", "bb")


KEYS = [*"bhcyjJC-.0123456789", "enter", "space", "tab", "shift+tab", "up", "down", "shift+down", "backspace", "escape"]


@given(st.lists(st.sampled_from(KEYS), max_size=60), st.integers(0, 200))
def test_a_restart_at_any_point_changes_nothing(keys: list[str], cut: int) -> None:
    sheets = [
        sheet("quay/a", "bbjjb", "09050", keys=[1, 2, 3, 2, 5]),
        sheet("quay/b", "hbb", "009", keys=[1, 2, 6]),
        sheet("pier/c", "j", "3"),
    ]
    store = Memory()
    one = Session(sheets, LABELS, store)
    for key in keys:
        one.press(key)
        if one.page:
            assert 0 <= one.page.cursor < len(one.page)
    again = Session(sheets, LABELS, Memory(), list(store.entries))
    assert state(again) == state(one)
    # a crash after any entry loses what came later, and the next start writes what is finished
    partial = Memory()
    partial.written = dict.fromkeys(one.pages, "")
    restarted = Session(sheets, LABELS, partial, store.entries[:cut])
    assert all(restarted.pages[name].done for name in restarted.finished)
    assert restarted.page is None or not restarted.page.done


@given(st.lists(st.sampled_from([key for key in KEYS if key != "-"]), max_size=40))
def test_undoing_everything_leads_back_to_the_proposals(keys: list[str]) -> None:
    store = Memory()
    one = session(sheet("quay/a", "bbjjb", "09050"), sheet("quay/b", "hbb", "009"), store=store)
    for key in keys:
        one.press(key)
    for _ in keys * 2:
        one.press("backspace")
    assert not store.written
    assert not any(page.given for page in one.pages.values())


def test_a_crash_before_the_labels_are_written() -> None:
    store = Memory()
    press(session(sheet("quay/a", "bb", "99"), store=store), "j space backspace")
    finished = next(number for number, entry in enumerate(store.entries) if entry.get("done")) + 1
    after = Memory()
    one = Session([sheet("quay/a", "bb")], LABELS, after, store.entries[:finished])
    assert (list(after.written), one.page, after.entries) == (["quay/a"], None, [{"do": "settled"}])
    taken_back = next(number for number, entry in enumerate(store.entries) if entry["do"] == "undo") + 1
    Session([sheet("quay/a", "bb")], LABELS, after, store.entries[:taken_back])
    assert after.written == {}


def test_a_document_that_is_no_longer_given_is_passed_over() -> None:
    store = Memory()
    press(session(sheet("quay/a", "bb", "99"), sheet("quay/b", "bb"), store=store), "j j")
    one = Session([sheet("quay/b", "bb")], LABELS, Memory(), store.entries)
    assert shown(one) == "bb"


# The order of documents


def values(*sheets: Sheet, keys: str = "") -> dict[str, float]:
    one = press(session(*sheets), keys)
    return dict(zip(one.pages, one.order.values(list(one.pages.values())).tolist(), strict=True))


def test_doubt_comes_first() -> None:
    found = values(
        sheet("a/1", "bbb", "000", word=1), sheet("a/2", "bbb", "999", word=2), sheet("a/3", "bbb", "090", word=3)
    )
    assert sorted(found, key=lambda name: -found[name]) == ["a/2", "a/3", "a/1"]


def test_variety_counts() -> None:
    sheets = [sheet("a/1", "bb", "99", word=1), sheet("b/2", "bb", "88", word=1), sheet("c/3", "bb", "77", word=2)]
    before, after = values(*sheets), values(*sheets, keys="space")
    assert before["b/2"] > before["c/3"]
    assert after["a/1"] == 0
    assert after["b/2"] < after["c/3"]


def test_proposals_that_were_wrong_make_like_proposals_doubtful() -> None:
    first = sheet("a/1", "ccccbbbb", "99999999", word=1)
    others = [sheet("b/2", "cc", "44", word=2), sheet("c/3", "bb", "55", word=3)]
    before = values(first, *others)
    after = values(first, *others, keys="j j j j space")
    assert before["b/2"] < before["c/3"]
    assert after["b/2"] > after["c/3"]


def test_no_documents() -> None:
    assert Order([]).values([]).tolist() == []
    assert session().page is None


# The journal


def test_journal(tmp_path: Path) -> None:
    path = tmp_path / "new" / NAME
    one = Journal(path)
    one.append({"do": "at", "line": 3, "start": None})
    one.append({"do": "open", "document": "Ærø/\u2028 \ud800", "digest": ""})
    one.close()
    again = Journal(path)
    assert again.entries == [
        {"do": "at", "line": 3, "start": None},
        {"do": "open", "document": "Ærø/\u2028 \ud800", "digest": ""},
    ]
    again.close()


FULL = """
import resource, signal, sys
from pathlib import Path
from cleaner.annotate_journal import Journal
one = Journal(Path(sys.argv[1]))
size = one.file.tell()
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (size + 20, resource.RLIM_INFINITY))
try:
    one.append({"do": "at", "line": 3, "start": None})
except OSError as error:
    print(error.strerror)
"""


def test_a_journal_without_room_says_so(tmp_path: Path) -> None:
    """A part of an entry fits; it must not pass for all of it."""
    pytest.importorskip("resource")
    path = tmp_path / NAME
    run = subprocess.run([sys.executable, "-c", FULL, path], capture_output=True, text=True, check=True)
    assert run.stdout == "File too large\n"


def written(path: Path, count: int = 5) -> bytes:
    one = Journal(path)
    for number in range(count):
        one.append({"do": "at", "line": number, "start": None})
    one.close()
    return path.read_bytes()


def test_journal_cut_at_every_byte(tmp_path: Path) -> None:
    data = written(tmp_path / "whole")
    ends = [number + 1 for number, byte in enumerate(data) if byte == 10]
    for cut in range(len(data) + 1):
        path = tmp_path / f"{cut}" / NAME
        path.parent.mkdir()
        path.write_bytes(data[:cut])
        one = Journal(path)
        whole = sum(end <= cut for end in ends)
        assert len(one.entries) == max(whole - 1, 0)
        one.append({"do": "undo"})
        one.close()
        again = Journal(path)
        assert again.entries[-1] == {"do": "undo"}
        assert len(again.entries) == max(whole - 1, 0) + 1
        again.close()


@pytest.mark.parametrize("tail", [b"\0" * 300, b"\xff\xfe\n\n", b"00000000 {}\n", b'1234 {"do":"undo"}\n'])
def test_journal_with_rubbish_behind(tmp_path: Path, tail: bytes) -> None:
    data = written(tmp_path / NAME)
    (tmp_path / NAME).write_bytes(data + tail)
    one = Journal(tmp_path / NAME)
    assert len(one.entries) == 5
    assert (tmp_path / NAME).read_bytes() == data
    assert (tmp_path / f"{NAME}.cut").read_bytes() == tail
    one.close()


@pytest.mark.parametrize("data", [b"headline\tFerry\n", b'{"do": "begin"}\n', b"%08x {}\n" % zlib.crc32(b"{}")])
def test_what_is_no_journal_is_left_alone(tmp_path: Path, data: bytes) -> None:
    (tmp_path / NAME).write_bytes(data)
    with pytest.raises(DataError, match=f"{NAME}:1: "):
        Journal(tmp_path / NAME)
    assert (tmp_path / NAME).read_bytes() == data


def test_journal_is_for_one_program_at_a_time(tmp_path: Path) -> None:
    pytest.importorskip("fcntl")
    one = Journal(tmp_path / NAME)
    with pytest.raises(UsageError, match="another program"):
        Journal(tmp_path / NAME)
    one.close()
    Journal(tmp_path / NAME).close()


def test_journal_where_nothing_can_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="file"):
        Journal(tmp_path / "file" / NAME)


# Files

TEXT = "Ferry back in service\n\nThe ferry was back\tin service on Friday, the harbour office said.\r\n  \nSHARE THIS\n"


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    for name in ("quay/ferry.txt", "quay/bridge.txt", "pier/toll.txt"):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_text(f"{TEXT}About {name}\n")
    return tmp_path / "in"


def test_files_to_labels(texts: Path, tmp_path: Path, cleaner: Cleaner) -> None:
    said: list[str] = []
    for name in ("quay/._ferry.txt", ".trash/old.txt"):
        (texts / name).parent.mkdir(exist_ok=True)
        (texts / name).write_bytes(b"\xff")
    files = text_files([texts])
    assert [str(file.relative_to(texts)) for file in files] == ["pier/toll.txt", "quay/bridge.txt", "quay/ferry.txt"]
    (texts / "quay/ferry.txt").rename(texts / "quay/ferry.TXT")
    (texts / "quay/notes.md").write_text(TEXT)
    assert text_files([texts], said.append)[-1] == texts / "quay/ferry.TXT"
    assert said == [f"1 other file left out, such as {texts}/quay/notes.md: name those that are texts"]
    (texts / "quay/ferry.TXT").rename(texts / "quay/ferry.txt")
    (texts / "quay/notes.md").unlink()
    assert text_files([texts], said.append) == files
    assert len(said) == 1
    found = [proposals(file, place, cleaner) for file, place in places(files, tmp_path / "out", "").items()]
    sheets = [one for one in found if one]
    assert [one.name for one in sheets] == ["pier/toll", "quay/bridge", "quay/ferry"]
    folder = Folder.open(tmp_path / "out")
    one = Session(sheets, cleaner.model.labels, folder, folder.journal.entries)
    press(one, "2 c space backspace space space space")
    folder.journal.close()
    assert sorted(str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*.tsv")) == [
        "pier/toll.tsv",
        "quay/bridge.tsv",
        "quay/ferry.tsv",
    ]
    read = [read_tsv(path) for path in sorted((tmp_path / "out").rglob("*.tsv"))]
    assert sum(document.labels[1] == "caption" for document in read) >= 1
    for document, file in zip(read, files, strict=True):
        assert document.text() == file.read_text().replace("\t", " ").replace("  \n", "\n")


def test_what_is_written_is_read(tmp_path: Path) -> None:
    files = [tmp_path / ".hidtexts/.a.txt", tmp_path / "b.txt"]
    first, second = places(files, tmp_path / "out", "").values()
    assert (first, second.name) == (tmp_path / "out/hidtexts/a.tsv", "b.tsv")
    for site in (".hid", "../evil", "a/b", "/evil", " ", "a\tb", "quay "):
        with pytest.raises(UsageError, match="is no name of a site"):
            places(files, tmp_path / "out", site)
    assert places(files[1:], tmp_path / "out", "Gull Sound") == {files[1]: tmp_path / "out/Gull Sound/b.tsv"}


def test_each_line_has_the_likeliest_label(texts: Path, tmp_path: Path, cleaner: Cleaner) -> None:
    one = proposals(texts / "quay/ferry.txt", tmp_path / "quay/ferry.tsv", cleaner)
    assert one is not None
    for line, label, doubt in zip(cleaner.label(f"{TEXT}About quay/ferry.txt\n"), one.proposed, one.doubt, strict=True):
        assert line.probabilities[label] == max(line.probabilities.values())
        assert doubt == pytest.approx(1 - line.probabilities[label])


def test_a_kind_is_for_the_label_decided_for_alone(
    tmp_path: Path, cleaner: Cleaner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cleaning may decide for junk where body is likelier; a body line with a kind is wrong to check-data."""
    shares = [{"body": 0.5, "junk": 0.4}, {"body": 0.1, "junk": 0.9}]
    found = [LabelledLine("ILSE", "junk", share, number, "credit") for number, share in enumerate(shares, 1)]
    monkeypatch.setattr(Cleaner, "label", lambda self, text: found)
    (tmp_path / "play.txt").write_text("ILSE\nILSE\n")
    one = proposals(tmp_path / "play.txt", tmp_path / "quay/play.tsv", cleaner)
    assert one is not None
    assert Page(one).tsv() == "body\tILSE\njunk\tILSE\tcredit\n"


def test_labels_of_the_user(tmp_path: Path, cleaner: Cleaner, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the model proposes and the user has no label for is body, in doubt."""
    shares = [{"body": 0.1, "caption": 0.2, "junk": 0.7}, {"body": 0.2, "caption": 0.8, "junk": 0.0}]
    labels = ("junk", "caption")
    found = [
        LabelledLine("ILSE", label, share, number, "credit" if label == "junk" else "")
        for number, (label, share) in enumerate(zip(labels, shares, strict=True), 1)
    ]
    monkeypatch.setattr(Cleaner, "label", lambda self, text: found)
    (tmp_path / "play.txt").write_text("ILSE\nILSE\n")
    one = proposals(tmp_path / "play.txt", tmp_path / "quay/play.tsv", cleaner, ["body", "speaker", "caption"])
    assert one is not None
    assert (one.proposed, one.kinds) == (("body", "caption"), ("", ""))
    assert one.doubt == pytest.approx((0.9, 0.2))
    assert one.hints[0] == "junk 0.70, caption 0.20, body 0.10"


def test_labels_that_cannot_be() -> None:
    assert own_labels(" body,speaker, stage,body,") == ["body", "speaker", "stage"]
    for names in ("speaker,stage", ","):
        with pytest.raises(UsageError, match="no body among them"):
            own_labels(names)
    for name in ("Speaker", "a\tb"):
        with pytest.raises(DataError, match=f"--labels: {name!r} is no label".replace("\\", r"\\")):
            own_labels(f"body,{name}")


def test_labels_of_another_model_are_not_mixed_in() -> None:
    store = Memory()
    one = press(session(sheet("quay/a", "bb", "99"), store=store), "2 j c")
    given = [label for page in one.pages.values() for label in page.given.values()]
    assert given == ["junk", "caption"]
    for labels in (["body", "speaker"], ["body", "junk"]):
        with pytest.raises(UsageError, match=r"quay/a\.tsv: line . was labelled .*--labels body,.*caption") as error:
            Session([sheet("quay/a", "bb")], labels, Memory(), store.entries)
        assert "junk" in str(error.value)
    again = Session([sheet("quay/a", "bb")], ["body", "speaker", "junk", "caption"], Memory(), store.entries)
    assert shown(again) == "cj"


def test_texts_are_read_as_clean_reads_them(tmp_path: Path, cleaner: Cleaner) -> None:
    (tmp_path / "records.txt").write_text('{"text": "By Anna Berg"}\n' * 3)
    with pytest.raises(DataError, match="is jsonl, not text"):
        proposals(tmp_path / "records.txt", tmp_path / "out.tsv", cleaner)
    (tmp_path / "packed.txt.gz").write_bytes(gzip.compress("Café.\n".encode("utf-16")))
    (tmp_path / "old.txt").write_bytes("Café.\n".encode("cp1252"))
    for name, encoding in (("packed.txt.gz", ""), ("old.txt", "cp1252")):
        read = proposals(tmp_path / name, tmp_path / "out.tsv", cleaner, encoding=encoding)
        assert read
        assert read.lines == ("Café.",)


def test_wrong_texts(tmp_path: Path, cleaner: Cleaner) -> None:
    (tmp_path / "bad.txt").write_bytes(b"fine\nbad \xff\n")
    (tmp_path / "empty.txt").write_text("\n \n")
    with pytest.raises(DataError, match=r"bad\.txt:2: not UTF-8"):
        proposals(tmp_path / "bad.txt", tmp_path / "out.tsv", cleaner)
    with pytest.raises(DataError, match="nowhere"):
        proposals(tmp_path / "nowhere.txt", tmp_path / "out.tsv", cleaner)
    assert proposals(tmp_path / "empty.txt", tmp_path / "out.tsv", cleaner) is None
    for wrong in (tmp_path / "nowhere", tmp_path):
        if wrong == tmp_path:
            (tmp_path / "bad.txt").unlink()
            (tmp_path / "empty.txt").unlink()
        with pytest.raises(UsageError, match=wrong.name):
            text_files([wrong])
    with pytest.raises(UsageError, match="both become"):
        places([tmp_path / "a.txt", tmp_path / "b" / "a.txt"], tmp_path / "out", "quay")


def test_labels_made_by_other_means_are_left_alone(texts: Path, tmp_path: Path, cleaner: Cleaner) -> None:
    (tmp_path / "out/quay").mkdir(parents=True)
    (tmp_path / "out/quay/ferry.tsv").write_text("body\tBy hand.\n")
    folder = Folder.open(tmp_path / "out")
    files = places(text_files([texts]), tmp_path / "out", "")
    sheets = [one for one in (proposals(file, place, cleaner) for file, place in files.items()) if one]
    assert [(one.name, why) for one, why in folder.left_out(sheets)] == [("quay/ferry", "is there already, left alone")]
    folder.journal.close()


def taken_up(folder: Folder, *sheets: Sheet) -> Session:
    """Begin, or go on with, an annotation of the sheets that are not left out."""
    left_out = [one.name for one, _ in folder.left_out(sheets)]
    some = [one for one in sheets if one.name not in left_out]
    return Session(some, LABELS, folder, folder.past(some))


def in_folder(folder: Path, one: Sheet) -> Sheet:
    return replace(one, place=folder / one.place)


def test_a_text_that_changed_once_it_was_labelled_is_left_out(tmp_path: Path) -> None:
    one, other = in_folder(tmp_path, sheet("quay/a", "bb", "99")), in_folder(tmp_path, sheet("quay/b", "bb", "55"))
    folder = Folder.open(tmp_path)
    press(taken_up(folder, one, other), "j space")
    folder.journal.close()
    longer = in_folder(tmp_path, sheet("quay/a", "bbb", "999"))
    folder = Folder.open(tmp_path)
    assert [(sheet.name, why[:20]) for sheet, why in folder.left_out([longer, other])] == [
        ("quay/a", "its text has changed")
    ]
    again = press(taken_up(folder, longer, other), "h")
    assert shown(again) == "hb"
    folder.journal.close()
    folder = Folder.open(tmp_path)
    assert (taken_up(folder, one, other).left(), one.place.read_text().count("junk")) == (1, 1)
    folder.journal.close()


def test_a_text_that_changed_before_any_label_is_begun_anew(tmp_path: Path) -> None:
    one, other = in_folder(tmp_path, sheet("quay/a", "bbbb", "0009")), in_folder(tmp_path, sheet("quay/b", "b", "5"))
    shorter = in_folder(tmp_path, sheet("quay/a", "bb", "99"))
    for number, (first, keys, wanted) in enumerate(
        [(one, "3", "bbbb"), (shorter, "1 j", "jb"), (shorter, "h", "jh"), (shorter, "space", "b")]
    ):
        folder = Folder.open(tmp_path)
        assert shown(press(taken_up(folder, first, other), keys)) == wanted, number
        folder.journal.close()


def read_in_place(path: Path) -> Sheet:
    """Return a labelled file opened for correction, its first line in doubt."""
    labels, lines = zip(*(row.split("\t") for row in path.read_text().splitlines()), strict=True)
    one = sheet("quay/a", "".join(label[0] for label in labels), "9" + "0" * (len(lines) - 1), lines)
    return replace(one, place=path, file=digests([path])[path])


def test_labels_that_are_in_the_journal_alone_are_known(tmp_path: Path) -> None:
    path = tmp_path / "a.tsv"
    path.write_text("body\tOne\nbody\tTwo\n")
    assert Folder.reopen(tmp_path, in_place=True) is None
    for keys, left in (("j", {read_in_place(path).name}), ("space", set())):
        folder = Folder.open(tmp_path, in_place=True)
        press(taken_up(folder, read_in_place(path)), keys)
        folder.journal.close()
        again = Folder.reopen(tmp_path, in_place=True)
        assert again is not None
        assert again.begun() == left
        again.journal.close()
    assert path.read_text() == "junk\tOne\nbody\tTwo\n"


def test_files_that_were_annotated_are_corrected_in_place(tmp_path: Path) -> None:
    """Their own journal says that they are finished."""
    path = tmp_path / "a.tsv"
    path.write_text("body\tOne\nbody\tTwo\n")
    first = Folder.open(tmp_path)
    first.journal.append({"do": "open", "document": read_in_place(path).name, "digest": read_in_place(path).digest})
    first.journal.append({"do": "written", "document": read_in_place(path).name, "digest": digests([path])[path]})
    first.journal.close()
    folder = Folder.open(tmp_path, in_place=True)
    assert taken_up(folder, read_in_place(path)).left() == 1
    folder.journal.close()


@pytest.mark.parametrize(
    ("edited", "wanted"), [("body\tOne\njunk\tTwo\n", "bj"), ("body\tOne\n", "b"), ("body\tZero\nbody\tOne\n", "bb")]
)
@pytest.mark.parametrize("keys", ["space", "j space", "2 h", "j space backspace"])
def test_in_place_a_file_that_was_edited_is_begun_anew(tmp_path: Path, keys: str, edited: str, wanted: str) -> None:
    path = tmp_path / "a.tsv"
    path.write_text("body\tOne\nbody\tTwo\n")
    folder = Folder.open(tmp_path, in_place=True)
    before = press(taken_up(folder, read_in_place(path)), keys)
    folder.journal.close()
    folder = Folder.open(tmp_path, in_place=True)  # as it is, nothing is asked again
    again = taken_up(folder, read_in_place(path))
    assert (again.left(), [page.labels() for page in again.pages.values()]) == (
        before.left(),
        [page.labels() for page in before.pages.values()],
    )
    folder.journal.close()
    path.write_text(edited)
    for labels in ({}, {0: "caption"}):
        folder = Folder.open(tmp_path, in_place=True)
        again = taken_up(folder, read_in_place(path))
        assert again.page is not None
        assert (again.left(), again.page.given) == (1, labels)
        assert shown(again) == ("c" if labels else wanted[0]) + wanted[1:]
        press(again, "1 c")
        folder.journal.close()


def test_in_place_a_file_that_was_put_back_is_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "a.tsv"
    path.write_text("body\tOne\n")
    for keys, left in (("j space", 0), ("h", 1), ("space", 0)):
        folder = Folder.open(tmp_path, in_place=True)
        assert press(taken_up(folder, read_in_place(path)), keys).left() == left
        folder.journal.close()
        if keys == "j space":
            path.write_text("body\tOne\n")
    assert path.read_text() == "headline\tOne\n"


def test_in_place_an_edit_while_the_program_runs_stays(tmp_path: Path) -> None:
    path = tmp_path / "a.tsv"
    path.write_text("body\tOne\n")
    folder = Folder.open(tmp_path, in_place=True)
    one = taken_up(folder, read_in_place(path))
    path.write_text("caption\tOne\n")
    assert press(one, "space").notice.endswith("start again to begin with it as it is.")
    assert (one.left(), path.read_text()) == (1, "caption\tOne\n")
    folder.journal.close()


def test_in_place_a_crash_before_the_file_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.tsv"
    path.write_text("body\tOne\n")
    folder = Folder.open(tmp_path, in_place=True)
    one = press(taken_up(folder, read_in_place(path)), "j")
    monkeypatch.setattr("cleaner.annotate_files.write_beside", lambda *_: signal.raise_signal(signal.SIGINT))
    with pytest.raises(KeyboardInterrupt):
        one.press("space")
    monkeypatch.undo()
    folder.journal.close()
    folder = Folder.open(tmp_path, in_place=True)
    assert (taken_up(folder, read_in_place(path)).left(), path.read_text()) == (0, "junk\tOne\n")
    folder.journal.close()


def begin(texts: Path, out: Path, cleaner: Cleaner) -> tuple[Session, Folder]:
    """Begin, or go on with, an annotation as the command does."""
    folder = Folder.open(out)
    sheets = [proposals(file, place, cleaner) for file, place in places(text_files([texts]), out, "").items()]
    return taken_up(folder, *(one for one in sheets if one)), folder


@pytest.mark.parametrize("restart", [False, True])
def test_what_was_corrected_in_an_editor_stays(texts: Path, tmp_path: Path, cleaner: Cleaner, restart: bool) -> None:
    one, folder = begin(texts, tmp_path / "out", cleaner)
    press(one, "space")
    (place,) = (tmp_path / "out").rglob("*.tsv")
    written = place.read_bytes()
    place.write_text("junk\tBy hand.\n")
    if restart:
        folder.journal.close()
        one, folder = begin(texts, tmp_path / "out", cleaner)
    press(one, "backspace")
    assert place.read_text() == "junk\tBy hand.\n"
    assert one.notice.startswith(f"{place}: changed")
    assert (one.left(), at(press(one, "2"))) == (2, 1)
    assert not one.notice
    place.write_bytes(written)
    press(one, "escape backspace backspace")
    assert (one.left(), place.exists()) == (3, False)
    place.write_text("junk\tBy hand.\n")  # while the document is open again
    press(one, "space")
    assert (one.left(), place.read_text()) == (3, "junk\tBy hand.\n")
    assert one.notice
    place.unlink()
    press(one, "space")
    assert (one.left(), place.read_bytes()) == (2, written)
    folder.journal.close()


def test_a_crash_before_the_file_is_gone_and_an_edit(texts: Path, tmp_path: Path, cleaner: Cleaner) -> None:
    one, folder = begin(texts, tmp_path / "out", cleaner)
    press(one, "space")
    (place,) = (tmp_path / "out").rglob("*.tsv")
    one.open(one.finished[-1])
    one.do({"do": "undo"})
    folder.journal.close()
    place.write_text("junk\tBy hand.\n")
    one, folder = begin(texts, tmp_path / "out", cleaner)
    assert place.exists()
    folder.journal.close()


PROGRAM = """
import os, sys
from pathlib import Path
from cleaner.annotate_files import Folder, places, proposals, text_files
from cleaner.annotate_session import Session
from cleaner.cleaning import Cleaner
cleaner, out = Cleaner.load(), Path(sys.argv[2])
sheets = [proposals(file, place, cleaner) for file, place in places(text_files([Path(sys.argv[1])]), out, "").items()]
folder = Folder.open(out)
session = Session(sheets, cleaner.model.labels, folder, folder.journal.entries)
print([page.given for page in session.pages.values()], flush=True)
for key in sys.argv[3].split():
    session.press(key)
os.kill(os.getpid(), 9)
"""


def test_killed_at_any_time_nothing_is_lost(texts: Path, tmp_path: Path) -> None:
    def run(keys: str) -> str:
        arguments = [sys.executable, "-c", PROGRAM, str(texts), str(tmp_path / "out"), keys]
        done = subprocess.run(arguments, capture_output=True, check=False)
        assert done.returncode == -9
        return done.stdout.decode()

    run("1 h 3 . 4 j")
    assert run("space").count("'junk'") == 2
    assert len(list((tmp_path / "out").rglob("*.tsv"))) == 1
    (written,) = (tmp_path / "out").rglob("*.tsv")
    assert written.read_text().startswith("headline\tFerry back in service\n")
    os.unlink(written)
    run("")  # a file that somebody took away is not brought back
    assert not written.exists()
