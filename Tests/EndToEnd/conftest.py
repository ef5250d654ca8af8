"""What the end-to-end tests share: a running stack, and ways to speak to it and judge it from outside."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import page_states
import pytest
from browsing import chromium, sound_page
from standin import StandIn

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(ROOT / "scripts"))

from outside import Person  # noqa: E402
from stack import Stack  # noqa: E402

AGENTS = HERE / "agents"


def fixtures_folder() -> Path | None:
    """GitHub's published payloads; they are no part of the project, and tests that need them say so."""
    chosen = os.environ.get("PORTER_FIXTURES")
    folder = Path(chosen) if chosen else ROOT.parent / "shared" / "fixtures"
    return folder if folder.is_dir() else None


def pytest_collection_modifyitems(items):
    """The long ones first, so that no worker is left alone with one at the end."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


@pytest.fixture
def folder(tmp_path):
    return tmp_path


@pytest.fixture(scope="session")
def shared_stack(tmp_path_factory):
    """One stack for all tests that leave it as they found it; each uses an issue of its own."""
    with Stack(
        tmp_path_factory.mktemp("stack"), demo_agent=AGENTS / "obedient",
        settings={"PORTER_TASKS_PER_USER": "50", "PORTER_TASKS_TOTAL": "6"},
    ) as stack:
        yield stack


@pytest.fixture
def person(shared_stack):
    return Person(shared_stack)


@pytest.fixture(scope="module")
def browser():
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def server():
    """The pages behind a stand-in for Porter's interface."""
    with StandIn() as server:
        yield server


@pytest.fixture
def page(browser, server):
    server.answers = page_states.answers("filled")
    server.asked.clear()
    with sound_page(browser, server.url) as page:
        yield page


def make_stack(folder, **options) -> Stack:
    """A stack of a test's own, with the obedient agent."""
    return Stack(folder, **({"demo_agent": AGENTS / "obedient"} | options))
