"""The smallest deployment. Encryption, monitoring and backups are tested for every example."""

from infrastructure.trial.deployed import Deployed


def test_one_task_does_all_and_a_second_comes_under_load(deployed: Deployed) -> None:
    assert [(name, service["desiredCount"]) for name, service in deployed.services.items()] == [("api", 1)]
    assert deployed.environment_of("api")["SCOREBOARD_MAX_STREAMS"] == "2000"


def test_there_is_one_of_each(deployed: Deployed) -> None:
    gateways = {
        gateway
        for gateways in deployed.routes_out.values()
        for gateway in gateways
        if gateway.startswith("nat-")
    }

    assert list(deployed.databases) == [deployed.name]
    assert deployed.databases[deployed.name]["MultiAZ"] is False
    assert len(deployed.redis_nodes) == 1
    assert len(gateways) == 1
