"""What the tools for single files give back: rows that show themselves."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kroma_nb import report
from kroma_nb.errors.root import shown
from kroma_nb.model.tools import FileState, PrintRow, Tool, ToolRow, exit_code_of
from kroma_nb.model.words import ExitCode

if TYPE_CHECKING:
    import pandas as pd

    from kroma_nb.model.quality import GuardReport


@dataclass(frozen=True, repr=False)
class ToolResult:
    """What a tool has made of files, one row a file. It shows itself, in a notebook beside the sources.

    Attributes
    ----------
    tool : Tool
    rows : tuple of ToolRow
        In the order of the files; of `PrintRow` where prints were made.
    left_out : tuple of Path
        Links, and within the source the folders of earlier results and of archives.
    unused : tuple of str
        What the postprocess file says and nothing here reads.
    """

    tool: Tool
    rows: tuple[ToolRow, ...]
    left_out: tuple[Path, ...] = ()
    unused: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether every file is done, and the guard lets all of them through."""
        return self.exit_code is ExitCode.OK

    @property
    def exit_code(self) -> ExitCode:
        """What a command ends with."""
        return exit_code_of(self.rows)

    @property
    def counts(self) -> dict[FileState, int]:
        """How many files are in which state."""
        found = Counter(row.state for row in self.rows)
        return {state: found[state] for state in FileState}

    def frame(self) -> pd.DataFrame:
        """Give one row a file; `docs/tools.md` names the columns."""
        from kroma_nb.workbench.frames import frame_of  # noqa: PLC0415 - pandas loads when a frame is asked for

        return frame_of(self.rows, PrintRow if self.tool is Tool.PRINT else ToolRow)

    def to_json(self) -> dict[str, Any]:
        """Give all of it as JSON types."""
        return {
            "ok": self.ok,
            "tool": self.tool.value,
            "counts": {state.value: count for state, count in self.counts.items()},
            "files": [row.to_json() for row in self.rows],
            "left_out": _texts(self.left_out),
            "unused": list(self.unused),
        }

    @property
    def view(self) -> report.View:
        """What it shows of itself."""
        view = report.tool_view(self.tool, self.rows, _texts(self.left_out))
        notes = (f"Read but not used from the postprocess file: {', '.join(self.unused)}.",) if self.unused else ()
        return replace(view, notes=(*view.notes, *notes))

    def __repr__(self) -> str:
        return self.view.text()

    def _repr_html_(self) -> str:
        pictures = report.tool_pictures(self.rows, _read)
        return self.view.html(*([pictures] if pictures else []))


@dataclass(frozen=True, repr=False)
class Judgement:
    """The guard's word on files. It shows itself.

    Attributes
    ----------
    record : GuardReport
        As `kroma_nb.qa.guard` gives it, of the files that were looked at.
    left : int
        Files that nobody came to look at, because somebody asked to stop.
    left_out : tuple of Path
        Links, and archives within the source.
    """

    record: GuardReport
    left: int = 0
    left_out: tuple[Path, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether all files were looked at and none has a reason not to be used."""
        return self.record.ok and not self.left

    @property
    def exit_code(self) -> ExitCode:
        """What a command ends with: ok, or partial."""
        return ExitCode.OK if self.ok else ExitCode.PARTIAL

    def frame(self) -> pd.DataFrame:
        """Give one row a file; `docs/tools.md` names the columns."""
        from kroma_nb.workbench.frames import frame_of  # noqa: PLC0415 - as above

        return frame_of(report.judged_table(self.record), report.JudgedRow)

    def to_json(self) -> dict[str, Any]:
        """Give all of it as JSON types."""
        return {"ok": self.ok, **self.record.to_json(), "left": self.left, "left_out": _texts(self.left_out)}

    @property
    def view(self) -> report.View:
        """What it shows of itself."""
        return report.judged_view(self.record, self.left, _texts(self.left_out))

    def __repr__(self) -> str:
        return self.view.text()

    def _repr_html_(self) -> str:
        return self.view.html()


def _texts(paths: tuple[Path, ...]) -> list[str]:
    return [shown(path) for path in paths]


def _read(path: str) -> bytes:
    return Path(path).read_bytes()
