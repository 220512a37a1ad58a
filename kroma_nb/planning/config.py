"""Checking the whole stack of configuration files at once, without planning a run."""

from __future__ import annotations

from pathlib import Path

from kroma_nb.model.value import Value
from kroma_nb.planning.limits import candidate_count
from kroma_nb.planning.manifest import named_manifest
from kroma_nb.planning.postprocess import named_postprocess, plan_passes
from kroma_nb.planning.price import catalog_of, choose_card
from kroma_nb.settings import Layer, Settings, load_settings


class ConfigFiles(Value):
    """Which files to check; what is left out is looked for where a run would look.

    Attributes
    ----------
    home : Path
        The workspace.
    project_root : Path or None
        The project's folder, relative to `home` or absolute.
    app_settings, project_settings : Path or None
        In place of the default files.
    manifest, postprocess : Path or None
        In place of those that the settings name; relative paths start at `home`.
    """

    home: Path
    project_root: Path | None = None
    app_settings: Path | None = None
    project_settings: Path | None = None
    manifest: Path | None = None
    postprocess: Path | None = None


class ConfigSummary(Value):
    """What a check of the configuration found; everything that it names can be used.

    Attributes
    ----------
    app_settings_loaded, project_settings_loaded : bool
        Whether that file set at least one value.
    resolved_manifest_path, resolved_postprocess_config_path : str or None
        The files that a run would read.
    unused : tuple of str
        Keys that are accepted and mean nothing, each with its file.
    """

    app_settings_loaded: bool
    project_settings_loaded: bool
    resolved_manifest_path: str | None
    resolved_postprocess_config_path: str | None
    unused: tuple[str, ...] = ()


def validate_config(files: ConfigFiles) -> ConfigSummary:
    """Check settings, manifest, postprocess file and colour profiles; pictures are not looked at.

    Raises
    ------
    ValidationFailed
        For the first thing that is wrong, with the file, the field and the way out.
    """
    settings = load_settings(
        files.home, files.project_root, app_path=files.app_settings, project_path=files.project_settings
    )
    asked = settings.with_request(
        {"manifest_path": files.manifest, "postprocess_config_path": files.postprocess}, root=files.home
    )
    setting = {file.layer for file in settings.files if file.values}
    return ConfigSummary(
        app_settings_loaded=Layer.APP in setting,
        project_settings_loaded=Layer.PROJECT in setting,
        resolved_manifest_path=_shown(asked.get("manifest_path")),
        resolved_postprocess_config_path=_shown(asked.get("postprocess_config_path")),
        unused=(*_check_manifest(asked, files.home), *_check_postprocess(asked)),
    )


def _check_manifest(settings: Settings, home: Path) -> tuple[str, ...]:
    loaded = named_manifest(settings)
    candidate_count(None, loaded)
    choose_card(catalog_of(home), None, loaded)
    return tuple(f"{loaded.file}: {key}" for key in loaded.unused)


def _check_postprocess(settings: Settings) -> tuple[str, ...]:
    loaded = named_postprocess(settings)
    # Also where the pass is off: a file of profiles that cannot be read is wrong all the same.
    loaded.profiles()
    plan_passes(loaded, settings)
    return tuple(f"{loaded.file}: {key}" for key in loaded.unused)


def _shown(path: Path | None) -> str | None:
    return None if path is None else str(path)
