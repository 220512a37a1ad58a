"""References stay inside the folder that they start from, and name real pictures."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from kroma_nb import planning
from kroma_nb.errors import FileMissing, PathRefused, PictureTooLarge, PictureUnreadable


def plan_of(story, ref: str, *, key: str = "scene_refs"):
    manifest = {"scene_refs": ["ok.png"], key: ["ok.png", ref]}
    story.picture("tale/ok.png")
    path = story.write("tale/manifest.json", manifest)
    return planning.plan(story.request(manifest_path=path))


@pytest.mark.parametrize("key", ["scene_refs", "style_refs"])
@pytest.mark.parametrize("ref", ["/etc/passwd", "C:\\photos\\a.png", "\\\\server\\a.png", "../b.png", "x/../../b.png"])
def test_a_manifest_cannot_name_what_lies_outside_its_folder(story, key, ref) -> None:
    story.picture("b.png")

    with pytest.raises(PathRefused) as caught:
        plan_of(story, ref, key=key)

    assert f"manifest.json: {key}[1]" in str(caught.value)
    assert ref in str(caught.value)


def test_a_link_is_refused_also_when_it_stays_inside(story) -> None:
    story.picture("tale/real.png")
    (story.root / "tale/link.png").symlink_to("real.png")

    with pytest.raises(PathRefused, match=r"scene_refs\[1\].*link\.png.*link"):
        plan_of(story, "link.png")


def test_a_dangling_link_is_refused_as_a_link(story) -> None:
    (story.root / "tale").mkdir()
    (story.root / "tale/link.png").symlink_to("nowhere.png")

    with pytest.raises(PathRefused, match="link"):
        plan_of(story, "link.png")


def test_a_linked_folder_that_leads_out_is_refused(story) -> None:
    story.picture("elsewhere/a.png")
    (story.root / "tale").mkdir()
    (story.root / "tale/photos").symlink_to("../elsewhere")

    with pytest.raises(PathRefused, match=r"scene_refs\[1\].*leads out"):
        plan_of(story, "photos/a.png")


def test_a_linked_folder_and_two_dots_cannot_lead_out_together(story) -> None:
    story.picture("secret.png")
    (story.root / "deep/er").mkdir(parents=True)
    (story.root / "tale").mkdir()
    (story.root / "tale/photos").symlink_to("../deep")

    with pytest.raises(PathRefused, match="leads out"):
        plan_of(story, "photos/../secret.png")


def test_a_linked_folder_inside_is_followed(story) -> None:
    story.picture("tale/real/a.png")
    (story.root / "tale/photos").symlink_to("real")

    plan = plan_of(story, "photos/a.png")

    assert plan.jobs[1].scene.ref == "photos/a.png"


def test_a_story_in_a_linked_folder_can_be_planned(story) -> None:
    story.picture("tale/a.png")
    story.write("tale/manifest.json", {"scene_refs": ["a.png"]})
    (story.root / "shortcut").symlink_to("tale")

    plan = planning.plan(story.request(manifest_path=story.root / "shortcut/manifest.json"))

    assert len(plan.jobs) == 1


@pytest.mark.parametrize("key", ["scene_refs", "style_refs"])
def test_a_missing_picture_is_named_with_field_and_path(story, key) -> None:
    with pytest.raises(FileMissing) as caught:
        plan_of(story, "photos/gone.png", key=key)

    assert f"{key}[1]" in str(caught.value)
    assert "photos/gone.png" in str(caught.value)


def test_a_misspelt_picture_gets_a_hint(story) -> None:
    story.picture("tale/harbour.png")

    with pytest.raises(FileMissing, match=r"did you mean 'harbour\.png'"):
        plan_of(story, "harbor.png")


def test_a_backslash_gets_a_hint(story) -> None:
    story.picture("tale/photos/a.png")

    with pytest.raises(FileMissing, match="divided by /"):
        plan_of(story, "photos\\a.png")


def test_a_folder_is_no_scene(story) -> None:
    story.picture("tale/photos/a.png")

    with pytest.raises(FileMissing, match=r"scene_refs\[1\].*folder"):
        plan_of(story, "photos")


def test_the_folder_itself_is_no_scene(story) -> None:
    with pytest.raises(FileMissing, match="folder"):
        plan_of(story, ".")


def test_a_nul_in_a_path_of_a_request_is_refused_in_readable_words(story) -> None:
    for asked in ({"scene_refs": ("a\0.png",)}, {"input": Path("a\0")}, {"jobs_file": Path("a\0")}):
        with pytest.raises(PathRefused) as caught:
            planning.plan(story.request(**asked))

        assert str(caught.value).isprintable()


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="needs a file that opens and cannot be read")
def test_a_file_that_opens_and_cannot_be_read_is_refused_with_field_and_path(story) -> None:
    with pytest.raises(FileMissing, match=r"request: scene_refs\[0\]: /proc/self/mem"):
        planning.plan(story.request(scene_refs=("/proc/self/mem",)))


def test_a_pipe_is_no_scene(story) -> None:
    (story.root / "tale").mkdir()
    os.mkfifo(story.root / "tale/a.png")

    with pytest.raises(FileMissing, match="no regular file"):
        plan_of(story, "a.png")


@pytest.mark.parametrize(
    "content", [b"", b"not a picture", b"GIF89a\x01\x00\x01\x00", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"]
)
@pytest.mark.parametrize("key", ["scene_refs", "style_refs"])
def test_what_has_no_pictures_header_is_refused_with_field_and_path(story, content, key) -> None:
    (story.root / "tale").mkdir()
    (story.root / "tale/bad.png").write_bytes(content)

    with pytest.raises(PictureUnreadable) as caught:
        plan_of(story, "bad.png", key=key)

    assert f"{key}[1]" in str(caught.value)
    assert "bad.png" in str(caught.value)


def test_a_picture_whose_header_promises_too_much_is_refused(story) -> None:
    path = story.picture("tale/bomb.png")
    data = bytearray(path.read_bytes())
    data[16:24] = (60_000).to_bytes(4, "big") * 2
    path.write_bytes(bytes(data))

    with pytest.raises((PictureTooLarge, PictureUnreadable), match=r"scene_refs\[1\]"):
        plan_of(story, "bomb.png")


def test_a_request_can_name_absolute_pictures_and_relative_ones_inside_its_root(story) -> None:
    outside = story.picture("a.png")
    story.picture("tale/b.png")

    plan = planning.plan(story.request(root=story.root / "tale", scene_refs=(str(outside), "b.png")))

    assert [job.id for job in plan.jobs] == ["style_1_a", "style_2_b"]


def test_a_relative_picture_of_a_request_cannot_leave_its_root(story) -> None:
    story.picture("a.png")
    (story.root / "tale").mkdir()

    with pytest.raises(PathRefused, match=r"request: scene_refs\[0\]"):
        planning.plan(story.request(root=story.root / "tale", scene_refs=("../a.png",)))


def test_a_name_that_no_system_can_hold_is_missing_and_no_crash(story) -> None:
    with pytest.raises(FileMissing, match=r"scene_refs\[1\]"):
        plan_of(story, "a" * 5000 + ".png")
