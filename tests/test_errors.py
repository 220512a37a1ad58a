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


def example(leaf: type[KromaError]) -> KromaError:
    """Make an error of a kind with arguments that fit their names."""
    names = list(inspect.signature(leaf.__init__).parameters)[1:]
    if names == ["args", "kwargs"]:
        return leaf("something")
    numbers = {"width", "height", "limit_px"}
    return leaf(*(7 if name in numbers else Path("p") if name == "path" else name for name in names))


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
    assert error.error_kind in {"validation", "policy", "provider", "infra"}
    assert error.error_code not in {"unknown", ""}
    assert error.exit_code == {"validation": 2, "policy": 3, "provider": 4, "infra": 5}[error.error_kind]


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
