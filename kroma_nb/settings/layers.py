"""The stack of layers: load it, put a request on top, ask what holds and why."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple, overload

from kroma_nb.errors import PostprocessInvalid, RequestInvalid
from kroma_nb.model.parsing import did_you_mean
from kroma_nb.model.plan import PlanRequest, PostprocessRequest
from kroma_nb.settings.files import printable, read_file, section_values
from kroma_nb.settings.keys import BY_KEY, KEYS, PATH_KEYS, Layer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kroma_nb.errors import FieldInvalid
    from kroma_nb.model.postprocess import CutoutBackend, UpscaleBackend
    from kroma_nb.settings.keys import SettingValue

_STRENGTH = tuple(Layer)


class Shadowed(NamedTuple):
    """A value that a stronger layer hides."""

    layer: Layer
    file: Path | None
    value: SettingValue

    def __str__(self) -> str:
        return f"{_shown(self.value)} from {_from(self.layer, self.file)}"


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a setting holds and which layer said so.

    Attributes
    ----------
    key : str
    value : SettingValue
        None where nobody sets the key and it has no default.
    layer : Layer
        The strongest layer that sets the key.
    file : Path or None
        The file of that layer; None for a request and for built-in defaults.
    shadowed : tuple of Shadowed
        The weaker layers that set the key too, strongest first, the built-in default last.
    """

    key: str
    value: SettingValue
    layer: Layer
    file: Path | None
    shadowed: tuple[Shadowed, ...] = ()

    @property
    def origin(self) -> str:
        """Name the place to correct the value at, such as ``/comics/settings.toml: manifest_path``."""
        return f"{self.file or self.layer.value}: {self.key}"

    def __str__(self) -> str:
        if self.value is None:
            return f"{self.key} is set nowhere"
        first = f"{self.key} = {_shown(self.value)} from {_from(self.layer, self.file)}"
        return "\n".join([first, *(f"  instead of {shadow}" for shadow in self.shadowed)])


@dataclass(frozen=True, slots=True)
class LoadedFile:
    """A file that took part, and how many recognised values it set."""

    layer: Layer
    path: Path
    values: int


@dataclass(frozen=True, slots=True)
class LayerValues:
    """What one layer sets: pairs of key and value, in the order of the documented table."""

    layer: Layer
    file: Path | None
    values: tuple[tuple[str, SettingValue], ...]


