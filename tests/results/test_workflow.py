"""The workflow that publishes results gives what reads them no more rights than reading."""

from __future__ import annotations

from pathlib import Path

import yaml

PAGES = Path(__file__).resolve().parents[2] / ".github" / "workflows" / "pages.yml"


def test_only_the_publishing_job_may_publish() -> None:
    workflow = yaml.safe_load(PAGES.read_text("utf-8"))
    assert workflow["permissions"] == {}
    assert workflow["jobs"]["build"]["permissions"] == {"contents": "read", "actions": "read"}
    assert workflow["jobs"]["publish"]["permissions"] == {"pages": "write", "id-token": "write"}
    steps = [step.get("uses", "") for step in workflow["jobs"]["publish"]["steps"]]
    assert all(step.startswith("actions/deploy-pages@") for step in steps)  # it runs nothing of the results
