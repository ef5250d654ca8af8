"""Two responders and three watchdogs side by side on one database, while some of them are killed."""

import random
import signal
import threading

import pytest
from conftest import make_stack
from outside import Person, settle
from stack import wait_for
from steps import armed, build_shim


class Watchdogs:
    """So many watchdogs that pass all the time, some with a step to die at."""

    def __init__(self, stack, count, chance, shim, steps):
        self.stack, self.chance, self.shim, self.steps = stack, chance, shim, steps
        self.stopping = threading.Event()
        self.codes = []
        self.threads = [threading.Thread(target=self.run, daemon=True) for _ in range(count)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        for thread in self.threads:
            thread.join(120)

    def run(self):
        while not self.stopping.wait(0.2):
            environment = armed(self.shim, self.chance.choice(self.steps)) if self.chance.random() < 0.3 else None
            self.codes.append(self.stack.watchdog(environment))

    @property
    def deaths(self):
        return sum(code == -signal.SIGKILL for code in self.codes)


STEPS = [
    "job.claimed", "comment.status.called", "comment.ending.called", "comment.ending.recorded", "machine.create.1.called",
    "pull_request.create.called", "task.ending", "token.create.called", "token.revoke.calling",
]
# Who does a step is chance: until so many have died in the middle of one, people go on asking.
FEWEST_DEATHS = 3
MOST_COMMANDS = 30


@pytest.mark.long
def test_two_responders_and_three_watchdogs_double_nothing_though_some_die(folder):
    chance = random.Random(20261126)
    with make_stack(
        folder, watchdog_every=None, settings={"PORTER_TASKS_PER_USER": "20", "PORTER_TASKS_TOTAL": "6"},
    ) as stack:
        shim = build_shim(folder)
        stack.end("porter-fcgi")
        names = ["porter-fcgi", "porter-fcgi-2"]
        kills = 0
        stack.start_fcgi("porter-fcgi", armed(shim, "comment.status.called"))
        stack.start_fcgi("porter-fcgi-2", armed(shim, "machine.create.1.called"))
        person = Person(stack)
        with Watchdogs(stack, 3, chance, shim, STEPS) as watchdogs:
            asked = {}

            def ask():
                issue = person.new_issue(f"Number {len(asked)}")
                asked[issue] = person.ask(f"@porter demo\ndo: write n{issue}.txt {issue}", issue)["comment"]

            for _ in range(6):
                ask()

            def all_published():
                nonlocal kills
                for name in names:
                    if not stack.parts[name].is_alive:
                        kills += 1
                        stack.parts.pop(name)
                        stack.start_fcgi(name, armed(shim, chance.choice(STEPS)) if kills < 5 else None)
                done = stack.rows("SELECT count(*) AS n FROM tasks WHERE published_at IS NOT NULL")[0]["n"]
                enough = kills + watchdogs.deaths >= FEWEST_DEATHS
                if done == len(asked) and not enough and len(asked) < MOST_COMMANDS:
                    ask()
                return done == len(asked) and enough

            wait_for(all_published, "every ending, and enough deaths before it", 200)
            settle(stack, 90)

        for issue, comment in asked.items():
            task_id = stack.rows("SELECT id FROM tasks WHERE comment_id = ?", comment)[0]["id"]
            task = person.judge_one_ending(task_id, issue)
            assert task["status"] == "success"
            assert len(person.effects("git.push", ref=f"refs/heads/{task['branch']}")) == 1
            assert len(person.ours(issue)) == 2
