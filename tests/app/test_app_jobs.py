"""The queue: one answer at a time, partial text kept, errors in one line."""

import threading
import time

import pytest

from ingest.errors import RagDollyError
from rag_dolly.jobs import Job, JobQueue, add, stop_unseen


def until(condition, seconds=5.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.005)


class Script:
    """A stream that gives one piece each time `go` is released, and tells what it saw."""

    def __init__(self, pieces):
        self.pieces = pieces
        self.go = threading.Semaphore(0)
        self.closed = 0
        self.active = 0
        self.most = 0

    def __call__(self, question, stop):
        self.active += 1
        self.most = max(self.most, self.active)
        try:
            for piece in self.pieces:
                self.go.acquire(timeout=5)
                if isinstance(piece, Exception):
                    raise piece
                yield piece
        finally:
            self.active -= 1
            self.closed += 1


def ready(stop):
    return None


def test_pieces_add_up():
    total = add(
        add({}, {"answer": "a ", "citations": [1], "model": "m"}), {"answer": "b", "citations": [2], "left_out": 3}
    )
    assert total == {"answer": "a b", "citations": [1, 2], "model": "m", "left_out": 3}


def test_adding_does_not_touch_what_a_page_is_reading():
    before = {"citations": [1]}
    add(before, {"citations": [2]})
    assert before == {"citations": [1]}


def test_a_job_runs_to_its_end():
    script = Script([{"answer": "a"}, {"mode": "generated"}])
    queue, job = JobQueue(script, ready), Job("q", [("p", "r")])
    queue.submit(job)
    script.go.release(2)
    until(lambda: job.finished)
    assert (job.state, job.result) == ("done", {"answer": "a", "mode": "generated"})
    assert script.closed == 1


def test_stopping_keeps_what_was_written_and_closes_the_stream():
    script = Script([{"answer": "a "}, {"answer": "b "}, {"answer": "c "}])
    queue, job = JobQueue(script, ready), Job("q")
    queue.submit(job)
    script.go.release()
    until(lambda: job.result.get("answer") == "a ")
    queue.withdraw(job)
    script.go.release()
    until(lambda: job.finished)
    assert job.state == "stopped"
    assert job.result["answer"] == "a b "
    assert script.closed == 1


def test_one_at_a_time_and_the_line_is_visible():
    script = Script([{"answer": "a"}])
    queue, jobs = JobQueue(script, ready), [Job("1"), Job("2"), Job("3")]
    for job in jobs:
        queue.submit(job)
    until(lambda: jobs[0].state == "running")
    assert [queue.ahead(job) for job in jobs] == [0, 1, 2]
    script.go.release(3)
    until(lambda: all(job.finished for job in jobs))
    assert script.most == 1


def test_a_job_in_line_leaves_it_at_once():
    script = Script([{"answer": "a"}])
    queue, first, second = JobQueue(script, ready), Job("1"), Job("2")
    queue.submit(first)
    queue.submit(second)
    until(lambda: first.state == "running")
    queue.withdraw(second)
    assert second.state == "stopped" and second.result == {}
    script.go.release()
    until(lambda: first.finished)
    assert first.state == "done"


def test_a_full_line_says_so():
    script = Script([{"answer": "a"}])
    queue, jobs = JobQueue(script, ready, capacity=1), [Job("1"), Job("2"), Job("3")]
    queue.submit(jobs[0])
    until(lambda: jobs[0].state == "running")
    queue.submit(jobs[1])
    queue.submit(jobs[2])
    assert jobs[2].state == "failed" and "waiting already" in jobs[2].error
    script.go.release(2)
    until(lambda: jobs[1].finished)


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (RagDollyError("Out of memory: take a smaller model."), "Out of memory: take a smaller model."),
        (ValueError("/home/somebody/secret"), "The answer could not be made (ValueError). The terminal shows why."),
    ],
)
def test_an_error_is_one_line_and_the_next_job_runs(error, line):
    script = Script([{"answer": "a"}, error])
    queue, job, after = JobQueue(script, ready), Job("q"), Job("next")
    queue.submit(job)
    script.go.release(2)
    until(lambda: job.finished)
    assert (job.state, job.error, job.result) == ("failed", line, {"answer": "a"})
    script.pieces = [{"answer": "b"}]
    queue.submit(after)
    script.go.release()
    until(lambda: after.finished)
    assert after.state == "done"


def test_waiting_for_the_model_can_be_stopped():
    def wait(stop):
        until(stop)

    queue, job = JobQueue(Script([{"answer": "a"}]), wait), Job("q")
    queue.submit(job)
    until(lambda: job.state == "loading")
    queue.withdraw(job)
    until(lambda: job.finished)
    assert (job.state, job.result) == ("stopped", {})


def test_a_session_that_left_gives_up_its_jobs_unless_a_page_looks_again():
    script = Script([{"answer": "a"}] * 3)
    queue, running, waiting, seen = JobQueue(script, ready), Job("1"), Job("2"), Job("3")
    for job in (running, waiting, seen):
        queue.submit(job)
    until(lambda: running.state == "running")
    left = time.monotonic()
    seen.touch()
    stop_unseen([running, waiting, seen], queue, left)
    script.go.release(9)
    until(lambda: all(job.finished for job in (running, waiting, seen)))
    assert [job.state for job in (running, waiting, seen)] == ["stopped", "stopped", "done"]


def test_several_jobs_are_served_together_and_the_next_waits():
    gate, inside = threading.Event(), threading.Semaphore(0)

    def stream(asked, stop):
        inside.release()
        gate.wait(10)
        yield {"answer": asked["question"]}

    queue, jobs = JobQueue(stream, lambda stop: None, together=3), [Job(str(n)) for n in range(4)]
    for job in jobs:
        queue.submit(job)
    assert all(inside.acquire(timeout=10) for _ in range(3))
    assert [queue.ahead(job) for job in jobs] == [0, 0, 0, 1]
    gate.set()
    deadline = time.monotonic() + 10
    while not all(job.finished for job in jobs) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert [job.result["answer"] for job in jobs] == ["0", "1", "2", "3"]


def test_a_page_that_waits_sees_each_change_at_once():
    job = Job("?")
    began = time.monotonic()
    job.wait(0.05)
    assert time.monotonic() - began >= 0.05, "nothing has changed"
    job.changed()
    began = time.monotonic()
    job.wait(5)
    assert time.monotonic() - began < 1
    job.wait(0)
    assert not job.news.is_set()
