"""Cleaned records as bytes: of the output, and of the files for removed lines, poor documents and failures."""

import hashlib
import json
import os
import zlib
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

from cleaner import cells, jsonl, parquet, wet
from cleaner.atomic import naming
from cleaner.job import Done, Job, Table, loaded, named
from cleaner.lines import MARK
from cleaner.opening import compress, compression
from cleaner.outcomes import Outcome
from cleaner.records import Document, failed_row

#: The fields that options add to a record, in order.
ADDED = ("cleaner_headline", "cleaner_byline", "cleaner_captions", "cleaner_labels", "cleaner_quality")


def write(table: Table, job: Job, done: Done) -> None:
    """Write a block: its output, and what goes into the other files."""
    source, options = table.block.sources[0], job.options
    form = job.form or source.written
    kept = set(table.kept)
    poor = [i for i in range(len(table.documents)) if i not in kept]
    alone = job.mirrored and table.block.grouped and source.format == "text"
    if form == "text" or alone:
        done.poor = [table.block.inputs[table.documents[index].place[0]] for index in poor]
    if form == "text":
        write_texts(table, job, done)
    elif alone:
        for index in table.kept:
            number = table.block.inputs[table.documents[index].place[0]]
            done.sinks[f"out-{number}"] = WRITERS[form](replace(table, kept=[index]), job)
    else:
        members = wet_records(table) if form == "wet" else [WRITERS[form](table, job)]
        same = job.mirrored and form == source.format != "parquet"
        packed = compression(source.relative) if same else job.packed
        done.sinks["out"] = b"".join(compress(packed, data) for data in members if data)
    sides = {"errors": b"".join(failed_row(one) for one in table.failures)}
    if options.removed:
        sides["removed"] = b"".join(removed_rows(table, job))
    if options.rejected:
        sides["rejected"] = b"".join(rejected_row(table, i) for i in poor)
    for name, data in sides.items():
        if name in job.sides and data:
            done.sinks[name] = compress(job.sides[name], data)


def write_texts(table: Table, job: Job, done: Done) -> None:
    """Write text files, each for itself: into the folder of the run, and not yet to the disk, or returned."""
    block = table.block
    for index in table.kept:
        place, name = table.documents[index].place
        data = table.outcomes[index].cleaned
        if name != "utf-8":
            data = data.decode("utf-8", "surrogatepass").encode(name, "surrogatepass")
        if job.folder and not block.grouped:
            done.sinks["out"] = compress(job.packed, data) if data else b""
            continue
        if job.options.in_place and block.grouped and not table.outcomes[index].gone:
            continue
        number = block.inputs[place]
        if not job.folder:
            done.texts.append((number, data, name))  # not packed: it may be a piece
            continue
        data = compress(compression(block.sources[place].path) if job.mirrored else job.packed, data)
        done.files.append((number, len(data), hashlib.sha256(data).hexdigest()))
        beside = Path(job.folder) / f"tmp-{number}-{os.getpid()}"
        with naming(beside), beside.open("wb") as file:
            file.write(data)
        beside.replace(Path(job.folder) / f"out-{number}")


def added(table: Table, job: Job, index: int) -> dict[str, Any]:
    """Return the fields that options add to a record."""
    options, outcome = job.options, table.outcomes[index]
    out: dict[str, Any] = {}
    if options.extract:
        found = [(label, data.decode("utf-8", "replace").strip()) for label, data in outcome.extracts]
        for name in ("headline", "byline"):
            out[f"cleaner_{name}"] = "\n".join(text for label, text in found if label == name) or None
        out["cleaner_captions"] = [text for label, text in found if label == "caption"]
    if options.add_labels:
        out["cleaner_labels"] = labels_of(outcome, job)
    if options.add_quality:
        out["cleaner_quality"] = table.grades[index].fields()
    return out


def labels_of(outcome: Outcome, job: Job) -> list[dict[str, Any]]:
    """Return number, label, kind and the label's probability of every line that is not blank and no rule took out."""
    model = loaded(job.number, job.shared, job.options).model
    labels, names = model.labels, [*model.kinds, ""]
    rows = chain.from_iterable(zip(*(column.tolist() for column in piece), strict=True) for piece in outcome.labelled)
    return [
        {"line": number, "label": labels[code], "kind": names[kind], "probability": round(share, 4)}
        for number, code, share, kind in rows
    ]


def fields_of(table: Table, job: Job, index: int) -> dict[str, Any]:
    """Return a record of any format as fields, the text cleaned."""
    document = table.documents[index]
    text = table.outcomes[index].cleaned.decode("utf-8", "surrogatepass")
    form = table.block.sources[0].format
    if form == "jsonl":
        exact = json.loads(table.read[document.place[0]].removeprefix(MARK))
        name = jsonl.text_field(exact, job.options.text_field)
        fields = {**exact, name: text}
    elif form == "parquet":
        arrow, _, name = table.read
        fields = {**cells.fields(arrow, document.place), name: text}
    else:
        line = table.block.line  # a huge text comes in pieces, each a record: the line that one begins at names it
        fields = {**(document.fields or {"id": document.id + f"#{line + 1}" * bool(line)}), "text": text}
    return {**fields, **added(table, job, index)}


