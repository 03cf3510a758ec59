"""Columns of Arrow data: of types that a Parquet file can hold, and of one type where values come in several.

Needs pyarrow, the extra ``parquet``.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from cleaner.cells import dumped, values
from cleaner.errors import UsageError

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
        raise UsageError("Parquet needs pyarrow. Install it: pip install 'line-cleaner[parquet]'") from None
    return pyarrow, pyarrow.parquet


def first_line(error: Exception) -> str:
    """Return the first line of an error's message."""
    return (str(error).splitlines() or [type(error).__name__])[0]


def without_views(table: Any) -> Any:
    """Return rows whose views are plain strings or bytes, at any depth, which a Parquet file stores alike."""
    pa, _ = arrow()
    schema = pa.schema([f.with_type(without_view(f.type)) for f in table.schema], table.schema.metadata)
    return table if schema.equals(table.schema) else table.cast(schema)


def without_view(kind: Any) -> Any:
    """Return a type without views: most that is done with rows is not to be had for them."""
    pa, _ = arrow()
    t = pa.types
    if t.is_string_view(kind) or t.is_binary_view(kind):
        return pa.string() if t.is_string_view(kind) else pa.binary()
    inner = [kind.field(number) for number in range(kind.num_fields)]
    inner = [field.with_type(without_view(field.type)) for field in inner]
    if t.is_struct(kind):
        return pa.struct(inner)
    if t.is_map(kind):
        return pa.map_(*inner[0].type, kind.keys_sorted)
    if t.is_fixed_size_list(kind):
        return pa.list_(inner[0], kind.list_size)
    if t.is_list(kind) or t.is_large_list(kind):
        return (pa.list_ if t.is_list(kind) else pa.large_list)(inner[0])
    return kind


def is_text(kind: Any) -> bool:
    """Tell whether a column of this type holds strings."""
    pa, _ = arrow()
    t = pa.types
    return bool(t.is_string(kind) or t.is_large_string(kind) or (t.is_dictionary(kind) and is_text(kind.value_type)))


def column_of(rows: Sequence[Any], column: str) -> Any:
    """Return added values as a column whose type does not depend on them."""
    pa, _ = arrow()
    text, number, texts = pa.string(), pa.float64(), pa.list_(pa.string())
    line = pa.struct([("line", pa.int64()), ("label", text), ("kind", text), ("probability", number)])
    counts = [("words", pa.int64()), ("kept", pa.int64()), ("removed", pa.int64())]
    quality = pa.struct([("body_share", number), *counts, ("uncertain", number), ("flags", texts)])
    kinds = {"cleaner_labels": pa.list_(line), "cleaner_quality": quality, "cleaner_captions": texts}
    return pa.array(list(rows), kinds.get(column, text))


def storable(kind: Any, depth: int = 0) -> bool:
    """Tell whether a Parquet file can hold a type: no struct without fields, and none nested without end."""
    inner = [kind.field(i).type for i in range(kind.num_fields)]
    return depth < DEEPEST and (bool(inner) or str(kind) != "struct<>") and all(storable(k, depth + 1) for k in inner)


def plain(value: Any) -> str:
    """Return a value that fits no column type as JSON."""
    text = value if isinstance(value, str) else dumped(value)
    return text.encode("utf-8", "backslashreplace").decode()


def unified(kinds: list[Any]) -> Any:
    """Return a schema for the blocks of all; a field whose types do not go together is of strings, with JSON."""
    pa, _ = arrow()
    fields = []
    for name in dict.fromkeys(name for kind in kinds for name in kind.names):
        found = [pa.schema([kind.field(name)]) for kind in kinds if name in kind.names]
        try:
            one = pa.unify_schemas(found, promote_options="permissive").field(0)
            fields.append(one if len(found) == len(kinds) else one.with_nullable(True))
        except pa.ArrowException:
            fields.append(pa.field(name, pa.string()))
    return pa.schema(fields, kinds[0].metadata)


def fitting(schema: Any, tables: Iterable[Any]) -> Any:
    """Return a schema that unites those of tables, with strings for each field whose type a value does not survive."""
    pa, _ = arrow()
    odd = set()
    for table in tables:
        for field in schema:
            if field.name in table.schema.names and str(field.type) != "string":
                column = table.column(field.name)
                try:
                    there = column.cast(field.type)
                    exact = not pa.types.is_decimal(column.type) or there.cast(column.type).equals(column)
                except pa.ArrowException:
                    exact = False
                if not exact:
                    odd.add(field.name)
    fields = [pa.field(one.name, pa.string()) if one.name in odd else one for one in schema]
    return pa.schema(fields, schema.metadata)


def fit(table: Any, schema: Any) -> Any:
    """Return a block with all columns of the file, empty where it has none; of what is no string a string is JSON."""
    pa, _ = arrow()
    columns = []
    for field in schema:
        there = field.name in table.schema.names
        column = table.column(field.name) if there else pa.nulls(len(table), field.type)
        if str(field.type) == "string" and not is_text(column.type):
            column = pa.array([None if one is None else plain(one) for one in values(column)], field.type)
        columns.append(column.cast(field.type))
    return pa.table(columns, schema=schema)