@dataclass(frozen=True, slots=True)
class Settings:
    """Every layer that takes part, strongest first; frozen, so that it can be kept and compared.

    Make it with `load_settings`, or with `Settings.built_in` where no file shall count.

    Examples
    --------
    >>> settings = Settings.built_in().with_request({"upscale": True})
    >>> settings.get("postprocess.upscale")
    True
    >>> print(settings.explain("postprocess.upscale"))
    postprocess.upscale = true from the request
      instead of false from the built-in default
    """

    layers: tuple[LayerValues, ...] = ()

    @classmethod
    def built_in(cls) -> Settings:
        """Give the pure defaults, without any file."""
        return cls()

    @property
    def files(self) -> tuple[LoadedFile, ...]:
        """The files that were loaded, strongest layer first."""
        return tuple(
            LoadedFile(entry.layer, entry.file, len(entry.values)) for entry in self.layers if entry.file is not None
        )

    def with_request(
        self, request: PlanRequest | PostprocessRequest | Mapping[str, object], *, root: Path | None = None
    ) -> Settings:
        """Put a request on top; one that was there before is replaced.

        Parameters
        ----------
        request : PlanRequest, PostprocessRequest or mapping
            A mapping names setting keys (``postprocess.upscale``, or ``upscale`` for short). None leaves a key to the
            layers below; so does an empty path. False and an empty list are values.
        root : Path, optional
            Where relative paths of the request start; a `PlanRequest` brings its own.

        Raises
        ------
        RequestInvalid
            If a key is not known, a value has the wrong type, or a relative path has no root to start from.
        """
        asked = _asked(request)
        if isinstance(request, PlanRequest):
            root = root or request.root
        for key in PATH_KEYS & asked.keys():
            if _is_empty(asked[key]):
                del asked[key]
            elif root is None and isinstance(asked[key], str) and not Path(str(asked[key])).is_absolute():
                raise RequestInvalid(
                    "request", key, "the path is relative and the request has no root", "write an absolute path"
                )
        values = _validated(asked, file="request", error=RequestInvalid)
        return self._with(_layer(Layer.REQUEST, None, values, base=root or Path()))

    def with_postprocess_file(self, path: Path, values: Mapping[str, object]) -> Settings:
        """Add what a postprocess file sets, below the settings files; an earlier one is replaced.

        Parameters
        ----------
        path : Path
            The file, for explanations.
        values : mapping
            Setting keys to values, such as ``{"postprocess.upscale_backend": "ncnn"}``.

        Raises
        ------
        PostprocessInvalid
            If a key is not known or not one that a postprocess file may set, or a value has the wrong type.
        """
        for key in values:
            entry = BY_KEY.get(key)
            if entry is not None and Layer.POSTPROCESS_FILE not in entry.layers:
                raise PostprocessInvalid(
                    str(path), key, "a postprocess file cannot set this", "set it in the settings or the request"
                )
        set_here = {key: value for key, value in values.items() if value is not None}
        found = _validated(set_here, file=str(path), error=PostprocessInvalid)
        return self._with(_layer(Layer.POSTPROCESS_FILE, path, found, base=path.parent))

    @overload
    def get(self, key: Literal["manifest_path", "postprocess_config_path"]) -> Path | None: ...

    @overload
    def get(
        self,
        key: Literal[
            "postprocess.upscale",
            "postprocess.color",
            "postprocess.bg_remove",
            "postprocess.bg_refine_openai",
            "postprocess.bg_refine_openai_required",
        ],
    ) -> bool: ...

    @overload
    def get(self, key: Literal["cache_mb"]) -> int: ...

    @overload
    def get(self, key: Literal["postprocess.upscale_backend"]) -> UpscaleBackend: ...

    @overload
    def get(self, key: Literal["postprocess.color_profile"]) -> str: ...

    @overload
    def get(self, key: Literal["postprocess.bg_remove_backends"]) -> tuple[CutoutBackend, ...]: ...

    @overload
    def get(self, key: str) -> SettingValue: ...

    def get(self, key: str) -> SettingValue:
        """Give what a setting holds.

        Parameters
        ----------
        key : str
            One of `KEYS`.

        Returns
        -------
        SettingValue
            None where nobody sets the key and it has no default.

        Raises
        ------
        RequestInvalid
            If the key is not known.
        """
        return self.explain(key).value

    def explain(self, key: str) -> Explanation:
        """Say what a setting holds, which layer won and what it hides.

        Raises
        ------
        RequestInvalid
            If the key is not known.
        """
        if key not in BY_KEY:
            raise RequestInvalid("request", printable(key), "the key is not known", did_you_mean(key, BY_KEY))
        said = [
            Shadowed(entry.layer, entry.file, value)
            for entry in self.layers
            for name, value in entry.values
            if name == key
        ]
        default = BY_KEY[key].default
        if default is not None or not said:
            said.append(Shadowed(Layer.BUILT_IN, None, default))
        winner, *hidden = said
        return Explanation(key, winner.value, winner.layer, winner.file, tuple(hidden))

    def _with(self, layer: LayerValues) -> Settings:
        others = [entry for entry in self.layers if entry.layer is not layer.layer]
        return replace(self, layers=tuple(sorted([*others, layer], key=lambda entry: _STRENGTH.index(entry.layer))))


