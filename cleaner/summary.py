"""Counts of a run: plain nested dicts of numbers, added up block by block."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from cleaner.outcomes import How
from cleaner.quality import Quality
from cleaner.records import Failure

Counts = dict[str, Any]

#: Removed lines that are counted at most, in a block, in one that goes into a journal, and in a run. Others are
#: forgotten: counts are lower bounds.
BLOCK_LINES, JOURNAL_LINES, RUN_LINES = 200, 20, 20_000
NAMED = 1000  # failures that are listed by name

#: What stays counted of an input that is left as it was.
STAYS = ("bytes", "failed", "failures", "failed_records")
EMPTY = ("documents", "cleaned", "rejected", "failed", "bytes", "words_kept", "words_removed")


def add(total: Counts, more: Counts) -> None:
    """Add counts to a total, in place."""
    for key, value in more.items():
        if isinstance(value, dict):
            add(total.setdefault(key, {}), value)
        elif isinstance(value, list):
            total[key] = (total.get(key, []) + value)[:NAMED]
        else:
            total[key] = total.get(key, 0) + value
    lines = more.get("removed_lines")
    if lines and len(total["removed_lines"]) > RUN_LINES:
        total["removed_lines"] = dict(frequent(total["removed_lines"], RUN_LINES // 2))


def taken_back(counts: Counts) -> Counts:
    """Return what to add, so that of an input its bytes and failures alone stay counted."""
    return {
        name: {one: -number for one, number in value.items()} if isinstance(value, dict) else -value
        for name, value in counts.items()
        if name not in STAYS
    }


def frequent(counts: dict[str, int], most: int) -> list[tuple[str, int]]:
    """Return the most frequent, in a fixed order."""
    return sorted(counts.items(), key=lambda one: (-one[1], one[0]))[:most]


def shorten(counts: Counts) -> None:
    """Leave only so many removed lines in the counts of a block that a journal of many blocks is not long."""
    if "removed_lines" in counts:
        counts["removed_lines"] = dict(frequent(counts["removed_lines"], JOURNAL_LINES))


def removed_lines(lost: Counter[bytes]) -> dict[str, int]:
    """Return the most frequent of the removed lines of a block."""
    out: dict[str, int] = {}
    for data, count in lost.most_common(BLOCK_LINES):
        text = data.decode("utf-8", "replace").strip()
        if text:
            out[text] = out.get(text, 0) + count
    return out


def count_documents(grades: list[Quality], how: How) -> Counts:
    """Count the documents of a block with their lines and words; ``how`` has counted while they were cleaned."""
    return {
        "documents": len(grades),
        **{name: {one: n for one, n in how.counts[name].items() if n} for name in ("lines", "words", "kinds")},
        "flags": dict(Counter(flag for grade in grades for flag in grade.flags)),
        "words_kept": sum(grade.kept for grade in grades),
        "words_removed": sum(grade.removed for grade in grades),
        "removed_lines": removed_lines(how.lost),
    }


def count_failures(failures: Iterable[Failure]) -> Counts:
    """Count failures by reason, and name them."""
    out: Counts = {"failed": 0, "failures": {}, "failed_records": []}
    for one in failures:
        out["failed"] += one.count
        out["failures"][one.reason] = out["failures"].get(one.reason, 0) + one.count
        message = f"line {one.line}: {one.message}" if one.line else one.message
        out["failed_records"].append([one.name, one.record, one.reason, message])
    out["failed_records"] = out["failed_records"][:NAMED]
    return out
