"""The load balancer."""

from typing import Any

import pytest

from infrastructure.trial.deployed import Deployed

STREAM = "/api/leaderboard/stream"

TASK_KEEPS_IDLE_SECONDS = 75
"""The server's keep-alive timeout. A load balancer with a longer one would use connections that are closed."""


def rules(deployed: Deployed) -> list[dict[str, Any]]:
    """Return the rules of the HTTPS listener, by priority."""
    arn = deployed.listeners[443]["ListenerArn"]
    found = deployed.ask("elbv2", "describe_rules", "Rules", ListenerArn=arn)
    return sorted(
        found, key=lambda rule: (rule["IsDefault"], int(rule["Priority"]) if not rule["IsDefault"] else 0)
    )


def paths(rule: dict[str, Any]) -> list[str]:
    return [path for condition in rule["Conditions"] for path in condition["PathPatternConfig"]["Values"]]


def target(rule: dict[str, Any]) -> str:
    (action,) = rule["Actions"]
    assert action["Type"] == "forward"
    return str(action["TargetGroupArn"])


def test_it_is_on_the_internet_in_two_zones(deployed: Deployed) -> None:
    zones = {zone["ZoneName"]: zone["SubnetId"] for zone in deployed.balancer["AvailabilityZones"]}

    assert len(zones) >= 2
    for subnet in zones.values():
        assert [gateway[:4] for gateway in deployed.routes_out[subnet]] == ["igw-"]


def test_https_takes_tls_12_and_13_with_the_certificate_alone(deployed: Deployed) -> None:
    https = deployed.listeners[443]
    (certificate,) = https["Certificates"]

    assert set(deployed.listeners) == {80, 443}
    assert https["Protocol"] == "HTTPS"
    assert https["SslPolicy"] == "ELBSecurityPolicy-TLS13-1-2-2021-06"
    assert certificate["CertificateArn"].startswith("arn:aws:acm:")


def test_plain_http_only_sends_on_to_https(deployed: Deployed) -> None:
    (action,) = deployed.listeners[80]["DefaultActions"]
    (rule,) = deployed.ask(
        "elbv2", "describe_rules", "Rules", ListenerArn=deployed.listeners[80]["ListenerArn"]
    )

    assert action["Type"] == "redirect"
    assert (
        action["RedirectConfig"] | {"StatusCode": "HTTP_301", "Protocol": "HTTPS", "Port": "443"}
        == action["RedirectConfig"]
    )
    assert rule["IsDefault"] is True


def test_admin_and_metrics_are_404_before_anything_else_is_asked(deployed: Deployed) -> None:
    first = rules(deployed)[0]
    (action,) = first["Actions"]

    assert sorted(paths(first)) == ["/admin*", "/api/admin*", "/metrics*"]
    assert action["Type"] == "fixed-response"
    assert action["FixedResponseConfig"]["StatusCode"] == "404"


def test_each_path_comes_to_the_service_that_answers_it(deployed: Deployed) -> None:
    _, *forwarding = rules(deployed)
    found = {tuple(paths(rule)) if not rule["IsDefault"] else "all else": target(rule) for rule in forwarding}
    arns = {name: group["TargetGroupArn"] for name, group in deployed.target_groups.items()}

    assert set(arns) == set(deployed.services)
    if "streams" in deployed.services:
        assert found == {(STREAM,): arns["streams"], "all else": arns["api"]}
    else:
        assert found == {"all else": arns["api"]}
    for name, service in deployed.services.items():
        assert [balancer["targetGroupArn"] for balancer in service["loadBalancers"]] == [arns[name]]


def test_browsers_get_http2_and_a_silent_stream_stays_open(deployed: Deployed) -> None:
    idle_seconds = int(deployed.balancer_attributes["idle_timeout.timeout_seconds"])

    assert deployed.balancer_attributes["routing.http2.enabled"] == "true"
    assert 30 <= idle_seconds < TASK_KEEPS_IDLE_SECONDS  # a stream has a heartbeat every 15 s
    assert deployed.balancer_attributes["routing.http.drop_invalid_header_fields.enabled"] == "true"


def test_a_new_task_gets_its_share_and_only_ready_ones_get_any(deployed: Deployed) -> None:
    for name, group in deployed.target_groups.items():
        assert attributes(deployed, name)["load_balancing.algorithm.type"] == "least_outstanding_requests"
        assert group["HealthCheckPath"] == "/health/ready"
        assert group["Matcher"] == {"HttpCode": "200"}
        # A stopping task reports it for 15 s before its streams end. The load balancer must notice it by then.
        assert group["HealthCheckIntervalSeconds"] * (group["UnhealthyThresholdCount"] + 1) <= 15


@pytest.mark.parametrize("asked", ["deregistration", "stopTimeout"])
def test_a_task_that_stops_is_given_the_time_that_its_streams_need(deployed: Deployed, asked: str) -> None:
    for name in deployed.services:
        environment = deployed.environment_of(name)
        needed = sum(int(environment[f"SCOREBOARD_DRAIN_{part}SECONDS"]) for part in ("GRACE_", "")) + 10
        given = {
            "deregistration": int(attributes(deployed, name)["deregistration_delay.timeout_seconds"]),
            "stopTimeout": deployed.server_in(name)["stopTimeout"],
        }[asked]

        assert needed <= given <= 120  # Fargate kills a task after 120 s


def attributes(deployed: Deployed, service: str) -> dict[str, str]:
    arn = deployed.target_groups[service]["TargetGroupArn"]
    found = deployed.ask("elbv2", "describe_target_group_attributes", "Attributes", TargetGroupArn=arn)
    return {attribute["Key"]: attribute["Value"] for attribute in found}
