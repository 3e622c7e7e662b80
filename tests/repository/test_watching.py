"""Prometheus' rules and Grafana's dashboards: each metric and label that they name is one that is served.

Where promtool is installed it reads the rules too, and plays through their cases.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.worker.metrics import registry_of
from deploy.servers.debian import missing, path_of
from tests.absent import absent
from tests.repository.metric_names import of_api, used
from tests.shared.idle_worker import idle_worker

ROOT = Path(__file__).resolve().parents[2]
PROMETHEUS, GRAFANA = ROOT / "deploy" / "prometheus", ROOT / "deploy" / "grafana"
OF_SCRAPE = {"job", "instance"}  # labels that Prometheus adds


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


RULES: list[dict[str, Any]] = [
    rule for group in read(PROMETHEUS / "rules.yml")["groups"] for rule in group["rules"]
]
CASES: list[dict[str, Any]] = read(PROMETHEUS / "rules.test.yml")["tests"]
BOARDS: dict[str, Any] = {
    path.stem: json.loads(path.read_text(encoding="utf-8")) for path in GRAFANA.glob("dashboards/*.json")
}
COMPOSE: dict[str, Any] = read(ROOT / "docker-compose.yml")["services"]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """Every sample that a worker or the API serves, with its labels."""
    found = {"up": set[str]()}
    with idle_worker(tmp_path_factory.mktemp("worker")) as worker:
        worker.reducer.made = 1
        owned = worker.owning.partitions[3]
        owned.figures.note_commit(1, 1, 1, 0.1)
        (owned.folder / "snapshots" / "1").mkdir(parents=True)
        (owned.folder / "snapshots" / "1" / "snapshot.json").touch()
        for family in registry_of(worker).collect():
            for one in family.samples:
                found.setdefault(one.name, set()).update(one.labels)
    for name, labels in of_api().items():
        found.setdefault(name, set()).update(labels)
        if name.endswith("_bucket"):
            found[name].add("le")
    return found


def strangers(expression: str, served: dict[str, set[str]]) -> list[str]:
    """Return what an expression names that nobody serves."""
    asked = used(expression)
    assert asked, f"{expression} names no metric"
    unknown = [name for name in asked if name not in served]
    return unknown + [
        f"{name}{{{label}}}"
        for name, labels in asked.items()
        if name in served
        for label in sorted(labels - served[name] - OF_SCRAPE)
    ]


def targets(board: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield (panel, expression)."""
    for panel in board["panels"]:
        yield from ((panel["title"], one["expr"]) for one in panel["targets"])


def test_a_name_that_nobody_serves_is_found(served: dict[str, set[str]]) -> None:
    assert strangers("rate(tintype_recordz_total[5m])", served) == ["tintype_recordz_total"]
    assert strangers("max(tintype_lag_seconds) > on (x) up", served) == []
    assert strangers('tintype_lag_seconds{lane="a"}', served) == ["tintype_lag_seconds{lane}"]
    assert strangers("sum by (x) (tintype_messages_total)", served) == ["tintype_messages_total{x}"]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: str(rule["alert"]))
def test_a_rule_names_what_is_served_and_has_a_case_that_fires_and_one_that_does_not(
    rule: dict[str, Any], served: dict[str, set[str]]
) -> None:
    assert strangers(rule["expr"], served) == []
    assert rule["labels"]["severity"] in ("page", "ticket")
    assert rule["annotations"]["summary"]
    outcomes = [
        bool(one["exp_alerts"])
        for case in CASES
        for one in case["alert_rule_test"]
        if one["alertname"] == rule["alert"]
    ]
    assert set(outcomes) == {True, False}


def test_cases_are_of_rules_and_of_what_is_served(served: dict[str, set[str]]) -> None:
    names = {rule["alert"] for rule in RULES}
    for case in CASES:
        assert {one["alertname"] for one in case["alert_rule_test"]} <= names
        for one in case["input_series"]:
            assert strangers(one["series"], served) == []


