"""Errors: what every leaf of the tree must be able to do."""

from __future__ import annotations

import inspect
import pickle
from pathlib import Path

import pytest

from kroma_nb import errors
from kroma_nb.errors import FileMissing, KromaError

LEAVES = [
    leaf
    for _, leaf in inspect.getmembers(errors, inspect.isclass)
    if issubclass(leaf, KromaError) and not leaf.__subclasses__()
]

KINDS = {"validation": 2, "policy": 3, "provider": 4, "infra": 5, "interrupted": 6}


def example(leaf: type[KromaError]) -> KromaError:
    """Make an error of a kind with arguments that fit their names."""
    names = list(inspect.signature(leaf.__init__).parameters)[1:]
    if names == ["args", "kwargs"]:
        return leaf("something")
    numbers = {"width", "height", "limit_px", "timeout_s", "returncode", "seconds"}
    tried = (("onnx", "it found no figure"),)
    special = {"path": Path("p"), "error_kind": "infra", "tries": tried, **dict.fromkeys(numbers, 7)}
    return leaf(*(special.get(name, name) for name in names))


@pytest.mark.parametrize("leaf", LEAVES)
def test_every_error_survives_pickling_with_its_sentence(leaf: type[KromaError]) -> None:
    error = example(leaf)

    again = pickle.loads(pickle.dumps(error))

    assert type(again) is leaf
    assert str(again) == str(error)
    assert vars(again) == vars(error)


@pytest.mark.parametrize("leaf", LEAVES)
def test_every_error_is_one_sentence_with_kind_code_and_exit_code(leaf: type[KromaError]) -> None:
    error = example(leaf)

    assert "\n" not in str(error)
    assert error.error_kind in KINDS
    assert error.error_code not in {"unknown", ""}
    assert error.exit_code == KINDS[error.error_kind]


def test_every_leaf_has_a_code_of_its_own() -> None:
    codes = [leaf.error_code for leaf in LEAVES]

    assert len(set(codes)) == len(codes)


def test_the_drawn_tree_names_every_error() -> None:
    drawn = inspect.getdoc(errors) or ""

    assert [leaf.__name__ for leaf in LEAVES if leaf.__name__ not in drawn] == []


def test_a_path_of_any_bytes_gives_a_message_that_can_be_written() -> None:
    error = FileMissing(Path("caf\udce9.png"), "request: input")

    assert str(error).encode("utf-8")
    assert "caf" in str(error)


@pytest.mark.parametrize(("kind", "code"), [*KINDS.items(), ("unknown", 1), ("of a plugin", 1)])
def test_a_failed_notebook_ends_as_the_error_in_its_cell(kind: str, code: int) -> None:
    error = errors.NotebookFailed(Path("p.ipynb"), "story: cell [3]", kind, "its_code", "it\nbroke.")

    assert error.exit_code == code
    assert f"error_kind={kind} error_code=its_code" in str(error)
    assert "it broke" in str(error)


def test_an_error_shows_itself_in_a_notebook_with_the_line_that_asked_for_it_and_its_kind_and_code() -> None:
    from kroma_nb import settings

    with pytest.raises(KromaError) as raised:
        settings.load_settings(Path("/nowhere"), None, app_path=Path("/nowhere/at_all.toml"))

    named, asked, said = raised.value._render_traceback_()
    assert "FileMissing" in named
    assert "(error_kind=validation error_code=file_missing)" in named
    assert "settings.load_settings(Path(" in asked
    assert said == str(raised.value)
