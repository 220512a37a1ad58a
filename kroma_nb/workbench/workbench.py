"""The workbench: a workspace on disk and the projects in it."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from kroma_nb import planning
from kroma_nb.errors import RequestInvalid
from kroma_nb.model.parsing import did_you_mean, plain_word
from kroma_nb.model.project import SLUG_PATTERN, ProjectStatus
from kroma_nb.settings import Settings, load_settings
from kroma_nb.store import BUSY_S
from kroma_nb.workbench.cleaning import CleanUp, clean_up
from kroma_nb.workbench.founding import change_card, found
from kroma_nb.workbench.index import Index
from kroma_nb.workbench.project import Project
from kroma_nb.workbench.projects import Projects
from kroma_nb.workbench.status import Status, status_of

if TYPE_CHECKING:
    from datetime import datetime

    from kroma_nb.model.imported import ImportReport
    from kroma_nb.planning import ConfigSummary
    from kroma_nb.workbench.rebuilding import Reindexed

SLUG = re.compile(SLUG_PATTERN)
SLUG_WORDS = "use up to 100 ASCII letters, digits, - and _"


class Workbench:
    """A workspace: ``config/`` and ``var/projects/<slug>/`` below one folder, which may be moved.

    Attributes
    ----------
    home : Path
        The workspace's folder.
    index : Index
        What its files say, as rows.
    """

    def __init__(self, home: Path, *, busy_s: float = BUSY_S) -> None:
        self.home = home
        self.index = Index(self, busy_s=busy_s)

    @property
    def slugs(self) -> tuple[str, ...]:
        """The projects that are there, sorted."""
        folder = self.home / "var" / "projects"
        try:
            found = folder.iterdir() if folder.is_dir() else ()
            return tuple(sorted(path.name for path in found if SLUG.fullmatch(path.name) and _is_project(path)))
        except OSError as cause:
            problem = f"{folder} cannot be read: {cause.strerror}"
            raise RequestInvalid("request", "home", problem, "check the folder's permissions") from cause

    @property
    def projects(self) -> Projects:
        """The projects that are there, by slug."""
        return Projects(self)

    def project(self, slug: str | None = None, *, missing_ok: bool = False) -> Project:
        """Give a project; without a slug, the only one.

        Parameters
        ----------
        slug : str, optional
            Found as it is written, or else as the predecessor would have written it: ``Noir City`` is ``noir_city``.
        missing_ok : bool
            Whether a project may be named that is not there yet; its first run makes it.

        Raises
        ------
        RequestInvalid
            If there is no such project, or none or several to choose from, or the slug cannot be one.
        """
        if slug is None:
            return self._only_project()
        written = slug.strip()
        for name in (written, plain_word(written)):
            if name in self.slugs:
                return Project(self, name)
        if missing_ok:
            return Project(self, _new_slug(slug))
        hint = did_you_mean(slug, self.slugs) if self.slugs else "make it with `kroma init`"
        raise RequestInvalid("request", "project", f"there is no project {slug!r} in {self.home}", hint)

    def _only_project(self) -> Project:
        if len(self.slugs) == 1:
            return Project(self, self.slugs[0])
        found = f"there are {len(self.slugs)} projects in {self.home}" if self.slugs else f"{self.home} has no project"
        way_out = f"name one of: {', '.join(self.slugs)}" if self.slugs else "make one with `kroma init SLUG`"
        raise RequestInvalid("request", "project", found, way_out)

    def create_project(
        self,
        slug: str | None = None,
        *,
        name: str | None = None,
        description: str | None = None,
        created_at: datetime | None = None,
    ) -> Project:
        """Make a project with its folders; one that is there gets the name and description that are given.

        Parameters
        ----------
        slug : str, optional
            The folder's name; without it, it is made out of the name.
        name : str, optional
            What people call the project.
        description : str, optional
        created_at : datetime, optional
            For a project that was made elsewhere before.

        Raises
        ------
        RequestInvalid
            If the slug cannot be one.
        WriteFailed
            If the disk refuses.
        """
        if slug is None and name is None:
            raise RequestInvalid("request", "slug", "neither slug nor name is given", "name the project")
        wanted = _new_slug(slug if slug is not None else plain_word(name or ""))
        project = Project(self, wanted if wanted not in self.slugs else self.project(wanted).slug)
        card = found(project.root, project.slug)
        said = {"name": name, "description": description, "created_at": created_at}
        changed = {key: value for key, value in said.items() if value is not None and value != getattr(card, key)}
        if changed or card.status is ProjectStatus.ARCHIVED:
            change_card(project.root, project.slug, **changed, status=ProjectStatus.ACTIVE)
        return project

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
        return planning.validate_config(
            planning.ConfigFiles(home=self.home, project_root=project_root, manifest=manifest, postprocess=postprocess)
        )

    def reindex(self) -> Reindexed:
        """Make every row of the database again from the files; it may have been deleted.

        Raises
        ------
        DatabaseUnusable
            With the file, what is wrong and the way out.
        """
        return self.index.rebuild()

    def gc(self, *, dry_run: bool = False) -> CleanUp:
        """Remove what nothing needs: leftovers of killed processes, inputs that no run has read, too large a cache.

        Parameters
        ----------
        dry_run : bool
            Only say what would go.
        """
        return clean_up(self, dry_run=dry_run)

    def import_kroma(self, path: Path | str, *, project: str | None = None, dry_run: bool = False) -> ImportReport:
        """Import runs, pictures and projects of the predecessor; what is read stays as it is.

        Parameters
        ----------
        path : Path or str
            A run log, a folder of run logs, a project's folder, the application's root, or an ``app.db``.
        project : str, optional
            The project that everything goes to; by default each run's own.
        dry_run : bool
            Only say what would be taken.

        Raises
        ------
        FileMissing, ImportInvalid, RequestInvalid
            If there is nothing at the path, nothing there can be imported, or the project's name cannot be one.
        WriteFailed
            If the disk refuses; the same call goes on from there.
        """
        from kroma_nb.workbench.importing import import_kroma  # noqa: PLC0415 - seldom needed

        return import_kroma(self, path, project=project, dry_run=dry_run)

    def status(self) -> Status:
        """Say how the workspace stands: its projects, what is running, what cannot be read, what is free."""
        return status_of(self)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Workbench) and self.home == other.home

    def __hash__(self) -> int:
        return hash(self.home)

    def __repr__(self) -> str:
        return self.projects.view.text()

    def _repr_html_(self) -> str:
        return self.projects.view.html()


def _is_project(folder: Path) -> bool:
    return any((folder / name).is_dir() for name in (".kroma", "runs"))


def _new_slug(text: str) -> str:
    slug = text.strip().lower()
    if not SLUG.fullmatch(slug):
        proposed = plain_word(slug)[:100]
        way_out = f"use {proposed}, or other ASCII letters, digits, - and _" if proposed else SLUG_WORDS
        raise RequestInvalid("request", "project", f"{text!r} is no project slug", way_out)
    return slug


def open_workbench(home: Path | str | None = None, *, busy_s: float = BUSY_S) -> Workbench:
    """Open a workspace.

    Parameters
    ----------
    home : Path or str, optional
        Its folder; by default the environment variable ``KROMA_HOME``, or else the current folder.
    busy_s : float, seconds
        How long to wait for another program that writes into its database.
    """
    named = home or os.environ.get("KROMA_HOME") or "."
    return Workbench(Path(named).resolve(), busy_s=busy_s)
