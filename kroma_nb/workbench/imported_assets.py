"""Pictures of the predecessor's database that belong to no run, and the links between pictures."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from kroma_nb.blobs import BlobStore, write_atomic
from kroma_nb.exchange import Found, Refused
from kroma_nb.model.imported import (
    ImportedAsset,
    ImportedAssets,
    ImportedLink,
    ImportItem,
    ItemKind,
    LeftItem,
    Reason,
)
from kroma_nb.workbench.imported_list import FOLDER, INDEX
from kroma_nb.workbench.imported_runs import SUFFIXES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from kroma_nb.exchange import KromaAsset, KromaLink, KromaTree

# What tells no time is younger than all that do.
NO_TIME = datetime.max.replace(tzinfo=UTC)
LINK_TYPES = ("derived_from", "variant_of", "mask_for", "reference_of")


@dataclass
class AssetImport:
    """Looks at the assets and links of one project.

    Attributes
    ----------
    slug : str
        The project that they go to.
    folder : Path
        The predecessor's project folder.
    in_runs : mapping of Path to str
        Files that imported runs have, and their path in the project.
    lost : set of str
        Paths that a run has already said to be lost.
    before : ImportedAssets
        What earlier imports took.
    seen : set of Path
        Every file that a row names, also where another holds the same picture.
    """

    slug: str
    tree: KromaTree
    folder: Path
    in_runs: Mapping[Path, str]
    lost: set[str]
    before: ImportedAssets
    assets: list[ImportedAsset] = field(default_factory=list)
    links: list[ImportedLink] = field(default_factory=list)
    files: dict[str, Found] = field(default_factory=dict)
    seen: set[Path] = field(default_factory=set)
    places: dict[str, str] = field(default_factory=dict)
    left: list[LeftItem] = field(default_factory=list)

    def look(self, assets: Iterable[KromaAsset], links: Iterable[KromaLink]) -> None:
        """Find every picture and every link whose two ends are there."""
        for asset in assets:
            self._asset(asset)
        self._drop_twins()
        for link in links:
            self._link(link)
        self.links = list(dict.fromkeys(self.links))

    def _asset(self, asset: KromaAsset) -> None:
        found = self.tree.picture(asset.path, self.folder)
        if isinstance(found, Found) and asset.sha256 and found.sha256 != asset.sha256:
            found = Refused("the file is not the picture that the database knows by its sha256", is_missing=True)
        if isinstance(found, Found) and found.path in self.in_runs:
            self.places[asset.id] = self.in_runs[found.path]
        elif isinstance(found, Found):
            made = _imported(asset, found)
            self.places[asset.id] = made.path
            self.files[made.path] = found
            self.seen.add(found.path)
            self.assets.append(made)
        elif asset.path not in self.lost:
            reason = Reason.MISSING if found.is_missing else Reason.BROKEN
            self._leave(asset.path, reason, f"The picture {asset.path} was left: {found.reason}.")

    def _drop_twins(self) -> None:
        """Keep one of several rows whose files hold the same picture, and name the others."""
        first = _once(self.assets)
        for asset in self.assets:
            if asset is not (kept := first[asset.path]):
                same = f"it is the same picture as {kept.source}, and is kept once"
                says = f"The picture {asset.source} was left: {same}."
                if asset.source == kept.source:
                    says = f"The picture {asset.source} was taken once; the database names it more often."
                self._leave(asset.source, Reason.NOT_IMPORTED, says)
        self.assets = list(first.values())

    def _link(self, link: KromaLink) -> None:
        parent, child = self.places.get(link.parent_id), self.places.get(link.child_id)
        source = f"asset_links {link.parent_id} → {link.child_id}"
        if link.type not in LINK_TYPES:
            says = f"A link was left: {link.type!r} is no kind of link; known are {', '.join(LINK_TYPES)}."
            self._leave(source, Reason.BROKEN, says)
        elif link.parent_id == link.child_id:
            says = f"A link {link.type} was left: both of its ends are the row {link.parent_id}."
            self._leave(source, Reason.BROKEN, says)
        elif parent is None or child is None:
            says = f"A link {link.type} was left: one of its two pictures was not taken."
            self._leave(source, Reason.MISSING, says)
        elif parent == child:
            says = f"A link {link.type} was left: its two ends are the same picture."
            self._leave(source, Reason.NOT_IMPORTED, says)
        else:
            made = ImportedLink.model_validate({"parent": parent, "child": child, "type": link.type})
            self.links.append(made)

    def _leave(self, source: str, reason: Reason, says: str) -> None:
        self.left.append(LeftItem(project=self.slug, source=source, reason=reason, says=says))

    def items(self) -> tuple[tuple[ImportItem, ...], tuple[ImportItem, ...]]:
        """Give what is new, and what was there before."""
        known, linked = {asset.path for asset in self.before.assets}, set(self.before.links)
        new: list[ImportItem] = []
        old: list[ImportItem] = []
        for asset in self.assets:
            item = ImportItem(
                project=self.slug,
                kind=ItemKind.ASSET,
                source=asset.source,
                target=asset.path,
                pictures=1,
                size_bytes=asset.size_bytes,
            )
            (old if asset.path in known else new).append(item)
        for link in self.links:
            source = f"{link.parent} {link.type} {link.child}"
            item = ImportItem(project=self.slug, kind=ItemKind.LINK, source=source, target=f"{FOLDER}/{INDEX}")
            (old if link in linked else new).append(item)
        return tuple(new), tuple(old)

    def write(self, root: Path) -> None:
        """Store the pictures, then the list that names them; a list that would be equal is not written again.

        Raises
        ------
        FileMissing
            If a picture was removed since it was looked at.
        WriteFailed
            If the disk refuses.
        """
        known = {asset.path for asset in self.before.assets}
        store = BlobStore(root / FOLDER, durable=True)
        for asset in self.assets:
            if asset.path not in known:
                found = self.files[asset.path]
                store.put_file(found.path, SUFFIXES[found.media_type])
        merged = self._merged()
        if merged != self.before:
            write_atomic(root / FOLDER / INDEX, _text(merged), durable=True)

    def _merged(self) -> ImportedAssets:
        assets = _once([*self.before.assets, *self.assets])
        links = {(link.parent, link.child, link.type): link for link in (*self.links, *self.before.links)}
        return ImportedAssets(
            assets=tuple(assets[path] for path in sorted(assets)),
            links=tuple(links[key] for key in sorted(links) if key[0] != key[1]),
        )


def _once(assets: Iterable[ImportedAsset]) -> dict[str, ImportedAsset]:
    """Give one asset for each path: the oldest, whatever order they come in."""
    first: dict[str, ImportedAsset] = {}
    for asset in sorted(assets, key=lambda asset: (asset.created_at or NO_TIME, asset.source_id)):
        first.setdefault(asset.path, asset)
    return first


def _imported(asset: KromaAsset, found: Found) -> ImportedAsset:
    return ImportedAsset(
        path=f"{FOLDER}/{found.sha256[:2]}/{found.sha256}{SUFFIXES[found.media_type]}",
        sha256=found.sha256,
        size_bytes=found.size_bytes,
        media_type=found.media_type,
        width=found.width,
        height=found.height,
        kind=asset.kind,
        created_at=asset.created_at,
        source=asset.path,
        source_id=asset.id,
    )


def _text(assets: ImportedAssets) -> bytes:
    document: dict[str, Any] = assets.to_json()
    ordered = {"schema": document.pop("schema"), **document}
    return (json.dumps(ordered, indent=2, ensure_ascii=False) + "\n").encode()
