"""The public names, and the shape of the source: who imports whom, how long things are."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import cleaner
from cleaner import compiling

FOLDER = Path(cleaner.__file__).parent
MODULES = sorted(path.stem for path in FOLDER.glob("*.py") if path.stem != "__init__")

#: What each module may import from the package; a module that is not here fails the test.
MAY_IMPORT: dict[str, set[str]] = {
    "adaptation": {"alike", "arguments", "corpus", "errors", "features", "model", "network", "prior"}
    | {"model_files", "text_columns"},
    "alike": {"corpus", "errors", "labels"},
    "alphabet": set(),
    "annotate_app": {"annotate_page", "annotate_session", "errors", "wording"},
    "annotate_files": {"annotate_journal", "annotate_page", "annotate_session", "atomic", "cleaning", "corpus"}
    | {"data_files", "data_records", "errors", "features", "plain", "wording"},
    "annotate_journal": {"errors"},
    "annotate_order": {"annotate_page"},
    "annotate_page": {"labels"},
    "annotate_session": {"annotate_order", "annotate_page", "errors"},
    "annotate_suspects": {"annotate_files", "annotate_page", "checking", "cleaning", "data_files", "errors"}
    | {"suspects"},
    "arguments": {"errors"},
    "atomic": {"errors", "opening"},
    "batch": {"arguments", "atomic", "encodings", "errors", "inputs", "job", "journal", "opening", "options"}
    | {"own_files", "pool", "reading", "records", "rules", "shards", "sharing", "sinks", "summary", "targets"},
    "cells": set(),
    "checking": {"data_files", "labels", "parsing", "wording"},
    "checking_documents": {"alike", "checking", "corpus", "data_files", "labels", "wording"},
    "classifier": {"network"},
    "cleaning": {"alphabet", "arguments", "decision", "errors", "features", "grouping", "labels", "lines", "model"}
    | {"native", "threads"},
    "cli": {"cleaning", "cli_clean", "cli_data", "cli_train", "console", "encodings", "errors", "listing"}
    | {"model", "plain"},
    "cli_clean": {"atomic", "batch", "console", "errors", "opening", "options", "reporting", "restoring"}
    | {"settings", "targets", "wording"},
    "cli_data": {"annotate_app", "annotate_files", "annotate_session", "annotate_suspects", "checking"}
    | {"checking_documents", "cleaning", "console", "data_files", "encodings", "errors", "labels", "listing"}
    | {"suspects", "wording"},
    "cli_train": {"adaptation", "alike", "cleaning", "comparison", "console", "corpus", "costs", "curve"}
    | {"errors", "evaluation", "listing", "model", "reports", "training", "trial"},
    "columns": {"cells", "errors"},
    "comparison": {"alike", "cleaning", "corpus", "costs", "evaluation", "labels", "model"},
    "compiling": set(),
    "console": {"data_files", "errors", "wording"},
    "context": {"features", "native", "scratch"},
    "context_kernels": {"alphabet", "kernels"},
    "copies": {"corpus", "labels"},
    "corpus": {"data_files", "errors", "grouping", "parsing"},
    "costs": {"corpus", "labels"},
    "curve": {"adaptation", "cleaning", "corpus", "errors", "evaluation", "model", "rehearsal", "wording"},
    "data_files": {"errors", "inputs", "wording"},
    "data_records": {"data_files", "labels", "lines"},
    "decision": {"features", "labels"},
    "encodings": {"errors"},
    "errors": set(),
    "evaluation": {"alphabet", "cleaning", "corpus", "costs", "errors", "grouping", "labels", "shingles"},
    "features": {"alphabet", "native", "scratch"},
    "grouping": {"lines"},
    "heads": {"classifier", "features", "network", "sampling", "threads"},
    "inputs": {"errors", "opening", "records", "settings"},
    "job": {"cleaning", "model", "options", "outcomes", "quality", "records", "sharing", "summary"},
    "journal": {"atomic", "errors", "options", "shards", "targets"},
    "jsonl": {"cells", "encodings", "errors", "lines", "opening", "records"},
    "kernels": {"vectors"},
    "kinds": {"classifier", "copies", "heads", "labels", "sampling"},
    "labels": set(),
    "lines": set(),
    "listing": {"cleaning", "errors", "lines", "reports", "wording"},
    "markup_kernels": {"kernels"},
    "model": {"context", "decision", "errors", "features", "labels", "model_files", "model_writing", "native"}
    | {"network", "scratch", "second_pass", "threads"},
    "model_files": {"alphabet", "context", "decision", "errors", "features", "labels", "network", "second_pass"}
    | {"text_columns"},
    "model_writing": {"errors"},
    "native": {"compiling", "threads"},
    "network": {"native", "scratch"},
    "opening": {"errors"},
    "options": {"decision", "errors", "labels", "opening", "records", "settings"},
    "outcome_kernels": {"alphabet", "kernels", "word_kernels"},
    "outcomes": {"alphabet", "cleaning", "grouping", "labels", "lines", "native", "rules", "scratch"},
    "outputs": {"encodings", "job", "options", "records", "summary", "targets"},
    "own_files": {"model_files", "model_writing", "opening", "options", "settings"},
    "parquet": {"cells", "columns", "errors", "jsonl", "opening", "records"},
    "parsing": {"data_files", "data_records", "encodings", "labels", "lines"},
    "plain": {"encodings", "errors", "inputs", "lines", "opening", "records"},
    "pool": {"errors", "job", "opening", "records", "summary", "work"},
    "prior": {"arguments"},
    "quality": {"cleaning", "outcomes"},
    "reading": {"jsonl", "opening", "options", "parquet", "plain", "records", "wet"},
    "records": {"encodings", "errors"},
    "rehearsal": {"corpus", "errors"},
    "related_kernels": {"kernels", "word_kernels"},
    "reporting": {"summary", "wording"},
    "reports": {"wording"},
    "restoring": {"arguments", "encodings", "errors", "inputs", "jsonl", "lines", "opening"},
    "rules": {"errors", "lines"},
    "sampling": {"alike", "copies", "corpus", "errors", "features", "labels", "text_columns", "wording"},
    "scratch": set(),
    "place_kernels": {"alphabet", "context_kernels", "kernels", "related_kernels"},
    "second_kernels": {"context_kernels", "kernels"},
    "second_pass": {"context", "features", "native", "network", "scratch"},
    "settings": {"errors"},
    "shape_kernels": {"alphabet", "kernels"},
    "shards": {"summary"},
    "sharing": {"model"},
    "shingles": {"corpus", "features", "labels"},
    "shortcuts": {"cleaning"},
    "sinks": {"atomic", "job", "journal", "opening", "options", "outputs", "parquet", "records", "shards", "summary"}
    | {"targets"},
    "summary": {"outcomes", "quality", "records"},
    "suspects": {"corpus", "errors", "model", "network", "sampling", "training"},
    "table_kernels": {"alphabet", "kernels", "vectors"},
    "targets": {"atomic", "errors", "inputs", "opening", "options", "records"},
    "text_columns": {"labels"},
    "threads": set(),
    "token_kernels": {"alphabet", "kernels", "markup_kernels"},
    "training": {"alike", "arguments", "cleaning", "context", "copies", "corpus", "evaluation", "features", "heads"}
    | {"kinds", "labels", "model", "model_files", "model_writing", "network", "sampling", "text_columns"}
    | {"training_options", "weighting", "wording"},
    "training_options": {"arguments", "classifier", "errors"},
    "trial": {"adaptation", "alike", "arguments", "cleaning", "corpus", "costs", "errors", "evaluation", "model"}
    | {"labels", "model_writing", "rehearsal", "wording"},
    "vectors": set(),
    "weighting": {"copies", "decision", "labels", "sampling"},
    "wet": {"errors", "opening", "records"},
    "word_kernels": {"alphabet", "kernels"},
    "wording": set(),
    "work": {"encodings", "job", "jsonl", "lines", "options", "outcomes", "parquet", "plain", "quality"}
    | {"records", "rules", "summary", "wet", "writing"},
    "writing": {"atomic", "cells", "job", "jsonl", "lines", "opening", "outcomes", "parquet", "records", "wet"},
}
HEAVY = ("sklearn", "scipy", "joblib")
LIGHT = ("cleaning", "model", "features", "context", "kernels", "shortcuts", "lines", "labels", "errors", "corpus")
TALKS = {"cli", "cli_clean", "cli_data", "cli_train", "console", "listing", "reporting", "reports"}

#: Loops over bytes that are written for the compiler; all else stays under 40 lines.
KERNELS = {*compiling.MODULES, "vectors"}
LONG_KERNELS = {
    "add_rows",
    "final_rows",
    "gram_scores",
    "line_features",
    "read_line",
    "shared_words",
    "tokenise",
    "totals",
}


@cache
def tree(module: str) -> ast.Module:
    return ast.parse((FOLDER / f"{module}.py").read_text("utf-8"))


def imported(module: str) -> set[str]:
    """Return the full names that a module imports, inside functions too, for type checkers alone not."""
    out: set[str] = set()
    waiting: list[ast.AST] = [tree(module)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.Import):
            out |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: relative import"
            out |= {f"{node.module}.{alias.name}" for alias in node.names}
        waiting += ast.iter_child_nodes(node)
    return out


@cache
def inside(module: str) -> set[str]:
    """Return the modules of the package that a module imports."""
    return {name.split(".")[1] for name in imported(module) if name.startswith("cleaner.")}


def reach(module: str) -> set[str]:
    """Return the modules that a module imports, directly or not."""
    found, waiting = set[str](), [module]
    while waiting:
        new = inside(waiting.pop()) - found
        found |= new
        waiting += new
    return found


def functions(module: str) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def long(module: str) -> set[str]:
    """Return the names of the functions over 40 lines."""
    return {one.name for one in functions(module) if (one.end_lineno or 0) - one.lineno + 1 > 40}


def test_public_names() -> None:
    assert sorted(cleaner.__all__) == sorted(cleaner.HOMES)
    assert cleaner.__all__ == sorted(cleaner.__all__)


@pytest.mark.parametrize("name", cleaner.HOMES)
def test_public_name(name: str) -> None:
    found = getattr(cleaner, name)
    assert found.__module__ == f"cleaner.{cleaner.HOMES[name]}"
    assert found.__doc__


def test_unknown_name() -> None:
    with pytest.raises(AttributeError, match="no attribute 'sweep'"):
        _ = cleaner.sweep  # type: ignore[attr-defined]


def test_names_for_completion() -> None:
    assert dir(cleaner) == cleaner.__all__


def loaded_by(statement: str) -> list[str]:
    code = f"{statement}\nimport sys\nprint(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return run.stdout.split()


@pytest.mark.parametrize("statement", ["import cleaner", "import cleaner.cleaning", "from cleaner import clean"])
def test_inference_does_not_import_training(statement: str) -> None:
    assert not [name for name in loaded_by(statement) if name.startswith(HEAVY)]


def test_import_is_free() -> None:
    assert "numpy" not in loaded_by("import cleaner")


def test_cleaning_does_not_import_training() -> None:
    assert "sklearn" not in loaded_by("import cleaner\ncleaner.clean('x')")


def test_table_is_complete() -> None:
    assert sorted(MAY_IMPORT) == MODULES


@pytest.mark.parametrize("module", MODULES)
def test_imports(module: str) -> None:
    assert inside(module) == MAY_IMPORT[module]


@pytest.mark.parametrize("module", MODULES)
def test_one_direction(module: str) -> None:
    assert module not in reach(module), "a cycle"
    assert "cli" not in inside(module)


@pytest.mark.parametrize("module", LIGHT)
def test_light_modules_stay_light(module: str) -> None:
    for one in {module} | reach(module):
        assert not [name for name in imported(one) if name.startswith(HEAVY)], one
    assert not reach(module) & {"training", "heads", "weighting", "classifier", "sampling", "listing"}


@pytest.mark.parametrize("module", MODULES)
def test_only_the_command_line_prints_and_exits(module: str) -> None:
    calls = {ast.unparse(node.func) for node in ast.walk(tree(module)) if isinstance(node, ast.Call)}
    talks = calls & {"sys.exit", "exit", "quit", "os._exit", "logging.basicConfig"}
    talks |= {
        name for name in calls if f".{name}".endswith(".print") or name.startswith(("sys.stdout.", "sys.stderr."))
    }
    assert module in TALKS or not talks


@pytest.mark.parametrize("module", ["__init__", *MODULES])
def test_modules_are_short(module: str) -> None:
    assert len((FOLDER / f"{module}.py").read_text("utf-8").splitlines()) <= 300


@pytest.mark.parametrize("module", MODULES)
def test_functions_are_short(module: str) -> None:
    assert long(module) <= (LONG_KERNELS if module in KERNELS else set())


def test_all_long_kernels_are_long() -> None:
    assert {name for module in KERNELS for name in long(module)} == LONG_KERNELS


@pytest.mark.parametrize("module", sorted(set(MODULES) - KERNELS))
def test_functions_take_few_parameters(module: str) -> None:
    verbs = {one.name for one in functions(module) if any("app.command" in ast.unparse(d) for d in one.decorator_list)}
    wide = set()
    for one in functions(module):
        names = [arg.arg for arg in (*one.args.posonlyargs, *one.args.args, *one.args.kwonlyargs)]
        if len([name for name in names if name not in ("self", "cls")]) > 5:
            wide.add(one.name)
    assert wide <= verbs


def test_readme_names_every_public_name() -> None:
    readme = (FOLDER.parent / "README.md").read_text("utf-8")
    assert [name for name in cleaner.__all__ if f"cleaner.{name}" not in readme and f"`{name}`" not in readme] == []


def test_other_verbs_do_not_load_what_annotating_needs() -> None:
    loaded = {name.partition(".")[0] for name in loaded_by("import cleaner.cli")}
    assert not loaded & {"textual", "cleanlab", "pandas", "sklearn", "numpy"}
    assert not {name for name in loaded_by("import cleaner.cli") if name.startswith("cleaner.annotate")}
