"""Parquet: blocks of rows as Arrow data, and back to a file with the same schema and row groups.

Needs pyarrow, the extra ``parquet``. Between reader, worker and writer a block travels as an Arrow IPC stream.
"""

from collections.abc import Iterator, Sequence, Set
from pathlib import Path
from typing import Any, BinaryIO

from cleaner.cells import dumped, fields, values
from cleaner.columns import arrow, column_of, first_line, fit, fitting, is_text, plain, storable, unified, without_views
from cleaner.errors import DataError
from cleaner.jsonl import ID_FIELDS, NULL, text_field
from cleaner.opening import compression, is_remote, open_raw
from cleaner.records import BLOCK_BYTES, Block, Document, Failure, Input

#: A row group of the output is at most so large (bytes of Arrow data), so that memory is bounded.
GROUP_BYTES = 64_000_000
#: Rows that are read at a time, at most: of a text that is repeated a file does not tell how large it is.
BLOCK_ROWS = 5000


def parquet_file(path: str, unit: str = "us") -> Any:
    """Return an open Parquet file that gives timestamps of the kind INT96 in a unit of time."""
    _, pq = arrow()
    source = open_raw(path) if is_remote(path) else path
    return pq.ParquetFile(source, pre_buffer=False, coerce_int96_timestamp_unit=unit)


def with_times(path: str, file: Any) -> Any:
    """Return a file so opened that its INT96 timestamps keep their values: in microseconds, or else in nanoseconds.

    Raises:
        DataError: some have nanoseconds, and others are too far away to be counted in those.
    """
    pa, _ = arrow()
    columns = [file.schema.column(number) for number in range(len(file.schema))]
    names = [one.path for one in columns if one.physical_type == "INT96"]
    if not names:
        return file
    exact = parquet_file(path, "ns")
    fine = far = False
    for group in range(file.metadata.num_row_groups):
        try:
            found, nanoseconds = (one.read_row_group(group, names, use_threads=False) for one in (file, exact))
        except (pa.ArrowException, OSError, ValueError):  # reading all of it says what is wrong
            continue
        fine |= not found.cast(nanoseconds.schema, safe=False).equals(nanoseconds)  # both are cut off alike
        try:
            found.cast(nanoseconds.schema)
        except pa.ArrowInvalid:
            far = True
    if fine and far:
        remedy = "Write them as INT64, or leave them out."
        raise DataError(f"no unit of time holds all INT96 timestamps of {', '.join(names)}. {remedy}")
    return exact if fine else file


def refuse(names: Sequence[str], added: Set[str]) -> None:
    """Raise :class:`DataError` if two columns have one name, or one has that of a column that is added."""
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise DataError(f"two columns are called {twice!r}. Rename one.")
    if there := sorted(added & set(names)):
        raise DataError(f"the column {', '.join(there)} is there already. Rename it, or leave the option out.")


def read_blocks(number: int, source: Input, at: tuple[int, int], added: Set[str] = frozenset()) -> Iterator[Block]:
    """Yield the rows of a file from a block on; ``at`` is how many blocks and records went before.

    A file that has one of the columns that are ``added`` already fails as a whole.
    """
    pa, _ = arrow()
    skip, record = at
    lost, remedy = None, "Decompress it first" if compression(source.path) else "Fetch it again"
    try:
        file = parquet_file(source.path)
        refuse(file.schema_arrow.names, added)
        file = with_times(source.path, file)
    except DataError as error:
        lost = Failure(source.name, 0, "field", str(error), count=max(file.metadata.num_rows, 1))
    except (pa.ArrowException, OSError, ValueError) as error:
        lost = Failure(source.name, 0, "corrupt", f"not a Parquet file ({first_line(error)}). {remedy}.")
    if lost:
        yield Block((number,), (source,), b"", 1, record, 0, failures=(lost,))
        return
    groups, made, before = file.metadata.num_row_groups, 0, 1
    for group in range(groups):
        rows = file.metadata.row_group(group).num_rows
        for block in group_blocks(file, (number, source), group, before):
            made += 1
            if made > skip:
                yield Block((number,), (source,), block[0], made, block[1], block[2], last=False, failures=block[3])
        before += rows
    none = pa.Table.from_batches([], file.schema_arrow)  # the columns, whatever became of the rows
    yield Block((number,), (source,), encode(without_views(none), -1), made + 1, before, 0)