def write_jsonl(table: Table, job: Job) -> bytes:
    """Return the records as JSON lines; those that came as such with all other bytes as they were."""
    if table.block.sources[0].format != "jsonl":
        return b"".join(jsonl.row(fields_of(table, job, i)) for i in table.kept)
    lines: list[bytes] = list(table.read or [])
    for one in table.failures:
        if one.lines and 0 <= one.record - table.block.first < len(lines):
            lines[one.record - table.block.first] = b""
    kept = set(table.kept)
    for index, document in enumerate(table.documents):
        at, outcome = document.place[0], table.outcomes[index]
        if index not in kept:
            lines[at] = b""
            continue
        text = outcome.cleaned if outcome.gone else None
        more = added(table, job, index)
        if text is not None or more:
            lines[at] = jsonl.replaced(lines[at], document.place, text, more)
    if job.joined and lines:
        lines[0] = unmarked(lines[0], table)
    data = b"".join(lines)
    return data + b"\n" if job.joined and data and not data.endswith(b"\n") else data


def unmarked(line: bytes, table: Table) -> bytes:
    """Return a line without the byte order mark of an input that is not the first: it would be in the midst."""
    return line.removeprefix(MARK) if table.block.inputs[0] and table.block.first == 1 else line


def write_parquet(table: Table, job: Job) -> bytes:
    """Return the records as rows for the spool of a Parquet file."""
    if table.block.sources[0].format != "parquet":
        rows = [fields_of(table, job, i) for i in table.kept]
        return parquet.from_rows(rows, job.options.new_fields) if rows else b""
    if table.read is None:
        return b""
    texts = {table.documents[i].place: table.outcomes[i].cleaned.decode("utf-8", "surrogatepass") for i in table.kept}
    columns: dict[str, list[Any]] = {name: [] for name in ADDED if name in job.options.new_fields}
    for index in table.kept:
        for name, value in added(table, job, index).items():
            columns[name].append(value)
    return parquet.rebuilt(table.read, texts, columns)


def wet_records(table: Table) -> list[bytes]:
    """Return the records as an archive's, each to be compressed for itself: so its readers find where one begins."""
    return [wet.record_bytes(table.documents[i].place, table.outcomes[i].cleaned) for i in table.kept]


WRITERS = {"jsonl": write_jsonl, "parquet": write_parquet}


def key_of(table: Table, document: Document) -> dict[str, Any]:
    """Return what names a document in the files beside the output."""
    index = document.place[0] if table.block.sources[0].format == "text" else 0
    return {"file": table.block.sources[index].relative, "record": document.record, "document": document.id}


def removed_rows(table: Table, job: Job) -> list[bytes]:
    """Return a row for each document, removed line, record that is not in the output, and string with odd escapes."""
    kept = set(table.kept)
    rows: list[tuple[int, dict[str, Any]]] = []
    for index, document in enumerate(table.documents):
        key = key_of(table, document)
        if index not in kept:
            rows.append((document.record, {**key, "skipped": "rejected"}))
            continue
        outcome = table.outcomes[index]
        rows.append((document.record, {**key, **remains(table, index, job.options.new_fields)}))
        raw = original(table, document) if outcome.removed else None
        if raw is not None:
            rows.append((document.record, {**key, "raw": raw}))
        for line in outcome.removed:
            text = line.data.decode("utf-8", "surrogatepass")
            said = {"label": line.label, "kind": line.kind, "probability": round(line.probability, 4), "text": text}
            rows.append((document.record, {**key, "line": line.number, **said}))
    for one in table.failures:
        if one.record:
            key = {"file": table.block.sources[0].relative, "record": one.record, "document": ""}
            rows.append((one.record, {**key, "skipped": one.reason}))
    if table.failures:
        rows.sort(key=lambda one: one[0])
    return [json.dumps(row).encode() + b"\n" for _, row in rows]


def remains(table: Table, index: int, new: set[str]) -> dict[str, Any]:
    """Return what tells a cleaned text, or a piece of it, from every other: what is restored must be that.

    And how many lines were removed from it, and which fields are ``new`` in its record.
    """
    outcome, place = table.outcomes[index], table.documents[index].place
    out: dict[str, Any] = {"bytes": len(outcome.cleaned), "crc32": zlib.crc32(outcome.cleaned)}
    out["removed"] = len(outcome.removed)
    if table.block.sources[0].format == "text" and place[1] != "utf-8":
        out["encoding"] = place[1]
    if new:
        out["added"] = sorted(new)
    return out


def original(table: Table, document: Document) -> str | None:
    """Return a JSON string as it was written, where writing its text again would give other bytes."""
    if table.block.sources[0].format != "jsonl":
        return None
    at, begin, end = document.place
    raw = table.read[at][begin:end]
    return raw.decode("utf-8", "surrogatepass") if jsonl.to_text(document.text, b'""') != raw else None


def rejected_row(table: Table, index: int) -> bytes:
    """Return a poor document, complete: its own line, or a record with file and text."""
    document, block = table.documents[index], table.block
    if block.sources[0].format == "jsonl":
        line: bytes = table.read[document.place[0]]
        line = unmarked(line, table) if document.record == 1 else line
        return line if line.endswith(b"\n") else line + b"\n"
    key = {**key_of(table, document), **document.fields}
    if block.sources[0].format == "parquet":
        return jsonl.row(cells.fields(table.read[0], document.place))
    return jsonl.row({"file": named(table, index), **key, "text": document.text.decode("utf-8", "surrogatepass")})
