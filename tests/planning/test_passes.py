"""The passes of a plan: the postprocess file, the layers above it, colour profiles."""

from __future__ import annotations

from pathlib import Path

import pytest

from kroma_nb import planning
from kroma_nb.errors import ColorProfilesInvalid, FileMissing, KromaError, PathRefused, PostprocessInvalid
from kroma_nb.model.plan import PostprocessRequest
from kroma_nb.model.postprocess import ColorProfile, CutoutBackend, PictureFormat, UpscaleBackend
from kroma_nb.model.words import PassName
from kroma_nb.settings import Settings, load_settings


def passes(told, content: object | None = None, *, settings: Settings | None = None, **asked):
    if content is not None:
        told.write("post.json", content)
        asked["config_path"] = Path("post.json")
    request = told.request(manifest_path=Path("manifest.json"), postprocess=PostprocessRequest(**asked))
    return planning.plan(request, settings=settings).postprocess


def settings_of(told, **postprocess: object) -> Settings:
    told.write("config/pipeline.settings.json", {"postprocess": postprocess})
    return load_settings(told.root)


def test_nothing_is_on_unless_somebody_asks(told) -> None:
    everything = {"upscale": {"scale": 4}, "color": {"default_profile": "cold_rain"}, "bg_remove": {}}

    assert passes(told).pipeline_order == (PassName.GENERATE,)
    assert passes(told, everything).pipeline_order == (PassName.GENERATE,)


def test_every_pass_can_be_asked_for_and_keeps_the_fixed_order(told) -> None:
    plan = passes(told, color=True, upscale=True, bg_remove=True, bg_refine_openai=True)

    assert plan.pipeline_order == tuple(PassName)


def test_passes_that_are_on_have_the_documented_defaults(told) -> None:
    plan = passes(told, {}, color=True, upscale=True, bg_remove=True)

    assert (plan.upscale.backend, plan.upscale.scale, plan.upscale.format) == (UpscaleBackend.LANCZOS, 2, "png")
    assert (plan.bg_remove.backends, plan.bg_remove.format) == ((CutoutBackend.GRABCUT,), "png")
    # A paid engine is never asked unless somebody wrote so.
    assert not plan.bg_remove.refine_openai
    assert (plan.color.profile, plan.color.settings) == ("neutral", "builtin")


def test_a_postprocess_file_says_how_the_passes_work(told) -> None:
    content = {
        "upscale": {"backend": " NCNN ", "scale": 4, "format": "WEBP"},
        "color": {"default_profile": "cold_rain"},
        "bg_remove": {
            "backends": ["RemBG", "photoroom"],
            "format": "webp",
            "openai": {"enabled": True, "required": True},
        },
    }

    plan = passes(told, content, color=True, upscale=True, bg_remove=True)

    assert (plan.upscale.backend, plan.upscale.scale, plan.upscale.format) == (UpscaleBackend.NCNN, 4, "webp")
    assert plan.bg_remove.backends == (CutoutBackend.REMBG, CutoutBackend.PHOTOROOM)
    assert plan.bg_remove.format is PictureFormat.WEBP
    assert plan.bg_remove.refine_openai
    assert plan.bg_remove.refine_openai_required
    assert plan.color.profile == "cold_rain"
    # The values of the predecessor's built-in profile of this name.
    assert plan.color.values == ColorProfile(
        brightness=0.97,
        contrast=1.1,
        saturation=0.95,
        sharpness=1.03,
        gamma=1.01,
        red_multiplier=0.97,
        blue_multiplier=1.05,
    )


def test_settings_win_over_the_postprocess_file_and_the_request_over_both(told) -> None:
    content = {"upscale": {"backend": "ncnn"}, "bg_remove": {"backends": ["removebg"], "openai": {"enabled": True}}}
    settings = settings_of(
        told, upscale=True, bg_remove=True, upscale_backend="python", bg_remove_backends=["photoroom"]
    )

    by_settings = passes(told, content, settings=settings)
    by_request = passes(
        told,
        content,
        settings=settings,
        upscale_backend=UpscaleBackend.NCNN,
        bg_remove_backends=(CutoutBackend.REMBG,),
        bg_refine_openai=False,
    )

    assert by_settings.upscale.backend is UpscaleBackend.PYTHON
    assert by_settings.bg_remove.backends == (CutoutBackend.PHOTOROOM,)
    assert by_settings.bg_remove.refine_openai
    assert by_request.upscale.backend is UpscaleBackend.NCNN
    assert by_request.bg_remove.backends == (CutoutBackend.REMBG,)
    assert not by_request.bg_remove.refine_openai


