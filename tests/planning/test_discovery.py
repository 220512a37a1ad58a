"""Finding pictures in folders: order, endings, links, hidden files, odd names."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from kroma_nb import planning
from kroma_nb.errors import FileMissing, PathRefused, PictureUnreadable, RequestInvalid
from kroma_nb.model.plan import Plan


def names(found: planning.Discovered, folder: Path) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in found.files]


def test_names_come_in_byte_order_and_folders_in_their_place(story) -> None:
    # The order is the one that the predecessor's specification gives.
    for ref in ("z-dir/2.jpg", "b.png", "a.png", "a-dir/1.jpg"):
        story.picture(ref)

    found = planning.discover(story.root)

    assert names(found, story.root) == ["a-dir/1.jpg", "a.png", "b.png", "z-dir/2.jpg"]


def test_byte_order_puts_capitals_first_and_other_scripts_last(story) -> None:
    for ref in ("é.png", "a.png", "Z.png", "夜.png", "10.png", "9.png"):
        story.picture(ref)

    found = planning.discover(story.root)

    assert names(found, story.root) == ["10.png", "9.png", "Z.png", "a.png", "é.png", "夜.png"]


def test_endings_are_known_in_any_case_and_others_are_passed_over(story) -> None:
    for ref in ("a.JPG", "b.jpeg", "c.PnG", "d.webp", "e.bmp", "f.tif", "g.TIFF", "h.gif", "i.txt", "j", ".png"):
        story.picture(ref)

    found = planning.discover(story.root)

    assert names(found, story.root) == ["a.JPG", "b.jpeg", "c.PnG", "d.webp", "e.bmp", "f.tif", "g.TIFF"]
    assert found.left_out == ()


def test_hidden_files_and_folders_count(story) -> None:
    story.picture(".hidden.png")
    story.picture(".attic/a.png")

    assert names(planning.discover(story.root), story.root) == [".attic/a.png", ".hidden.png"]


def test_names_that_differ_in_capitals_alone_are_two_scenes(story) -> None:
    story.picture("photos/A.png")
    story.picture("photos/a.png")

    plan = planning.plan(story.request(input=Path("photos")))

    assert [job.id for job in plan.jobs] == ["style_1_a", "style_2_a"]


def test_links_are_left_out_and_said_so(story) -> None:
    story.picture("photos/a.png")
    story.picture("elsewhere/b.png")
    (story.root / "photos/link.png").symlink_to("a.png")
    (story.root / "photos/more").symlink_to("../elsewhere")
    (story.root / "photos/round").symlink_to(".")
    (story.root / "photos/gone.jpg").symlink_to("nowhere")
    (story.root / "photos/itself").symlink_to("itself")
    (story.root / "photos/notes.txt").symlink_to("a.png")

    plan = planning.plan(story.request(input=Path("photos")))

    assert [job.scene.ref for job in plan.jobs] == ["photos/a.png"]
    (note,) = plan.notes
    assert all(name in note for name in ("link.png", "more", "round", "gone.jpg", "itself"))
    assert "notes.txt" not in note


def test_a_pipe_with_a_pictures_name_is_left_out(story) -> None:
    story.picture("a.png")
    os.mkfifo(story.root / "b.png")

    found = planning.discover(story.root)

    assert (len(found.files), len(found.left_out)) == (1, 1)


def test_a_file_gives_itself(story) -> None:
    story.picture("photos/a.png")

    plan = planning.plan(story.request(input=Path("photos/a.png")))

    assert [(job.id, job.scene.ref) for job in plan.jobs] == [("style_1_a", "photos/a.png")]


@pytest.mark.parametrize("name", ["notes.txt", "a.gif"])
def test_a_file_that_is_no_picture_by_name_is_refused(story, name) -> None:
    story.write(name, "text")

    with pytest.raises(FileMissing, match="neither a folder nor a picture"):
        planning.plan(story.request(input=Path(name)))


def test_a_folder_without_pictures_is_refused(story) -> None:
    (story.root / "photos/empty").mkdir(parents=True)

    with pytest.raises(RequestInvalid, match=r"request: input: .*photos holds no pictures"):
        planning.plan(story.request(input=Path("photos")))


def test_a_missing_input_is_refused(story) -> None:
    with pytest.raises(FileMissing, match="request: input"):
        planning.plan(story.request(input=Path("photos")))


def test_a_linked_input_is_refused(story) -> None:
    story.picture("photos/a.png")
    (story.root / "shortcut").symlink_to("photos")

    with pytest.raises(PathRefused, match="request: input"):
        planning.plan(story.request(input=Path("shortcut")))


def test_one_broken_picture_in_a_folder_is_named(story) -> None:
    story.picture("photos/a.png")
    story.write("photos/b.png", "broken")

    with pytest.raises(PictureUnreadable, match=r"request: input: .*b\.png"):
        planning.plan(story.request(input=Path("photos")))


def test_an_absolute_input_plans_as_a_relative_one_does(story) -> None:
    story.picture("photos/day/a.png")

    absolute = planning.plan(story.request(input=story.root / "photos"))

    assert absolute == planning.plan(story.request(input=Path("photos")))


def test_no_path_of_this_machine_stands_in_a_stored_plan(story, tmp_path) -> None:
    story.picture("a.png")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()

    plan = planning.plan(story.request(root=elsewhere, input=story.root))

    assert [job.scene.ref for job in plan.jobs] == ["story/a.png"]
    assert str(tmp_path) not in plan.model_dump_json()


def test_the_root_itself_can_be_the_input(story) -> None:
    story.picture("a.png")

    plan = planning.plan(story.request(input=Path()))

    assert [job.scene.ref for job in plan.jobs] == ["a.png"]


def test_a_name_that_is_not_utf8_is_refused_in_readable_words(story) -> None:
    story.picture("a.png").rename(Path(os.fsdecode(os.fsencode(story.root) + b"/b\xff.png")))

    with pytest.raises(PathRefused) as caught:
        planning.plan(story.request(input=Path()))

    assert "not UTF-8" in str(caught.value).encode("utf-8").decode()


def test_a_folder_whose_own_path_is_not_utf8_can_be_planned(story) -> None:
    path = story.picture("a.png")
    odd = Path(os.fsdecode(os.fsencode(story.root) + b"/odd\xff"))
    odd.mkdir()
    path.rename(odd / "a.png")

    plan = planning.plan(story.request(root=odd, input=Path()))

    assert Plan.model_validate_json(json.dumps(plan.to_json())).jobs[0].scene.ref == "a.png"


def test_deep_folders_need_no_deep_stack(story) -> None:
    deep = str(story.root)
    while len(deep) < 3900:
        deep += "/d"
        Path(deep).mkdir()
    Path(deep, "a.png").write_bytes(story.picture("x.png").read_bytes())

    try:
        found = planning.discover(story.root)
    finally:
        # A tree this deep is too much for the recursion that clears temporary folders.
        Path(deep, "a.png").unlink()
        os.removedirs(deep)

    assert len(found.files) == 2
