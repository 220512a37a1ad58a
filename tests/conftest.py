"""What every suite may need: a real browser that reaches nothing, and honest skips."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Generator, Iterator
from contextlib import ExitStack
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


# What a terminal says of its width is nothing that a test expects.
os.environ.pop("COLUMNS", None)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Measure alone: where several workers share the machine, the others wait while one of them runs a benchmark."""
    session = getattr(item.config, "workerinput", {}).get("testrunuid")
    if session is None:
        return (yield)
    alone = item.get_closest_marker("benchmark") is not None
    place = Path(tempfile.gettempdir()) / f"kroma-tests-{session}"
    with ExitStack() as held:
        # Whoever wants to be alone stands at the gate, so that nobody slips in before it. Locks of this kind are not
        # passed on to forked processes, some of which outlive the test that began them.
        gate, room = (held.enter_context(Path(f"{place}-{name}.lock").open("a+b")) for name in ("gate", "room"))
        fcntl.lockf(gate, fcntl.LOCK_EX)
        fcntl.lockf(room, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        if not alone:
            fcntl.lockf(gate, fcntl.LOCK_UN)
        return (yield)


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
