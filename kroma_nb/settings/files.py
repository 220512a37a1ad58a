"""From a settings file's bytes to the values that it sets."""

from __future__ import annotations

import math
import stat
import tomllib
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from kroma_nb.errors import FileMissing, SettingsInvalid
from kroma_nb.model.parsing import describe, did_you_mean, dotted, parse_json, parse_value
from kroma_nb.model.postprocess import CutoutBackend, UpscaleBackend
from kroma_nb.model.value import Value

if TYPE_CHECKING:
    from pathlib import Path

    from kroma_nb.errors import FieldInvalid
    from kroma_nb.settings.keys import SettingValue

SIZE_LIMIT_BYTES = 1 << 20
"""A settings file holds ten values; a larger one is some other file."""

SETTINGS_SCHEMA: Final = "kroma_nb.settings/1"
_DEPTH_LIMIT = 16


def _word(value: Any) -> Any:
    return value.strip().lower() if isinstance(value, str) else value


def _not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("the string is blank; write a value or leave the key out")
    return text.strip()


Text = Annotated[str, AfterValidator(_not_blank)]


class PostprocessSection(Value):
    """The section `postprocess`; only fields that the file names count."""

    upscale: bool = False
    color: bool = False
    bg_remove: bool = False
    upscale_backend: Annotated[UpscaleBackend, BeforeValidator(_word)] = UpscaleBackend.LANCZOS
    color_profile: Text = ""
    bg_remove_backends: tuple[Annotated[CutoutBackend, BeforeValidator(_word)], ...] = ()
    bg_refine_openai: bool = False
    bg_refine_openai_required: bool = False


class SettingsSection(Value):
    """What a settings file may hold; only fields that the file names count."""

    schema_: Literal["kroma_nb.settings/1"] = Field(default=SETTINGS_SCHEMA, alias="schema")
    manifest_path: Text = ""
    postprocess_config_path: Text = ""
    cache_mb: Annotated[int, Field(ge=0, le=1_000_000)] = 4000
    postprocess: PostprocessSection = PostprocessSection()


def read_file(path: Path, *, needed_by: str | None) -> dict[str, SettingValue] | None:
    """Read the values that a settings file sets.

    Parameters
    ----------
    path : Path
        A name that ends in ``.toml`` is read as TOML, every other as JSON; both as UTF-8.
    needed_by : str or None
        Who asks for the file; None for a file that may be absent.

    Returns
    -------
    dict or None
        Dotted keys to values, paths as they are written; None for a file that may be absent and is.

    Raises
    ------
    FileMissing
        If the file is needed and absent.
    SettingsInvalid
        If it cannot be read or something in it is wrong.
    """
    raw = _bytes_of(path, needed_by=needed_by)
    if raw is None:
        return None
    file = str(path)
    data = (
        _parse_toml(raw, file) if path.suffix.lower() == ".toml" else parse_json(raw, file=file, error=SettingsInvalid)
    )
    return section_values(_section(data, file), file=file, error=SettingsInvalid)


def section_values(data: dict[str, Any], *, file: str, error: type[FieldInvalid]) -> dict[str, SettingValue]:
    """Validate a settings object and give the values that it names, by dotted key.

    Raises
    ------
    FieldInvalid
        Of the given kind, with the dotted path of the first wrong field.
    """
    _check_plain(data, (), file=file, error=error)
    section = parse_value(SettingsSection, data, file=file, error=error)
    found: dict[str, SettingValue] = {}
    for name in ("manifest_path", "postprocess_config_path", "cache_mb"):
        if name in section.model_fields_set:
            found[name] = getattr(section, name)
    for name in PostprocessSection.model_fields:
        if name in section.postprocess.model_fields_set:
            found[f"postprocess.{name}"] = getattr(section.postprocess, name)
    return found


