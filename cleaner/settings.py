"""Defaults of ``cleaner clean`` for a project: ``cleaner.toml``, or ``[tool.cleaner]`` in ``pyproject.toml``."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cleaner.errors import UsageError

#: The files that may hold them.
SETTINGS = ("cleaner.toml", "pyproject.toml")
#: The options that take several texts, or one.
LISTS = ("keep", "always_drop", "always_keep")
#: Those that take a path; ``model`` where it is no plain name, or that of a folder beside the file.
PATHS = ("rules", "errors", "removed", "rejected", "summary", "model")
#: How our table is called in a file of others.
OURS = re.compile(rb"tool[ \t]*\.[ \t]*[\"']?cleaner(?![\w-])")
#: What values an option of a type takes, and what that is called.
KINDS: dict[type, tuple[tuple[type, ...], str]] = {
    bool: ((bool,), "true or false"),
    int: ((int,), "a whole number"),
    float: ((int, float), "a number"),
    str: ((str,), "text"),
}


def find_settings(folder: Path, known: Mapping[str, Any]) -> tuple[Path | None, dict[str, Any]]:
    """Return the file with the settings of a folder, or of the nearest one above that has some, and the settings.

    Their names have underscores; ``known`` are the types of the options. Without settings there is no file.

    Raises:
        UsageError: a file is no TOML, names an option that there is not, or gives it a value of another kind.
    """
    for one in (folder, *folder.parents):
        for name in SETTINGS:
            path = one / name
            if not path.is_file():
                continue
            found = table(path)
            if found is not None:
                return path, checked(path, found, known)
    return None, {}


def table(path: Path) -> dict[str, Any] | None:
    """Return the table of a file that is ours; None if there is none."""
    import tomllib

    try:
        content = tomllib.loads(path.read_text("utf-8-sig"))
    except (OSError, ValueError) as error:
        if path.name == "pyproject.toml" and not mentioned(path):
            return None  # not ours to complain about
        raise UsageError(f"{path}: cannot be read ({error}). Correct the file.") from None
    if path.name == "cleaner.toml":
        return content
    tools = content.get("tool")
    found = tools.get("cleaner") if isinstance(tools, dict) else None
    if found is not None and not isinstance(found, dict):
        raise UsageError(f"{path}: tool.cleaner is no table. Write [tool.cleaner], and the settings below it.")
    return found


def mentioned(path: Path) -> bool:
    """Tell whether a file that is no TOML has settings of ours."""
    try:
        return OURS.search(path.read_bytes()) is not None
    except OSError:
        return False


def located(folder: Path, name: str, value: str) -> str:
    """Return a path that a file in a folder names: wherever the command is run, it is the same."""
    named = name == "model" and value == Path(value).name and value != ".."
    named = named and (value == "default" or not (folder / value).is_dir())
    return value if named or value in ("", "-") or "://" in value else str(folder / value)


def checked(path: Path, found: dict[str, Any], known: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings by the names of parameters."""
    out: dict[str, Any] = {}
    for key, value in found.items():
        name = key.replace("-", "_")
        if name not in known:
            options = ", ".join(sorted(one.replace("_", "-") for one in known))
            raise UsageError(f"{path}: {key!r} cannot be set here. Use one of {options}.")
        many = isinstance(value, list) and all(isinstance(one, str) for one in value)
        kinds, wanted = ((str,), "a list of texts") if name in LISTS else KINDS[known[name]]
        if not (type(value) in kinds or (many and name in LISTS)):
            raise UsageError(f"{path}: {key} is {value!r}. Give {wanted}.")
        if name in PATHS:
            out[name] = located(path.parent, name, value)
            continue
        out[name] = ",".join(value) if name == "keep" and many else [value] if name in LISTS[1:] and not many else value
    return out
