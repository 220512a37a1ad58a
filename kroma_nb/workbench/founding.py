"""Making a project: its folders, its card, and the example settings of a new workspace."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

from pydantic import ValidationError

from kroma_nb.blobs import PATIENCE_S, create_atomic, locked_folder, write_atomic
from kroma_nb.errors import RecordInvalid, RequestInvalid, WriteFailed
from kroma_nb.model.parsing import dotted
from kroma_nb.model.project import ProjectCard
from kroma_nb.model.run import now
from kroma_nb.workbench.resources import shipped

if TYPE_CHECKING:
    from pathlib import Path
    from uuid import UUID

    from kroma_nb.errors import KromaError
    from kroma_nb.workbench.project import Project
    from kroma_nb.workbench.workbench import Workbench

FOLDERS = (".kroma", "references", "inputs", "runs")


def card_path(root: Path) -> Path:
    """Give the file that says which project this is."""
    return root / ".kroma" / "project.json"


def read_card(root: Path) -> ProjectCard | None:
    """Read what a project says of itself; None where it has no card yet.

    Raises
    ------
    RecordInvalid
        If the card cannot be read, or is another project's.
    """
    path = card_path(root)
    try:
        card = ProjectCard.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except OSError as cause:
        raise RecordInvalid(str(path), "", f"cannot be read: {cause.strerror}", "check its permissions") from cause
    except ValidationError as cause:
        first = cause.errors(include_url=False)[0]
        raise RecordInvalid(str(path), dotted(first["loc"]), first["msg"], "restore the file from a copy") from None
    if card.slug != root.name:
        way_out = f"give the folder the name {card.slug} back, or move it out of the workspace"
        raise RecordInvalid(str(path), "slug", f"it is the card of project {card.slug}", way_out)
    return card


def known_card(root: Path, slug: str) -> ProjectCard:
    """Read the card of a project that is there; reading never makes one.

    Raises
    ------
    RequestInvalid
        If the project is not there yet.
    RecordInvalid
        If its card is missing, damaged, or another project's.
    """
    card = read_card(root)
    if card is not None:
        return card
    if not root.is_dir():
        problem = f"there is no project {slug!r} in {root.parents[2]} yet"
        raise RequestInvalid("request", "project", problem, "its first run makes it, and so does create_project")
    way_out = f"restore it from a copy; or `kroma init {slug}` makes a new one, with an id of its own"
    raise RecordInvalid(str(card_path(root)), "", "the project's card is missing", way_out)


def cards_of(bench: Workbench) -> tuple[dict[Project, ProjectCard], dict[Project, KromaError]]:
    """Read the cards of a workspace; gives beside them the projects that cannot be told who they are, and why.

    Of several with one id, the one that was founded under its slug is the original.
    """
    cards: dict[Project, ProjectCard] = {}
    refused: dict[Project, KromaError] = {}
    for project in bench.projects:
        try:
            cards[project] = project.card
        except (RecordInvalid, RequestInvalid) as error:
            refused[project] = error
    owners: dict[UUID, str] = {}
    for card in sorted(cards.values(), key=lambda card: (card.founded_as != card.slug, card.slug)):
        owners.setdefault(card.id, card.slug)
    for project, card in list(cards.items()):
        if owners[card.id] != project.slug:
            problem = f"it has the id of project {owners[card.id]}, of which it is a copy"
            way_out = "move the copy out of the workspace, or delete it"
            refused[project] = RecordInvalid(str(card_path(project.root)), "id", problem, way_out)
            del cards[project]
    return cards, refused


def change_card(root: Path, slug: str, **changed: object) -> None:
    """Change some of what a project says of itself; of several that do so at once, each keeps what another has changed.

    Raises
    ------
    RequestInvalid
        If the project is not there yet.
    RecordInvalid
        If its card is missing, damaged, or another project's.
    WriteFailed
        If the disk refuses.
    LockHeld
        If another process holds the card and does not let it go.
    """
    known_card(root, slug)  # first: whoever locks a folder makes it
    with locked_folder(card_path(root).parent, within_s=PATIENCE_S):
        before = known_card(root, slug).model_dump(by_alias=True)
        card = ProjectCard.model_validate({**before, **changed, "updated_at": now()})
        write_atomic(card_path(root), _written(card), durable=True)


def _written(card: ProjectCard) -> bytes:
    return (card.model_dump_json(indent=2, by_alias=True) + "\n").encode()


def found(root: Path, slug: str) -> ProjectCard:
    """Make a project's folders and its card; what is there stays as it is.

    Raises
    ------
    WriteFailed
        If the disk refuses.
    RecordInvalid
        If there is a card that cannot be used.
    """
    card = read_card(root)
    if card is None:
        new = ProjectCard(id=uuid4(), slug=slug, name=slug, founded_as=slug, created_at=now())
        # Somebody else may found it at this very moment: whoever comes first gives the id.
        create_atomic(card_path(root), _written(new))
        card = read_card(root) or new
    for name in FOLDERS:
        try:
            (root / name).mkdir(parents=True, exist_ok=True)
        except OSError as cause:
            raise WriteFailed(root / name, cause.strerror or str(cause)) from cause
    return card


def add_examples(home: Path) -> tuple[Path, ...]:
    """Put example settings into a workspace that has no ``config/``, and give the files that are new.

    Raises
    ------
    WriteFailed
        If the disk refuses.
    """
    config = home / "config"
    if config.exists():
        return ()
    made = [config / example.name for example in sorted(shipped("config").iterdir())]
    for path in made:
        write_atomic(path, (shipped("config") / path.name).read_bytes())
    return tuple(made)
