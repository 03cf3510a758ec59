"""Compiles the kernels with numba to machine code that is called without it.

How a kernel is called is settled here, too: with the arrays themselves, which a few instructions take apart.
"""

import os
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import llvmlite.binding as llvm
import numpy as np

PASSES = ("markup", "token", "table", "shape", "word", "context", "related", "place", "second", "outcome")
#: The modules that hold the kernels.
MODULES = ("kernels", *(f"{name}_kernels" for name in PASSES))
#: Parameters of each kernel: element type and number of dimensions of an array, or ``int``.
KERNELS: dict[str, str] = {
    "find_lines": "u1:1 i8:1 i8:1 i8:1 i8:1 i8:1",
    "tokenise": "u1:1 i8:1 i8:1 i8:1 u4:1 i8:1 i8:1 i8:1 u1:1 i4:1 i8:1 i4:2 i8:1 u1:1",
    "line_features": "u1:1 i4:1 i8:1 i4:2 u1:2 f4:1 i4:1 f4:2 int",
    "gram_indices": "i8:1 i8:1 i8:1 u1:1 i8:1 int i4:2 i4:1 i8:1",
    "pack": "f4:2 f4:1 i2:2",
    "gram_scores": "i8:1 i8:1 i8:1 u1:1 i8:1 i2:2 f4:1 int i4:2 f4:2 f4:2",
    "line_hashes": "i8:1 i8:1 i8:1",
    "borders": "i8:1 i8:1 i8:1 i8:1",
    "titles": "f4:2 int i8:1 i8:1 i8:1",
    "shared_words": "i8:1 u1:1 i4:1 i8:1 i8:1 i8:1 f4:2 i8:1 i8:1 i8:1 i4:2 i4:1 u1:1 i4:1 i4:1 i4:1 f4:2",
    "running": "f4:2 i8:1 f8:2 f4:2",
    "context": "f4:2 i4:2 i8:1 i8:1 i8:1 i8:1 i8:1 f8:2 f8:2 f4:2",
    "shown": "f4:2 f4:2 i8:1 f4:2",
    "draft_rows": "f4:2 f4:2 f4:2 f4:2 i8:1 i8:1 i8:1 int f4:2",
    "full_names": "i8:1 u1:1 i8:1 i8:1 i8:1 i4:2 i4:1 f4:2",
    "habits": "f4:2 i8:1 f4:2 i8:1 i8:1 f8:2",
    "marks": "f4:2 int int i8:1 f4:2 f4:1 f4:2",
    "related": "i8:1 i4:1 i4:1 i8:1 i8:1 f4:2 i8:1 i8:1 u1:1 i4:2 i4:2 f4:2",
    "count_texts": "i8:1 u1:1 i4:1 i8:1 i8:1 i4:1 i8:1 i8:1",
    "placed": "f4:2 i4:2 i8:1 i8:1 i8:1 i8:1 i4:1 u1:1 i8:2 f4:2 f4:2",
    "amounts": "f4:2 f8:2 f8:2 f4:2 i8:1 i8:1 i8:1 f4:2 f4:1",
    "final_rows": (
        "f4:2 f4:2 f4:2 f4:2 i8:1 i8:1 i8:1 i8:1 f4:2 f8:2 f4:2 i8:1 f8:2 f4:2 f4:2 f4:2 f4:2 f8:2 f4:2 f4:2 i8:1 f4:2"
    ),
    "rectified": "f4:1 f4:2",
    "softmax": "f4:2 f4:1 f4:1 int f4:2",
    "kinds": "f4:2 f4:1 f4:2 int f4:1 int f4:2",
    "kind_codes": "i8:1 int f4:2 f4:1 i8:1",
    "totals": "u1:1 i8:1 u1:1 i4:2 f4:2 i8:1 i8:1 int f4:1 f8:2 i8:2 i8:1",
    "tally": "u1:1 i8:1 i8:1 i8:1 u1:1 u1:1 int i8:1 i8:1 i8:1 i8:1",
    "kept_lines": "u1:1 i8:1 u1:1 u1:1",
    "copy_kept": "u1:1 i8:1 i8:1 i8:1 u1:1 u1:1 i8:1",
}
#: The environment variable by which numba does without Intel's library when it is imported.
SVML = "NUMBA_DISABLE_INTEL_SVML"
#: What compiled code names and, allocating and raising nothing, never calls.
UNUSED = (
    "NRT_Free",
    "NRT_MemInfo_call_dtor",
    "NRT_decref",
    "NRT_incref",
    "numba_do_raise",
    "numba_gil_ensure",
    "numba_gil_release",
    "numba_runtime_build_excinfo_struct",
    "numba_unpickle",
)
#: How numba compiles the kernels; what is cached must not depend on its environment variables.
SETTINGS = {
    "DISABLE_JIT": 0,
    "OPT": 3,
    "BOUNDSCHECK": None,
    "DEBUGINFO_DEFAULT": 0,
    "LOOP_VECTORIZE": 1,
    "SLP_VECTORIZE": 0,
    "CPU_NAME": None,
    "CPU_FEATURES": None,
}
#: Where an array, which is CPython's object and then numpy's ``PyArrayObject_fields``, has the address of its numbers,
#: that of its dimensions and its flags, the lowest of which says that it is contiguous; in words of eight bytes.
DATA = object.__basicsize__ // 8
DIMS, FLAGS = DATA + 2, DATA + 6
#: What a kernel returns for arrays that are not contiguous.
SCATTERED = -(2**63)
HARMLESS = re.compile(r"llvm\..*|Py\w+|_Py\w+|sqrtf?|memset|memcpy|" + "|".join(UNUSED))


