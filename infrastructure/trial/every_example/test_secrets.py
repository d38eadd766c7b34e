"""Secrets are readable only by the tasks that need them."""

import json

from infrastructure.trial.deployed import Deployed

SETTINGS = {
    "SCOREBOARD_DATABASE_PASSWORD": "database",
    "SCOREBOARD_REDIS_PASSWORD": "redis",
    "SCOREBOARD_JWT_SECRET": "jwt",
    "SCOREBOARD_ORIGIN_SECRET": "origin",
}

IN_THE_STATE = {"redis"}
"""Provider 5.100 has no write-only argument for the ElastiCache token, so the state must be encrypted."""


def test_each_secret_is_long_random_and_its_own(deployed: Deployed) -> None:
    values = [secret["SecretString"] for secret in deployed.secrets.values()]

    assert set(deployed.secrets) == set(SETTINGS.values())
    assert len(set(values)) == len(values)
    assert all(len(value) == 64 for value in values)


def test_no_task_definition_shows_one(deployed: Deployed) -> None:
    for definition in deployed.task_definitions.values():
        shown = json.dumps(definition, default=str)
        assert [name for name, secret in deployed.secrets.items() if secret["SecretString"] in shown] == []


def test_every_task_gets_them_by_name_from_secrets_manager(deployed: Deployed) -> None:
    arns = {setting: deployed.secrets[name]["ARN"] for setting, name in SETTINGS.items()}

    for name in deployed.task_definitions:
        assert {pair["name"]: pair["valueFrom"] for pair in deployed.server_in(name)["secrets"]} == arns
        assert not any(
            "PASSWORD" in setting or "SECRET" in setting for setting in deployed.environment_of(name)
        )


def test_terraform_keeps_none_but_the_one_that_it_must(deployed: Deployed) -> None:
    kept = {name for name, secret in deployed.secrets.items() if secret["SecretString"] in deployed.state}

    assert kept == IN_THE_STATE
