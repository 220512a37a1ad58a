"""What a plan may ask of OpenAI's models: a name that is known and alive, a size that they draw, a bounded price."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
from studio import write_photograph, write_scenes

from kroma_nb.errors import CatalogInvalid, ManifestInvalid, RequestInvalid
from kroma_nb.model.brief import Size
from kroma_nb.model.money import Catalog, Money
from kroma_nb.model.offer import FreeSizes, Offer
from kroma_nb.model.plan import Plan, PlanRequest
from kroma_nb.planning import capped, catalog_of, load_catalog, plan
from kroma_nb.planning.price import notes_on

TODAY = date(2026, 11, 25)
CAP = Money.of("0.50")
FREE = FreeSizes(longest_px=3840, most_px=8_294_400, least_px=655_360)


@pytest.fixture(autouse=True)
def _no_wishes(monkeypatch) -> None:
    for name in ("OPENAI_IMAGE_MODEL", "OPENAI_IMAGE_QUALITY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def scenes(tmp_path: Path) -> Path:
    return write_scenes(tmp_path / "scenes", 1)


def on_day(today: date, catalog: Catalog) -> Catalog:
    """Give a catalog whose models live on after this day, whenever this is run."""
    cards = [
        card.model_copy(update={"offer": card.offer.model_copy(update={"retired": None})})
        if card.offer and card.offer.retired and card.offer.retired > today
        else card
        for card in catalog.models
    ]
    return catalog.model_copy(update={"models": tuple(cards)})


def planned(
    scenes: Path,
    *,
    provider: str = "openai",
    manifest_provider: str = "",
    home: Path | None = None,
    size: str = "1024x1024",
) -> Plan:
    path = scenes / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["generation"] = {"size": size, "provider": manifest_provider or "ink"}
    path.write_text(json.dumps(manifest))
    catalog = on_day(TODAY, load_catalog() if home is None else catalog_of(home))
    asked = None if manifest_provider else provider
    request = PlanRequest(project="noir", root=scenes, manifest_path=path, provider=asked, max_price=CAP)
    return plan(request, catalog=catalog)


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("openai", "gpt-image-2.6-flare:high"),
        ("openai/gpt-image-2", "gpt-image-2:high"),
        ("openai/gpt-image-2:low", "gpt-image-2:low"),
        ("openai/gpt-image-2.6-sunburst:max", "gpt-image-2.6-sunburst:max"),
    ],
)
def test_a_model_and_its_quality_are_named_behind_the_provider(provider, model, scenes) -> None:
    made = planned(scenes, provider=provider)

    assert (made.card.model, made.card.price_per_picture) == (model, CAP)
    assert Plan.model_validate_json(made.model_dump_json(by_alias=True)).card == made.card


def test_a_manifest_may_name_them_too(scenes) -> None:
    assert planned(scenes, manifest_provider="openai/gpt-image-2:medium").card.model == "gpt-image-2:medium"


@pytest.mark.parametrize(
    ("environment", "model"),
    [
        ({"OPENAI_IMAGE_MODEL": "gpt-image-2"}, "gpt-image-2:high"),
        ({"OPENAI_IMAGE_MODEL": "gpt-image-2:low"}, "gpt-image-2:low"),
        ({"OPENAI_IMAGE_QUALITY": "low"}, "gpt-image-2.6-flare:low"),
        ({"OPENAI_IMAGE_MODEL": "gpt-image-2", "OPENAI_IMAGE_QUALITY": "medium"}, "gpt-image-2:medium"),
    ],
)
def test_the_environment_or_the_workspace_says_which_model_is_meant(environment, model, scenes, tmp_path) -> None:
    (tmp_path / ".env").write_text("".join(f"{name}={value}\n" for name, value in environment.items()))

    assert planned(scenes, home=tmp_path).card.model == model
    assert planned(scenes, home=tmp_path, provider="openai/gpt-image-1.5:low").card.model == "gpt-image-1.5:low"


@pytest.mark.parametrize(
    ("provider", "said"),
    [
        ("openia", r"no provider 'openia'; did you mean 'openai'\?"),
        ("openai/gpt-image-26-flare", r"no model 'gpt-image-26-flare' of openai; did you mean 'gpt-image-2.6-flare'\?"),
        ("openai/gpt-image-2:max", r"no model 'gpt-image-2:max' of openai; did you mean"),
        ("openai/", r"no model '' of openai"),
        ("openai/gpt-image-1", r"openai has shut gpt-image-1 down on 2026-10-23; use gpt-image-2.5-sunburst or"),
        ("openai/dall-e-3", r"has shut dall-e-3 down on 2026-05-12; use gpt-image-2.6-sunburst or gpt-image-2.6-flare"),
    ],
)
def test_a_name_that_is_not_known_or_not_alive_is_refused_with_another_one(provider, said, scenes) -> None:
    with pytest.raises(RequestInvalid, match=said):
        planned(scenes, provider=provider)
    with pytest.raises((ManifestInvalid, RequestInvalid), match=said):
        planned(scenes, manifest_provider=provider)


def test_a_wish_that_is_not_known_is_refused_where_it_matters_and_nowhere_else(scenes, tmp_path) -> None:
    (tmp_path / ".env").write_text("OPENAI_IMAGE_QUALITY=hihg\n")

    with pytest.raises(RequestInvalid, match=r"'gpt-image-2.6-flare:hihg' of openai, which OPENAI_IMAGE_MODEL and"):
        planned(scenes, home=tmp_path)
    assert planned(scenes, home=tmp_path, provider="ink").card.model == "noir-1"


def test_a_model_whose_days_are_counted_says_so_until_then_and_is_refused_from_then_on(scenes) -> None:
    card = load_catalog().find("openai", "gpt-image-1-mini:low")

    (note,) = notes_on(card)
    assert note.startswith("openai shuts gpt-image-1-mini:low down on 2026-12-01; gpt-image-2.6-sunburst or")
    assert capped(card, CAP, today=date(2026, 11, 30)).price_per_picture == CAP
    with pytest.raises(RequestInvalid, match="shut gpt-image-1-mini:low down on 2026-12-01"):
        capped(card, CAP, today=date(2026, 12, 1))


def test_a_price_that_nobody_knows_needs_a_cap_and_one_that_is_listed_bounds_it_from_below(scenes) -> None:
    mini = load_catalog().find("openai", "gpt-image-1-mini:high")

    with pytest.raises(RequestInvalid, match="the price of openai gpt-image-1-mini:high is not known"):
        capped(mini, None, today=TODAY)
    # OpenAI's model page of gpt-image-1-mini: high, 1024x1024, $0.036.
    with pytest.raises(RequestInvalid, match=r"costs \$0\.036 and what goes with it; max_price is \$0\.01"):
        capped(mini, Money.of("0.01"), today=TODAY)
    assert capped(mini, Money.of("0.10"), today=TODAY).lower_price == Money(micro_usd=36_000)


def test_a_workspace_that_names_a_price_keeps_what_is_known_of_the_model(tmp_path) -> None:
    own = tmp_path / "config" / "models.toml"
    own.parent.mkdir()
    own.write_text(
        'as_of = 2026-11-25\n[[models]]\nprovider = "openai"\nmodel = "gpt-image-2"\npaid = true\n'
        "price_per_picture = { micro_usd = 300_000 }\n"
    )

    card = catalog_of(tmp_path).find("openai")

    assert (card.model, card.upper_price, card.offer.most_pictures) == ("gpt-image-2:high", Money.of("0.30"), 16)


@pytest.mark.parametrize(
    ("model", "size", "near"),
    [
        ("gpt-image-1.5", "1536x1152", "1536x1024 or 1024x1024"),
        ("gpt-image-1.5", "700x1024", "1024x1536 or 1024x1024"),
        ("gpt-image-2", "1536x1077", "1536x1072 or 1536x1088"),
        ("gpt-image-2", "512x512", "816x816 or"),
    ],
)
def test_a_size_that_a_model_does_not_draw_is_refused_with_the_nearest_ones(model, size, near, scenes) -> None:
    with pytest.raises(RequestInvalid, match=f"does not draw {size}, the page of .*; write generation.size as {near}"):
        planned(scenes, provider=f"openai/{model}", size=size)


@pytest.mark.parametrize("size", ["1024x1024", "1536x864", "3840x2160", "2160x3840", "1024x1536"])
def test_free_sizes_are_taken_within_their_bounds(size, scenes) -> None:
    assert str(planned(scenes, provider="openai/gpt-image-2", size=size).jobs[0].size) == size


@pytest.mark.parametrize("size", [(10, 10), (17, 4000), (4000, 17), (3840, 2176), (5000, 5000), (1023, 1025)])
def test_whatever_is_asked_for_something_near_is_drawn(size) -> None:
    near = FREE.nearest(Size(width=size[0], height=size[1]), 2)

    assert len(near) == 2
    assert all(FREE.takes(one) for one in near)


def test_more_pictures_than_a_model_takes_are_refused(scenes) -> None:
    for number in range(16):
        write_photograph(scenes / f"style_{number}.png", 200 + number)
    manifest = json.loads((scenes / "manifest.json").read_text())
    manifest["style_refs"] = [f"style_{number}.png" for number in range(16)]
    (scenes / "manifest.json").write_text(json.dumps(manifest))

    with pytest.raises(RequestInvalid, match=r"takes 16 pictures at once; .* and its references are more"):
        planned(scenes)


def test_a_picture_in_a_format_that_a_model_does_not_read_is_refused(scenes) -> None:
    write_photograph(scenes / "scene_0.bmp", 1)
    manifest = json.loads((scenes / "manifest.json").read_text())
    manifest["scenes"] = [{"ref": "scene_0.bmp"}]
    (scenes / "manifest.json").write_text(json.dumps(manifest))

    with pytest.raises(RequestInvalid, match=r"does not read image/bmp, and scene_0.bmp is one; save that picture as"):
        planned(scenes)


@pytest.mark.parametrize(
    "wrong",
    ['quality = "best"\nqualities = ["low"]', 'qualities = ["low"]', 'fidelity = "high"', 'sizes = ["big"]'],
)
def test_an_offer_that_contradicts_itself_is_refused(wrong, tmp_path) -> None:
    path = tmp_path / "models.toml"
    path.write_text(
        f'as_of = 2026-11-25\n[[models]]\nprovider = "x"\nmodel = "y"\npaid = true\n[models.offer]\n{wrong}\n'
    )

    with pytest.raises(CatalogInvalid, match=r"models\[0\].offer"):
        load_catalog(path)


def test_a_model_of_which_nothing_is_known_takes_any_size() -> None:
    assert Offer().takes(Size(width=3, height=5))