def _bytes_of(path: Path, *, needed_by: str | None) -> bytes | None:
    file = str(path)
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise SettingsInvalid(file, "", "this is no regular file", "name a TOML or JSON file")
        with path.open("rb") as stream:
            raw = stream.read(SIZE_LIMIT_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError):
        # A link that leads nowhere was put there on purpose; passing over it would hide a lost file.
        if path.is_symlink():
            raise SettingsInvalid(file, "", "the link leads nowhere", "restore its target or remove the link") from None
        if needed_by is not None:
            raise FileMissing(path, needed_by) from None
        return None
    except (OSError, ValueError) as cause:
        reason = getattr(cause, "strerror", None) or str(cause)
        raise SettingsInvalid(file, "", f"cannot be read: {reason}", "name a file that you may read") from None
    if len(raw) > SIZE_LIMIT_BYTES:
        raise SettingsInvalid(
            file, "", f"is larger than {SIZE_LIMIT_BYTES:,} bytes", "name a settings file; none needs that much"
        )
    return raw


def _parse_toml(raw: bytes, file: str) -> dict[str, Any]:
    text = ""
    try:
        text = raw.decode("utf-8-sig")
        return tomllib.loads(text)
    except UnicodeDecodeError as cause:
        raise SettingsInvalid(file, "", f"byte {cause.start} is not UTF-8", "save the file as UTF-8") from None
    except tomllib.TOMLDecodeError as cause:
        lines = text.split("\n")
        end = f"at line {len(lines)}, column {len(lines[-1]) + 1}"
        problem = str(cause).replace("at end of document", end)
        raise SettingsInvalid(file, "", f"not TOML: {problem}", "correct the syntax there") from None
    except (RecursionError, ValueError) as cause:
        raise SettingsInvalid(
            file, "", f"not usable TOML: {cause}", "nest less deeply and write shorter numbers"
        ) from None


def _section(data: Any, file: str) -> dict[str, Any]:
    """Give the object `pipeline`, or the root where there is none; nothing may hide beside it."""
    if not isinstance(data, dict):
        raise SettingsInvalid(file, "", f"expected an object, found {describe(data)}", "write it in braces: { … }")
    known = {field.alias or name for name, field in SettingsSection.model_fields.items()}
    for key in data:
        if key not in known | {"pipeline"}:
            raise SettingsInvalid(file, printable(key), "the key is not known", did_you_mean(key, known | {"pipeline"}))
        if "pipeline" in data and key not in {"pipeline", "schema"}:
            raise SettingsInvalid(file, key, "stands beside pipeline, where nothing is read", "move it into pipeline")
    section = data.get("pipeline", data)
    if not isinstance(section, dict):
        raise SettingsInvalid(
            file, "pipeline", f"expected an object, found {describe(section)}", "write it in braces: { … }"
        )
    return {"schema": data["schema"], **section} if "schema" in data else section


def _check_plain(node: Any, path: tuple[str | int, ...], *, file: str, error: type[FieldInvalid]) -> None:
    """Refuse what TOML, Python or an escape sequence can say and no setting can hold."""
    problem = _not_plain(node, len(path))
    if problem:
        raise error(file, printable(dotted(path)), problem, "write one of the documented values")
    children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list | tuple) else ()
    for key, child in children:
        _check_plain(child, (*path, key), file=file, error=error)


def _not_plain(node: Any, depth: int) -> str | None:
    problem = None
    if depth > _DEPTH_LIMIT:
        problem = "this is nested too deeply"
    elif isinstance(node, dict):
        strange = next((key for key in node if not isinstance(key, str) or not _is_text(key)), None)
        problem = None if strange is None else f"the key {printable(str(strange))} is no text"
    elif isinstance(node, str):
        problem = None if _is_text(node) else "the string holds a character that is none"
    elif isinstance(node, float) and not math.isfinite(node):
        problem = f"{node} is no finite number"
    elif not (node is None or isinstance(node, bool | int | float | list | tuple)):
        problem = f"{printable(str(node))} ({type(node).__name__}) is no value of a setting"
    return problem


def _is_text(text: str) -> bool:
    """Tell text from what no file or path can hold: halves of surrogate pairs and NUL."""
    return "\0" not in text and printable(text) == text


def printable(text: str) -> str:
    """Write halves of surrogate pairs as escapes, so that any terminal can show the text."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
