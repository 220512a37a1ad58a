"""The pictures of a project in a notebook's hands."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from kroma_nb import planning, report, store
from kroma_nb.errors import FileMissing, KromaError, RequestInvalid
from kroma_nb.model.asset import AssetFilter, AssetKind, AssetLink, AssetRecord
from kroma_nb.model.lineage import AffectedRecord
from kroma_nb.model.run import StoredFile
from kroma_nb.workbench.files import load_picture, read_stored
from kroma_nb.workbench.lineage import Affected, Lineage, priced
from kroma_nb.workbench.requests import refuse_limit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pandas as pd

    from kroma_nb.images import Picture
    from kroma_nb.workbench.project import Project
    from kroma_nb.workbench.run_handle import Run

PAGE = 60
EVERY = AssetFilter()
_DIGITS = re.compile(r"[0-9a-f]{6,64}")


class Links(tuple[AssetLink, ...]):
    """What a picture was made of, and what was made of it."""

    def __repr__(self) -> str:
        return report.links_view(self).text()

    def _repr_html_(self) -> str:
        return report.links_view(self).html()


@dataclass(frozen=True)
class Asset:
    """One picture that the project keeps.

    Attributes
    ----------
    project : Project
    record : AssetRecord
        Path, sha256, size, media type, what made it and when.
    """

    project: Project
    record: AssetRecord

    @property
    def path(self) -> str:
        """Where it lies, relative to the project root."""
        return self.record.path

    @property
    def file(self) -> Path:
        """The file itself."""
        return self.project.root / self.record.path

    @property
    def links(self) -> Links:
        """What it was made of, and what was made of it."""
        with self.project.bench.index.rows(self.project) as (rows, key):
            return Links(store.list_links(rows, key, self.record.id))

    def lineage(self) -> Lineage:
        """Give everything that it was made of, and everything that was made of it, over all runs.

        Raises
        ------
        RequestInvalid
            If it is not there any more.
        """
        with self.project.bench.index.rows(self.project) as (rows, key):
            return Lineage(self, store.read_lineage(rows, key, self.record.id))

    def picture(self) -> Picture:
        """Load it, checked against the record.

        Returns
        -------
        uint8 array, shape (H, W), (H, W, 3) or (H, W, 4)
            sRGB, levels 0-255.

        Raises
        ------
        FileMissing, ContentDamaged
            If the file is gone, or is no longer what was stored.
        """
        record = self.record
        if record.sha256 is None or record.size_bytes is None:
            raise FileMissing(self.file, "the imported record", "the file was not there when the run was imported")
        stored = StoredFile(path=record.path, sha256=record.sha256, size_bytes=record.size_bytes)
        return load_picture(self.project.root, stored)

    def __repr__(self) -> str:
        return report.asset_view(self.record).text()

    def _repr_html_(self) -> str:
        return report.asset_page(self.record, partial(read_stored, self.project.root))


class Page(tuple[Asset, ...]):
    """Some pictures of a project, in order."""

    def __repr__(self) -> str:
        return self._view().text()

    def _repr_html_(self) -> str:
        return self._view().html()

    def _view(self) -> report.View:
        return report.assets_view([asset.record for asset in self], len(self))


@dataclass(frozen=True)
class Assets:
    """Pictures of a project, newest first.

    Attributes
    ----------
    project : Project
    which : AssetFilter
        Which of them.
    """

    project: Project
    which: AssetFilter = EVERY

    def where(
        self, *, kind: AssetKind | str | None = None, run: Run | str | None = None, sha256: str | None = None
    ) -> Assets:
        """Keep those of a kind, of a run, or of a content.

        Parameters
        ----------
        kind : str, optional
            ``input``, ``picture`` or ``imported``.
        run : Run or str, optional
            As `Runs` takes it, ``latest`` too.
        sha256 : str, optional
            Whole, or its first digits, 6 or more: pages show 12.

        Raises
        ------
        RequestInvalid
            If there is no such kind or run, or the digits are none.
        """
        if kind is not None and kind not in list(AssetKind):
            known = ", ".join(AssetKind)
            raise RequestInvalid("request", "kind", f"{kind!r} is no kind of picture", f"choose from {known}")
        if sha256 is not None and not _DIGITS.fullmatch(sha256):
            raise RequestInvalid(
                "request", "sha256", f"{sha256!r} is no sha256", "give 6 to 64 of the digits 0-9 and a-f"
            )
        run_id = self.project.runs[run].run_id if isinstance(run, str) else run.run_id if run is not None else None
        asked = {"kind": AssetKind(kind) if kind else None, "run_id": run_id, "sha256": sha256}
        named = {name: value for name, value in asked.items() if value is not None}
        return Assets(self.project, self.which.model_copy(update=named))

    def page(self, *, after: Asset | None = None, limit: int = PAGE) -> Page:
        """Give some of them, newest first; as fast at any depth.

        Parameters
        ----------
        after : Asset, optional
            The last one of the page before.
        limit : int
            How many.
        """
        last = after.record if after else None
        refuse_limit(limit)
        with self.project.bench.index.rows(self.project, fresh=after is None) as (rows, key):
            found = store.list_assets(rows, key, self.which, after=last, limit=limit)
        return Page(Asset(self.project, record) for record in found)

    def frame(self) -> pd.DataFrame:
        """Give one row a picture."""
        from kroma_nb.workbench.frames import frame_of  # noqa: PLC0415 - pandas loads when a frame is asked for

        with self.project.bench.index.rows(self.project) as (rows, key):
            found = store.list_assets(rows, key, self.which, limit=None)
        return frame_of(found, AssetRecord)

    def __iter__(self) -> Iterator[Asset]:
        page = self.page(limit=500)
        while page:
            yield from page
            page = self.page(after=page[-1], limit=500)

    def __len__(self) -> int:
        with self.project.bench.index.rows(self.project) as (rows, key):
            return store.count_assets(rows, key, self.which)

    def __getitem__(self, path: str) -> Asset:
        """Give the picture at a path in the project.

        Raises
        ------
        RequestInvalid
            If there is none, or it is no path.
        """
        if not isinstance(path, str):
            problem = f"{path!r} is no path in the project"
            raise RequestInvalid("request", "path", problem, "give text such as runs/…/outputs/page.png")
        named = self._narrowed(path=path)
        for asset in named.page(limit=1):
            return asset
        problem = f"project {self.project.slug} has no picture {path!r}"
        raise RequestInvalid("request", "path", problem, "see project.assets.frame() for those that it has")

    def find(self, named: str) -> Asset:
        """Give a picture by its path in the project, or by its sha256 where that is one picture's alone.

        Parameters
        ----------
        named : str
            The path, or the first 6 digits of the sha256 or more.

        Raises
        ------
        RequestInvalid
            If there is none, or more than one.
        """
        if not _DIGITS.fullmatch(named):
            return self[named]
        found = self._narrowed(sha256=named).page(limit=4)
        if len(found) == 1:
            return found[0]
        problem, way_out = f"project {self.project.slug} has no picture {named!r}", "see project.assets.frame()"
        if found:
            problem = f"several pictures of project {self.project.slug} have the content {named!r}"
            way_out = f"name one by its path: {', '.join(asset.path for asset in found[:3])}"
        raise RequestInvalid("request", "path", problem, f"{way_out}, …" if len(found) > 3 else way_out)

    def affected_by(self, asset: Asset | str) -> Affected:
        """Tell what must be made again if a picture changes, over all runs, and what that would cost.

        A candidate must be drawn again if its scene, one of its style references, or the picture that it follows is
        that one or comes from it.

        Parameters
        ----------
        asset : Asset or str
            A scene, a style reference, or a picture of a run; a text as `find` takes it.

        Raises
        ------
        RequestInvalid
            If there is no such picture, or it is another project's.
        CatalogInvalid
            If the workspace's own prices cannot be read.
        """
        meant = self.find(asset) if isinstance(asset, str) else asset
        if meant.project != self.project:
            problem = f"{meant.path} is a picture of project {meant.project.slug}, not of {self.project.slug}"
            raise RequestInvalid("request", "asset", problem, f"ask project {meant.project.slug}")
        with self.project.bench.index.rows(self.project) as (rows, key):
            found, cut_off = store.read_affected(rows, key, meant.record.id)
        # Of nothing comes nothing: a picture that is gone is no picture that nothing depends on.
        meant = meant if found else Assets(self.project)[meant.path]
        catalog = planning.catalog_of(self.project.bench.home)
        return Affected(meant, AffectedRecord(path=meant.path, rows=priced(found, catalog), cut_off=cut_off))

    def _narrowed(self, **named: str) -> Assets:
        return Assets(self.project, self.which.model_copy(update=named))

    def __repr__(self) -> str:
        return self._view().text()

    def _repr_html_(self) -> str:
        return self._view().html()

    def _view(self) -> report.View:
        try:
            return report.assets_view([asset.record for asset in self.page()], len(self))
        except KromaError as error:
            return report.View(f"Pictures of {self.project.slug}", notes=(str(error),))
