"""Arrays in memory that is used again: given back and asked for anew, page by page, it costs a fifth of the time.

Whether the C library keeps what is freed depends on what lies behind it, so that half of all processes were slow.
"""

import math
import sys
import threading
from typing import TypeVar

import numpy as np
import numpy.typing as npt

__all__ = ["empty"]

Item = TypeVar("Item", bound=np.generic)
#: Smaller arrays are asked for anew; larger ones are of texts that hardly come again. Bytes.
SMALL, LARGE = 1 << 15, 1 << 24
#: References to a buffer that no array uses: those of the dictionary, of a variable and of a parameter.
UNUSED = 3


class Kept(threading.local):
    """The buffers of a thread, by what they are for."""

    def __init__(self) -> None:
        """Have none yet."""
        self.buffers: dict[str, npt.NDArray[np.uint8]] = {}


KEPT = Kept()


def empty(name: str, shape: int | tuple[int, ...], dtype: type[Item]) -> npt.NDArray[Item]:
    """Return an array with any content, in the memory of the last one of that name unless something still uses it."""
    size = math.prod(shape if isinstance(shape, tuple) else (shape,)) * np.dtype(dtype).itemsize
    if not SMALL <= size <= LARGE:
        return np.empty(shape, dtype)
    buffer = KEPT.buffers.get(name)
    if buffer is None or len(buffer) < size or sys.getrefcount(buffer) > UNUSED:
        buffer = KEPT.buffers[name] = np.empty(size + size // 4, np.uint8)
    return buffer[:size].view(dtype).reshape(shape)
