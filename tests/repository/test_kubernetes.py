"""deploy/kubernetes: manifests that fit together, ask for no rights, hold no secret, run what Compose runs.

Nothing is sent to a cluster: the tests run on machines without one.
"""

from __future__ import annotations

import re
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
HERE = ROOT / "deploy" / "kubernetes"
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))["services"]
KUSTOMIZATION: dict[str, Any] = yaml.safe_load((HERE / "kustomization.yaml").read_text(encoding="utf-8"))
TEMPLATE: dict[str, Any] = yaml.safe_load((HERE / "secret.template.yaml").read_text(encoding="utf-8"))
VERSIONS = {
    "Namespace": "v1", "ServiceAccount": "v1", "ConfigMap": "v1", "Service": "v1", "Job": "batch/v1",
    "StatefulSet": "apps/v1", "Deployment": "apps/v1", "PodDisruptionBudget": "policy/v1",
    "NetworkPolicy": "networking.k8s.io/v1",
}  # fmt: skip
LASTING = ("StatefulSet", "Deployment")


def documents() -> Iterator[dict[str, Any]]:
    for name in KUSTOMIZATION["resources"]:
        yield from yaml.safe_load_all((HERE / name).read_text(encoding="utf-8"))


OBJECTS = list(documents())
WORKLOADS = {one["metadata"]["name"]: one for one in OBJECTS if one["kind"] in (*LASTING, "Job")}
CONTAINERS = {
    f"{name}/{one['name']}": one
    for name, workload in WORKLOADS.items()
    for kind in ("initContainers", "containers")
    for one in workload["spec"]["template"]["spec"][kind]
}


def of_kind(kind: str) -> list[dict[str, Any]]:
    return [one for one in OBJECTS if one["kind"] == kind]


def pod(name: str) -> dict[str, Any]:
    return WORKLOADS[name]["spec"]["template"]["spec"]  # type: ignore[no-any-return]


def chosen(labels: dict[str, str]) -> list[str]:
    """Return the workloads whose pods have these labels."""
    return [
        name
        for name, one in WORKLOADS.items()
        if labels.items() <= one["spec"]["template"]["metadata"]["labels"].items()
    ]


def ports(name: str) -> dict[str, int]:
    (container,) = pod(name)["containers"]
    return {port["name"]: port["containerPort"] for port in container.get("ports", [])}


def test_every_manifest_is_applied_but_the_template_of_the_secret() -> None:
    there = {path.name for path in HERE.glob("*.yaml")}
    assert set(KUSTOMIZATION["resources"]) == there - {"kustomization.yaml", "secret.template.yaml"}
    for one in OBJECTS:
        assert one["apiVersion"] == VERSIONS[one["kind"]]
        assert one["metadata"].get("namespace") is None, "kustomization.yaml says the namespace"
    names = [(one["kind"], one["metadata"]["name"]) for one in OBJECTS]
    assert len(set(names)) == len(names)


def test_no_secret_has_a_value_and_none_is_applied() -> None:
    assert of_kind("Secret") == []
    assert set(TEMPLATE["stringData"].values()) == {""}
    for one in CONTAINERS.values():
        assert "env" not in one, "variables come from the config map and the secret"


def test_the_variables_are_those_of_compose_and_are_read_somewhere() -> None:
    (addresses,) = [one for one in of_kind("ConfigMap") if one["metadata"]["name"] == "addresses"]
    here = {*addresses["data"], *TEMPLATE["stringData"]}
    assert set(addresses["data"]) & set(TEMPLATE["stringData"]) == set()
    for name in ("apply", "connectors", "worker-1", "worker-2", "api"):
        assert set(COMPOSE[name]["environment"]) == here
    files = [path for room in ("app", "streams") for path in (ROOT / room).rglob("*.py")]
    code = "".join(path.read_text("utf-8") for path in files)
    assert [name for name in sorted(here) if f'"{name}"' not in code] == []


@pytest.mark.parametrize("name", sorted(WORKLOADS))
def test_a_container_runs_what_compose_runs_with_what_there_is(name: str) -> None:
    (container,) = pod(name)["containers"]
    assert container["args"] == COMPOSE["worker-1" if name == "worker" else name]["command"]
    addresses, secret = {"name": "addresses"}, {"name": TEMPLATE["metadata"]["name"]}
    assert container["envFrom"] == [{"configMapRef": addresses}, {"secretRef": secret}]
    claimed = WORKLOADS[name]["spec"].get("volumeClaimTemplates", [])
    volumes = {one["name"] for one in pod(name)["volumes"]} | {one["metadata"]["name"] for one in claimed}
    for one in (*pod(name)["initContainers"], container):
        assert {mount["name"] for mount in one["volumeMounts"]} <= volumes
    mounted = {one["mountPath"] for one in container["volumeMounts"]}
    assert mounted == {"/shop", "/data", "/tmp", "/opt/tintype/.cache"}
    maps = {one["configMap"]["name"] for one in pod(name)["volumes"] if "configMap" in one}
    assert maps == {one["name"] for one in KUSTOMIZATION["configMapGenerator"]}


