"""The page about planning says what the code reads."""

from __future__ import annotations

import doctest
import json
import re
from pathlib import Path
from typing import Any

import pytest

from kroma_nb import planning
from kroma_nb.model.brief import Hand, Span
from kroma_nb.model.invariants import InvariantSettings
from kroma_nb.model.plan import PostprocessRequest
from kroma_nb.model.postprocess import ColorProfile
from kroma_nb.model.value import Value
from kroma_nb.model.words import Stage
from kroma_nb.planning.color_profiles import ProfilesFile
from kroma_nb.planning.manifest import (
    GenerationSection,
    OutputGuardSection,
    PageSize,
    PolicySection,
    PromptsSection,
    SceneEntry,
)
from kroma_nb.planning.postprocess import ColorSection, CutoutSection, RefineSection, UpscaleSection

PAGE = Path(__file__).parents[2] / "docs" / "planning.md"
TABLES: dict[str, type[Value]] = {
    "### The whole manifest": planning.Manifest,
    "### An entry of `scenes`": SceneEntry,
    "### The section `generation`": GenerationSection,
    "### The section `generation.hand`": Hand,
    "### A range of the hand": Span,
    "### The section `output_guard`": OutputGuardSection,
    "### The section `policy`": PolicySection,
    "### The section `prompts`": PromptsSection,
    "## The jobs file": planning.JobEntry,
    "### The whole postprocess file": planning.PostprocessFile,
    "### The section `upscale`": UpscaleSection,
    "### The section `color`": ColorSection,
    "### The section `bg_remove`": CutoutSection,
    "### The section `bg_remove.openai`": RefineSection,
    "### The section `invariants`": InvariantSettings,
    "### A file of colour profiles": ProfilesFile,
    "### A colour profile": ColorProfile,
}
BOUNDS = {
    "minimum": "at least",
    "exclusiveMinimum": "above",
    "maximum": "at most",
    "exclusiveMaximum": "below",
}


def rows(heading: str) -> list[list[str]]:
    section = PAGE.read_text(encoding="utf-8").split(f"\n{heading}\n")[1].split("\n#")[0]
    lines = [line for line in section.splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def kind(node: dict[str, Any], definitions: dict[str, Any]) -> str:
    """Put a JSON schema's type into the page's words."""
    node = next((option for option in node.get("anyOf", ()) if option.get("type") != "null"), node)
    if "$ref" in node:
        node = definitions[node["$ref"].rsplit("/", 1)[-1]]
    if node.get("title") == PageSize.__name__:
        return 'whole number or `"WIDTHxHEIGHT"`, sides 16 to 8192'
    if "const" in node:
        return f'`"{node["const"]}"`'
    if "enum" in node:
        return ", ".join(f"`{word}`" for word in node["enum"])
    if node["type"] == "array":
        inner = kind(node["items"], definitions)
        return f"list of {'objects' if inner == 'object' else inner}"
    names = {"integer": "whole number", "number": "number", "boolean": "true or false", "string": "text"}
    bounds = [
        f"{words} {node[key]:g}" if abs(node[key]) < 1000 else f"{words} {node[key]}"
        for key, words in BOUNDS.items()
        if key in node
    ]
    return ", ".join([names.get(node["type"], node["type"]), *bounds])


def default(model: type[Value], name: str) -> str:
    """Put a field's default into the page's words."""
    field = model.model_fields[name]
    if field.is_required():
        return "required"
    value = field.default
    if value is None:
        return "–"
    if isinstance(value, PageSize):
        return f"`{value.long_side_px}`"
    if isinstance(value, Value) and not isinstance(value, Span):
        return ""
    return f"`{json.dumps(value.to_json() if isinstance(value, Value) else value)}`"


@pytest.mark.parametrize("heading", TABLES)
def test_every_key_stands_on_the_page_with_its_type_and_default(heading) -> None:
    model = TABLES[heading]
    schema = model.model_json_schema()
    expected = [
        [
            f"`{field.alias or name}`",
            kind(schema["properties"][field.alias or name], schema.get("$defs", {})),
            default(model, name),
        ]
        for name, field in model.model_fields.items()
    ]

    assert [row[:3] for row in rows(heading)] == expected
    assert all(len(row) == 4 and row[3].endswith(".") for row in rows(heading))


def test_no_table_of_keys_is_left_unchecked() -> None:
    page = PAGE.read_text(encoding="utf-8")

    assert page.count("| Key | Type | Default | Meaning |") == len(TABLES)


def test_the_examples_on_the_page_can_be_planned(story) -> None:
    manifest, jobs, postprocess, profiles = re.findall(
        r"```json\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL
    )
    for ref in ("photos/harbour.jpg", "photos/stairs.jpg", "styles/sheet.png"):
        story.picture(ref)
    passes = PostprocessRequest(config_path=story.write("post.json", postprocess), color=True, upscale=True)
    story.write("profiles.json", profiles)

    by_manifest = planning.plan(story.request(manifest_path=story.write("m.json", manifest), postprocess=passes))
    by_jobs = planning.plan(story.request(jobs_file=story.write("j.json", jobs), stage=Stage.TIME))

    assert (by_manifest.pictures, str(by_manifest.jobs[0].size), by_manifest.jobs[0].name) == (
        6,
        "1024x1536",
        "The harbour",
    )
    assert by_manifest.postprocess.color.values == ColorProfile(brightness=0.95, blue_multiplier=1.06)
    assert [job.id for job in by_jobs.jobs] == ["harbour-night"]


def test_the_rule_for_seeds_on_the_page_is_the_codes() -> None:
    outcome = doctest.testfile(str(PAGE), module_relative=False)

    assert (outcome.failed, outcome.attempted > 3) == (0, True)


def test_the_example_of_an_id_is_the_codes(story) -> None:
    story.picture("photos/Scene 01.png")

    plan = planning.plan(story.request(scene_refs=("photos/Scene 01.png",)))

    assert f"`{plan.jobs[0].id}`" in PAGE.read_text(encoding="utf-8")


def test_the_four_kinds_of_legacy_keys_are_not_among_the_known_ones() -> None:
    from kroma_nb.planning import manifest, postprocess

    known = {row[0].strip("`") for heading in TABLES for row in rows(heading)}

    assert not {key.rsplit(".", 1)[-1] for key in manifest.LEGACY_KEYS} & known
    assert len(postprocess.LEGACY_KEYS) == 16
