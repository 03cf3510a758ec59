"""The section of the README on what the files beside the output hold, against what is written."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from readme import ROOT
from test_cli import BODY, TEXT
from test_formats import archive, parquet

from cleaner import BatchOptions, clean_files
from cleaner.cleaning import SUSPICIOUS_SHARE, SUSPICIOUS_WORDS
from cleaner.outcomes import SURE
from cleaner.quality import FLAGS, JUNK_SHARE, SHORT_WORDS

SECTION = (ROOT / "README.md").read_text("utf-8").split("## What the files hold\n")[1].split("\n## ")[0]


def row(option: str) -> str:
    """Return what the section says of an option."""
    (found,) = re.findall(rf"^\| `{option}(?: FILE)?` \| (.*) \|$", SECTION, re.M)
    return str(found)


def said(option: str) -> set[str]:
    """Return the names that the section gives for an option."""
    return set(re.findall(r"`(\w+)`", row(option)))


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of all files, of inputs of every format with failed, poor and odd records."""
    folder = tmp_path_factory.mktemp("run")
    (folder / "in").mkdir()
    (folder / "in" / "a.txt").write_text(TEXT)
    (folder / "in" / "wide.txt").write_text(TEXT, "utf-16")
    (folder / "in" / "bad.txt").write_bytes(b"\xff\n")
    (folder / "in" / "poor.txt").write_text("SHARE THIS\n")
    odd = json.dumps({"text": TEXT}).replace("ferry", "f\\u0065rry")
    (folder / "in" / "b.jsonl").write_text(f'{odd}\n{{"text": null}}\n')
    parquet(folder / "in" / "c.parquet", [BODY, "SHARE THIS\n"])
    archive(folder / "in" / "d.wet", [b"SHARE THIS\n", b"bad \xff"])
    sides = {name: str(folder / name) for name in ("removed", "rejected", "errors")}
    adds = {"add_quality": True, "add_labels": True, "extract": True}
    options = BatchOptions(output_format="jsonl", min_quality=0.3, **sides, **adds)  # type: ignore[arg-type]
    clean_files([str(folder / "in")], str(folder / "out.jsonl"), options)
    files = ("removed", "rejected", "errors", "out.jsonl")
    return {name: [json.loads(line) for line in (folder / name).read_text().splitlines()] for name in files}


def test_errors(written: dict[str, list[dict[str, Any]]]) -> None:
    records = [one for one in written["errors"] if one != {"text": None}]
    assert len(records) == len(written["errors"]) - 1 == 2
    assert {name for one in records for name in one} == said("--errors") - {"records"}  # several failed at once
    (text,) = [one for one in records if "line" in one]
    assert (Path(text["file"]).name, text["record"], text["line"]) == ("bad.txt", 0, 1)


def test_removed(written: dict[str, list[dict[str, Any]]]) -> None:
    assert {name for one in written["removed"] for name in one} == said("--removed")


def test_rejected(written: dict[str, list[dict[str, Any]]]) -> None:
    rows = [one for one in written["rejected"] if "file" in one]
    assert len(rows) == len(written["rejected"]) - 1 == 2  # all but the row of Parquet
    assert {name for one in rows for name in one} == said("--rejected")


def test_added_fields(written: dict[str, list[dict[str, Any]]]) -> None:
    (one,) = [one for one in written["out.jsonl"] if one.get("id") == "a.txt"]
    assert {"cleaner_quality", *one["cleaner_quality"], *FLAGS} == said("--add-quality")
    assert {"cleaner_labels", *one["cleaner_labels"][0]} == said("--add-labels")
    assert one.keys() - {"id", "text", "cleaner_quality", "cleaner_labels"} == said("--extract")


def test_thresholds() -> None:
    for words in (
        f"a label under {SURE}",
        f"`body_share` under {JUNK_SHARE}",
        f"more than {SUSPICIOUS_SHARE:.0%} of {SUSPICIOUS_WORDS} words",
        f"fewer than {SHORT_WORDS} words",
    ):
        assert words in row("--add-quality")
