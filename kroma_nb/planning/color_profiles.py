"""Colour profiles by name: the built-in ones, or those of a file."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from kroma_nb.errors import ColorProfilesInvalid
from kroma_nb.model.parsing import did_you_mean, dotted, parse_value
from kroma_nb.model.postprocess import ColorProfile
from kroma_nb.model.value import Value
from kroma_nb.planning.documents import read_built_in, read_document, refuse_unusable
from kroma_nb.planning.fields import Text

if TYPE_CHECKING:
    from pathlib import Path

BUILT_IN_PROFILES = "color_profiles.toml"
# Leaves room in a file name of 255 bytes for the job and the candidate.
_NAME_LENGTH = 80


class ProfilesFile(Value):
    """A file of colour profiles.

    Attributes
    ----------
    profiles : dict
        Names to the values of a `ColorProfile`; what a profile leaves out stays neutral.
    default_profile : str or None
        Applied where neither a request, nor the settings, nor the postprocess file names one.
    """

    schema_: Literal["kroma_nb.color_profiles/1"] = Field(default="kroma_nb.color_profiles/1", alias="schema")
    profiles: dict[str, Any]
    default_profile: Text | None = None


@dataclass(frozen=True, slots=True)
class ColorProfiles:
    """Named profiles with the place that they came from."""

    source: str
    by_name: dict[str, ColorProfile]
    default_profile: str | None = None

    def find(self, name: str, *, asked_by: str) -> ColorProfile:
        """Give a profile's nine values.

        Parameters
        ----------
        name : str
        asked_by : str
            Where the name was written, for the error.

        Raises
        ------
        ColorProfilesInvalid
            If there is no such profile.
        """
        if name not in self.by_name:
            problem = f"there is no profile {name!r}, which {asked_by} asks for"
            raise ColorProfilesInvalid(self.source, "profiles", problem, did_you_mean(name, self.by_name))
        return self.by_name[name]


def built_in_profiles() -> ColorProfiles:
    """Give the profiles that the package brings."""
    return _profiles(tomllib.loads(read_built_in(BUILT_IN_PROFILES)), BUILT_IN_PROFILES)


def load_profiles(path: Path) -> ColorProfiles:
    """Read a file of colour profiles.

    Parameters
    ----------
    path : Path
        A JSON file with an object `profiles`, and maybe `default_profile`.

    Raises
    ------
    FileMissing
        If the file is not there or cannot be opened.
    ColorProfilesInvalid
        With the dotted path of the first wrong field.
    """
    return open_profiles(path, file=str(path), role="colour profiles")


def open_profiles(path: Path, *, file: str, role: str) -> ColorProfiles:
    """Read a file of colour profiles for whoever refers to it."""
    return _profiles(read_document(path, file=file, role=role, error=ColorProfilesInvalid), file)


def _profiles(data: Any, file: str) -> ColorProfiles:
    refuse_unusable(data, file=file, error=ColorProfilesInvalid)
    content = parse_value(ProfilesFile, data, file=file, error=ColorProfilesInvalid)
    by_name = {
        name: parse_value(ColorProfile, values, file=file, error=ColorProfilesInvalid, under=dotted(("profiles", name)))
        for name, values in content.profiles.items()
    }
    for name in by_name:
        if not name.strip() or len(name) > _NAME_LENGTH:
            problem = f"a profile's name has {len(name)} characters"
            raise ColorProfilesInvalid(file, "profiles", problem, f"use 1 to {_NAME_LENGTH}: files are named after it")
    if not by_name:
        raise ColorProfilesInvalid(file, "profiles", "there is no profile", "add one")
    default = content.default_profile
    if default is not None and default not in by_name:
        hint = did_you_mean(default, by_name)
        raise ColorProfilesInvalid(file, "default_profile", f"there is no profile {default!r}", hint)
    return ColorProfiles(file, by_name, default)
