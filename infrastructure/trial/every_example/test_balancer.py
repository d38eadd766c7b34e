"""The load balancer."""

from typing import Any

from infrastructure.trial.deployed import Deployed

STREAM = "/api/leaderboard/stream"


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
