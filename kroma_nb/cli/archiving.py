"""The command that moves replaced and rejected files into an archive and back: `archive`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kroma_nb.cli import screen
from kroma_nb.cli.options import AsJson, Home, Options, named_path, takes
from kroma_nb.errors import KromaError, RequestInvalid

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kroma_nb.model.archive import ArchiveListing, Move

Files = Annotated[
    list[Path] | None, typer.Argument(help="Files; with --restore their names in the archive.", show_default=False)
]
_TAG_HELP = "Why they go: replaced or bad."


@dataclass(frozen=True)
class ArchiveOptions(Options):
    """What `archive` does, and in which folder."""

    tag: Annotated[str | None, typer.Option("--as", help=_TAG_HELP)] = None
    reason: Annotated[str, typer.Option(help="More of why, for people.")] = ""
    show: Annotated[bool, typer.Option("--list", help="List what was moved, and where it is now.")] = False
    restore: Annotated[bool, typer.Option("--restore", help="Move them back to their old places.")] = False
    to: Annotated[Path | None, typer.Option(parser=named_path, help="With --restore: where to, for one file.")] = None
    root: Annotated[
        Path | None, typer.Option(parser=named_path, help="The folder that has the archive; else the current one.")
    ] = None
    project: Annotated[str | None, typer.Option("--project", "-p", help="That of this project instead.")] = None


@takes(ArchiveOptions)
def archive(options: ArchiveOptions, files: Files = None, home: Home = None, as_json: AsJson = False) -> None:
    """Move files into `archive/bad/` or `archive/replaced/`, list them, or move them back."""
    root = _root(options, home)
    if options.show:
        _list(root, as_json=as_json)
        return
    if not files:
        raise RequestInvalid("request", "FILE", "no file is named", "name some, or give --list")
    if options.restore:
        _each(files, _restoring(root, files, options.to), as_json=as_json)
    else:
        _each(files, _archiving(root, options), as_json=as_json)


def _root(options: ArchiveOptions, home: Path | None) -> Path:
    if options.project is None:
        return options.root or Path()
    if options.root is not None:
        raise RequestInvalid("request", "root", "a project is named as well", "name one of the two")
    from kroma_nb.workbench import open_workbench

    return open_workbench(home).project(options.project).root


def _archiving(root: Path, options: ArchiveOptions) -> Callable[[Path], Move]:
    from kroma_nb.blobs.archive import archive_file
    from kroma_nb.model.archive import ArchiveTag

    tags = [tag.value for tag in ArchiveTag]
    if options.tag not in tags:
        problem = f"{options.tag!r} is no reason" if options.tag else "the reason is missing"
        raise RequestInvalid("request", "as", problem, f"give --as {' or --as '.join(tags)}")
    tag = ArchiveTag(options.tag)
    return lambda path: archive_file(path, root=root, tag=tag, reason=options.reason)


def _restoring(root: Path, files: Sequence[Path], to: Path | None) -> Callable[[Path], Move]:
    from kroma_nb.blobs.archive import listed, restore

    if to is not None and len(files) > 1:
        raise RequestInvalid("request", "to", "several files cannot go to one place", "restore them one by one")
    known = {file.path: file.move for file in listed(root).files if file.is_there}

    def back(path: Path) -> Move:
        name = path.as_posix()
        move = known.get(name) or known.get(f"archive/{name}")
        if move is None:
            way_out = "`kroma archive --list` names what can be restored; a file that no line tells of is moved by hand"
            raise RequestInvalid("request", "FILE", f"the archive has no line of {name}", way_out)
        return restore(move, root=root, to=to)

    return back


def _each(files: Sequence[Path], act: Callable[[Path], Move], *, as_json: bool) -> None:
    """Do it to one file after the other; one that cannot be moved does not keep the others."""
    from kroma_nb.model.words import ExitCode

    moves: list[Move] = []
    failed: list[tuple[Path, KromaError]] = []
    for path in files:
        try:
            moves.append(act(path))
        except KromaError as error:
            failed.append((path, error))
    if not moves:
        raise _worst([error for _, error in failed])
    if as_json:
        done = [move.to_json() for move in moves]
        screen.show_json({"ok": not failed, "moves": done, "failed": [_told(*one) for one in failed]})
    else:
        for move in moves:
            screen.say(_said(move))
    for _, why in failed:
        screen.show_error(why, as_json=False)
    if failed:
        raise typer.Exit(int(ExitCode.PARTIAL))


def _worst(failed: list[KromaError]) -> KromaError:
    """Give the error that the command ends with, and say the others."""
    from kroma_nb.model.words import ExitCode

    code = ExitCode.worst(ExitCode(error.exit_code) for error in failed)
    worst = next(error for error in failed if error.exit_code == code)
    for error in failed:
        if error is not worst:
            screen.show_error(error, as_json=False)
    return worst


def _said(move: Move) -> str:
    from kroma_nb.model.archive import Act

    is_back = move.act is Act.RESTORED
    return f"{move.target} is back: {move.source}" if is_back else f"{move.source} is now {move.target}"


def _told(path: Path, error: KromaError) -> dict[str, Any]:
    return {
        "file": str(path),
        "error": str(error),
        "error_kind": error.error_kind,
        "error_code": error.error_code,
    }


def _list(root: Path, *, as_json: bool) -> None:
    from kroma_nb.blobs.archive import listed

    listing = listed(root)
    if as_json:
        screen.show_json({"ok": not listing.broken_lines, **listing.to_json()})
        return
    _show(root, listing)


def _show(root: Path, listing: ArchiveListing) -> None:
    rows = []
    for file in listing.files:
        move = file.move
        moved = (f"{move.at:%Y-%m-%d %H:%M:%S}", move.source, move.reason) if move else ("", "", "")
        rows.append((file.path, file.state.value, *moved))
    screen.table(f"The archive of {root.resolve()}", ("file", "state", "at", "from", "reason"), rows)
    for number in listing.broken_lines:
        screen.say(f"archive.jsonl: line {number} cannot be read; what it told of is listed as unrecorded.")
