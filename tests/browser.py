"""A real Chromium for the end-to-end tests."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.conftest import CHROMIUM
from tests.services import Running


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for the whole run; each page is in a context of its own."""
    expect.set_options(timeout=20_000)  # a busy machine is no mistake of the code
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield launched
        launched.close()


@contextmanager
def pages(browser: Browser, base_url: str) -> Iterator[Callable[..., Page]]:
    """Opens pages of browsers of their own; an error or a warning in one's console fails the test."""
    said: list[str] = []
    contexts = []

    def begin(**options: Any) -> Page:
        # Without motion, or a colour may be read on its way from one to another.
        context = browser.new_context(base_url=base_url, **({"reduced_motion": "reduce"} | options))
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text) if message.type == "warning" else None)
        page.on("pageerror", lambda error: said.append(str(error)))
        return page

    yield begin
    for context in contexts:
        context.close()
    assert said == []


@pytest.fixture
def open_page(browser: Browser, service: Running) -> Iterator[Callable[..., Page]]:
    """Opens pages of browsers of their own, at what the test's file starts as `service`."""
    with pages(browser, service.base_url) as begin:
        yield begin