def test_a_request_can_switch_off_what_the_settings_switch_on(told) -> None:
    settings = settings_of(told, upscale=True, color=True, bg_remove=True)

    plan = passes(told, settings=settings, upscale=False, color=False, bg_remove=False)

    assert plan.pipeline_order == (PassName.GENERATE,)


@pytest.mark.parametrize(
    ("content", "field"),
    [
        ([], ""),
        ({"upscale": True}, "upscale"),
        ({"upscale": {"backend": "gpu"}}, "upscale.backend"),
        ({"upscale": {"backend": None}}, "upscale.backend"),
        ({"upscale": {"scale": 0}}, "upscale.scale"),
        ({"upscale": {"scale": 256}}, "upscale.scale"),
        ({"upscale": {"scale": 2.0}}, "upscale.scale"),
        ({"upscale": {"format": "gif"}}, "upscale.format"),
        ({"upscale": {"format": 3}}, "upscale.format"),
        ({"color": {"default_profile": " "}}, "color.default_profile"),
        ({"color": {"settings_file": ""}}, "color.settings_file"),
        ({"bg_remove": {"backends": []}}, "bg_remove.backends"),
        ({"bg_remove": {"backends": "rembg"}}, "bg_remove.backends"),
        ({"bg_remove": {"backends": ["rembg", "magic"]}}, "bg_remove.backends[1]"),
        ({"bg_remove": {"backends": ["rembg", None]}}, "bg_remove.backends[1]"),
        ({"bg_remove": {"openai": {"enabled": "yes"}}}, "bg_remove.openai.enabled"),
        ({"bg_remove": {"openai": True}}, "bg_remove.openai"),
        ({"bg_remove": {"opnai": {}}}, "bg_remove.opnai"),
    ],
)
def test_a_wrong_postprocess_file_is_refused_with_its_dotted_field(told, content, field) -> None:
    with pytest.raises(PostprocessInvalid) as caught:
        passes(told, content)

    assert caught.value.field == field
    assert "post.json" in str(caught.value)


def test_legacy_keys_are_accepted_and_listed(told) -> None:
    content = {
        "bg_remove": {"rembg": {"model": "u2net"}, "size": None, "openai": {"prompt": 3, "enabled": False}},
        "upscale": {"python": {"gpu_id": None}, "tile": "wide"},
    }
    told.write("post.json", content)

    plan = planning.plan(
        told.request(manifest_path=Path("manifest.json"), postprocess=PostprocessRequest(config_path=Path("post.json")))
    )

    (note,) = plan.notes
    for key in ("bg_remove.rembg", "bg_remove.size", "bg_remove.openai.prompt", "upscale.python", "upscale.tile"):
        assert key in note
    assert "enabled" not in note


@pytest.mark.parametrize("word", ["jpg", "jpeg", " JPEG "])
def test_a_cut_out_cannot_be_a_jpeg(told, word) -> None:
    with pytest.raises(PostprocessInvalid, match=r"bg_remove\.format: .*transparency"):
        passes(told, {"bg_remove": {"format": word}}, bg_remove=True)
    with pytest.raises(PostprocessInvalid, match=r"upscale\.format: .*transparency"):
        passes(told, {"upscale": {"format": word}}, bg_remove=True, upscale=True)


def test_a_jpeg_is_fine_where_nothing_is_cut_out(told) -> None:
    plan = passes(told, {"upscale": {"format": "jpeg"}, "bg_remove": {"format": "jpg"}}, upscale=True)

    assert plan.upscale.format is PictureFormat.JPG


def test_an_empty_list_of_backends_is_refused_where_it_is_written(told) -> None:
    settings = settings_of(told, bg_remove=True, bg_remove_backends=[])

    with pytest.raises(PostprocessInvalid) as caught:
        passes(told, settings=settings)

    assert caught.value.field == "postprocess.bg_remove_backends"
    assert "pipeline.settings.json" in str(caught.value)


def test_profiles_of_a_file_take_the_place_of_the_built_in_ones(told) -> None:
    told.write("looks/profiles.json", {"profiles": {"dusk": {"gamma": 1.2}}})
    content = {"color": {"settings_file": "looks/profiles.json", "default_profile": "dusk"}}

    plan = passes(told, content, color=True)

    assert (plan.color.profile, plan.color.settings) == ("dusk", "looks/profiles.json")
    assert plan.color.values == ColorProfile(gamma=1.2)


