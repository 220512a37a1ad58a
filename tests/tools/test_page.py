"""The page about the tools names what they have, and no more."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kroma_nb.model.tools import PrintRow, ToolRow
from kroma_nb.report import JudgedRow

PAGE = (Path(__file__).parents[2] / "docs" / "tools.md").read_text()


@pytest.mark.parametrize(("of", "kind"), [("made", ToolRow), ("judged", JudgedRow)])
def test_every_column_is_named_in_order(of: str, kind: type) -> None:
    (text,) = re.findall(rf"`frame\(\)` of what is {of} has: (.*?)\.\n", PAGE, re.DOTALL)

    named = re.findall(r"`(\w+)`", re.sub(r"\([^)]*\)", "", text))

    assert named == list(kind.model_fields)


def test_the_columns_of_a_print_follow_those_of_the_others() -> None:
    (text,) = re.findall(r"`print_files` adds (.*?)\.\n", PAGE, re.DOTALL)

    assert [*ToolRow.model_fields, *re.findall(r"`(\w+)`", re.sub(r"\([^)]*\)", "", text))] == list(
        PrintRow.model_fields
    )


def test_the_commands_on_the_page_do_what_stands_beside_them(tmp_path, monkeypatch, pages) -> None:
    from kroma_nb.cli import app

    monkeypatch.chdir(tmp_path)
    (tmp_path / "page.png").write_bytes((pages / "street.png").read_bytes())
    commands = re.findall(r"^kroma (.*?)(?:  +# (.*))?$", PAGE, re.MULTILINE)

    for words, _ in commands:
        app(words.split(), standalone_mode=False)

    assert len(commands) == 5
    made = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*_*.*")}
    assert made == {
        "background_removed/page_nobg.png",
        "large/street_x4.png",
        "large/ink/grey_x4.png",
        "large/ink/figure_x4.png",
        "print/street_x4_print.tiff",
        "print/ink/grey_x4_print.tiff",
        "print/ink/figure_x4_print.tiff",
    }
