"""The API scales with its CPU, streams with their number per task."""

from typing import Any

from infrastructure.trial.deployed import Deployed


def tracked(deployed: Deployed, service: str) -> dict[str, dict[str, Any]]:
    policies = deployed.scaling_of(service)
    assert all(policy["PolicyType"] == "TargetTrackingScaling" for policy in policies)
    return {policy["PolicyName"]: policy["TargetTrackingScalingPolicyConfiguration"] for policy in policies}


def holds_streams(deployed: Deployed, service: str) -> bool:
    return "SCOREBOARD_MAX_STREAMS" in deployed.environment_of(service)


def test_the_api_is_scaled_on_cpu(deployed: Deployed) -> None:
    cpu = tracked(deployed, "api")["cpu"]

    assert cpu["PredefinedMetricSpecification"] == {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"}
    assert cpu["TargetValue"] == 60


def test_what_holds_streams_is_scaled_on_those_of_a_task(deployed: Deployed) -> None:
    (service,) = [service for service in deployed.services if holds_streams(deployed, service)]
    streams = tracked(deployed, service)["streams"]
    most = int(deployed.environment_of(service)["SCOREBOARD_MAX_STREAMS"])
    metric = streams["CustomizedMetricSpecification"]

    assert (metric["Namespace"], metric["MetricName"], metric["Statistic"]) == (
        "Scoreboard",
        "scoreboard_streams",
        "Average",
    )
    assert metric["Dimensions"] == [{"Name": "ServiceName", "Value": f"{deployed.name}-{service}"}]
    assert 0.5 * most <= streams["TargetValue"] <= 0.8 * most
    # Each task that is removed moves thousands of browsers.
    assert streams["ScaleInCooldown"] > streams["ScaleOutCooldown"]


def test_no_service_is_scaled_on_anything_else(deployed: Deployed) -> None:
    for service in deployed.services:
        expected = {"streams"} if holds_streams(deployed, service) else set()
        expected |= {"cpu"} if service == "api" else set()
        assert set(tracked(deployed, service)) == expected


def test_each_service_may_grow_and_never_goes_to_nothing(deployed: Deployed) -> None:
    assert sorted(target["ResourceId"] for target in deployed.scaled) == sorted(
        f"service/{deployed.name}/{service}" for service in deployed.services
    )
    for target in deployed.scaled:
        assert 1 <= target["MinCapacity"] < target["MaxCapacity"]
