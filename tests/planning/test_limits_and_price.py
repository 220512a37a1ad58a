"""Limits on candidates and pictures, the choice of an engine, and what a plan would cost."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from kroma_nb import planning
from kroma_nb.errors import CatalogInvalid, FileMissing, LimitExceeded, ManifestInvalid, RequestInvalid
from kroma_nb.model.money import Catalog, ModelCard, Money

PRICED = Catalog(
    as_of=datetime.date(2026, 11, 1),
    models=(
        ModelCard(provider="ink", model="noir-1", paid=False),
        ModelCard(provider="studio", model="s-1", paid=True, price_per_picture=Money(micro_usd=40_000)),
        ModelCard(provider="riddle", model="r-1", paid=True),
    ),
)


def scenes(story, count: int) -> tuple[str, ...]:
    for number in range(count):
        story.picture(f"{number}.png")
    return tuple(f"{number}.png" for number in range(count))


def test_the_default_engine_is_local_and_free(told) -> None:
    plan = planning.plan(told.request(manifest_path=Path("manifest.json"), candidates=2))

    assert (plan.card.provider, plan.card.model, plan.card.paid) == ("ink", "noir-1", False)
    assert (plan.forecast.pictures, plan.forecast.paid_pictures) == (6, 0)
    assert not plan.forecast.cost_low
    assert not plan.forecast.cost_high
    assert plan.forecast.prices_as_of == planning.load_catalog().as_of


def test_a_paid_engine_is_forecast_by_the_picture(told) -> None:
    plan = planning.plan(
        told.request(manifest_path=Path("manifest.json"), candidates=2, provider="studio"), catalog=PRICED
    )

    assert (plan.forecast.pictures, plan.forecast.paid_pictures) == (6, 6)
    assert str(plan.forecast.cost_high) == "$0.24"
    assert plan.forecast.prices_as_of == datetime.date(2026, 11, 1)


def test_the_request_chooses_the_engine_before_the_manifest_does(told) -> None:
    path = told.write("m.json", {"scene_refs": ["photos/attic.png"], "generation": {"provider": "studio"}})

    from_manifest = planning.plan(told.request(manifest_path=path), catalog=PRICED)
    from_request = planning.plan(told.request(manifest_path=path, provider="ink"), catalog=PRICED)

    assert (from_manifest.card.provider, from_request.card.provider) == ("studio", "ink")


def test_an_unknown_engine_is_refused_where_it_is_named(told) -> None:
    path = told.write("m.json", {"scene_refs": ["photos/attic.png"], "generation": {"provider": "inc"}})

    with pytest.raises(ManifestInvalid, match=r"generation\.provider: .*did you mean 'ink'"):
        planning.plan(told.request(manifest_path=path))
    with pytest.raises(RequestInvalid, match=r"request: provider: .*did you mean 'studio'"):
        planning.plan(told.request(manifest_path=path, provider="studios"), catalog=PRICED)


def test_a_paid_engine_without_a_price_is_refused(told) -> None:
    with pytest.raises(RequestInvalid, match="price"):
        planning.plan(told.request(manifest_path=Path("manifest.json"), provider="riddle"), catalog=PRICED)


def test_a_paid_engine_is_limited_by_pictures_and_not_by_jobs(story) -> None:
    # 7 jobs of 3 candidates are 21 pictures; a limit on jobs would let them pass.
    refs = scenes(story, 7)

    with pytest.raises(LimitExceeded) as caught:
        planning.plan(story.request(scene_refs=refs, candidates=3, provider="studio"), catalog=PRICED)

    assert caught.value.field == "safe_batch_limit"
    assert "21" in str(caught.value)
    assert "allow_large_batch" in str(caught.value)


def test_exactly_the_limit_passes_and_a_large_batch_passes_when_it_is_allowed(story) -> None:
    refs = scenes(story, 7)

    at_limit = planning.plan(story.request(scene_refs=refs[:5], candidates=4, provider="studio"), catalog=PRICED)
    allowed = planning.plan(
        story.request(scene_refs=refs, candidates=3, provider="studio", allow_large_batch=True), catalog=PRICED
    )

    assert (at_limit.pictures, allowed.pictures) == (20, 21)


def test_a_selection_counts_only_what_it_keeps(story) -> None:
    refs = scenes(story, 30)

    plan = planning.plan(story.request(scene_refs=refs, only=refs[:2], provider="studio"), catalog=PRICED)

    assert plan.forecast.paid_pictures == 2


def test_a_local_engine_has_no_limit_unless_the_manifest_names_one(story) -> None:
    refs = scenes(story, 21)
    path = story.write("m.json", {"scene_refs": list(refs), "safe_batch_limit": 20})

    assert planning.plan(story.request(scene_refs=refs)).pictures == 21
    with pytest.raises(LimitExceeded, match=r"m\.json: safe_batch_limit: 21 pictures"):
        planning.plan(story.request(manifest_path=path))
    assert planning.plan(story.request(manifest_path=path, allow_large_batch=True)).pictures == 21


@pytest.mark.parametrize(
    ("manifest", "asked", "problem"),
    [
        ({}, 7, "request: candidates: 7"),
        ({"candidates": 7}, None, "generation.candidates: 7"),
        ({"candidates": 3, "max_candidates": 2}, None, "generation.candidates: 3"),
        ({"max_candidates": 1000}, 256, "request: candidates: 256"),
        ({"candidates": 256, "max_candidates": 10**30}, None, "generation.candidates: 256"),
    ],
)
def test_too_many_candidates_are_refused(told, manifest, asked, problem) -> None:
    path = told.write("m.json", {"scene_refs": ["photos/attic.png"], "generation": manifest})

    with pytest.raises(LimitExceeded) as caught:
        planning.plan(told.request(manifest_path=path, candidates=asked, allow_large_batch=True))

    assert problem in str(caught.value)


@pytest.mark.parametrize("asked", [0, -1])
def test_less_than_one_candidate_is_refused(told, asked) -> None:
    with pytest.raises(RequestInvalid, match="request: candidates"):
        planning.plan(told.request(manifest_path=Path("manifest.json"), candidates=asked))


def test_the_requests_candidates_win_over_the_manifests(told) -> None:
    path = told.write("m.json", {"scene_refs": ["photos/attic.png"], "generation": {"candidates": 4}})

    assert planning.plan(told.request(manifest_path=path)).pictures == 4
    assert planning.plan(told.request(manifest_path=path, candidates=2)).pictures == 2


def test_a_catalog_is_read_from_toml(tmp_path) -> None:
    path = tmp_path / "models.toml"
    path.write_text(
        'as_of = 2026-01-31\n[[models]]\nprovider="p"\nmodel="m"\npaid=true\nprice_per_picture={micro_usd = 5}\n'
    )

    catalog = planning.load_catalog(path)

    assert catalog.as_of == datetime.date(2026, 1, 31)
    assert catalog.models[0].upper_price == Money(micro_usd=5)


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("as_of = 2026-01-31", "models"),
        ("models = []", "as_of"),
        ("as_of = 2026-13-31", ""),
        ("as_of = 3\nmodels = []", "as_of"),
        ("as_of = 12:00:00\nmodels = []", "as_of"),
        ('as_of = 2026-01-31\nmodels = [{provider = "p", model = "m", paid = 1}]', "models[0].paid"),
        ('as_of = 2026-01-31\nmodels = [{provider = "p", model = "m", paid = true, prise = 1}]', "models[0].prise"),
        (
            "as_of = 2026-01-31\n" + '[[models]]\nprovider="p"\nmodel="m"\npaid=false\n' * 2,
            "models[1].model",
        ),
        (
            'as_of = 2026-01-31\nmodels = [{provider="p", model="m", paid=true, price_per_picture={micro_usd=-1}}]',
            "models[0].price_per_picture.micro_usd",
        ),
        ('as_of = 2026-01-31\nmodels = [{provider="p", model="m", paid=true, price_per_picture=nan}]', "models[0]"),
        ("a = " + "[" * 100_000, ""),
    ],
)
def test_a_wrong_catalog_is_refused_with_its_dotted_field(tmp_path, text, field) -> None:
    path = tmp_path / "models.toml"
    path.write_text(text)

    with pytest.raises(CatalogInvalid) as caught:
        planning.load_catalog(path)

    assert caught.value.field.startswith(field)


def test_a_missing_catalog_and_one_in_another_encoding_are_refused(tmp_path) -> None:
    path = tmp_path / "models.toml"
    with pytest.raises(FileMissing):
        planning.load_catalog(path)
    path.write_bytes('as_of = "é"'.encode("latin-1"))

    with pytest.raises(CatalogInvalid, match="UTF-8"):
        planning.load_catalog(path)
