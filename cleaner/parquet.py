"""Parquet: blocks of rows as Arrow data, and back to a file with the same schema and row groups.

Needs pyarrow, the extra ``parquet``. Between reader, worker and writer a block travels as an Arrow IPC stream.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from cleaner.cells import dumped, fields
from cleaner.errors import DataError, UsageError
from cleaner.jsonl import ID_FIELDS, NULL, text_field
from cleaner.opening import is_remote, remote
from cleaner.records import BLOCK_BYTES, Block, Document, Failure, Input

__all__ = ["decode", "encode", "finish", "from_rows", "read_blocks"]

#: A row group of the output is at most so large (bytes of Arrow data), so that memory is bounded.
GROUP_BYTES = 64_000_000
#: Values nested deeper than this are stored as JSON.
DEEPEST = 30


def arrow() -> tuple[Any, Any]:
    """Return pyarrow and pyarrow.parquet.

    Raises:
        UsageError: it is not installed.
    """
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise UsageError("Parquet needs pyarrow. Install it: pip install pyarrow") from None
    pyarrow.set_cpu_count(1)
    return pyarrow, pyarrow.parquet


def opened(path: str) -> Any:
    """Return what pyarrow opens: a local path, or a remote file."""
    if not is_remote(path):
        return path
    system, inner = remote(path)
    return system.open(inner, "rb")


def read_blocks(number: int, source: Input, at: tuple[int, int]) -> Iterator[Block]:
    """Yield the rows of a file from a block on; ``at`` is how many blocks and records went before."""
    pa, pq = arrow()
    skip, record = at
    try:
        file = pq.ParquetFile(opened(source.path), pre_buffer=False)
    except (pa.ArrowException, OSError, ValueError) as error:
        lost = Failure(source.name, 0, "corrupt", f"not a Parquet file ({first_line(error)}). Fetch it again.")
        yield Block((number,), (source,), b"", 1, record, 0, failures=(lost,))
        return
    names = file.schema_arrow.names
    if twice := next((name for name in names if names.count(name) > 1), None):
        message = f"two columns are called {twice!r}. Rename one."
        lost = Failure(source.name, 0, "field", message, count=max(file.metadata.num_rows, 1))
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
    empty = encode(without_views(file.schema_arrow.empty_table()), -1)  # the columns, whatever became of the rows
    yield Block((number,), (source,), empty, made + 1, before, 0)


def group_blocks(
    file: Any, what: tuple[int, Input], group: int, before: int
) -> Iterator[tuple[bytes, int, int, tuple[Failure, ...]]]:
    """Yield a row group in blocks: data, first record, records, failures."""
    pa, _ = arrow()
    meta = file.metadata.row_group(group)
    rows, done = meta.num_rows, 0
    step = max(1, min(rows, BLOCK_BYTES * rows // max(meta.total_byte_size, 1)))
    try:
        for batch in file.iter_batches(step, row_groups=[group], use_threads=False):
            table = pa.Table.from_batches([batch]).replace_schema_metadata(file.schema_arrow.metadata)
            yield encode(without_views(table), group), before + done, batch.num_rows, ()
            done += batch.num_rows
    except (pa.ArrowException, OSError, ValueError) as error:
        message = f"row group {group} is damaged from here on ({first_line(error)}). Fetch the file again."
        lost = Failure(what[1].name, before + done, "corrupt", message, count=rows - done)
        yield b"", before + done, rows - done, (lost,)


def without_views(table: Any) -> Any:
    """Return rows whose columns of views are plain strings or bytes, which a Parquet file stores alike."""
    pa, _ = arrow()
    plainer = {"string_view": pa.string(), "binary_view": pa.binary()}
    schema = pa.schema([f.with_type(plainer.get(str(f.type), f.type)) for f in table.schema], table.schema.metadata)
    return table if schema.equals(table.schema) else table.cast(schema)


def first_line(error: Exception) -> str:
    """Return the first line of an error's message."""
    return (str(error).splitlines() or [type(error).__name__])[0]


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
    key = next((one for one in (options[1], *ID_FIELDS) if one in strings), "")
    ids = table.column(key).cast(pa.large_string()).to_pylist() if key else [""] * len(table)
    documents, failures = [], []
    try:
        texts = table.column(name).cast(pa.large_string()).to_pylist()
    except pa.ArrowException:
        texts = [None] * len(table)
    for index, (text, id_) in enumerate(zip(texts, ids, strict=True)):
        if isinstance(text, str):
            documents.append(Document(block.first + index, id_ or "", text.encode("utf-8", "surrogatepass"), index))
        else:
            raw = dumped(fields(table, index)).encode()
            message = f"field {name!r} {NULL}"
            failures.append(Failure(block.sources[0].name, block.first + index, "field", message, raw, True))
    return documents, failures, (table, group, name)


