"""What every suite may need: a real browser that reaches nothing, and honest skips."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

CHROMIUM_FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def skip_or_fail(reason: str) -> None:
    """Skip on a user's machine; fail where everything must be installed."""
    if os.environ.get("CI"):
        pytest.fail(f"{reason}; continuous integration must have it")
    pytest.skip(reason)


class OfflinePage:
    """A page in Chromium without a network; it remembers what it asked for and what it complained about."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.requests: list[str] = []
        self.complaints: list[str] = []
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", self._hear)
        page.on("dialog", self._refuse)

    def open(self, path: Path) -> list[str]:
        """Open a file, load every picture, and give the addresses that were asked for besides embedded data."""
        self.page.goto(path.as_uri())
        self.page.evaluate(
            "Promise.all([...document.images].map(image => { image.loading = 'eager'; return image.decode() }))"
        )
        return [url for url in self.requests if not url.startswith("data:")]

    def _hear(self, message: Any) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(message.text)

    def _refuse(self, dialog: Any) -> None:
        self.complaints.append(f"dialog: {dialog.message}")
        dialog.dismiss()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """Debian's Chromium, driven by Playwright."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        skip_or_fail("chromium is not installed")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def offline_page(chromium: Any) -> Iterator[OfflinePage]:
    """A fresh page that is cut off from every network."""
    context = chromium.new_context(offline=True, viewport={"width": 1440, "height": 900})
    yield OfflinePage(context.new_page())
    context.close()
