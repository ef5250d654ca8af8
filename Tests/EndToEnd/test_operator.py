"""What the operator sees: porterctl, the health addresses, the metrics."""

import subprocess

from conftest import make_stack


def porterctl(stack, *arguments):
    return subprocess.run(
        [str(stack.programs / "porterctl"), *arguments], env=stack.environment, capture_output=True, text=True,
        timeout=60, check=False)


def test_check_finds_everything_right_and_names_what_the_engine_cannot_hold(person):
    assert person.stack.watchdog() == 0

    done = porterctl(person.stack, "check")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "PROBLEM" not in done.stdout
    for name in ["database", "GitHub App", "engine", "agents", "watchdog"]:
        assert f"ok      {name}" in done.stdout, done.stdout


def test_check_names_the_part_that_does_not_answer(folder):
    with make_stack(folder, without={"porter-runner"}, watchdog_every=None) as stack:
        done = porterctl(stack, "check")

        assert done.returncode == 1
        assert "PROBLEM engine" in done.stdout and "PROBLEM watchdog" in done.stdout, done.stdout


def test_tasks_and_show_tell_a_run_and_its_history(person):
    issue = person.new_issue("Shown")
    task_id = person.start("@porter demo\ndo: write shown.txt shown", issue)
    person.stack.wait_for_ending(task_id)

    listed = porterctl(person.stack, "tasks")
    shown = porterctl(person.stack, "show", task_id)

    assert (listed.returncode, shown.returncode) == (0, 0)
    assert task_id in listed.stdout and f"octo-team/hello#{issue}" in listed.stdout
    for kind in ["accepted", "admitted", "claimed", "reported", "published"]:
        assert f"  {kind}  " in shown.stdout, shown.stdout
    assert porterctl(person.stack, "show", "task_01ARZ3NDEKTSV4RRFFQ69G5FAV").returncode == 1
    assert porterctl(person.stack, "frobnicate").returncode == 64


def test_health_readiness_and_metrics_say_how_porter_is(person):
    stack = person.stack
    assert stack.watchdog() == 0
    assert stack.request("GET", f"{stack.porter_url}/healthz")[0] == 200
    assert stack.request("GET", f"{stack.porter_url}/readyz")[0] == 200
    assert stack.request("GET", f"{stack.porter_url}/metrics")[0] == 401

    status, text, _ = stack.get("/metrics")

    assert status == 200
    assert 'porter_tasks{status="success"}' in text and "porter_deliveries_total" in text
    assert {check["name"] for check in stack.get("/readyz")[1]["checks"]} == {"database", "github_app", "watchdog"}
