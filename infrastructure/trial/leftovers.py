"""List the resources of an account, before the first one is created and after all are destroyed."""

from collections.abc import Mapping
from typing import Any

from infrastructure.trial.mock_account import MockAccount

CALLS: Mapping[str, str] = {
    "acm": "list_certificates",
    "application-autoscaling": "describe_scalable_targets",
    "cloudwatch": "describe_alarms list_dashboards",
    "ec2": "describe_addresses describe_flow_logs describe_internet_gateways describe_nat_gateways "
    "describe_route_tables describe_security_groups describe_subnets describe_vpc_endpoints describe_vpcs",
    "ecr": "describe_repositories",
    "elasticache": "describe_cache_clusters describe_cache_parameter_groups describe_cache_subnet_groups "
    "describe_replication_groups",
    "elbv2": "describe_load_balancers describe_target_groups",
    "events": "list_rules",
    "iam": "list_roles",
    "kms": "list_aliases",
    "logs": "describe_log_groups",
    "rds": "describe_db_instances describe_db_parameter_groups describe_db_subnet_groups",
    "s3": "list_buckets",
    "secretsmanager": "list_secrets",
    "sns": "list_topics",
    "ssm": "describe_parameters",
    "wafv2": "list_web_acls",
}
ARGUMENTS = {"describe_scalable_targets": {"ServiceNamespace": "ecs"}, "list_web_acls": {"Scope": "REGIONAL"}}


def standing(account: MockAccount) -> dict[str, list[str]]:
    """Return the names of all resources, by call."""
    return {
        f"{service} {call}": sorted(_names(account.client(service), call))
        for service, calls in CALLS.items()
        for call in calls.split()
    } | {"ecs clusters": _clusters(account), "ecs tasks": _tasks(account), "kms keys": _keys(account)}


def _names(client: Any, call: str) -> list[str]:
    arguments = ARGUMENTS.get(call, {})
    paged = client.can_paginate(call)
    pages = (
        client.get_paginator(call).paginate(**arguments) if paged else [getattr(client, call)(**arguments)]
    )
    found = [item for page in pages for value in page.values() if isinstance(value, list) for item in value]
    # Gateways and endpoints are listed for a while after their deletion.
    return [_name(item) for item in found if item.get("State") not in ("deleted", "deleting")]


def _name(item: Mapping[str, Any]) -> str:
    """Return the ARN of a resource, or else its id or name."""
    return str(next(value for name, value in sorted(item.items(), key=_rank) if isinstance(value, str)))


def _rank(field: tuple[str, Any]) -> tuple[bool, bool, str]:
    name = field[0].lower()
    is_id = name != "ownerid" and name.endswith(("id", "name", "identifier"))
    return not name.endswith("arn"), not is_id, name


def _keys(account: MockAccount) -> list[str]:
    """Leave out keys pending deletion: AWS keeps them for at least a week."""
    kms = account.client("kms")
    keys = [kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"] for key in kms.list_keys()["Keys"]]
    return [key["KeyId"] for key in keys if key["KeyState"] != "PendingDeletion"]


def _clusters(account: MockAccount) -> list[str]:
    """Leave out inactive clusters, which are listed for a while after their deletion."""
    ecs = account.client("ecs")
    found = ecs.describe_clusters(clusters=ecs.list_clusters()["clusterArns"])["clusters"]
    return [cluster["clusterName"] for cluster in found if cluster["status"] != "INACTIVE"]


def _tasks(account: MockAccount) -> list[str]:
    """Leave out revisions of the services: `skip_destroy` keeps them for a roll-back."""
    arns = account.client("ecs").list_task_definitions()["taskDefinitionArns"]
    families = [arn.rpartition("/")[2].rpartition(":")[0] for arn in arns]
    return [family for family in families if not family.endswith(("-api", "-streams"))]