@pytest.mark.parametrize("name", sorted(CONTAINERS))
def test_a_container_has_bounds_and_no_rights(name: str) -> None:
    container = CONTAINERS[name]
    assert container["image"] == "tintype"
    for bounds in ("requests", "limits"):
        assert set(container["resources"][bounds]) == {"cpu", "memory"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]},
    }  # fmt: skip


@pytest.mark.parametrize("name", sorted(WORKLOADS))
def test_a_pod_runs_as_the_images_user_and_asks_kubernetes_for_nothing(name: str) -> None:
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    user = re.search(r"^USER (\d+):(\d+)$", dockerfile, re.MULTILINE)
    assert user
    context = pod(name)["securityContext"]
    assert context["runAsNonRoot"] is True
    assert (context["runAsUser"], context["runAsGroup"]) == (int(user[1]), int(user[2]))
    assert context["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod(name)["automountServiceAccountToken"] is False
    assert [pod(name)["serviceAccountName"]] == [one["metadata"]["name"] for one in of_kind("ServiceAccount")]


def test_the_image_has_the_version_of_compose() -> None:
    (image,) = KUSTOMIZATION["images"]
    assert COMPOSE["api"]["image"] == f"{image['newName']}:{image['newTag']}"


@pytest.mark.parametrize("name", [name for name, one in WORKLOADS.items() if one["kind"] in LASTING])
def test_what_lasts_is_probed_chosen_by_its_labels_and_kept_up(name: str) -> None:
    (container,) = pod(name)["containers"]
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert container[probe]["httpGet"]["port"] in ports(name)
    for port in ports(name).values():
        assert str(port) in container["args"]
    assert WORKLOADS[name]["spec"]["replicas"] >= 2
    assert chosen(WORKLOADS[name]["spec"]["selector"]["matchLabels"]) == [name]
    (spread,) = pod(name)["topologySpreadConstraints"]
    assert chosen(spread["labelSelector"]["matchLabels"]) == [name]
    budgets = [chosen(one["spec"]["selector"]["matchLabels"]) for one in of_kind("PodDisruptionBudget")]
    services = [one for one in of_kind("Service") if chosen(one["spec"]["selector"]) == [name]]
    assert budgets.count([name]) == len(services) == 1
    assert {port["targetPort"] for port in services[0]["spec"]["ports"]} <= set(ports(name))


def test_nothing_is_open_but_what_is_named() -> None:
    """Each policy names pods that are there, and ports on which they listen."""
    policies = {one["metadata"]["name"]: one["spec"] for one in of_kind("NetworkPolicy")}
    nothing = policies.pop("nothing")
    assert nothing == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    for spec in policies.values():
        names = chosen(spec["podSelector"]["matchLabels"])
        assert names
        listening = {port for one in names for port in ports(one).values()}
        for rule in spec.get("ingress", []):
            assert rule["from"]
            assert {port["port"] for port in rule["ports"]} <= listening
        for rule in spec.get("egress", []):
            assert rule["to"]
            assert rule["ports"]
    assert chosen(policies["servers"]["podSelector"]["matchLabels"]) == list(WORKLOADS)


def test_a_shops_folder_is_packed_whole_and_always_the_same(tmp_path: Path) -> None:
    """Without the folder itself, whose mode who unpacks it may not change."""
    shop = ROOT / "examples" / "shop"
    packed = [tmp_path / "a.tar.gz", tmp_path / "b.tar.gz"]
    for path in packed:
        subprocess.run(["bash", str(HERE / "pack.sh"), str(shop), str(path)], check=True, capture_output=True)
    assert packed[0].read_bytes() == packed[1].read_bytes()
    with tarfile.open(packed[0]) as opened:
        assert "." not in opened.getnames()
        opened.extractall(tmp_path / "out", filter="data")
    there = {path.relative_to(shop): path.read_bytes() for path in shop.rglob("*") if path.is_file()}
    out = {
        path.relative_to(tmp_path / "out"): path.read_bytes()
        for path in (tmp_path / "out").rglob("*")
        if path.is_file()
    }
    assert out == there
    done = subprocess.run(
        ["bash", str(HERE / "pack.sh"), str(ROOT / "docs")], check=False, capture_output=True, text=True
    )
    assert (done.returncode, "is no shop's folder" in done.stderr) == (2, True)
