"""Calls the kernels as machine code, without importing numba.

Importing numba and preparing it takes most of a second, too long for a command that cleans one file. So
the kernels are compiled once (up to a minute, on the first use after an installation), their object
code is kept in a file, and later processes load that file with llvmlite alone. The file's name has
a digest of the kernels' source, of the library versions and of the processor in it. It lies beside this module,
or, where that cannot be written, in the user's cache folder; where neither can, each process compiles.
"""

import ctypes
import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import llvmlite.binding as llvm
import numpy as np
import numpy.typing as npt

__all__ = ["KERNELS", "call"]

#: The modules that hold the kernels.
MODULES = (
    "kernels",
    "markup_kernels",
    "token_kernels",
    "table_kernels",
    "shape_kernels",
    "word_kernels",
    "context_kernels",
    "second_kernels",
    "outcome_kernels",
)
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
    "shared_words": "i8:1 u1:1 i4:1 i8:1 i8:1 i8:1 f4:2 i8:1 i8:1 i8:1 i4:2 i4:1 f4:2",
    "running": "f4:2 i8:1 f8:2 f4:2",
    "context": "f4:2 i4:2 i8:1 i8:1 i8:1 i8:1 i8:1 f8:2 f8:2 f4:2",
    "shown": "f4:2 f4:2 i8:1 f4:2",
    "draft_rows": "f4:2 f4:2 f4:2 f4:2 i8:1 i8:1 i8:1 int f4:2",
    "full_names": "i8:1 u1:1 i8:1 i8:1 i8:1 i4:2 i4:1 f4:2",
    "habits": "f4:2 i8:1 f4:2 i8:1 i8:1 f8:2",
    "marks": "f4:2 int int i8:1 f4:2 f4:1 f4:2",
    "amounts": "f4:2 f8:2 f8:2 f4:2 i8:1 i8:1 i8:1 f4:2 f4:1",
    "final_rows": (
        "f4:2 f4:2 f4:2 f4:2 i8:1 i8:1 i8:1 i8:1 f4:2 f8:2 f4:2 i8:1 f8:2 f4:2 f4:2 f8:2 f4:2 f4:2 i8:1 f4:2"
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
ENGINES: list[Any] = []
HARMLESS = re.compile(r"llvm\..*|Py\w+|_Py\w+|sqrtf?|memset|memcpy|" + "|".join(UNUSED))


def call(name: str, *arguments: npt.NDArray[Any] | int) -> int:
    """Call a kernel on contiguous arrays of the types in :data:`KERNELS`; returns its count."""
    values: list[int] = []
    for argument, (dtype, axes) in zip(arguments, parameters(name), strict=True):
        if isinstance(argument, int):
            values.append(argument)
            continue
        if argument.dtype != dtype or argument.ndim != axes:
            raise TypeError(f"{name}: {argument.dtype} {argument.shape} given for {dtype} in {axes} dimensions")
        values.append(address(argument))
        values += argument.shape
    return int(loaded()[name](*values))


@cache
def parameters(name: str) -> list[tuple[np.dtype[Any], int]]:
    """Return element type and number of dimensions of each parameter of a kernel; ``int`` has 0."""
    return [(np.dtype(kind[:2] if kind != "int" else "i8"), int(kind[3:] or 0)) for kind in KERNELS[name].split()]


def address(array: npt.NDArray[Any]) -> int:
    """Return where the numbers of a contiguous array lie; several times as fast as asking numpy, where possible."""
    try:
        return ctypes.addressof(ctypes.c_char.from_buffer(array))  # type: ignore[arg-type]  # arrays are buffers
    except (TypeError, ValueError):  # read-only, empty, or not contiguous
        if not array.flags.c_contiguous:
            raise TypeError("an array that is not contiguous given to a kernel") from None
        return int(array.ctypes.data)


@cache
def loaded() -> dict[str, Any]:
    """Return the compiled kernels by name, from the cache file or newly compiled."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    abort = ctypes.cast(ctypes.pythonapi.Py_FatalError, ctypes.c_void_p).value
    for symbol in UNUSED:
        if not llvm.address_of_symbol(symbol):  # those that numba itself has brought are for code that calls them
            llvm.add_symbol(symbol, abort)
    machine = llvm.Target.from_default_triple().create_target_machine(jit=True)
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine)
    for code in object_code().values():
        engine.add_object_file(llvm.object_file.ObjectFileRef.from_data(code))
    engine.finalize_object()
    ENGINES.append(engine)  # keeps the code alive
    return {name: function_at(name, engine.get_function_address(name)) for name in KERNELS}


def function_at(name: str, place: int) -> Any:
    """Return a kernel's machine code as a function."""
    count = sum(1 if kind == "int" else 1 + int(kind[3:]) for kind in KERNELS[name].split())
    return ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_int64] * count)(place)


