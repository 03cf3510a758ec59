"""Values of Arrow tables as JSON has words for them."""

import base64
import json
import math
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

#: A type that Python would cut the nanoseconds off.
FINE_TIME = "time64[ns]"
#: What pyarrow raises where Python has no such value, as a date of the year 30000, or its text is none.
NO_VALUE = (ValueError, TypeError, ArithmeticError, NotImplementedError)


def fields(table: Any, index: int) -> dict[str, Any]:
    """Return a row of a table as plain values."""
    row = table.slice(index, 1)
    if not any(str(kind) == FINE_TIME for kind in row.schema.types):
        with suppress(*NO_VALUE):
            return dict(row.to_pylist()[0])
    return {name: value(row.column(name)) for name in row.schema.names}


def value(cell: Any) -> Any:
    """Return the one value of a column: a plain one, or a damaged string's bytes, or what Arrow shows of it."""
    for kind in ("string",) if str(cell.type) == FINE_TIME else ("", "binary"):
        try:
            return (cell.cast(kind) if kind else cell).to_pylist()[0]
        except NO_VALUE:
            continue
    return cell.combine_chunks().to_string()[1:-1].strip()


def values(column: Any) -> list[Any]:
    """Return the values of a column as plain ones."""
    try:
        return list(column.to_pylist())
    except NO_VALUE:
        return [value(column.slice(number, 1)) for number in range(len(column))]


def dumped(value: Any) -> str:
    """Return a value as JSON; what that has no number for, NaN and the infinities, is null, bytes are base64."""
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, default=worded)
    except ValueError:
        return json.dumps(finite(value), ensure_ascii=False, default=worded)


def finite(value: Any) -> Any:
    """Return a value with None for all numbers in it that are not finite."""
    if isinstance(value, Mapping):
        return {name: finite(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [finite(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def worded(value: Any) -> str:
    """Return what JSON has no word for as text."""
    return base64.b64encode(value).decode() if isinstance(value, bytes) else str(value)