def group_blocks(
    file: Any, what: tuple[int, Input], group: int, before: int
) -> Iterator[tuple[bytes, int, int, tuple[Failure, ...]]]:
    """Yield a row group in blocks: data, first record, records, failures."""
    pa, _ = arrow()
    meta = file.metadata.row_group(group)
    rows, done = meta.num_rows, 0
    step = max(1, min(rows, BLOCK_ROWS, BLOCK_BYTES * rows // max(meta.total_byte_size, 1)))
    try:
        for batch in file.iter_batches(step, row_groups=[group], use_threads=False):
            table = pa.Table.from_batches([batch]).replace_schema_metadata(file.schema_arrow.metadata)
            size = max(1, len(table) // max(1, round(table.nbytes / BLOCK_BYTES)))  # a text repeated is stored once
            for begin in range(0, len(table), size):
                part = table.slice(begin, size)
                yield encode(without_views(part), group), before + done, len(part), ()
                done += len(part)
    except (pa.ArrowException, OSError, ValueError) as error:
        message = f"row group {group} is damaged from here on ({first_line(error)}). Fetch the file again."
        lost = Failure(what[1].name, before + done, "corrupt", message, count=rows - done)
        yield b"", before + done, rows - done, (lost,)


def encode(table: Any, group: int) -> bytes:
    """Return rows as an Arrow IPC stream that also says which row group they are of, behind its length."""
    pa, _ = arrow()
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    data = sink.getvalue().to_pybytes()
    return len(data).to_bytes(8, "little") + group.to_bytes(8, "little", signed=True) + bytes(data)


def table_of(data: bytes) -> tuple[Any, int]:
    """Undo :func:`encode`."""
    pa, _ = arrow()
    group = int.from_bytes(data[8:16], "little", signed=True)
    with pa.ipc.open_stream(pa.py_buffer(data)[16:]) as reader:
        return reader.read_all(), group


def decode(block: Block, options: tuple[str, str]) -> tuple[list[Document], list[Failure], Any]:
    """Read the rows of a block; a document's place is its row."""
    pa, _ = arrow()
    table, group = table_of(block.data)
    strings = [f.name for f in table.schema if is_text(f.type)]
    record = {field.name: "" if field.name in strings else field.type for field in table.schema}
    try:
        name = text_field(record, options[0])
    except DataError as error:
        lost = Failure(block.sources[0].name, block.first, "field", str(error), count=block.count)
        return [], [lost] if block.count else [], (table, group, "")
    ids = identities(table, options[1])
    documents, failures = [], []
    try:
        texts = values(table.column(name).cast(pa.large_string()))
    except pa.ArrowException:
        texts = [None] * len(table)
    for index, (text, id_) in enumerate(zip(texts, ids, strict=True)):
        if isinstance(text, str):
            documents.append(Document(block.first + index, id_, text.encode("utf-8", "surrogatepass"), index))
        else:
            raw = dumped(fields(table, index)).encode()
            damaged = isinstance(text, bytes)
            message = f"field {name!r} {'is not UTF-8. Mend it.' if damaged else NULL}"
            reason = "undecodable" if damaged else "field"
            failures.append(Failure(block.sources[0].name, block.first + index, reason, message, raw, True))
    return documents, failures, (table, group, name)


def identities(table: Any, wanted: str) -> list[str]:
    """Return what the rows call themselves, as `jsonl.identity` does: strings and whole numbers, else empty strings."""
    pa, _ = arrow()
    for name in (wanted,) if wanted else ID_FIELDS:
        at = table.schema.get_field_index(name)
        if at >= 0 and (is_text(table.schema.field(at).type) or pa.types.is_integer(table.schema.field(at).type)):
            found = values(table.column(at).cast(pa.large_string()))
            return [one if isinstance(one, str) else "" for one in found]
    return [""] * len(table)


def rebuilt(read: tuple[Any, int, str], texts: dict[int, str], added: dict[str, list[Any]]) -> bytes:
    """Return the rows that stay with their new texts, and the columns that are added, in the order of rows."""
    pa, _ = arrow()
    table, group, name = read
    if not name:
        return encode(table.slice(0, 0), group)
    table = table.take(pa.array(list(texts), pa.int64()))
    at = table.schema.get_field_index(name)
    field = table.schema.field(at)
    values = pa.array(list(texts.values()), pa.large_string()).cast(field.type)
    table = table.set_column(at, field, values)
    for column, rows in added.items():
        table = table.append_column(column, column_of(rows, column))
    return encode(table, group)


def from_rows(rows: list[dict[str, Any]], added: Set[str]) -> bytes:
    """Return new rows, of any other format's records; ``added`` are the names of the fields that cleaning added."""
    pa, _ = arrow()
    columns: dict[str, None] = {}
    rows = [{plain(name): one for name, one in row.items()} for row in rows]
    for row in rows:
        columns.update(dict.fromkeys(row))
    arrays = {}
    for name in columns:
        found = [row.get(name) for row in rows]
        if name in added:
            arrays[name] = column_of(found, name)
            continue
        try:
            arrays[name] = pa.array(found)
            if not storable(arrays[name].type):
                raise TypeError(name)
        except (pa.ArrowException, OverflowError, TypeError, UnicodeError, RecursionError):
            arrays[name] = pa.array([None if one is None else plain(one) for one in found], pa.string())
    return encode(pa.table(arrays), -1)


def stored(spool: BinaryIO) -> Iterator[tuple[Any, int]]:
    """Yield the blocks of a spool file."""
    while head := spool.read(16):
        yield table_of(head + spool.read(int.from_bytes(head[:8], "little")))


def finish(spool: Path, target: Path, source: str) -> None:
    """Turn a spool of blocks into a Parquet file: row groups and compression as in the source, if it is one."""
    pa, pq = arrow()
    kinds: list[Any] = []
    with spool.open("rb") as file:
        for table, _ in stored(file):
            if not kinds or not table.schema.equals(kinds[-1], check_metadata=True):
                kinds.append(table.schema)
    kinds = kinds or [pa.schema([("text", pa.string())])]
    schema = kinds[0]
    if len(kinds) > 1:
        with spool.open("rb") as file:
            schema = fitting(unified(kinds), (table for table, _ in stored(file)))
    packed = codecs(source) if source else "zstd"
    with spool.open("rb") as file, pq.ParquetWriter(target, schema, compression=packed) as writer:
        waiting: list[Any] = []
        size, now = 0, 0
        for table, group in stored(file):
            new = group != now if source else size >= GROUP_BYTES // 4
            if waiting and (new or size >= GROUP_BYTES):
                writer.write_table(pa.concat_tables(waiting), row_group_size=1 << 40)
                waiting, size = [], 0
            if len(table):
                waiting.append(fit(table, schema))
                size += table.nbytes
            now = group
        if waiting:
            writer.write_table(pa.concat_tables(waiting), row_group_size=1 << 40)


def codecs(source: str) -> Any:
    """Return the compression of a file, by column where columns differ."""
    pa, _ = arrow()
    try:
        meta = parquet_file(source).metadata
    except (pa.ArrowException, OSError, ValueError):
        return "snappy"
    if not (meta.num_row_groups and meta.num_columns):
        return "snappy"
    group = meta.row_group(0)
    columns = [group.column(i) for i in range(group.num_columns)]
    found = {one.path_in_schema: one.compression.replace("UNCOMPRESSED", "NONE") for one in columns}
    return found if len(set(found.values())) > 1 else found.popitem()[1]
