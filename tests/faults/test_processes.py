"""What staff do in one web process, every other one knows at its next request."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest

from .live_shop import free_port, token_in, wait_for

pytestmark = pytest.mark.faults


def kinds_of(answer):
    return {reason["kind"] for edge in answer["edges"] for reason in edge["reasons"]}


def test_a_toggle_in_the_admin_of_one_process_is_in_the_next_list_of_another(live):
    live.worker()
    for kind in ("popularity", "user_cf"):
        live.train(kind)
        wait_for(lambda kind=kind: [run[0] for run in live.runs(kind)] == ["done"], f"the training of {kind}")
    one, other = live.web(), live.web()
    live.staff(one)
    assert "SIMILAR_SHOPPERS" in kinds_of(live.list_of(other))

    def switch(on: str) -> None:
        page = one.get("/admin/reco_recommendations/recommender/")
        answer = one.post(
            "/admin/reco_recommendations/recommender/user_cf/switch/",
            data={"enabled": on, "csrfmiddlewaretoken": token_in(page.text)},
        )
        assert answer.status_code == 302, answer.text[:2000]

    switch("0")
    assert kinds_of(live.list_of(other)) == {"POPULAR"}
    switch("1")
    assert "SIMILAR_SHOPPERS" in kinds_of(live.list_of(other))


def test_a_web_server_says_in_json_that_a_process_of_it_died(live):
    web, log = live.serve(free_port(), workers=2), live.folder / "granian.log"
    # One that is still starting does not hear that it is to end.
    wait_for(lambda: log.read_text().count("Started worker") == 2, "both processes", seconds=60)
    first, _ = Path(f"/proc/{web.pid}/task/{web.pid}/children").read_text().split()
    os.kill(int(first), signal.SIGKILL)
    web.wait(30)  # without --respawn-failed-workers
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert any("Unexpected exit" in line["event"] and line["level"] == "error" for line in lines)
    assert all({"event", "level", "timestamp", "logger"} <= set(line) for line in lines)


@pytest.mark.parametrize("own_process", [True, False])
def test_the_search_for_groups_leaves_its_libraries_in_a_process_of_its_own(live, own_process):
    live.hand().do("redraw()")
    worker = live.worker(FAULTS_TRAINING_PROCESS=str(int(own_process)))
    live.send("shop_reco.portraits.tasks.fit_segments")
    log = live.folder / "celery.log"
    wait_for(lambda: "fit_segments" in log.read_text() and "succeeded" in log.read_text(), "the search", seconds=90)
    assert ("sklearn" in Path(f"/proc/{worker.pid}/maps").read_text()) is not own_process
