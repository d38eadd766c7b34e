"""The deployment tolerates the failure of any part, and streams have tasks of their own."""

from infrastructure.trial.deployed import Deployed


def test_streams_and_api_are_two_services_of_two_tasks_or_more(deployed: Deployed) -> None:
    assert set(deployed.services) == {"api", "streams"}
    assert all(service["desiredCount"] >= 2 for service in deployed.services.values())


def test_the_database_survives_a_zone(deployed: Deployed) -> None:
    primary = deployed.databases[deployed.name]

    assert primary["MultiAZ"] is True
    assert primary["BackupRetentionPeriod"] >= 14


def test_histories_and_exports_are_read_from_a_replica_which_is_watched(deployed: Deployed) -> None:
    (replica,) = deployed.databases[deployed.name]["ReadReplicaDBInstanceIdentifiers"]
    endpoint = deployed.databases[replica]["Endpoint"]
    (lag,) = deployed.alarms_on("ReplicaLag")

    for name in deployed.services:
        assert f"@{endpoint['Address']}:" in deployed.environment_of(name)["SCOREBOARD_DATABASE_READ_URL"]
    assert lag["Dimensions"] == [{"Name": "DBInstanceIdentifier", "Value": replica}]
    assert (lag["ComparisonOperator"], lag["Threshold"]) == ("GreaterThanThreshold", 30)


def test_each_zone_has_a_way_out_of_its_own(deployed: Deployed) -> None:
    subnets = deployed.services["api"]["networkConfiguration"]["awsvpcConfiguration"]["subnets"]
    gateways = [gateway for subnet in subnets for gateway in deployed.routes_out[subnet]]

    assert len(set(gateways)) == len(subnets) == 2
