"""The workspace's own file about the backends of the finishing passes: ``config/backends.toml``."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Final

from kroma_nb.errors import SettingsInvalid
from kroma_nb.model.backends import BackendOptions
from kroma_nb.model.parsing import parse_value
from kroma_nb.planning.documents import read_text_bytes, refuse_unusable

if TYPE_CHECKING:
    from pathlib import Path

    from kroma_nb.model.value import Value

FILE: Final = "backends.toml"


def backend_options_of(home: Path) -> BackendOptions:
    """Read what a workspace says about its backends; its defaults where it says nothing.

    No project can say it: a file that came with one must not start programs.

    Parameters
    ----------
    home : Path
        The workspace. Paths in the file start there.

    Raises
    ------
    FileMissing
        If the file is there and cannot be opened.
    SettingsInvalid
        With the dotted path of the first wrong field.
    """
    path = home / "config" / FILE
    if not (path.exists() or path.is_symlink()):
        return BackendOptions()
    file = str(path)
    raw = read_text_bytes(path, file=file, role="backends", error=SettingsInvalid)
    try:
        data = tomllib.loads(raw.decode("utf-8-sig"))
    except UnicodeDecodeError as cause:
        raise SettingsInvalid(file, "", f"byte {cause.start} is not UTF-8", "save the file as UTF-8") from None
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as cause:
        raise SettingsInvalid(file, "", f"not usable TOML: {cause}", "correct the syntax there") from None
    refuse_unusable(data, file=file, error=SettingsInvalid)
    options = parse_value(BackendOptions, data, file=file, error=SettingsInvalid)
    return options.model_copy(update={name: _from_home(options, name, home) for name in BackendOptions.model_fields})


def _from_home(options: BackendOptions, name: str, home: Path) -> Value:
    section: Value = getattr(options, name)
    paths: dict[str, Path] = {}
    for field in type(section).model_fields:
        value = getattr(section, field)
        if hasattr(value, "expanduser"):
            try:
                paths[field] = home / value.expanduser()
            except RuntimeError:
                problem = f"{value} begins with the home of somebody whom this machine does not know"
                at = str(home / "config" / FILE)
                raise SettingsInvalid(at, f"{name}.{field}", problem, "write the path in full") from None
    return section.model_copy(update=paths)
