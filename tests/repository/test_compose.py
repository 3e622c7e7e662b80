"""docker-compose.yml: its form by the Compose specification, and the same settings as the tests' servers.

Nothing is started here: the tests run on machines without Docker.
"""

from __future__ import annotations

import json
import re
from importlib.metadata import distribution
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml
from jsonschema import Draft202012Validator
from typer.main import get_command

from app.cli import app
from streams.debezium.files import VARIABLE, read_file

ROOT = Path(__file__).resolve().parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES: dict[str, Any] = COMPOSE["services"]
LASTING = sorted(name for name, one in SERVICES.items() if one.get("restart") != "no")
OWN = sorted(name for name, one in SERVICES.items() if one["image"].startswith("tintype:"))
SCHEMA = "check_jsonschema/builtin_schemas/vendor/compose-spec.json"
POM = "{http://maven.apache.org/POM/4.0.0}"
# service, its settings file, the file here that uses it too
SHARED = [
    ("kafka", "kafka/server.properties", "kafka.py"),
    ("connect", "connect/connect.properties", "connect.py"),
    ("postgres", "postgres/postgresql.conf", "postgres.py"),
    ("redis", "redis/redis.conf", "redis.py"),
]


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def version_in_pom(name: str, artifact: str) -> str:
    """Return the version of an artifact that deploy/NAME/pom.xml asks for."""
    tree = ElementTree.parse(ROOT / "deploy" / name / "pom.xml")
    for one in [*tree.iter(f"{POM}dependency"), *tree.iter(f"{POM}artifactItem")]:
        if one.findtext(f"{POM}artifactId") == artifact:
            return str(one.findtext(f"{POM}version"))
    raise AssertionError(f"no {artifact} in deploy/{name}/pom.xml")


def test_the_file_has_the_form_of_the_compose_specification() -> None:
    carried = distribution("check-jsonschema").locate_file(SCHEMA)  # not imported: it wants another click
    schema = json.loads(Path(str(carried)).read_text(encoding="utf-8"))
    assert [error.message for error in Draft202012Validator(schema).iter_errors(COMPOSE)] == []
    broken = COMPOSE | {"services": SERVICES | {"kafka": SERVICES["kafka"] | {"imagee": "x"}}}
    assert list(Draft202012Validator(schema).iter_errors(broken))


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_every_service_has_a_pinned_image_and_limits(name: str) -> None:
    image = SERVICES[name]["image"]
    assert re.search(r":v?\d+(\.\d+)*[\w.]*$", image), f"{image} names no version"
    assert set(SERVICES[name]["deploy"]["resources"]["limits"]) == {"cpus", "memory"}


@pytest.mark.parametrize("name", LASTING)
def test_every_lasting_service_tells_its_health_and_starts_again(name: str) -> None:
    assert SERVICES[name]["healthcheck"]["test"][0] in ("CMD", "CMD-SHELL")
    assert SERVICES[name]["restart"] == "unless-stopped"


def test_ports_are_open_to_this_machine_only() -> None:
    ports = [port for one in SERVICES.values() for port in one.get("ports", [])]
    assert ports
    assert [port for port in ports if not port.startswith("127.0.0.1:")] == []


def test_no_password_has_a_default() -> None:
    """Each comes from the environment, and is an error where it is not set."""
    values = [
        value
        for one in SERVICES.values()
        for key, value in one.get("environment", {}).items()
        if "PASSWORD" in key
    ]
    assert values
    assert [value for value in values if not re.fullmatch(r"\$\{TINTYPE_\w+_PASSWORD:\?.+\}", value)] == []


@pytest.mark.parametrize("name", OWN)
def test_a_part_of_tintype_has_its_secrets_from_outside_and_the_shop_only_to_read(name: str) -> None:
    environment = SERVICES[name]["environment"]
    assert re.fullmatch(r"\$\{TINTYPE_SECRET:\?.+\}", environment["TINTYPE_SECRET"])
    store = r"redis://:\$\{TINTYPE_STORE_PASSWORD:\?.+\}@redis:6379/0"
    assert re.fullmatch(store, environment["TINTYPE_STORE"])
    assert SERVICES[name]["volumes"][0].endswith(":/shop:ro")
    assert SERVICES[name]["cap_drop"] == ["ALL"]


@pytest.mark.parametrize("name", ["apply", "connectors", "worker-1", "worker-2"])
def test_a_container_is_given_a_command_and_options_that_there_are(name: str) -> None:
    word, shop, *more = SERVICES[name]["command"]
    command: Any = get_command(app).commands[word]  # type: ignore[attr-defined]  # a group has commands
    options = {option for one in command.params for option in one.opts}
    assert shop == "/shop"
    assert [one for one in more if one.startswith("--") and one not in options] == []


def test_what_a_service_waits_for_is_there_and_each_worker_has_a_volume_of_its_own() -> None:
    for one in SERVICES.values():
        for name, wanted in one.get("depends_on", {}).items():
            once = wanted["condition"] == "service_completed_successfully"
            assert (SERVICES[name].get("restart") == "no") is once
        for volume in one.get("volumes", []):
            source = volume.partition(":")[0]
            assert source[0] in "./$" or source in COMPOSE["volumes"]
    data = [one for name in LASTING for one in SERVICES[name]["volumes"] if one.endswith(":/data")]
    assert len(set(data)) == len(data)


@pytest.mark.parametrize(("service", "file", "module"), SHARED)
def test_a_service_and_the_server_of_the_tests_have_the_same_settings(
    service: str, file: str, module: str
) -> None:
    """The folder is mounted, what starts the service reads the file, and so does deploy/servers."""
    folder, name = file.split("/")
    assert f"./deploy/{folder}:/etc/tintype:ro" in SERVICES[service]["volumes"]
    script = ROOT / "deploy" / folder / "start.sh"
    started_by = script.read_text(encoding="utf-8") if script.exists() else str(SERVICES[service]["command"])
    assert f"/etc/tintype/{name}" in started_by
    assert f'"{folder}" / "{name}"' in text(f"deploy/servers/{module}")


@pytest.mark.parametrize("name", ["kafka", "connect"])
def test_what_a_container_adds_overrides_no_shared_setting_but_its_listeners(name: str) -> None:
    """A setting of the shared file would differ in containers otherwise."""
    pattern = re.compile(r"^([a-z][\w.]+)=", re.MULTILINE)
    file = next(one for service, one, _ in SHARED if service == name)
    shared, added = pattern.findall(text(f"deploy/{file}")), pattern.findall(text(f"deploy/{name}/start.sh"))
    assert len(added) >= 4
    assert set(shared) & set(added) <= {"listener.security.protocol.map"}


def test_containers_have_the_versions_of_the_tests() -> None:
    assert SERVICES["kafka"]["image"] == f"apache/kafka:{version_in_pom('kafka', 'kafka_2.13')}"
    debezium = version_in_pom("connect", "debezium-connector-postgres")
    assert SERVICES["connect"]["image"].endswith(f"/connect:{debezium}")


def test_connect_is_given_every_variable_that_the_shops_connector_names() -> None:
    config = read_file(ROOT / "deploy" / "connectors" / "shop-postgres.json").config
    named = {name for value in config.values() for name in VARIABLE.findall(value)}
    assert named
    assert named - set(SERVICES["connect"]["environment"]) == set()
