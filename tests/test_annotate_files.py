"""Files of annotating, where other tests see nothing: each test names the change of the code that it catches."""

import os
from dataclasses import replace
from pathlib import Path

import pytest
from test_annotate import in_folder, press, session, sheet, shown, taken_up
from test_check_data import mistaken, sheets_of  # noqa: F401 - a fixture

from cleaner.annotate_files import Folder
from cleaner.annotate_journal import NAME, Journal
from cleaner.annotate_session import Entry
from cleaner.cleaning import Cleaner


def test_an_entry_is_on_the_disk_when_it_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """annotate_journal.py, append: the fsync left out."""
    synced: list[int] = []
    one = Journal(tmp_path / NAME)
    monkeypatch.setattr("os.fsync", lambda file: synced.append(os.fstat(file).st_size))
    one.append({"do": "undo"})
    one.close()
    assert synced == [(tmp_path / NAME).stat().st_size]


def test_labels_are_in_the_journal_before_they_are_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """annotate_files.py, finished: the file written first; it would count as somebody else's after a crash."""
    folder, record = Folder.open(tmp_path), Folder.record
    one = taken_up(folder, in_folder(tmp_path, sheet("quay/a", "b")))

    def stopped(self: Folder, entry: Entry) -> None:
        if entry["do"] == "written":
            raise KeyboardInterrupt
        record(self, entry)

    monkeypatch.setattr(Folder, "record", stopped)
    with pytest.raises(KeyboardInterrupt):
        one.press("space")
    folder.journal.close()
    assert not list(tmp_path.rglob("*.tsv"))


def test_of_like_lines_the_label_given_last_carries_over() -> None:
    """annotate_page.py, give: `self.given.pop` left out."""
    one = session(sheet("quay/a", "bbb", keys=[7, 7, 7]), sheet("quay/b", "b", keys=[7]))
    assert shown(press(one, "1 j 2 c 1 h")) == "hch"


def test_a_line_that_is_no_junk_loses_its_kind() -> None:
    """annotate_page.py, tsv: the kind kept whatever the label."""
    one = session(replace(sheet("quay/a", "jj"), kinds=("credit", "share")))
    press(one, "1 b")
    assert one.page is not None
    assert one.page.tsv() == "body\tline 0 of quay/a\njunk\tline 1 of quay/a\tshare\n"


def test_corrections_do_not_carry_over(mistaken: Path, tmp_path: Path, cleaner: Cleaner) -> None:  # noqa: F811
    """annotate_suspects.py, suspect_sheets: the keys of the lines left as they are."""
    (one,) = sheets_of(mistaken, cleaner, tmp_path / "right")
    assert set(one.keys) == {0}
