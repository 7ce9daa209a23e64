"""What docker-compose.yml and the Dockerfile promise, as far as it can be seen without starting them."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import jsonschema
import pytest
import yaml

from shop_reco.queues import NAMES, TRAINING

ROOT = Path(__file__).resolve().parent.parent
SCHEMA = ROOT / "tests" / "compose_schema" / "compose-spec.json"


@pytest.fixture(scope="module")
def compose():
    return yaml.safe_load((ROOT / "docker-compose.yml").read_text())


OPTIONAL = {
    "web-2": ["second-web"],
    "stream": ["kafka"],
    "rabbitmq": ["rabbitmq"],
    "prometheus": ["monitoring"],
    "grafana": ["monitoring"],
}
"""Services that are started for those who ask for their profile."""


def names_in(path: str) -> set[str]:
    """Variables that a .env file sets, or shows how to set."""
    return set(re.findall(r"^(?:# )?([A-Z_]+)=", (ROOT / path).read_text(), re.MULTILINE))


def test_the_compose_file_keeps_the_compose_schema(compose):
    schema = json.loads(SCHEMA.read_text())
    jsonschema.validators.validator_for(schema)(schema).validate(compose)


def test_the_compose_schema_refuses_what_compose_does(compose):
    schema = json.loads(SCHEMA.read_text())
    broken = {**compose, "services": {"web": {**compose["services"]["web"], "comand": ["granian"]}}}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validators.validator_for(schema)(schema).validate(broken)


def test_compose_itself_reads_the_file(tmp_path):
    docker = shutil.which("docker")
    if not docker or subprocess.run([docker, "compose", "version"], capture_output=True).returncode:
        pytest.skip("docker compose is not installed")
    environment = tmp_path / "env"
    environment.write_text("SECRET_KEY=x\nALLOWED_HOSTS=x\nPOSTGRES_PASSWORD=x\n")
    command = [docker, "compose", "--env-file", str(environment), "--file", str(ROOT / "docker-compose.yml"), "config"]
    done = subprocess.run([*command, "--quiet"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_every_part_of_production_has_a_service_and_waits_for_what_it_needs(compose):
    services = compose["services"]
    assert set(services) - set(OPTIONAL) == {"migrate", "web", "worker", "trainer", "beat", "postgres", "redis"}
    assert {name: service["profiles"] for name, service in services.items() if "profiles" in service} == OPTIONAL
    for name in ("web", "worker", "trainer", "beat", "stream"):
        assert services[name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}
    for name in ("worker", "trainer", "beat"):
        assert services[name]["depends_on"]["redis"] == {"condition": "service_healthy"}
    for name in ("postgres", "redis", "worker", "trainer"):
        assert "test" in services[name]["healthcheck"]


def test_every_queue_has_a_worker_and_trainings_have_one_of_their_own(compose):
    commands = {name: service.get("command", []) for name, service in compose["services"].items()}
    taken = {
        name: set(command[command.index("--queues") + 1].split(","))
        for name, command in commands.items()
        if "worker" in command
    }
    assert set().union(*taken.values()) == set(NAMES)
    assert [queues for queues in taken.values() if TRAINING in queues] == [{TRAINING}]


def test_serving_does_not_wait_for_the_broker(compose):
    assert "redis" not in compose["services"]["web"]["depends_on"]


def test_neither_the_database_nor_the_broker_is_reachable_from_outside(compose):
    published = {name: service["ports"] for name, service in compose["services"].items() if "ports" in service}
    assert set(published) == {"web", "web-2", "grafana"}
    assert all(port.startswith("127.0.0.1:") for ports in published.values() for port in ports)


def test_our_own_processes_write_only_where_they_must_and_may_do_nothing_else(compose):
    for name in ("migrate", "web", "web-2", "worker", "trainer", "beat", "stream"):
        service = compose["services"][name]
        assert service["read_only"]
        assert "/tmp" in service["tmpfs"]
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert [mount.split(":")[1] for mount in service["volumes"]] == ["/srv/artifacts", "/srv/privacy"]


def test_no_secret_is_written_into_the_compose_file():
    text = (ROOT / "docker-compose.yml").read_text()
    for name in ("SECRET_KEY", "POSTGRES_PASSWORD", "ALLOWED_HOSTS"):
        assert f"${{{name}:?" in text


def test_every_volume_that_is_mounted_is_declared(compose):
    mounts = [mount for service in compose["services"].values() for mount in service.get("volumes", [])]
    named = {mount.split(":")[0] for mount in mounts if not mount.startswith(".")}
    assert named == set(compose["volumes"])
    files = [mount.split(":")[0] for mount in mounts if mount.startswith(".")]
    assert all((ROOT / path).exists() for path in files)


def test_env_example_names_every_variable_that_compose_and_production_read():
    composed = set(re.findall(r"\$\{([A-Z_]+)", (ROOT / "docker-compose.yml").read_text()))
    production = (ROOT / "shop_reco" / "settings" / "production.py").read_text()
    read = set(re.findall(r'env\.\w+\("([A-Z_]+)"', production))
    assert composed | read <= names_in(".env.example")


def test_a_secret_of_the_environment_is_written_where_compose_can_write_it(compose):
    held = {name for name, secret in compose["secrets"].items() if "environment" in secret}
    for name, service in compose["services"].items():
        assert not (service.get("read_only") and held & set(service.get("secrets", []))), name


def test_the_ledger_of_erasures_lies_outside_of_what_a_backup_puts_back(compose):
    environment = compose["services"]["web"]["environment"]
    assert not Path(environment["PRIVACY_ROOT"]).is_relative_to(environment["ARTIFACTS_ROOT"])


@pytest.mark.parametrize(
    ("unit", "service"), [("web@", "web"), ("worker", "worker"), ("trainer", "trainer"), ("beat", "beat")]
)
def test_a_unit_of_systemd_starts_what_its_service_does(compose, unit, service):
    text = (ROOT / "deploy" / "systemd" / f"shop-reco-{unit}.service").read_text()
    (started,) = re.findall(r"^ExecStart=/srv/shop-reco/\.venv/bin/(.*)$", text, re.MULTILINE)
    default = re.findall(r"^CMD (\[.*\])$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)[-1]
    # each container has a host name, and an address, of its own
    words = re.sub(r" --hostname \S+", "", started).replace("%i", "8000").split()
    expected = compose["services"][service].get("command", json.loads(default))
    assert words == [word for word in expected if word not in ("--host", "0.0.0.0")]
    written = set(re.findall(r"^ReadWritePaths=(.*)$", text, re.MULTILINE)[0].split())
    assert written == {mount.split(":")[1] for mount in compose["services"][service]["volumes"]}


def test_compose_hands_on_what_production_needs(compose):
    production = (ROOT / "shop_reco" / "settings" / "production.py").read_text()
    needed = set(re.findall(r'env\.\w+\("([A-Z_]+)"\)', production))
    assert needed <= set(compose["services"]["web"]["environment"])


def test_the_image_holds_what_it_copies_and_runs_as_nobody_special():
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    copied = [line for line in lines if line.startswith("COPY ") and "--from=" not in line]
    sources = [word for line in copied for word in line.split()[1:-1]]
    assert sources
    assert [source for source in sources if not (ROOT / source).exists()] == []
    user = max(number for number, line in enumerate(lines) if line.startswith("USER "))
    assert lines[user] != "USER root"
    assert user < min(number for number, line in enumerate(lines) if line.startswith("CMD "))


def test_no_secret_and_no_local_data_reach_the_image():
    ignored = set((ROOT / ".dockerignore").read_text().split())
    assert {".env", ".git", "var", ".venv"} <= ignored


def test_what_is_watched_and_alerted_on_is_what_the_shop_measures():
    from shop_reco.measures import metrics

    sources = [path.read_text() for path in (ROOT / "shop_reco" / "monitoring").glob("*.py")]
    known = {name for text in sources for name in re.findall(r'"(shop_reco_\w+)"', text)}
    known |= {sample.name for family in metrics.registry.collect() for sample in family.samples}
    known |= {family.name for family in metrics.registry.collect()}
    alerts = yaml.safe_load((ROOT / "deploy" / "prometheus" / "alerts.yml").read_text())
    board = json.loads((ROOT / "deploy" / "grafana" / "dashboards" / "shop-reco.json").read_text())
    asked = [rule["expr"] for group in alerts["groups"] for rule in group["rules"]]
    asked += [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    for expression in asked:
        for name in re.findall(r"\bshop_reco_\w+", expression):
            plain = re.sub(r"_(bucket|sum|count|total)$", "", name)
            assert {name, plain} & known, f"{name} is measured nowhere"


def test_prometheus_asks_as_whom_the_web_server_answers_and_with_its_token(compose):
    asked = yaml.safe_load((ROOT / "deploy" / "prometheus" / "prometheus.yml").read_text())["scrape_configs"][0]
    (target,) = asked["static_configs"][0]["targets"]
    assert target.split(":")[0] in compose["services"]["web"]["environment"]["ALLOWED_HOSTS"].split(",")
    assert asked["authorization"]["credentials_file"] == "/run/secrets/metrics_token"
    assert compose["secrets"]["metrics_token"] == {"environment": "METRICS_TOKEN"}
