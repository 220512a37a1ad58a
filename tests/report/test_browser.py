"""The gallery in a browser: it asks for nothing, shows everything, and obeys the keyboard."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from kroma_nb.report import gallery

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

    from .conftest import Story

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
FLAGS += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
HOSTILE = '"><img src=x onerror=alert(1)><script>alert(2)</script>'

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        if os.environ.get("CI"):
            pytest.fail("chromium is not installed")
        pytest.skip("chromium is not installed")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        opened = play.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield opened
        opened.close()


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


class Watched:
    """A page with everything written down that it asked for or complained about."""

    def __init__(self, page: Page) -> None:
        self.page, self.requests, self.complaints = page, list[str](), list[str]()
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("dialog", lambda dialog: (self.complaints.append(f"dialog {dialog.message}"), dialog.dismiss()))

    @property
    def asked_for(self) -> list[str]:
        return [url for url in self.requests if not url.startswith("data:")]

    def caption(self) -> str:
        return self.page.locator("#zoom .caption").inner_text()


def opened(browser: Browser, place: Path, *, script: bool = True) -> Watched:
    watched = Watched(browser.new_page(viewport={"width": 1280, "height": 800}, java_script_enabled=script))
    watched.page.goto(place.as_uri())
    return watched


def test_the_page_asks_for_nothing_shows_every_picture_and_raises_no_dialog(browser: Browser, page_file: Path) -> None:
    watched = opened(browser, page_file)

    widths = watched.page.evaluate(
        """async () => {
            const all = [...document.images];
            for (const image of all) { image.loading = "eager"; await image.decode(); }
            return all.map((image) => image.naturalWidth);
        }"""
    )

    assert len(widths) == 7 + 4
    assert min(widths) > 0
    assert watched.asked_for == [page_file.as_uri()]
    assert watched.complaints == []
    assert HOSTILE in watched.page.title()
    watched.page.close()


def test_the_keyboard_walks_from_candidate_to_candidate_and_from_stage_to_stage(
    browser: Browser, page_file: Path
) -> None:
    watched = opened(browser, page_file)
    page = watched.page
    page.locator("#run-1-job-1-c1 a.mat").focus()

    captions = []
    for key in ("Enter", "ArrowRight", "1", "ArrowDown"):
        page.keyboard.press(key)
        captions.append(watched.caption())
    page.keyboard.press("Escape")

    met = [re.search(r"(Style|Time: day) · (c\d)", caption).groups() for caption in captions]
    assert met == [("Style", "c1"), ("Style", "c2"), ("Style", "c1"), ("Time: day", "c1")]
    assert not page.locator("#zoom").is_visible()
    assert page.evaluate("document.activeElement.closest('figure').id") == "run-2-job-1-c1"
    assert (watched.complaints, watched.asked_for) == ([], [page_file.as_uri()])
    page.close()


def test_a_held_key_compares_and_z_gives_pixel_for_pixel(browser: Browser, page_file: Path) -> None:
    watched = opened(browser, page_file)
    page = watched.page
    page.locator("#run-1-job-1-c1 a.mat").click()
    page.keyboard.press("2")

    held = []
    for key in ("s", "b"):
        page.keyboard.down(key)
        held.append(watched.caption())
        page.keyboard.up(key)
    page.keyboard.press("z")

    assert "· source ·" in held[0]
    assert "· c1 ·" in held[1]
    assert "· c2 ·" in watched.caption()
    assert page.locator("#zoom img").bounding_box()["width"] == pytest.approx(120, abs=1)
    assert page.locator("[data-do=pixels]").get_attribute("aria-pressed") == "true"
    page.close()


def test_the_hand_opens_holds_and_closes_the_large_view(browser: Browser, page_file: Path) -> None:
    watched = opened(browser, page_file)
    page = watched.page

    page.locator("#run-1-job-1-c2 a.mat").click()
    page.locator("[data-do=source]").hover()
    page.mouse.down()
    held = watched.caption()
    page.mouse.up()

    assert "source" in held
    assert "· c2 ·" in watched.caption()
    page.locator("[data-do=close]").click()
    assert not page.locator("#zoom").is_visible()
    page.close()


def test_without_javascript_everything_can_be_read_and_pictures_lead_to_their_files(
    browser: Browser, page_file: Path
) -> None:
    watched = opened(browser, page_file, script=False)
    page = watched.page

    assert not page.locator("#zoom").is_visible()
    assert page.locator("figure.candidate").count() == 6
    page.locator("details").first.locator("summary").click()
    assert page.locator("ol.chain").first.is_visible()
    page.locator("#run-3-job-1-c1 a.mat").click()
    page.wait_for_url("**/outputs/harbour__c1.png")
    page.close()


@pytest.mark.parametrize(("width", "columns"), [(360, 1), (1440, 2), (3840, 2)])
def test_the_page_fits_a_phone_and_a_wall(browser: Browser, page_file: Path, width: int, columns: int) -> None:
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.goto(page_file.as_uri())

    tops = page.evaluate(
        "[...document.querySelectorAll('.take')[0].querySelectorAll('figure')].map((f) => f.offsetTop)"
    )

    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert len(set(tops)) == 2 // columns
    page.close()