@pytest.mark.parametrize("name", sorted(BOARDS))
def test_a_dashboard_shows_only_what_is_served(name: str, served: dict[str, set[str]]) -> None:
    board = BOARDS[name]
    found = {title: strangers(expression, served) for title, expression in targets(board)}
    assert {title: unknown for title, unknown in found.items() if unknown} == {}
    for variable in board["templating"]["list"]:
        asked = re.fullmatch(r"label_values\((.*), (\w+)\)", variable["definition"])
        assert asked
        assert strangers(asked[1], served) == []
        assert asked[2] in served[asked[1].partition("{")[0]]


def test_every_metric_of_a_worker_and_every_alert_is_in_the_document(tmp_path: Path) -> None:
    """And the document names nothing that is not served."""
    told = (ROOT / "docs" / "deploying.md").read_text(encoding="utf-8")
    names = set(re.findall(r"`(tintype_\w+)`", told))
    with idle_worker(tmp_path) as worker:
        worker.reducer.made = 1
        worker.sending.figures.at_work = True
        families = [one for one in registry_of(worker).collect() if one.name.startswith("tintype")]
    mine = {f"{one.name}_total" if one.type == "counter" else one.name for one in families}
    assert names == mine
    assert {rule["alert"] for rule in RULES} == set(re.findall(r"`(Tintype\w+)`", told))


def test_dashboards_have_names_of_their_own_and_the_provisioned_source() -> None:
    assert len(BOARDS) >= 3
    assert len({board["uid"] for board in BOARDS.values()}) == len(BOARDS)
    (source,) = read(GRAFANA / "provisioning" / "datasources" / "prometheus.yml")["datasources"]
    (provider,) = read(GRAFANA / "provisioning" / "dashboards" / "tintype.yml")["providers"]
    for board in BOARDS.values():
        assert {panel["datasource"]["uid"] for panel in board["panels"]} == {source["uid"]}
        assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
    mounted = {one.split(":")[1]: one.split(":")[0] for one in COMPOSE["grafana"]["volumes"]}
    assert mounted[provider["options"]["path"]] == "./deploy/grafana/dashboards"
    assert mounted["/etc/grafana/provisioning"] == "./deploy/grafana/provisioning"
    assert source["url"] == "http://prometheus:9090"


def test_every_part_that_serves_metrics_in_a_container_is_scraped_where_it_listens() -> None:
    jobs = {one["job_name"]: one for one in read(PROMETHEUS / "prometheus.yml")["scrape_configs"]}
    asked = {name: set(one["static_configs"][0]["targets"]) for name, one in jobs.items()}

    def ports(command: str, option: str) -> set[str]:
        mine = [(name, one["command"]) for name, one in COMPOSE.items() if "command" in one]
        return {f"{name}:{words[words.index(option) + 1]}" for name, words in mine if words[0] == command}

    assert asked["tintype-worker"] == ports("worker", "--metrics")
    assert asked["tintype-api"] == ports("api", "--port")
    (secret,) = COMPOSE["prometheus"]["secrets"]
    assert jobs["tintype-api"]["authorization"]["credentials_file"] == f"/run/secrets/{secret}"
    used_jobs = {job for rule in RULES for job in re.findall(r'job="([^"]*)"', rule["expr"])}
    assert used_jobs <= set(jobs)


def promtool() -> str:
    """Return where it is; skip the test without, and fail it under CI=true."""
    lacking = missing("promtool")
    if lacking:
        absent(f"promtool is not here: {lacking}")
    return path_of("promtool")


@pytest.mark.parametrize(
    "words",
    [
        ["check", "config", "--syntax-only", "prometheus.yml"], ["check", "rules", "rules.yml"],
        ["test", "rules", "rules.test.yml"],
    ],
    ids=lambda words: " ".join(words[:2]),
)  # fmt: skip
def test_promtool_finds_nothing_wrong(words: list[str]) -> None:
    done = subprocess.run([promtool(), *words], cwd=PROMETHEUS, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_promtool_reads_every_expression_of_a_dashboard(tmp_path: Path) -> None:
    """As rules: with Grafana's own variables put in."""
    rules = [
        {"record": f"panel:{number}", "expr": expression.replace("$__rate_interval", "1m")}
        for number, (_, expression) in enumerate(one for board in BOARDS.values() for one in targets(board))
    ]
    (tmp_path / "panels.yml").write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
    words = [promtool(), "check", "rules", "panels.yml"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
