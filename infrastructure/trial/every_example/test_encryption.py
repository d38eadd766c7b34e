"""Data at rest is encrypted with the deployment's own key, data in transit with TLS."""

from infrastructure.trial.deployed import Deployed


def key_of(deployed: Deployed) -> str:
    (alias,) = [
        alias
        for alias in deployed.ask("kms", "list_aliases", "Aliases")
        if alias["AliasName"] == f"alias/{deployed.name}"
    ]
    key = deployed.ask("kms", "describe_key", "KeyMetadata", KeyId=alias["TargetKeyId"])
    return str(key["Arn"])


def test_the_key_turns_every_year(deployed: Deployed) -> None:
    assert (
        deployed.ask("kms", "get_key_rotation_status", "KeyRotationEnabled", KeyId=key_of(deployed)) is True
    )


def test_databases_are_encrypted_and_so_are_their_statements(deployed: Deployed) -> None:
    for database in deployed.databases.values():
        assert database["StorageEncrypted"] is True
        assert database["KmsKeyId"] == key_of(deployed)
        assert database["PerformanceInsightsEnabled"] is True
        assert database["PerformanceInsightsKMSKeyId"] == key_of(deployed)


def test_postgresql_refuses_a_connection_without_tls(deployed: Deployed) -> None:
    assert deployed.database_parameters["rds.force_ssl"] == "1"
    for name in deployed.task_definitions:
        assert deployed.environment_of(name)["SCOREBOARD_DATABASE_URL"].endswith("?sslmode=require")


def test_redis_is_encrypted_at_rest_and_on_its_way_and_asks_for_a_token(deployed: Deployed) -> None:
    redis = deployed.redis

    assert redis["AtRestEncryptionEnabled"] is True
    assert redis["KmsKeyId"] == key_of(deployed)
    assert redis["TransitEncryptionEnabled"] is True
    assert redis["AuthTokenEnabled"] is True
    for name in deployed.task_definitions:
        assert deployed.environment_of(name)["SCOREBOARD_REDIS_URL"].startswith("rediss://")


def test_every_secret_is_encrypted_with_the_key(deployed: Deployed) -> None:
    assert {name: secret["KmsKeyId"] for name, secret in deployed.secrets.items()} == dict.fromkeys(
        ("database", "redis", "jwt", "origin"), key_of(deployed)
    )


def test_every_log_is_encrypted_and_ends_some_day(deployed: Deployed) -> None:
    groups = {
        group["logGroupName"]: group for group in deployed.ask("logs", "describe_log_groups", "logGroups")
    }
    expected = {f"/{deployed.name}/{what}" for what in ("server", "collector", "metrics", "network")}
    expected |= {
        f"/aws/rds/instance/{name}/{what}"
        for name in deployed.databases
        for what in ("postgresql", "upgrade")
    }

    assert set(groups) == expected
    for group in groups.values():
        assert group["kmsKeyId"] == key_of(deployed)
        assert group["retentionInDays"] >= 14


def test_images_and_alarms_are_encrypted(deployed: Deployed) -> None:
    (repository,) = deployed.ask("ecr", "describe_repositories", "repositories")
    (topic,) = deployed.ask("sns", "list_topics", "Topics")
    attributes = deployed.ask("sns", "get_topic_attributes", "Attributes", TopicArn=topic["TopicArn"])

    assert repository["encryptionConfiguration"] == {"encryptionType": "KMS", "kmsKey": key_of(deployed)}
    assert attributes["KmsMasterKeyId"] == key_of(deployed)
