"""The workbench: a workspace on disk and the projects in it."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from kroma_nb.blobs import write_atomic
from kroma_nb.errors import RequestInvalid, WriteFailed
from kroma_nb.model.parsing import did_you_mean
from kroma_nb.planning import ConfigFiles, ConfigSummary, validate_config
from kroma_nb.settings import Settings, load_settings
from kroma_nb.workbench.project import Project
from kroma_nb.workbench.resources import shipped

SLUG = re.compile(r"[A-Za-z0-9_-]{1,100}")
FOLDERS = (".kroma", "references", "inputs", "runs")


@dataclass(frozen=True, slots=True)
class Created:
    """A project that was made, and the files and folders that are new."""

    project: Project
    files: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class Workbench:
    """A workspace: ``config/`` and ``var/projects/<slug>/`` below one folder, which may be moved.

    Attributes
    ----------
    home : Path
        The workspace's folder.
    """

    home: Path

    @property
    def slugs(self) -> tuple[str, ...]:
        """The projects that are there, sorted."""
        folder = self.home / "var" / "projects"
        try:
            return tuple(sorted(path.name for path in folder.iterdir() if path.is_dir())) if folder.is_dir() else ()
        except OSError as cause:
            problem = f"{folder} cannot be read: {cause.strerror}"
            raise RequestInvalid("request", "home", problem, "check the folder's permissions") from cause

    def project(self, slug: str) -> Project:
        """Give the project of a slug; its folders are made when the first run needs them.

        Raises
        ------
        RequestInvalid
            If the slug is empty or holds other characters than ASCII letters, digits, ``-`` and ``_``.
        """
        slug = slug.strip()
        if not SLUG.fullmatch(slug):
            way_out = "use up to 100 ASCII letters, digits, - and _"
            raise RequestInvalid("request", "project", f"{slug!r} is no project slug", way_out)
        return Project(self.home, slug)

    def create(self, slug: str) -> Created:
        """Make a project with its folders, and example files in ``config/`` if there is none; keeps what is there.

        Raises
        ------
        RequestInvalid
            If the slug cannot be one.
        WriteFailed
            If the disk refuses.
        """
        project = self.project(slug)
        new = [folder for name in FOLDERS if not (folder := project.root / name).is_dir()]
        for folder in new:
            try:
                folder.mkdir(parents=True, exist_ok=True)
            except OSError as cause:
                raise WriteFailed(folder, cause.strerror or str(cause)) from cause
        config = self.home / "config"
        if not config.exists():
            for example in sorted(shipped("config").iterdir()):
                write_atomic(config / example.name, example.read_bytes())
                new.append(config / example.name)
        return Created(project, tuple(new))

    def settings(self, project_root: Path | None = None) -> Settings:
        """Load the layers of settings that hold here, or in one of the projects.

        Raises
        ------
        SettingsInvalid
            With file, field and the way out.
        """
        return load_settings(self.home, project_root)

    def validate(
        self, project_root: Path | None = None, *, manifest: Path | None = None, postprocess: Path | None = None
    ) -> ConfigSummary:
        """Check every configuration file that a run here would read; pictures are not looked at.

        Raises
        ------
        ValidationFailed
            For the first thing that is wrong, with file, field and the way out.
        """
        return validate_config(
            ConfigFiles(home=self.home, project_root=project_root, manifest=manifest, postprocess=postprocess)
        )

    def existing(self, slug: str | None = None) -> Project:
        """Give a project that is already there; without a slug, the only one.

        Raises
        ------
        RequestInvalid
            If there is no such project, or none or several to choose from.
        """
        if slug is not None:
            project = self.project(slug)
            if project.slug not in self.slugs:
                hint = did_you_mean(slug, self.slugs) if self.slugs else "make it with `kroma init`"
                raise RequestInvalid("request", "project", f"there is no project {slug!r} in {self.home}", hint)
            return project
        if len(self.slugs) == 1:
            return self.project(self.slugs[0])
        found = f"there are {len(self.slugs)} projects in {self.home}" if self.slugs else f"{self.home} has no project"
        way_out = f"name one of: {', '.join(self.slugs)}" if self.slugs else "make one with `kroma init`"
        raise RequestInvalid("request", "project", found, way_out)


def open_workbench(home: Path | str | None = None) -> Workbench:
    """Open a workspace.

    Parameters
    ----------
    home : Path or str, optional
        Its folder; by default the environment variable ``KROMA_HOME``, or else the current folder.
    """
    named = home or os.environ.get("KROMA_HOME") or "."
    return Workbench(Path(named).resolve())
