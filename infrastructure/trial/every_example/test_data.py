"""Scores are backed up, and Redis evicts nothing."""

from infrastructure.trial.deployed import Deployed


def test_it_is_postgresql_15_with_backups(deployed: Deployed) -> None:
    primary = deployed.databases[deployed.name]

    assert primary["Engine"] == "postgres"
    assert primary["EngineVersion"].split(".")[0] == "15"
    assert primary["BackupRetentionPeriod"] >= 7
    assert primary["CopyTagsToSnapshot"] is True
    assert primary["MaxAllocatedStorage"] > primary["AllocatedStorage"]  # a full disk would stop the database


def test_nobody_deletes_it_by_mistake(deployed: Deployed) -> None:
    assert deployed.databases
    for database in deployed.databases.values():
        assert database["DeletionProtection"] is True
    assert deployed.balancer_attributes["deletion_protection.enabled"] == "true"


def test_all_tasks_at_most_stay_below_the_alarm_on_connections(deployed: Deployed) -> None:
    most_tasks = sum(target["MaxCapacity"] for target in deployed.scaled)
    of_task = {
        int(deployed.environment_of(name)["SCOREBOARD_DATABASE_POOL_SIZE"]) + 1 for name in deployed.services
    }

    # Twice, because a release runs old and new tasks together.
    assert 2 * most_tasks * max(of_task) <= 0.8 * int(deployed.database_parameters["max_connections"])


def test_redis_7_refuses_writes_before_it_drops_a_key(deployed: Deployed) -> None:
    assert deployed.redis_nodes
    for node in deployed.redis_nodes:
        group = node["CacheParameterGroup"]["CacheParameterGroupName"]
        found = deployed.ask(
            "elasticache", "describe_cache_parameters", "Parameters", CacheParameterGroupName=group
        )
        parameters = {parameter["ParameterName"]: parameter["ParameterValue"] for parameter in found}
        assert parameters["maxmemory-policy"] == "noeviction"
        assert node["EngineVersion"].split(".")[0] == "7"
        assert node["SnapshotRetentionLimit"] >= 1


def test_images_are_scanned_never_overwritten_and_do_not_pile_up(deployed: Deployed) -> None:
    (repository,) = deployed.ask("ecr", "describe_repositories", "repositories")
    policy = deployed.ask(
        "ecr", "get_lifecycle_policy", "lifecyclePolicyText", repositoryName=repository["repositoryName"]
    )

    assert repository["imageScanningConfiguration"] == {"scanOnPush": True}
    assert repository["imageTagMutability"] == "IMMUTABLE"
    assert '"untagged"' in policy
    assert '"imageCountMoreThan"' in policy
