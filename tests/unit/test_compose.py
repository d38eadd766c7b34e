"""compose.yaml: the instances have valid settings, and each service fits the others and has few rights."""

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from scoreboard.domain.errors import StartError
from scoreboard.server import FINISH_SECONDS
from scoreboard.settings.config import PREFIX, Settings, read_settings
from scoreboard.settings.consistency import DEVELOPMENT_SECRET

ROOT = Path(__file__).parents[2]


def loaded(path: str, values: dict[str, str] | None = None) -> Any:
    """Return a YAML file with each ${NAME:-default} replaced, as Compose does."""
    text = (ROOT / path).read_text()
    return yaml.safe_load(re.sub(r"\$\{(\w+):-([^}]*)\}", lambda it: (values or {}).get(it[1], it[2]), text))


DOCKERFILE = (ROOT / "Dockerfile").read_text()
COMPOSE = loaded("compose.yaml")
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if "build" in service}
INSTANCES = {name: service for name, service in OURS.items() if "command" not in service}


def settings_of(service: dict[str, Any], **more: str) -> Settings:
    values: dict[str, Any] = {
        name.removeprefix(PREFIX).lower(): it for name, it in service["environment"].items()
    }
    assert set(values) <= set(Settings.model_fields)
    return read_settings(_env_file=None, **values, **more)


def test_by_default_only_postgresql_and_redis_start() -> None:
    assert {name for name, service in SERVICES.items() if "profiles" not in service} == {
        "postgresql",
        "redis",
    }
    assert {profile for service in SERVICES.values() for profile in service.get("profiles", [])} == {"full"}
    assert (SERVICES["postgresql"]["image"], SERVICES["redis"]["image"]) == ("postgres:15", "redis:7")
    assert "noeviction" in SERVICES["redis"]["command"]


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_has_no_more_rights_than_it_needs(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not {"cap_add", "privileged", "network_mode", "pid"} & set(service)
    assert [port for port in service.get("ports", []) if not port.startswith("127.0.0.1:")] == []


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_waits_for_a_health_check_or_for_the_migration(name: str) -> None:
    for other, how in SERVICES[name].get("depends_on", {}).items():
        if how["condition"] == "service_healthy":
            assert "test" in SERVICES[other]["healthcheck"]
        else:
            assert how["condition"] == "service_completed_successfully"
            assert SERVICES[other]["command"] == ["migrate"]


@pytest.mark.parametrize("name", SERVICES)
def test_every_mounted_file_exists(name: str) -> None:
    for volume in SERVICES[name].get("volumes", []):
        source = volume.split(":")[0]
        assert (ROOT / source).exists() if source.startswith("./") else source in COMPOSE["volumes"]


def test_two_instances_start_after_the_migration() -> None:
    assert len(INSTANCES) == 2
    for instance in INSTANCES.values():
        assert instance["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}
        settings = settings_of(instance)
        assert settings.is_distributed
        # The drain time of an instance is shorter than the time until Compose kills it.
        ends = settings.drain_grace_seconds + settings.drain_seconds + FINISH_SECONDS
        assert float(instance["stop_grace_period"].removesuffix("s")) > ends


def test_its_secrets_are_refused_in_production() -> None:
    for service in OURS.values():
        assert settings_of(service).jwt_secret.get_secret_value() == DEVELOPMENT_SECRET  # type: ignore[union-attr]
        with pytest.raises(StartError, match="JWT_SECRET"):
            settings_of(service, env="production")


def test_a_secret_in_the_environment_replaces_the_default() -> None:
    mine = {"SCOREBOARD_JWT_SECRET": "m" * 32, "POSTGRES_PASSWORD": "mine", "REDIS_PASSWORD": "my-own"}
    services = loaded("compose.yaml", mine)["services"]
    settings = settings_of(services["instance-1"], env="production")
    assert "scoreboard:mine@" in settings.database_url
    assert ":my-own@" in (settings.redis_url or "")
    assert services["postgresql"]["environment"]["POSTGRES_PASSWORD"] == "mine"
    assert "my-own" in services["redis"]["command"]


def test_only_prometheus_reaches_the_metrics() -> None:
    ports = {settings_of(instance).metrics_port for instance in INSTANCES.values()}
    (targets,) = (
        job["static_configs"][0]["targets"]
        for job in loaded("deploy/prometheus/prometheus.yml")["scrape_configs"]
    )
    assert targets == [f"{name}:{port}" for name in INSTANCES for port in ports]
    assert all("ports" not in instance for instance in INSTANCES.values())


def test_nginx_forwards_to_each_instance() -> None:
    (port,) = re.findall(r"^EXPOSE (\d+)$", DOCKERFILE, re.MULTILINE)
    assert int(port) == Settings.model_fields["port"].default
    upstream = re.findall(r"^\s*server (\S+) ", (ROOT / "deploy/nginx.conf").read_text(), re.MULTILINE)
    assert [one for one in upstream if one != "{"] == [f"{name}:{port}" for name in INSTANCES]


def test_grafana_has_the_dashboard_and_its_data_source() -> None:
    (source,) = loaded("deploy/grafana/provisioning/datasources/prometheus.yml")["datasources"]
    (provider,) = loaded("deploy/grafana/provisioning/dashboards/scoreboard.yml")["providers"]
    grafana = SERVICES["grafana"]
    assert source["url"] == "http://prometheus:9090"
    assert f"./deploy/grafana/dashboards:{provider['options']['path']}:ro" in grafana["volumes"]
    dashboard = (ROOT / "deploy/grafana/dashboards/scoreboard.json").read_text()
    assert set(re.findall(r'"type": "prometheus",\s+"uid": "([^"]*)"', dashboard)) == {source["uid"]}
    assert grafana["environment"]["GF_AUTH_ANONYMOUS_ORG_ROLE"] == "Viewer"


def test_the_build_context_has_only_the_files_that_the_dockerfile_copies() -> None:
    """Databases and secrets in the folder are never sent to the Docker engine."""
    _, first, *others = (ROOT / ".dockerignore").read_text().splitlines()
    assert first == "*"
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE)
    assert {line[1:] for line in others if line.startswith("!")} == {
        name for names in copied for name in names.split()
    }


@pytest.mark.parametrize(("engine", "code"), [("required", 1), ("optional", 0)])
def test_without_a_docker_engine_the_image_test_reports_what_is_not_checked(engine: str, code: int) -> None:
    environment = {"PATH": os.environ["PATH"], "DOCKER_HOST": "unix:///nowhere", "ENGINE": engine}
    done = subprocess.run(
        [ROOT / "tools/image-test"], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == code
    assert "Not checked: that the Dockerfile builds" in done.stdout
