"""What a notebook declares, and what may be given to it; no kernel is started."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st
from sheets import write_notebook

from kroma_nb.batch import describe_notebook, list_notebooks
from kroma_nb.batch.declared import declared
from kroma_nb.batch.given import Typed, checked, read_parameters_file
from kroma_nb.batch.sources import read_source
from kroma_nb.batch.telling import parameters_table, written
from kroma_nb.errors import NotebookInvalid, ParameterInvalid, SecretRefused
from kroma_nb.model.notebook import Kind, Parameter

DECLARED = '''"""What can be changed."""
title = "noir"  # what people read; # and quotes
count = 3  # attempts, 1 to 6
strength = 0.5
review = False  # wait for a person
scenes = ["a.jpg", "b.jpg"]  # pictures
frame = {"left": 1}
follow = None  # a run, or nothing
mood: str | None = None  # of the colour pass
only: list[str] = []  # scenes to keep
sizes = [
    1,  # small
    2,
]  # in points
bias = -2  # below zero
'''


def parameters_of(text: str, folder: Path) -> tuple[Parameter, ...]:
    path = write_notebook(folder / "story.ipynb", parameters=text)
    source = read_source(path)
    return declared(source.cells(), file="story.ipynb")


@pytest.fixture
def parameters(tmp_path: Path) -> tuple[Parameter, ...]:
    return parameters_of(DECLARED, tmp_path)


def test_types_come_from_the_defaults_and_meanings_from_the_comments(parameters) -> None:
    assert [(p.name, p.expected, p.default, p.meaning) for p in parameters] == [
        ("title", "text", "noir", "what people read; # and quotes"),
        ("count", "whole number", 3, "attempts, 1 to 6"),
        ("strength", "number", 0.5, ""),
        ("review", "true or false", False, "wait for a person"),
        ("scenes", "list of text", ["a.jpg", "b.jpg"], "pictures"),
        ("frame", "object", {"left": 1}, ""),
        ("follow", "anything", None, "a run, or nothing"),
        ("mood", "text, or null", None, "of the colour pass"),
        ("only", "list of text", [], "scenes to keep"),
        ("sizes", "list of whole numbers", [1, 2], "small in points"),
        ("bias", "whole number", -2, "below zero"),
    ]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("a = 1\nimport os\n", "line 2"),
        ("folder = Path('.')\n", "Path('.')"),
        ("a = b = 1\n", "a = b = 1"),
        ("a = 1 +\n", "no Python"),
        ("a = {1, 2}\n", "{1, 2}"),
        ("a = {1: 'x'}\n", "JSON"),
        ("a = [b'x']\n", "JSON"),
        ("del a\n", "del a"),
    ],
)
def test_a_line_that_is_no_plain_literal_is_named(text: str, complaint: str, tmp_path) -> None:
    with pytest.raises(NotebookInvalid) as raised:
        parameters_of(text, tmp_path)

    assert "story.ipynb" in str(raised.value)
    assert complaint in str(raised.value)


@pytest.mark.parametrize(("tags", "complaint"), [(0, "no cell is tagged"), (2, "cells 2, 3 are all tagged")])
def test_a_notebook_needs_exactly_one_parameters_cell(tags: int, complaint: str, tmp_path) -> None:
    path = write_notebook(tmp_path / "story.ipynb", tags=tags)

    with pytest.raises(NotebookInvalid, match=complaint):
        describe_notebook(path)


@pytest.mark.parametrize(
    ("name", "typed", "value"),
    [
        ("title", "3", "3"),
        ("title", "true", "true"),
        ("title", "-p", "-p"),
        ("count", "4", 4),
        ("count", "-4", -4),
        ("strength", "2", 2.0),
        ("strength", "1e-3", 0.001),
        ("review", "true", True),
        ("review", "False", False),
        ("scenes", '["c.jpg"]', ["c.jpg"]),
        ("scenes", "[]", []),
        ("frame", '{"a": [1, null]}', {"a": [1, None]}),
        ("follow", "latest", "latest"),
        ("follow", "2026-01-31T09-15-02-417Z-5f0c1a", "2026-01-31T09-15-02-417Z-5f0c1a"),
        ("follow", "null", None),
        ("mood", "3", "3"),
    ],
)
def test_a_typed_word_is_read_as_the_parameter_asks(name: str, typed: str, value: object, parameters) -> None:
    found = checked(parameters, {name: Typed(typed)}, file="story")

    assert found == {name: value}
    assert type(found[name]) is type(value)


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("count", Typed("3.0")),
        ("count", Typed("three")),
        ("count", Typed("1e3")),
        ("count", Typed("true")),
        ("count", Typed("")),
        ("count", True),
        ("count", 3.0),
        ("count", None),
        ("strength", Typed("nan")),
        ("strength", Typed("Infinity")),
        ("strength", float("inf")),
        ("strength", Typed("half")),
        ("review", Typed("yes")),
        ("review", Typed("1")),
        ("review", 1),
        ("scenes", Typed("a.jpg")),
        ("scenes", Typed("[1]")),
        ("scenes", ("a.jpg",)),
        ("only", [1]),
        ("frame", Typed("[]")),
        ("frame", {1: 2}),
        ("title", 3),
        ("title", Path("x")),
        ("follow", {"a": float("nan")}),
        ("follow", Path("x")),
        ("follow", {"\ud800": 1}),
        ("title", "half a sign: \udc80"),
    ],
)
def test_a_value_of_another_type_is_refused_with_what_is_expected(name: str, given: object, parameters) -> None:
    meaning = next(p.meaning for p in parameters if p.name == name)

    with pytest.raises(ParameterInvalid) as raised:
        checked(parameters, {name: given}, file="story")

    said = str(raised.value)
    assert said.startswith(f"story: {name}: expected ")
    assert meaning in said


def test_an_unknown_parameter_is_refused_with_what_was_meant(parameters) -> None:
    with pytest.raises(ParameterInvalid, match="did you mean 'count'"):
        checked(parameters, {"cuont": 3}, file="story")


def test_where_no_name_is_close_some_are_named_and_the_way_to_see_all(parameters) -> None:
    with pytest.raises(ParameterInvalid) as raised:
        checked(parameters, {"xyz": 3}, file="my story.ipynb")

    said = str(raised.value)
    assert "title, count, strength, review, scenes, frame and 5 more" in said
    assert "kroma notebook run 'my story.ipynb' --help-notebook" in said


@pytest.mark.parametrize(
    ("notebook", "word", "meant"),
    [
        ("run_stage", "input", "photographs"),
        ("run_stage", "inputs", "photographs"),
        ("run_stage", "scenes", "photographs"),
        ("run_chapter", "input", "scenes"),
        ("run_chapter", "photographs", "scenes"),
        ("run_stage", "home", "workspace"),
    ],
)
def test_a_word_of_the_command_line_leads_to_the_parameter(notebook: str, word: str, meant: str) -> None:
    with pytest.raises(ParameterInvalid, match=f"did you mean '{meant}'"):
        checked(describe_notebook(notebook).parameters, {word: "x"}, file=notebook)


@drawn(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda s: st.lists(s) | st.dictionaries(st.text(), s)
    )
)
def test_a_value_without_a_declared_type_is_taken_or_refused_and_nothing_else(value: object) -> None:
    parameter = Parameter(name="follow", kind=Kind.ANY, optional=True, default=None)

    with suppress(SecretRefused):
        assert checked([parameter], {"follow": value}, file="story") == {"follow": value}


SECRET_NAMES = [
    "api_key",
    "openai_api_key",
    "apiKey",
    "OPENAI_KEY",
    "key",
    "token",
    "access_token",
    "password",
    "db_pwd",
]
SECRET_NAMES += ["client_secret", "credentials", "master_key", "photoroom_key", "passphrase", "hf_token", "auth"]
PLAIN_NAMES = ["keyframe", "keyframes", "key_light", "chroma_key", "sort_key", "token_count", "max_tokens", "monkey"]
PLAIN_NAMES += ["secretary", "author", "pattern", "keyline", "tokenizer", "turkey", "passes", "key_size"]


@pytest.mark.parametrize("name", SECRET_NAMES)
def test_a_name_that_means_a_secret_is_refused(name: str) -> None:
    parameter = Parameter(name=name, kind=Kind.TEXT, default="")

    with pytest.raises(SecretRefused) as raised:
        checked([parameter], {name: Typed("hunter2")}, file="story")

    assert "hunter2" not in str(raised.value)
    assert "environment variable" in str(raised.value)
    assert raised.value.exit_code == 3
    assert checked([parameter], {}, file="story") == {}


@pytest.mark.parametrize("name", PLAIN_NAMES)
def test_a_name_that_only_sounds_like_one_is_taken(name: str) -> None:
    parameter = Parameter(name=name, kind=Kind.TEXT, default="")

    assert checked([parameter], {name: "left"}, file="story") == {name: "left"}


# Made up for this test, in the shapes that real ones have.
SECRETS = {
    "openai": "sk-" + "proj-abcdEFGH1234ijklMNOP5678",
    "aws id": "AKIA" + "IOSFODNN7EXAMPLE",
    "aws secret": "wJ4rXU7nFE9I/K7ML2NG/" + "bPx8fiC0Q+zT5vR1hYd",
    "github": "ghp_" + "16C7e42F292c6912E7710c838347Ae178B4a",
    "slack": "xoxb-" + "123456789012-abcdefGHIJ",
    "google": "AIza" + "SyA1234567890abcdefghijklmnopqrstuv",
    "pem": "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----",
    "jwt": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0" + ".dBjftJeZ4CVPmB92K27uhbUJU1p1r",
    "address": "https://artist:hunter2@example.org/pictures",
    "bearer": "Bearer abcdef0123456789abcdef",
    "random": "q7Lw2Rz9Kd4Tn8Vb1Xc6Mf3Hj5Gp0Sa",
    "random in one size": "Q7LW2RZ9KD4TN8VB1XC6MF3HJ5GP0SA2",
    "docker": "dckr_pat_" + "abcDEF1234567890ghiJKL",
    "told": "log in with password: hunter2",
    "assigned": "DB_PASSWORD=hunter2",
    "told as json": '{"passphrase": "hunter2"}',
    "asked for": "https://example.org/pictures?id=12&token=hunter2",
    "signed": "https://bucket.example.org/quay.png?X-Amz-Expires=60&X-Amz-Signature=hunter2",
    "folder": "photos/sk-" + "abcdEFGH1234ijklMNOP/m.json",
}


@pytest.mark.parametrize("shape", SECRETS)
def test_a_value_that_looks_like_a_secret_is_refused_wherever_it_stands(shape: str, parameters) -> None:
    secret = SECRETS[shape]

    for name, value in (("title", secret), ("scenes", ["a.jpg", secret]), ("frame", {"x": {"y": secret}})):
        with pytest.raises(SecretRefused) as raised:
            checked(parameters, {name: value}, file="story")
        assert secret not in str(raised.value)
    with pytest.raises(SecretRefused):
        checked([Parameter(name="x", kind=Kind.TEXT, default=secret)], {}, file="story")
    with pytest.raises(SecretRefused, match=r"frame\.api_key"):
        checked(parameters, {"frame": {"api_key": "abc"}}, file="story")


@pytest.mark.parametrize(
    ("value", "place"),
    [
        ({"headers": {"Authorization": "hunter2"}}, "given.headers.Authorization"),
        ([{"password": "hunter2"}], "given[0].password"),
        ({"a": [{"api_key": 12345678}]}, "given.a[0].api_key"),
        ({"credentials": {"user": "hunter2"}}, "given.credentials.user"),
    ],
)
def test_a_name_that_means_a_secret_is_refused_at_any_depth(value: object, place: str) -> None:
    parameter = Parameter(name="given", kind=Kind.ANY, optional=True, default=None)

    for told in (value, Typed(json.dumps(value))):
        with pytest.raises(SecretRefused) as raised:
            checked([parameter], {"given": told}, file="story")
        assert raised.value.parameter == place


@pytest.mark.parametrize(("name", "number"), [("api_key", 12345678), ("passphrase", 1234), ("access_token", 1234.0)])
def test_a_number_under_a_secret_name_is_refused(name: str, number: float) -> None:
    kind = Kind.NUMBER if isinstance(number, float) else Kind.INTEGER
    parameter = Parameter(name=name, kind=kind, default=0 if kind is Kind.INTEGER else 0.0)

    for told in (number, Typed(number)):
        with pytest.raises(SecretRefused) as raised:
            checked([parameter], {name: told}, file="story")
        assert str(number) not in str(raised.value)


def test_a_secret_that_does_not_fit_its_type_is_not_quoted(parameters) -> None:
    with pytest.raises(SecretRefused) as raised:
        checked(parameters, {"scenes": Typed('{"password": "hunter2", "password": ""}')}, file="story")

    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize(
    ("name", "value"), [("seed", 123456789), ("use_token", True), ("tokens", 5000), ("key", 3), ("api_key", None)]
)
def test_seeds_counts_and_switches_are_no_secrets(name: str, value: object) -> None:
    parameter = Parameter(name=name, kind=Kind.ANY, optional=True, default=None)

    assert checked([parameter], {name: value}, file="story") == {name: value}
    assert checked([parameter], {name: Typed(json.dumps(value))}, file="story") == {name: value}


@pytest.mark.parametrize(
    "value",
    [
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "550e8400-e29b-41d4-a716-446655440000",
        "2026-01-31T09-15-02-417Z-5f0c1a",
        "/home/artist/Stories/TheHarbourAtNight_v12/Chapter01/scene_003.final.png",
        "Chapter01-TheHarbourAtNight-FinalCut-Version2-2026",
        "IMG_20260131_091502417_HDR_PORTRAIT_EDITED.jpg",
        "https://example.org/pictures?id=12",
        "A long prompt: ink on warm paper, 3 tones, rain in the 2nd row, no faces",
        "夜の橋",
        "task-force-2026-report-of-the-night",
        "photos/sk-some-long-folder-name/m.json",
        "/mnt/Shoot2024Aug03RollA7Frame19B2C3D4/raw",
        "SCENE01PAGE02PANEL03FRAME04VERSION05",
        "The secret: nobody knows. A token: one bronze coin. Key: soft, key=left, fill: 5600K",
        "",
    ],
)
def test_hashes_ids_paths_and_prose_are_no_secrets(value: str, parameters) -> None:
    assert checked(parameters, {"title": value, "scenes": [value]}, file="story")


def test_a_file_of_parameters_may_be_json_or_yaml(tmp_path) -> None:
    (tmp_path / "p.json").write_text('{"count": 4, "scenes": ["a"]}')
    (tmp_path / "p.yaml").write_text("count: 4\nscenes: [a]\n")

    assert read_parameters_file(tmp_path / "p.json") == read_parameters_file(tmp_path / "p.yaml")


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("p.json", '{"count": 1, "count": 2}', "twice"),
        ("p.json", "[1]", "no object"),
        ("p.json", "{", "not JSON"),
        ("p.yaml", "a: [", "not YAML"),
        ("p.yml", "- a", "no object"),
        ("p.yml", "1: a", "no object"),
        ("p.yaml", "count: 1\ncount: 2", "count: it stands there twice"),
        ("p.yaml", "[" * 5000, "nested too deeply"),
        ("p.json", '{"a": ' + "[" * 100_000, "nest less deeply"),
        ("gone.json", None, "No such file"),
    ],
)
def test_a_file_of_parameters_that_cannot_be_used_is_named(
    name: str, text: str | None, complaint: str, tmp_path
) -> None:
    if text is not None:
        (tmp_path / name).write_text(text)

    with pytest.raises(ParameterInvalid, match=complaint) as raised:
        read_parameters_file(tmp_path / name)

    assert name in str(raised.value)


@pytest.mark.parametrize(
    ("named", "complaint"),
    [
        ("run_stagee", "did you mean 'run_stage'"),
        ("gone.ipynb", "no such file"),
        ("bad.ipynb", "no notebook"),
        ("list.ipynb", "no notebook"),
        ("julia.ipynb", "written in julia"),
    ],
)
def test_a_notebook_that_cannot_be_run_is_refused(named: str, complaint: str, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("bad.ipynb").write_text("{}")
    Path("list.ipynb").write_text("[]")
    node = json.loads(write_notebook(tmp_path / "julia.ipynb").read_text())
    node["metadata"]["kernelspec"]["language"] = "julia"
    Path("julia.ipynb").write_text(json.dumps(node))

    with pytest.raises(NotebookInvalid, match=complaint) as raised:
        describe_notebook(named)

    assert raised.value.exit_code == 2


def test_the_shipped_notebooks_are_found_by_name_and_explain_every_parameter() -> None:
    found = {notebook.name: notebook for notebook in list_notebooks()}

    assert {"01_first_run", "runs/run_stage", "runs/run_chapter"} <= set(found)
    assert describe_notebook("run_stage").parameters == found["runs/run_stage"].parameters
    for notebook in found.values():
        assert notebook.question.endswith("?")
        assert [p.name for p in notebook.parameters if not p.meaning] == [], notebook.name


def test_the_table_of_parameters_shows_values_and_obeys_none_of_them() -> None:
    nasty = "a|b<script>`*_[x](y)\n$z$ ![p](q)"
    parameters = [
        Parameter(name="my_title", kind=Kind.TEXT, default="", meaning="a | bar, a <b>tag</b>, *stars*"),
        Parameter(name="long", kind=Kind.TEXT, default="x" * 500),
    ]

    table = parameters_table(parameters, {"my_title": nasty})

    heading, alignment, *rows = [line for line in table.splitlines() if line.startswith("|")]
    assert [cell.strip() for cell in heading.strip("|").split("|")] == ["parameter", "value", "origin", "what it means"]
    assert set(alignment.strip("|").split("|")) == {":--"}
    assert len(rows) == 2
    assert "**my\\_title**" in rows[0]
    assert "| changed |" in rows[0]
    assert "| default |" in rows[1]
    assert "<script>" not in table
    assert "\\<b\\>" in rows[0]
    assert "…" in rows[1]
    assert len(rows[1]) < 200


@pytest.mark.parametrize(
    ("value", "text"), [("a b", "a b"), ("", '""'), (True, "true"), (None, "null"), (["é"], '["é"]')]
)
def test_a_value_is_written_as_it_would_be_typed(value: object, text: str) -> None:
    assert written(value) == text


def test_looking_at_notebooks_needs_neither_papermill_nor_nbformat() -> None:
    look = "from kroma_nb import batch, cli; batch.list_notebooks()"
    probe = f"import sys; {look}; print([n for n in ('papermill', 'nbformat', 'IPython') if n in sys.modules])"

    loaded = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)

    assert loaded.stdout.strip() == "[]"
