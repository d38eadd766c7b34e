"""The tasks, their users and their permissions."""

import pytest

from infrastructure.trial.deployed import Deployed

NO_NARROWER_RESOURCE = {"ecr:GetAuthorizationToken"}
"""The only resource that AWS accepts for it is `*`."""


def test_there_is_a_task_for_each_service_and_one_that_migrates(deployed: Deployed) -> None:
    assert set(deployed.task_definitions) == {*deployed.services, "migrate"}
    assert deployed.server_in("migrate")["command"] == ["migrate"]
    for name, service in deployed.services.items():
        assert deployed.server_in(name)["command"] == ["serve"]
        assert service["taskDefinition"] == deployed.task_definitions[name]["taskDefinitionArn"]
        assert service["launchType"] == "FARGATE"


def test_all_run_the_image_of_the_release_from_the_repository_made_for_it(deployed: Deployed) -> None:
    (repository,) = deployed.ask("ecr", "describe_repositories", "repositories")

    images = {deployed.server_in(name)["image"] for name in deployed.task_definitions}
    assert images == {f"{repository['repositoryUri']}:1.0.0"}


def test_metrics_are_read_on_the_loopback_alone(deployed: Deployed) -> None:
    for name in deployed.services:
        environment = deployed.environment_of(name)
        assert "SCOREBOARD_METRICS_HOST" not in environment  # the default is 127.0.0.1
        ports = [port["containerPort"] for port in deployed.server_in(name)["portMappings"]]
        assert ports == [int(environment["SCOREBOARD_PORT"])] == [8000]
        (collector,) = [
            container
            for container in deployed.task_definitions[name]["containerDefinitions"]
            if container["name"] == "collector"
        ]
        assert f"127.0.0.1:{environment['SCOREBOARD_METRICS_PORT']}" in collector["environment"][0]["value"]
        assert collector["essential"] is False  # the server must not stop with it


def test_a_slow_log_holds_no_request_up(deployed: Deployed) -> None:
    for definition in deployed.task_definitions.values():
        for container in definition["containerDefinitions"]:
            assert container["logConfiguration"]["logDriver"] == "awslogs"
            assert container["logConfiguration"]["options"]["mode"] == "non-blocking"


@pytest.mark.parametrize("part", ["execution", "task", "flow-logs"])
def test_a_role_may_do_what_it_is_named_for(deployed: Deployed, part: str) -> None:
    statements = deployed.policies[f"{deployed.name}-{part}"]

    assert statements
    for statement in statements:
        actions = _listed(statement["Action"])
        assert statement["Effect"] == "Allow"
        assert not [action for action in actions if "*" in action]
        if "*" in _listed(statement["Resource"]):
            assert set(actions) <= NO_NARROWER_RESOURCE


def test_only_what_starts_a_task_may_read_secrets_and_these_alone(deployed: Deployed) -> None:
    readers = {
        (role, resource)
        for role, statements in deployed.policies.items()
        for statement in statements
        if any(action.startswith("secretsmanager:") for action in _listed(statement["Action"]))
        for resource in _listed(statement["Resource"])
    }

    assert readers == {(f"{deployed.name}-execution", secret["ARN"]) for secret in deployed.secrets.values()}


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value
