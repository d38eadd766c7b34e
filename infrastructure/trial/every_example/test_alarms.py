"""The alarms. Further thresholds and the dashboard are checked in `observability.tftest.hcl`."""

from typing import Any

import pytest

from infrastructure.trial.deployed import Deployed


def one(deployed: Deployed, metric: str) -> dict[str, Any]:
    (found,) = deployed.alarms_on(metric)
    return found


def seconds(alarm: dict[str, Any]) -> int:
    return int(alarm["Period"] * alarm["EvaluationPeriods"])


def test_more_than_5_percent_failed_for_5_minutes(deployed: Deployed) -> None:
    (alarm,) = [alarm for alarm in deployed.alarms if alarm.get("Metrics")]
    queries = {query["Id"]: query for query in alarm["Metrics"]}
    counted = {
        query["MetricStat"]["Metric"]["MetricName"]: query["MetricStat"]
        for query in queries.values()
        if "MetricStat" in query
    }
    (told,) = [name for name, query in queries.items() if query.get("ReturnData")]

    assert set(counted) == {"RequestCount", "HTTPCode_Target_5XX_Count", "HTTPCode_ELB_5XX_Count"}
    for count in counted.values():
        assert (count["Stat"], count["Period"]) == ("Sum", 60)
        assert count["Metric"]["Namespace"] == "AWS/ApplicationELB"
        assert count["Metric"]["Dimensions"] == [{"Name": "LoadBalancer", "Value": balancer(deployed)}]
    assert queries["failed"]["Expression"] == "FILL(target_5xx, 0) + FILL(elb_5xx, 0)"
    assert queries[told]["Expression"] == "IF(total > 0, 100 * failed / total, 0)"
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("GreaterThanThreshold", 5)
    assert alarm["EvaluationPeriods"] == alarm["DatapointsToAlarm"] == 5


def test_one_request_in_twenty_took_longer_than_half_a_second(deployed: Deployed) -> None:
    alarm = one(deployed, "TargetResponseTime")

    assert alarm["ExtendedStatistic"] == "p95"
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("GreaterThanThreshold", 0.5)
    assert alarm["Dimensions"] == [{"Name": "LoadBalancer", "Value": balancer(deployed)}]
    assert seconds(alarm) == 300


def test_more_than_80_percent_of_the_connections_that_the_database_has(deployed: Deployed) -> None:
    alarm = one(deployed, "DatabaseConnections")

    assert (alarm["ComparisonOperator"], alarm["Statistic"]) == ("GreaterThanThreshold", "Maximum")
    assert alarm["Threshold"] == pytest.approx(0.8 * int(deployed.database_parameters["max_connections"]))
    assert alarm["Dimensions"] == [{"Name": "DBInstanceIdentifier", "Value": deployed.name}]


def test_the_fullest_task_is_near_the_streams_that_it_takes(deployed: Deployed) -> None:
    alarm = one(deployed, "scoreboard_streams")
    (most,) = [
        int(environment["SCOREBOARD_MAX_STREAMS"])
        for environment in map(deployed.environment_of, deployed.services)
        if "SCOREBOARD_MAX_STREAMS" in environment
    ]

    assert alarm["Statistic"] == "Maximum"
    assert 0.8 * most <= alarm["Threshold"] < most
    assert alarm["InsufficientDataActions"]  # scaling needs the metric


def test_every_node_of_redis_is_watched(deployed: Deployed) -> None:
    nodes = sorted(node["CacheClusterId"] for node in deployed.redis_nodes)

    for metric in ("DatabaseMemoryUsagePercentage", "Evictions"):
        assert sorted(alarm["Dimensions"][0]["Value"] for alarm in deployed.alarms_on(metric)) == nodes


def test_every_service_is_watched(deployed: Deployed) -> None:
    names = sorted(f"{deployed.name}-{service}" for service in deployed.services)

    for metric in ("scoreboard_commit_queue_depth", "scoreboard_copy_lag_versions"):
        assert sorted(alarm["Dimensions"][0]["Value"] for alarm in deployed.alarms_on(metric)) == names


def test_every_alarm_is_told_and_so_is_its_end(deployed: Deployed) -> None:
    (topic,) = deployed.ask("sns", "list_topics", "Topics")

    for alarm in deployed.alarms:
        assert alarm["ActionsEnabled"] is True
        assert alarm["AlarmActions"] == alarm["OKActions"] == [topic["TopicArn"]]
        assert alarm["AlarmDescription"]


def balancer(deployed: Deployed) -> str:
    """Return the load balancer's name in CloudWatch."""
    return str(deployed.balancer["LoadBalancerArn"]).partition(":loadbalancer/")[2]
