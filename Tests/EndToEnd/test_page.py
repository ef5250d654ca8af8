"""A person in a real browser: types a command on the issue page and sees it answered without a reload."""

import os

import pytest
from browsing import sound_page
from conftest import make_stack


def test_a_person_types_a_command_and_sees_status_and_ending_appear(browser, folder):
    with make_stack(folder, demo_agent=None) as stack, sound_page(browser, height=1300) as page:
        page.goto(f"{stack.github_url}/octo-team/hello/issues/1")
        page.evaluate("window.stillTheSamePage = true")

        page.fill("#body", "@porter demo add a greeting")
        page.get_by_role("button", name="Comment").click()
        page.get_by_text("Done", exact=True).first.wait_for(timeout=90_000)
        page.get_by_text("how it ended").first.wait_for(timeout=30_000)
        page.get_by_text("is ready").first.wait_for(timeout=30_000)

        assert page.evaluate("window.stillTheSamePage === true"), "the page was loaded again"
        picture = os.environ.get("PORTER_PICTURES")
        if picture:
            page.screenshot(path=os.path.join(picture, "issue.png"), full_page=True)


@pytest.mark.parametrize("width", [320, 1440])
def test_the_issue_page_does_not_scroll_sideways(browser, shared_stack, width):
    with sound_page(browser) as page:
        page.set_viewport_size({"width": width, "height": 900})
        page.goto(f"{shared_stack.github_url}/octo-team/hello/issues/1")
        page.wait_for_selector("#body")
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