@contextmanager
def own_settings() -> Iterator[None]:
    """Have numba compile as :data:`SETTINGS` say, whatever its environment variables do, and no one else meanwhile."""
    from numba.core.compiler_lock import global_compiler_lock

    config = import_module("numba.core.config")
    config.reload_config()  # else the first compilation would read the environment again
    with global_compiler_lock:
        before = {name: getattr(config, name) for name in SETTINGS}
        try:
            for name, value in SETTINGS.items():
                setattr(config, name, type(before[name])(value) if name == "OPT" else value)
            yield
        finally:
            for name, value in before.items():
                setattr(config, name, value)


def compiled() -> dict[str, bytes]:
    """Compile all kernels with numba; takes up to a minute, which is logged."""
    import logging  # here, as it and numba are slow to import

    logging.getLogger("cleaner").info("compiling its kernels, once, for up to a minute")
    if "numba" in sys.modules:
        import numba
    else:  # without the library for vectors of sines and the like, which is not there where the code is loaded
        before = os.environ.get(SVML)
        os.environ[SVML] = "1"
        import numba

        del os.environ[SVML]
        if before is not None:
            os.environ[SVML] = before
        import_module("numba.core.config").reload_config()
    with own_settings():
        return compiled_with(numba)


def compiled_with(nb: Any) -> dict[str, bytes]:
    """Compile all kernels with numba, which names no types of its own."""
    modules = [import_module(f"cleaner.{name}") for name in MODULES]
    types = {np.dtype(kind[:2]).name for spec in KERNELS.values() for kind in spec.split() if kind != "int"}
    known = {name: getattr(nb, name) for name in types} | {"carray": nb.carray}
    known |= {function.__name__: nb.extending.intrinsic(function) for function in (pointer, word)}
    code = {}
    for name, spec in KERNELS.items():
        scope = {**known, "kernel": next(getattr(m, name) for m in modules if hasattr(m, name))}
        exec(wrapper(name, spec.split()), scope)
        signature = nb.int64(*[nb.int64 for _ in spec.split()])
        code[name] = named(name, nb.cfunc(signature, error_model="numpy")(scope[name]))
    return code


def wrapper(name: str, kinds: Sequence[str]) -> str:
    """Return the source of what takes the arrays of a call apart and hands them to a kernel."""
    flags, arguments = ["1"], []
    for n, kind in enumerate(kinds):
        if kind == "int":
            arguments.append(f"p{n}")
            continue
        flags.append(f"word(p{n}, {FLAGS})")
        sizes = "".join(f"word(word(p{n}, {DIMS}), {axis}), " for axis in range(int(kind[3:])))
        arguments.append(f"carray(pointer(word(p{n}, {DATA})), ({sizes}), {np.dtype(kind[:2]).name})")
    lines = [
        f"def {name}({', '.join(f'p{n}' for n in range(len(kinds)))}):",
        f"    if not {' & '.join(flags)}:",
        f"        return {SCATTERED}",
        f"    return kernel({', '.join(arguments)})",
    ]
    return "\n".join(lines) + "\n"


def pointer(context: Any, address: Any) -> Any:
    """Tell numba how a number becomes a pointer."""
    from numba import types

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], context.get_value_type(types.voidptr))

    return types.voidptr(types.int64), generate


def word(context: Any, address: Any, index: Any) -> Any:
    """Tell numba how to read one of the words of eight bytes that begin at an address."""
    from numba import types

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place = builder.inttoptr(arguments[0], context.get_value_type(types.int64).as_pointer())
        return builder.load(builder.gep(place, [arguments[1]]))

    return types.int64(types.int64, types.int64), generate


def named(name: str, function: Any) -> bytes:
    """Return the object code of a compiled function, exported under a plain name."""
    text = function.inspect_llvm()
    strange = [s for s in re.findall(r"^declare .*?@\"?([\w.$]+)", text, re.M) if not HARMLESS.fullmatch(s)]
    if strange:
        raise AssertionError(f"{name} calls {strange}, which is not there without numba")
    module = llvm.parse_assembly(text.replace(function.native_name, name))
    machine = llvm.Target.from_default_triple().create_target_machine(
        cpu=llvm.get_host_cpu_name(), features=llvm.get_host_cpu_features().flatten(), opt=3, jit=True
    )
    return bytes(machine.emit_object(module))
