"""Where keys stand, which one counts, and that none of them shows itself."""

from __future__ import annotations

import copy
import json
import logging
import pickle
import traceback
from pathlib import Path

import pytest

from kroma_nb.errors import SettingsInvalid
from kroma_nb.settings.secrets import API_KEY, Secret, Source, look_up, parse_env, sources_of

KEY = "sk-test-4f9c2a77b1de8e05"


@pytest.fixture(autouse=True)
def _no_key(monkeypatch) -> None:
    monkeypatch.delenv(API_KEY, raising=False)


def found(home: Path | None) -> tuple[str, str] | None:
    key = look_up(API_KEY, sources_of(home))
    return (key.text, key.where) if key else None


def test_the_environment_counts_before_the_file(tmp_path, monkeypatch) -> None:
    (tmp_path / ".env").write_text(f"{API_KEY}=from-file\n")
    from_file = found(tmp_path)
    monkeypatch.setenv(API_KEY, "from-environment")

    assert from_file == ("from-file", str(tmp_path / ".env"))
    assert found(tmp_path) == ("from-environment", "the environment")
    assert found(None) == ("from-environment", "the environment")


@pytest.mark.parametrize("empty", ["", "  ", "\t"])
def test_an_empty_variable_hides_nothing(empty, tmp_path, monkeypatch) -> None:
    (tmp_path / ".env").write_text(f"{API_KEY}=from-file\n")
    monkeypatch.setenv(API_KEY, empty)

    assert found(tmp_path) == ("from-file", str(tmp_path / ".env"))


def test_neither_place_has_one(tmp_path) -> None:
    (tmp_path / ".env").write_text(f"{API_KEY}=\n")

    assert found(tmp_path) is None
    assert found(tmp_path / "nowhere") is None


def test_further_places_stand_behind_these(tmp_path) -> None:
    project = Source("the project noir", {API_KEY: Secret("from-project")})

    key = look_up(API_KEY, (*sources_of(tmp_path), project))

    assert (key.text, key.where) == ("from-project", "the project noir")


LINES = {
    "A=1": {"A": "1"},
    "  export A = 1  ": {"A": "1"},
    "export\tA=1": {"A": "1"},
    "A='x # y' # z": {"A": "x # y"},
    'A="x"#z': {"A": "x"},
    'A="it\'s"': {"A": "it's"},
    "A=x#y": {"A": "x#y"},
    "A=x # y": {"A": "x"},
    "A= # y": {"A": ""},
    "A='": {"A": "'"},
    'A="x': {"A": '"x'},
    "A=b=c": {"A": "b=c"},
    "A": {},
    "# A=1": {},
    "\r\nA=1\r\nA=2\r\n": {"A": "2"},
    "\n": {},
}


@pytest.mark.parametrize("text", LINES)
def test_a_file_of_variables_is_read_line_by_line(text) -> None:
    assert parse_env(text) == LINES[text]


def test_a_byte_order_mark_is_no_part_of_the_first_name(tmp_path) -> None:
    (tmp_path / ".env").write_bytes(b"\xef\xbb\xbf" + f"{API_KEY}=k".encode())

    assert found(tmp_path) == ("k", str(tmp_path / ".env"))


def not_utf_8(path: Path) -> None:
    path.write_bytes(f"{API_KEY}={KEY}".encode() + b"\xff")


def dangling(path: Path) -> None:
    path.symlink_to("nowhere")


def too_large(path: Path) -> None:
    path.write_bytes(b"#" * ((1 << 20) + 1))


@pytest.mark.parametrize("make", [not_utf_8, dangling, too_large])
def test_a_file_that_cannot_be_read_is_named_and_not_shown(make, tmp_path) -> None:
    make(tmp_path / ".env")

    with pytest.raises(SettingsInvalid, match=r"\.env") as caught:
        sources_of(tmp_path)

    assert caught.value.__context__ is None or KEY not in repr(caught.value.__context__)


def test_a_folder_of_that_name_is_somebody_elses(tmp_path) -> None:
    (tmp_path / ".env").mkdir()

    assert found(tmp_path) is None


def test_a_secret_does_not_show_itself(caplog) -> None:
    secret = Secret(KEY)
    with pytest.raises(TypeError) as caught:
        int(secret)
    traced = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("somebody").warning("%s %r %s", secret, secret, {"key": secret})

    shown = [
        repr(secret),
        str(secret),
        f"{secret!r:>20} {secret:>20}",
        traced,
        caplog.text,
        repr(vars(Source("x", {"k": secret}))),
    ]
    assert [text for text in shown if KEY in text] == []
    for carried in (pickle.dumps, copy.deepcopy, json.dumps):
        with pytest.raises(TypeError):
            carried(secret)
    assert secret.reveal() == KEY


def test_what_was_found_and_where_it_was_looked_for_do_not_show_it_either(monkeypatch) -> None:
    monkeypatch.setenv(API_KEY, KEY)

    places = sources_of(None)

    assert KEY not in repr(places) + repr(look_up(API_KEY, places))