def load_settings(
    home: Path,
    project_root: Path | None = None,
    *,
    app_path: Path | str | None = None,
    project_path: Path | str | None = None,
) -> Settings:
    """Load the settings files of a workspace and of one of its projects.

    Parameters
    ----------
    home : Path
        The workspace. Paths that are written in any settings file start here.
    project_root : Path, optional
        The project's folder, relative to ``home`` or absolute; without it no project settings take part.
    app_path : Path or str, optional
        In place of ``config/pipeline.settings.toml`` (else ``.json``); relative to ``home``. An empty path counts as
        not given.
    project_path : Path or str, optional
        In place of ``.kroma/pipeline.settings.json``; relative to ``project_root``, or to ``home`` without one.

    Raises
    ------
    FileMissing
        If a file that was named is absent; a default file may be.
    SettingsInvalid
        If a file cannot be read, or something in it is wrong.
    """
    home = home.absolute()
    base = home / (project_root or "")
    app = [home / "config" / "pipeline.settings.toml", home / "config" / "pipeline.settings.json"]
    project = [] if project_root is None else [base / ".kroma" / "pipeline.settings.json"]
    found = (
        _read_first(Layer.PROJECT, _named(project_path, base), project, home),
        _read_first(Layer.APP, _named(app_path, home), app, home),
    )
    return Settings(tuple(layer for layer in found if layer is not None))


def _read_first(layer: Layer, named: Path | None, defaults: Sequence[Path], home: Path) -> LayerValues | None:
    """Read the file that was named, else the first default that is there."""
    role = None if named is None else f"the file named for {layer.words}"
    for path in defaults if named is None else [named]:
        values = read_file(path, needed_by=role)
        if values is not None:
            return _layer(layer, path, values, base=home)
    return None


def _named(path: Path | str | None, base: Path) -> Path | None:
    return None if path is None or _is_empty(path) else base / path


def _is_empty(path: object) -> bool:
    # A form's empty field; a `Path` was meant by whoever made it.
    return isinstance(path, str) and not path.strip()


def _asked(request: PlanRequest | PostprocessRequest | Mapping[str, object]) -> dict[str, object]:
    """Give what a request names under full keys, in JSON types; None is left out."""
    if isinstance(request, PlanRequest):
        named = {**_asked(request.postprocess), "manifest_path": request.manifest_path}
    elif isinstance(request, PostprocessRequest):
        named = {name: getattr(request, name) for name in type(request).model_fields}
    else:
        named = dict(request)
    return {_full(key): _plain(value) for key, value in named.items() if value is not None}


def _full(key: str) -> str:
    if key == "config_path":
        return "postprocess_config_path"
    short = f"postprocess.{key}"
    return short if short in BY_KEY else key


def _plain(value: object) -> object:
    return str(value) if isinstance(value, Path) else value


def _validated(values: Mapping[str, object], *, file: str, error: type[FieldInvalid]) -> dict[str, SettingValue]:
    nested: dict[str, object] = {}
    section: dict[str, object] = {}
    for key, value in values.items():
        if key not in BY_KEY:
            raise error(file, printable(str(key)), "the key is not known", did_you_mean(str(key), BY_KEY))
        head, _, leaf = key.partition(".")
        if leaf:
            section[leaf] = _plain(value)
        else:
            nested[head] = _plain(value)
    return section_values({**nested, "postprocess": section}, file=file, error=error)


def _layer(layer: Layer, file: Path | None, values: Mapping[str, SettingValue], *, base: Path) -> LayerValues:
    """Order the values as the table does and let relative paths start at the base."""
    pairs = ((entry.key, values[entry.key]) for entry in KEYS if entry.key in values)
    return LayerValues(
        layer,
        file,
        tuple((key, base.absolute() / str(value) if key in PATH_KEYS else value) for key, value in pairs),
    )


def _from(layer: Layer, file: Path | None) -> str:
    return layer.words if file is None else f"{layer.words} {file}"


def _shown(value: SettingValue) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return f"[{', '.join(value)}]"
    return str(value)
