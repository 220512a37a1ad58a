"""The gallery in a browser: it asks for nothing, shows everything, and obeys the keyboard."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from kroma_nb.report import gallery

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, Page

    from ..conftest import OfflinePage
    from .conftest import Story

HOSTILE = '"><img src=x onerror=alert(1)><script>alert(2)</script>'

pytestmark = pytest.mark.browser


@pytest.fixture
def page_file(story: Story, tmp_path: Path) -> Path:
    """Write a chain of three runs of a scene with a hostile name, with its files, as a project has them."""
    logs = [
        log.model_copy(
            update={"jobs": tuple(job.model_copy(update={"name": HOSTILE}) for job in log.jobs), "project": HOSTILE}
        )
        for log in story.chain()
    ]
    for path, data in story.files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(data)
    place = tmp_path / "runs/r3/gallery.html"
    place.write_text(gallery(logs, story.pictures), encoding="utf-8")
    return place


def caption(page: Page) -> str:
    return page.locator("#zoom .caption").inner_text()


def test_the_page_asks_for_nothing_shows_every_picture_and_raises_no_dialog(
    offline_page: OfflinePage, page_file: Path
) -> None:
    asked_for = offline_page.open(page_file)

    widths = offline_page.page.evaluate("[...document.images].map((image) => image.naturalWidth)")
    assert len(widths) == 7 + 4
    assert min(widths) > 0
    assert asked_for == [page_file.as_uri()]
    assert offline_page.complaints == []
    assert HOSTILE in offline_page.page.title()


def test_the_keyboard_walks_from_candidate_to_candidate_and_from_stage_to_stage(
    offline_page: OfflinePage, page_file: Path
) -> None:
    offline_page.open(page_file)
    page = offline_page.page
    page.locator("#run-1-job-1-c1 a.mat").focus()

    captions = []
    for key in ("Enter", "ArrowRight", "1", "ArrowDown"):
        page.keyboard.press(key)
        captions.append(caption(page))
    page.keyboard.press("Escape")

    met = [re.search(r"(Style|Time: day) · (c\d)", caption).groups() for caption in captions]
    assert met == [("Style", "c1"), ("Style", "c2"), ("Style", "c1"), ("Time: day", "c1")]
    assert not page.locator("#zoom").is_visible()
    # The closed view hands the focus back in the browser's own time.
    page.wait_for_function("document.activeElement.closest('figure')?.id === 'run-2-job-1-c1'", timeout=5000)
    assert offline_page.complaints == []


def test_a_held_key_compares_and_z_gives_pixel_for_pixel(offline_page: OfflinePage, page_file: Path) -> None:
    offline_page.open(page_file)
    page = offline_page.page
    page.locator("#run-1-job-1-c1 a.mat").click()
    page.keyboard.press("2")

    held = []
    for key in ("s", "b"):
        page.keyboard.down(key)
        held.append(caption(page))
        page.keyboard.up(key)
    page.keyboard.press("z")

    assert "· source ·" in held[0]
    assert "· c1 ·" in held[1]
    assert "· c2 ·" in caption(page)
    assert page.locator("#zoom img").bounding_box()["width"] == pytest.approx(120, abs=1)
    assert page.locator("[data-do=pixels]").get_attribute("aria-pressed") == "true"


def test_the_hand_opens_holds_and_closes_the_large_view(offline_page: OfflinePage, page_file: Path) -> None:
    offline_page.open(page_file)
    page = offline_page.page

    page.locator("#run-1-job-1-c2 a.mat").click()
    page.locator("[data-do=source]").hover()
    page.mouse.down()
    held = caption(page)
    page.mouse.up()

    assert "source" in held
    assert "· c2 ·" in caption(page)
    page.locator("[data-do=close]").click()
    assert not page.locator("#zoom").is_visible()


def test_without_javascript_everything_can_be_read_and_pictures_lead_to_their_files(
    chromium: Browser, page_file: Path
) -> None:
    page = chromium.new_page(java_script_enabled=False)
    page.goto(page_file.as_uri())

    assert not page.locator("#zoom").is_visible()
    assert page.locator("figure.candidate").count() == 6
    page.locator("details").first.locator("summary").click()
    assert page.locator("ol.chain").first.is_visible()
    page.locator("#run-3-job-1-c1 a.mat").click()
    page.wait_for_url("**/outputs/harbour__c1.png")
    page.close()


@pytest.mark.parametrize(("width", "columns"), [(360, 1), (1440, 2), (3840, 2)])
def test_the_page_fits_a_phone_and_a_wall(offline_page: OfflinePage, page_file: Path, width: int, columns: int) -> None:
    page = offline_page.page
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(page_file.as_uri())

    tops = page.evaluate(
        "[...document.querySelectorAll('.take')[0].querySelectorAll('figure')].map((f) => f.offsetTop)"
    )

    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert len(set(tops)) == 2 // columns


def test_a_name_of_thousands_of_letters_does_not_push_a_phones_page_wide(
    offline_page: OfflinePage, story: Story, tmp_path: Path
) -> None:
    place = tmp_path / "gallery.html"
    place.write_text(gallery(story.simple("W" * 5000, project="W" * 5000), story.pictures), encoding="utf-8")

    offline_page.page.set_viewport_size({"width": 360, "height": 800})
    offline_page.open(place)

    assert offline_page.page.evaluate("document.documentElement.scrollWidth") <= 360