@pytest.mark.parametrize(
    ("file_default", "config_default", "asked", "chosen"),
    [
        (None, None, None, "neutral"),
        ("dusk", None, None, "dusk"),
        ("dusk", "dawn", None, "dawn"),
        ("dusk", "neutral", None, "neutral"),
        ("dusk", "dawn", "noon", "noon"),
    ],
)
def test_the_profiles_own_default_stands_below_all_that_people_wrote(
    told, file_default, config_default, asked, chosen
) -> None:
    profiles: dict[str, object] = {"profiles": {name: {} for name in ("neutral", "dusk", "dawn", "noon")}}
    if file_default:
        profiles["default_profile"] = file_default
    told.write("profiles.json", profiles)
    color = {"settings_file": "profiles.json"} | ({"default_profile": config_default} if config_default else {})

    assert passes(told, {"color": color}, color=True, color_profile=asked).color.profile == chosen


def test_an_unknown_profile_gets_a_hint_and_names_who_asked(told) -> None:
    with pytest.raises(ColorProfilesInvalid) as caught:
        passes(told, color=True, color_profile="cold_rian")

    assert "did you mean 'cold_rain'" in str(caught.value)
    assert "request" in str(caught.value)


@pytest.mark.parametrize(
    ("content", "field"),
    [
        ({}, "profiles"),
        ({"profiles": {}}, "profiles"),
        ({"profiles": []}, "profiles"),
        ({"profiles": {"dusk": 3}}, "profiles.dusk"),
        ({"profiles": {"dusk": {"gamma": 0}}}, "profiles.dusk.gamma"),
        ({"profiles": {"dusk": {"gamma": "1"}}}, "profiles.dusk.gamma"),
        ({"profiles": {"dusk": {"gamma": None}}}, "profiles.dusk.gamma"),
        ({"profiles": {"dusk": {"contrast": True}}}, "profiles.dusk.contrast"),
        ({"profiles": {"dusk": {"autocontrast_cutoff": 50}}}, "profiles.dusk.autocontrast_cutoff"),
        ({"profiles": {"dusk": {"gama": 1}}}, "profiles.dusk.gama"),
        ({"profiles": {"dusk": {}}, "default_profile": "dawn"}, "default_profile"),
        ({"profiles": {"dusk": {}}, "default": "dusk"}, "default"),
    ],
)
def test_a_wrong_file_of_profiles_is_refused_with_its_dotted_field(told, content, field) -> None:
    told.write("profiles.json", content)

    with pytest.raises(ColorProfilesInvalid) as caught:
        passes(told, {"color": {"settings_file": "profiles.json"}}, color=True)

    assert caught.value.field == field
    assert "profiles.json" in str(caught.value)


@pytest.mark.parametrize("named", ["../profiles.json", "/etc/profiles.json"])
def test_a_file_of_profiles_stays_beside_the_postprocess_file(told, named) -> None:
    with pytest.raises(PathRefused, match=r"color\.settings_file"):
        passes(told, {"color": {"settings_file": named}}, color=True)


def test_a_missing_file_of_profiles_or_postprocess_file_is_refused_by_who_names_it(told) -> None:
    with pytest.raises(FileMissing, match=r"post\.json: color\.settings_file: .*gone\.json"):
        passes(told, {"color": {"settings_file": "gone.json"}}, color=True)
    with pytest.raises(FileMissing, match=r"postprocess_config_path: .*gone\.json"):
        passes(told, config_path=Path("gone.json"))


def test_a_file_without_profiles_says_so(told) -> None:
    with pytest.raises(ColorProfilesInvalid, match="there is no profile; add one"):
        planning.load_profiles(told.write("profiles.json", {"profiles": {}}))


def test_every_built_in_profile_can_be_planned(told) -> None:
    for name in ("neutral", "cinematic_warm", "cold_rain"):
        assert passes(told, color=True, color_profile=name).color.profile == name


def test_a_profile_with_a_dot_in_its_name_still_gives_a_clear_error(told) -> None:
    told.write("profiles.json", {"profiles": {"v1.2 夜": {"gama": 1}}})

    with pytest.raises(KromaError, match=r"gama.*did you mean 'gamma'"):
        passes(told, {"color": {"settings_file": "profiles.json"}}, color=True)