def object_code() -> dict[str, bytes]:
    """Read the object code of all kernels, or compile and keep it."""
    name = f"kernels-{fingerprint()}.npz"
    for folder in cache_folders():
        try:
            with (folder / name).open("rb") as file, np.load(file, allow_pickle=False) as stored:
                return {kernel: stored[kernel].tobytes() for kernel in KERNELS}
        except Exception:  # none there, or damaged, which zip and numpy say in many ways: compiled again
            continue
    code = compiled()
    for folder in cache_folders():
        beside = folder / f".{name[:-4]}.{os.getpid()}.npz"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            arrays: dict[str, Any] = {kernel: np.frombuffer(data, np.uint8) for kernel, data in code.items()}
            np.savez(beside, **arrays)
            beside.replace(folder / name)
            break
        except OSError:
            continue
    return code


def cache_folders() -> Iterator[Path]:
    """Return where compiled code may lie, best first."""
    yield Path(__file__).parent / "__pycache__"
    try:
        folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    except RuntimeError:  # the user has no home
        return
    yield folder / "line-cleaner"


def fingerprint() -> str:
    """Return a digest of all that the object code depends on."""
    here = Path(__file__).parent
    state = hashlib.sha256()
    for source in ("alphabet", *MODULES, "vectors", "native"):
        state.update((here / f"{source}.py").read_bytes())
    for package in ("llvmlite", "numba"):  # importlib.metadata takes as long to import as to load all kernels
        spec = find_spec(package)
        state.update((Path(str(spec and spec.origin)).parent / "_version.py").read_bytes())
    parts = (llvm.get_process_triple(), llvm.get_host_cpu_name())
    state.update(repr((parts, llvm.get_host_cpu_features().flatten())).encode())
    return state.hexdigest()[:20]


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
    os.environ.setdefault("NUMBA_DISABLE_INTEL_SVML", "1")
    import numba

    with own_settings():
        return compiled_with(numba)


def compiled_with(nb: Any) -> dict[str, bytes]:
    """Compile all kernels with numba, which names no types of its own."""
    modules = [import_module(f"cleaner.{name}") for name in MODULES]
    element = {
        "u1": nb.uint8,
        "u4": nb.uint32,
        "i2": nb.int16,
        "i4": nb.int32,
        "i8": nb.int64,
        "f4": nb.float32,
        "f8": nb.float64,
    }
    code = {}
    for name, spec in KERNELS.items():
        parameters, arguments, signature = [], [], []
        for number, kind in enumerate(spec.split()):
            sizes = [f"n{number}_{axis}" for axis in range(0 if kind == "int" else int(kind[3:]))]
            parameters += [f"p{number}", *sizes]
            signature.append(nb.types.CPointer(element[kind[:2]]) if sizes else nb.int64)
            signature += [nb.int64] * len(sizes)
            arguments.append(f"carray(p{number}, ({', '.join(sizes)},))" if sizes else f"p{number}")
        source = f"def {name}({', '.join(parameters)}):\n    return kernel({', '.join(arguments)})\n"
        scope: dict[str, Any] = {
            "kernel": next(getattr(m, name) for m in modules if hasattr(m, name)),
            "carray": nb.carray,
        }
        exec(source, scope)
        code[name] = named(name, nb.cfunc(nb.int64(*signature), error_model="numpy")(scope[name]))
    return code


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