def is_text(kind: Any) -> bool:
    """Tell whether a column of this type holds strings."""
    pa, _ = arrow()
    t = pa.types
    return bool(t.is_string(kind) or t.is_large_string(kind) or (t.is_dictionary(kind) and is_text(kind.value_type)))


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


def column_of(rows: Sequence[Any], column: str) -> Any:
    """Return added values as a column whose type does not depend on them."""
    pa, _ = arrow()
    text, number, texts = pa.string(), pa.float64(), pa.list_(pa.string())
    line = pa.struct([("line", pa.int64()), ("label", text), ("kind", text), ("probability", number)])
    counts = [("words", pa.int64()), ("kept", pa.int64()), ("removed", pa.int64())]
    quality = pa.struct([("body_share", number), *counts, ("uncertain", number), ("flags", texts)])
    kinds = {"cleaner_labels": pa.list_(line), "cleaner_quality": quality, "cleaner_captions": texts}
    return pa.array(list(rows), kinds.get(column, text))


def from_rows(rows: list[dict[str, Any]]) -> bytes:
    """Return new rows, of any other format's records."""
    pa, _ = arrow()
    columns: dict[str, None] = {}
    for row in rows:
        columns.update(dict.fromkeys(row))
    arrays = {}
    for name in columns:
        values = [row.get(name) for row in rows]
        if name.startswith("cleaner_"):
            arrays[name] = column_of(values, name)
            continue
        try:
            arrays[name] = pa.array(values)
            if not storable(arrays[name].type):
                raise TypeError(name)
        except (pa.ArrowException, OverflowError, TypeError, UnicodeError, RecursionError):
            arrays[name] = pa.array([None if value is None else plain(value) for value in values], pa.string())
    return encode(pa.table(arrays), -1)


def storable(kind: Any, depth: int = 0) -> bool:
    """Tell whether a Parquet file can hold a type: no struct without fields, and none nested without end."""
    inner = [kind.field(i).type for i in range(kind.num_fields)]
    return depth < DEEPEST and (bool(inner) or str(kind) != "struct<>") and all(storable(k, depth + 1) for k in inner)


def plain(value: Any) -> str:
    """Return a value that fits no column type as JSON."""
    text = value if isinstance(value, str) else dumped(value)
    return text.encode("utf-8", "backslashreplace").decode()


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
    schema = kinds[0] if len(kinds) == 1 else unified(kinds)
    options = {"compression": codecs(source)} if source else {"compression": "zstd"}
    with spool.open("rb") as file, pq.ParquetWriter(target, schema, **options) as writer:
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


def unified(kinds: list[Any]) -> Any:
    """Return a schema for the blocks of all; a field whose types do not go together is of strings, with JSON."""
    pa, _ = arrow()
    fields = []
    for name in dict.fromkeys(name for kind in kinds for name in kind.names):
        found = [pa.schema([kind.field(name)]) for kind in kinds if name in kind.names]
        try:
            fields.append(pa.unify_schemas(found, promote_options="permissive").field(0))
        except pa.ArrowException:
            fields.append(pa.field(name, pa.string()))
    return pa.schema(fields, kinds[0].metadata)


def fit(table: Any, schema: Any) -> Any:
    """Return a block with all columns of the file, empty where it has none.

    Raises:
        DataError: a column cannot be of the type that the file has.
    """
    pa, _ = arrow()
    columns = []
    for field in schema:
        there = field.name in table.schema.names
        column = table.column(field.name) if there else pa.nulls(len(table), field.type)
        try:
            if str(field.type) == "string" and not is_text(column.type):
                values = column.to_pylist()
                column = pa.array([None if one is None else plain(one) for one in values], field.type)
            columns.append(column.cast(field.type))
        except (pa.ArrowException, RecursionError) as error:
            message = f"{first_line(error)}. Leave it out, or choose --output-format jsonl."
            raise DataError(f"field {field.name!r} fits no column: {message}") from None
    return pa.table(columns, schema=schema)


def codecs(source: str) -> Any:
    """Return the compression of a file, by column where columns differ."""
    pa, pq = arrow()
    try:
        meta = pq.ParquetFile(opened(source)).metadata
    except (pa.ArrowException, OSError, ValueError):
        return "snappy"
    if not (meta.num_row_groups and meta.num_columns):
        return "snappy"
    group = meta.row_group(0)
    columns = [group.column(i) for i in range(group.num_columns)]
    found = {one.path_in_schema: one.compression.replace("UNCOMPRESSED", "NONE") for one in columns}
    return found if len(set(found.values())) > 1 else columns[0].compression.replace("UNCOMPRESSED", "NONE")
