"""Which notebook is meant: a path, or the name of one that travels with kroma_nb."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kroma_nb.batch.nodes import read_node
from kroma_nb.blobs import sha256_bytes
from kroma_nb.errors import NotebookInvalid
from kroma_nb.model.parsing import did_you_mean, parse_json
from kroma_nb.workbench import shipped

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ENDING = ".ipynb"


@dataclass(frozen=True)
class Cell:
    """A cell as far as its words go."""

    kind: str
    source: str
    tags: tuple[str, ...] = ()

    @classmethod
    def of(cls, written: dict[str, Any]) -> Cell:
        """Read a cell as it stands in a notebook's file, where a text may be a list of lines."""
        return cls(written["cell_type"], "".join(written["source"]), tuple(written["metadata"].get("tags", ())))


@dataclass(frozen=True)
class Source:
    """A notebook's file as it was read.

    Attributes
    ----------
    shown : str
        As it was named, for errors.
    name : str
        The file's name without folder and ending.
    data : bytes
    """

    shown: str
    name: str
    data: bytes

    @property
    def sha256(self) -> str:
        """Of the file."""
        return sha256_bytes(self.data)

    def cells(self) -> tuple[Cell, ...]:
        """Read its cells; nbformat, which takes a second to open, is not needed for that.

        Raises
        ------
        NotebookInvalid
            If it is no notebook, or not one in Python.
        """
        node = parse_json(self.data, file=self.shown, error=NotebookInvalid)
        if not isinstance(node, dict) or not isinstance(node.get("cells"), list):
            raise NotebookInvalid(self.shown, "", "it is no notebook of format 4", "open and save it in Jupyter")
        try:
            language = node.get("metadata", {}).get("kernelspec", {}).get("language", "python")
            cells = tuple(Cell.of(cell) for cell in node["cells"])
        except (AttributeError, KeyError, TypeError) as cause:
            problem = f"it is no whole notebook: {cause}"
            raise NotebookInvalid(self.shown, "", problem, "open and save it in Jupyter") from None
        if language != "python":
            raise NotebookInvalid(self.shown, "", f"it is written in {language}", "name a notebook in Python")
        return cells

    def node(self) -> Any:
        """Parse it with nbformat, to be executed.

        Raises
        ------
        NotebookInvalid
            If it is no notebook.
        """
        try:
            return read_node(self.data)
        except ValueError as cause:
            raise NotebookInvalid(self.shown, "", f"it is no notebook: {cause}", "name a Jupyter notebook") from None


def read_source(named: str | Path) -> Source:
    """Find and read a notebook.

    Parameters
    ----------
    named : str or Path
        A path that ends with ``.ipynb``, or a shipped notebook's name such as ``run_stage`` or ``runs/run_stage``.

    Raises
    ------
    NotebookInvalid
        If there is none, or it cannot be read.
    """
    path = Path(named) if str(named).endswith(ENDING) else _shipped(str(named))
    try:
        return Source(str(named), path.stem, path.read_bytes())
    except OSError as cause:
        problem = "there is no such file" if isinstance(cause, FileNotFoundError) else str(cause.strerror or cause)
        way_out = "correct the path, or name one that `kroma notebook list` shows"
        raise NotebookInvalid(str(named), "", problem, way_out) from cause


def _shipped(name: str) -> Path:
    known = dict(shipped_notebooks())
    if name in known:
        return known[name]
    by_stem = {path.stem: path for path in known.values()}
    if name in by_stem:
        return by_stem[name]
    names = {*known, *by_stem}
    raise NotebookInvalid("request", "notebook", f"no notebook is called {name!r}", did_you_mean(name, names))


def shipped_notebooks() -> Iterator[tuple[str, Path]]:
    """Give those that travel with kroma_nb, by name: ``01_first_run``, ``runs/run_stage``."""
    root = shipped("notebooks")
    # A person who works in this folder may have workspaces in it, with executed notebooks of their own.
    for path in sorted([*root.glob(f"*{ENDING}"), *root.glob(f"runs/*{ENDING}")]):
        yield path.relative_to(root).with_suffix("").as_posix(), path


def question(cells: Iterable[Cell]) -> str:
    """Give what a notebook asks: its first heading, without marks."""
    lines = (line for cell in cells if cell.kind == "markdown" for line in cell.source.splitlines())
    return next((line.lstrip("# ").strip() for line in lines if line.startswith("#")), "")
