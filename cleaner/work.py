"""What a worker does with a block: read the records, clean them, write them again."""

import difflib
import io
import json
import re
from collections import Counter

from cleaner import jsonl, parquet, plain, wet
from cleaner.encodings import extends_ascii
from cleaner.job import Done, Job, Table, loaded, named
from cleaner.lines import MARK
from cleaner.options import BatchOptions
from cleaner.outcomes import How, outcomes
from cleaner.quality import quality
from cleaner.records import Block, Failure
from cleaner.rules import Rules
from cleaner.summary import add, count_documents, count_failures
from cleaner.writing import write

EXTRACTED = frozenset({"headline", "byline", "caption"})


def read(block: Block, job: Job) -> Table:
    """Read the records of a block by its format."""
    options = job.options
    names = (options.text_field, options.id_field)
    form = block.sources[0].format
    if form == "text":
        back, sure = options.diff or job.form in ("", "text"), options.input_format == "text"
        return Table(block, *plain.decode(block, options.encoding, back, sure))
    if not block.data:
        return Table(block, [], [])
    if form == "jsonl":
        return without_clashes(Table(block, *jsonl.decode(block.data, block, names)), options)
    if form == "parquet":
        return Table(block, *parquet.decode(block, names))
    return Table(block, *wet.decode(block))


def without_clashes(table: Table, options: BatchOptions) -> Table:
    """Fail the records that have a field already that would be added."""
    new, source = options.new_fields, table.block.sources[0]
    clashing = [one for one in table.documents if new & one.fields.keys()] if new else []
    lines = table.block.data.split(b"\n") if clashing else []
    for one in clashing:
        names = ", ".join(sorted(new & one.fields.keys()))
        message = f"has {names} already. Rename it, or leave the option out."
        raw = lines[one.place[0]]
        table.failures.append(Failure(source.name, one.record, "field", message, raw, True))
    if clashing:
        table.documents = [one for one in table.documents if not new & one.fields.keys()]
    return table


def convertible(table: Table) -> None:
    """Fail the records of JSONL that cannot become those of another format."""
    fit = []
    for one in table.documents:
        line = table.read[one.place[0]].removeprefix(MARK)
        try:
            json.loads(b"[" * 50 + line + b"]" * 50)  # a little deeper than it is
            fit.append(one)
        except (ValueError, RecursionError):
            message = "has a number or a nesting that only JSONL can hold. Choose --output-format jsonl."
            table.failures.append(Failure(table.block.sources[0].name, one.record, "field", message, line, True))
    table.documents = fit


def work(block: Block, job: Job) -> Done:
    """Clean a block; the only thing that workers are asked to do."""
    options = job.options
    cleaner = loaded(job.number, job.shared, options)
    table = read(block, job)
    if block.sources[0].format == "jsonl" and job.form not in ("", "jsonl"):
        convertible(table)
    table.failures = [*table.failures, *block.failures]
    extract = EXTRACTED if options.extract else frozenset()
    how = How(
        Rules(tuple(options.always_drop), tuple(options.always_keep)),
        extract,
        full=bool(options.removed),
        labels=options.add_labels,
    )
    table.outcomes = list(outcomes(cleaner, [one.text for one in table.documents], how, block.line))
    table.grades = [quality(one) for one in table.outcomes]
    piece = block.sources[0].format == "text" and not block.grouped
    least = 0.0 if piece else options.min_quality
    table.kept = [i for i, one in enumerate(table.grades) if one.body_share >= least]
    done = Done(failures=[one.named() for one in table.failures])
    done.changed = list(dict.fromkeys(named(table, i) for i in table.kept if table.outcomes[i].gone))
    done.counts = count_documents(table.grades, how)
    if block.line:
        done.counts["documents"] = 0  # a further piece of one
    add(done.counts, count_failures(table.failures))
    add(done.counts, {"bytes": block.size, "rejected": len(table.outcomes) - len(table.kept)})
    add(done.counts, {"rules": dict(how.rules.counts), "encodings": encodings(table)})
    if options.diff:
        done.sinks["out"] = b"".join(difference(table, i) for i in range(len(table.documents)))
    elif not options.check:
        write(table, job, done)
    return done


def encodings(table: Table) -> dict[str, int]:
    """Count the encodings of text files that are not UTF-8."""
    texts = table.documents if table.block.sources[0].format == "text" else ()
    return dict(Counter(one.place[1] for one in texts if one.place[1] != "utf-8"))


def difference(table: Table, index: int) -> bytes:
    """Return a document's unified diff as patch reads it: lines end at line feeds alone, names at a tab.

    It is in the document's encoding if ASCII is the same there, else in UTF-8.
    """
    document, name, encoding = table.documents[index], named(table, index), "utf-8"
    if table.block.sources[0].format != "text":
        name = f"{name}:{document.record}"
    elif extends_ascii(document.place[1]):
        encoding = document.place[1]
    pair = (document.text, table.outcomes[index].cleaned)
    old, new = (io.BytesIO(data.decode("utf-8", "replace").encode(encoding, "replace")).readlines() for data in pair)
    before, after = (f"{in_diff(one)}\t".encode("utf-8", "surrogateescape") for one in (name, f"{name} (cleaned)"))
    rows = difflib.diff_bytes(difflib.unified_diff, old, new, before, after)
    return b"".join(row if row.endswith(b"\n") else row + b"\n\\ No newline at end of file\n" for row in rows)


def in_diff(name: str) -> str:
    """Return a name as `diff` writes it: in quotes, special characters in octal, where a tab or line end is in it."""
    if not re.search(r"[\0-\x1f\x7f]", name):
        return name
    escaped = re.sub(r'[\0-\x1f\x7f"\\]', lambda found: f"\\{ord(found[0]):03o}", name)
    return f'"{escaped}"'
