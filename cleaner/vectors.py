"""The two operations that numba has no words for: sums of table rows, and a search, in vector registers.

Only kernels use this, and only while they are compiled; see `kernels.py`. Written as a loop over columns
the sums would go through memory after every row, since the compiler cannot know that they overlap nothing; written as
a loop over bytes the search ends at a place that the processor cannot guess.
"""

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

#: Columns of the text table that are summed at once; its rows are padded to a multiple.
LANES = 16
#: Bytes that are searched for line endings at once.
BLOCK = 32


@intrinsic
def add_rows(typing: Any, table: Any, rows: Any, span: Any, block: Any, out: Any) -> Any:
    """Add ``LANES`` columns of an int16 table, from column ``LANES * block`` on, to float32 ``out[:LANES]``.

    ``rows`` is int32 [n-grams, tokens], ``span`` the tokens from and to: of each token all rows are added.
    The sum is made in int32, so a span may have some thousand tokens.
    """
    del typing
    signature = types.void(table, rows, span, block, out)

    def build(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        arrays = [context.make_array(signature.args[at])(context, builder, values[at]) for at in (0, 1, 4)]
        begin, end = (builder.extract_value(values[2], at) for at in (0, 1))
        first, last = builder.block, builder.function.append_basic_block("summed")
        loop = builder.function.append_basic_block("rows")
        word, sums = ir.IntType(64), ir.VectorType(ir.IntType(32), LANES)
        half, single = ir.VectorType(ir.IntType(16), LANES), ir.VectorType(ir.FloatType(), LANES)
        blocks = builder.udiv(builder.extract_value(arrays[0].shape, 1), word(LANES))
        start = builder.gep(builder.bitcast(arrays[0].data, half.as_pointer()), [values[3]])
        length = builder.extract_value(arrays[1].shape, 1)
        builder.cbranch(builder.icmp_signed("<", begin, end), loop, last)
        builder.position_at_end(loop)
        token, total = builder.phi(word), builder.phi(sums)
        token.add_incoming(begin, first)
        total.add_incoming(sums(None), first)
        added = total
        for gram in range(GRAMS):
            place = builder.add(token, builder.mul(length, word(gram)))
            row = builder.zext(builder.load(builder.gep(arrays[1].data, [place])), word)
            values_of = builder.load(builder.gep(start, [builder.mul(row, blocks)]), align=2)
            added = builder.add(added, builder.sext(values_of, sums))
        after = builder.add(token, word(1))
        token.add_incoming(after, loop)
        total.add_incoming(added, loop)
        builder.cbranch(builder.icmp_signed("<", after, end), loop, last)
        builder.position_at_end(last)
        found = builder.phi(sums)
        found.add_incoming(sums(None), first)
        found.add_incoming(added, loop)
        target = builder.bitcast(arrays[2].data, single.as_pointer())
        builder.store(builder.fadd(builder.load(target, align=4), builder.sitofp(found, single)), target, align=4)
        return context.get_dummy_value()

    return signature, build


#: Table rows of a token; see table_kernels.py.
GRAMS = 5


@intrinsic
def first_break(typing: Any, data: Any, at: Any) -> Any:
    """Return which of the ``BLOCK`` bytes from a place on may be a line ending first; ``BLOCK`` where none may.

    ``data`` is uint8, and two more bytes follow. They may where they are below 0x1F but for tabs, or U+0085, U+2028 or
    U+2029 begins there; `kernels.break_width` has the last word.
    """
    del typing

    def build(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, values[0])
        block, whole = ir.VectorType(ir.IntType(8), BLOCK), ir.IntType(BLOCK)

        def loaded(by: int) -> Any:
            place = builder.gep(array.data, [builder.add(values[1], ir.IntType(64)(by))])
            return builder.load(builder.bitcast(place, block.as_pointer()), align=1)

        def compared(how: str, bytes_: Any, value: int) -> Any:
            return builder.icmp_unsigned(how, bytes_, block([value] * BLOCK))

        first, second, third = (loaded(by) for by in range(3))
        low = builder.and_(compared("<", first, 0x1F), compared("!=", first, 9))
        next_line = builder.and_(compared("==", first, 0xC2), compared("==", second, 0x85))
        last = builder.or_(compared("==", third, 0xA8), compared("==", third, 0xA9))
        wide = builder.and_(builder.and_(compared("==", first, 0xE2), compared("==", second, 0x80)), last)
        mask = builder.bitcast(builder.or_(builder.or_(low, next_line), wide), whole)
        return builder.zext(builder.cttz(mask, ir.IntType(1)(0)), ir.IntType(64))

    return types.int64(data, at), build
