"""What stands in an account: asked before anything is made there, and after all was destroyed."""

from typing import Any

from infrastructure.trial.mock_account import MockAccount

LISTS = (
    ("acm", "list_certificates", "CertificateSummaryList"),
    ("cloudwatch", "describe_alarms", "MetricAlarms"),
    ("cloudwatch", "list_dashboards", "DashboardEntries"),
    ("ec2", "describe_addresses", "Addresses"),
    ("ec2", "describe_flow_logs", "FlowLogs"),
    ("ec2", "describe_internet_gateways", "InternetGateways"),
    ("ec2", "describe_nat_gateways", "NatGateways"),
    ("ec2", "describe_route_tables", "RouteTables"),
    ("ec2", "describe_security_groups", "SecurityGroups"),
    ("ec2", "describe_subnets", "Subnets"),
    ("ec2", "describe_vpc_endpoints", "VpcEndpoints"),
    ("ec2", "describe_vpcs", "Vpcs"),
    ("ecr", "describe_repositories", "repositories"),
    ("elasticache", "describe_cache_clusters", "CacheClusters"),
    ("elasticache", "describe_cache_parameter_groups", "CacheParameterGroups"),
    ("elasticache", "describe_cache_subnet_groups", "CacheSubnetGroups"),
    ("elasticache", "describe_replication_groups", "ReplicationGroups"),
    ("elbv2", "describe_load_balancers", "LoadBalancers"),
    ("elbv2", "describe_target_groups", "TargetGroups"),
    ("events", "list_rules", "Rules"),
    ("iam", "list_roles", "Roles"),
    ("kms", "list_aliases", "Aliases"),
    ("logs", "describe_log_groups", "logGroups"),
    ("rds", "describe_db_instances", "DBInstances"),
    ("rds", "describe_db_parameter_groups", "DBParameterGroups"),
    ("rds", "describe_db_subnet_groups", "DBSubnetGroups"),
    ("s3", "list_buckets", "Buckets"),
    ("secretsmanager", "list_secrets", "SecretList"),
    ("sns", "list_topics", "Topics"),
    ("ssm", "describe_parameters", "Parameters"),
)

PASSES_AWAY = {("ec2", "describe_nat_gateways"): "State", ("ec2", "describe_vpc_endpoints"): "State"}
"""What is listed for a while after its end."""


def standing(account: MockAccount) -> dict[str, list[str]]:
    """By list: what it holds, each thing as text that tells it from others."""
    return {
        f"{service} {call}": sorted(_names(account.client(service), service, call, key))
        for service, call, key in LISTS
    } | {
        "clusters": _clusters(account),
        "wafv2": _firewalls(account),
        "kms keys": _keys(account),
        "scaling": _scaled(account),
        "tasks": _tasks(account),
    }


def _names(client: Any, service: str, call: str, key: str) -> list[str]:
    pages = client.get_paginator(call).paginate() if client.can_paginate(call) else [getattr(client, call)()]
    state = PASSES_AWAY.get((service, call))
    found = [thing for page in pages for thing in page.get(key, ())]
    return [_name(thing) for thing in found if not state or thing[state] not in {"deleted", "deleting"}]


def _name(thing: Any) -> str:
    """Its own id or name: the first field of that kind that it has."""
    if isinstance(thing, str):
        return thing
    return str(next(value for name, value in sorted(thing.items(), key=_rank) if isinstance(value, str)))


def _rank(field: tuple[str, Any]) -> tuple[bool, bool, str]:
    name = field[0].lower()
    return (
        not name.endswith("arn"),
        name == "ownerid" or not name.endswith(("id", "name", "identifier")),
        name,
    )


def _firewalls(account: MockAccount) -> list[str]:
    return [found["ARN"] for found in account.client("wafv2").list_web_acls(Scope="REGIONAL")["WebACLs"]]


def _keys(account: MockAccount) -> list[str]:
    """Without those that AWS will delete: it gives a key's owner a week to think."""
    kms = account.client("kms")
    keys = [kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"] for key in kms.list_keys()["Keys"]]
    return [key["KeyId"] for key in keys if key["KeyState"] != "PendingDeletion"]


def _scaled(account: MockAccount) -> list[str]:
    found = account.client("application-autoscaling").describe_scalable_targets(ServiceNamespace="ecs")
    return [target["ResourceId"] for target in found["ScalableTargets"]]


def _clusters(account: MockAccount) -> list[str]:
    """Without those that are told as inactive, for a while after their end."""
    ecs = account.client("ecs")
    found = ecs.describe_clusters(clusters=ecs.list_clusters()["clusterArns"])["clusters"]
    return [cluster["clusterName"] for cluster in found if cluster["status"] != "INACTIVE"]


def _tasks(account: MockAccount) -> list[str]:
    """Without revisions of the services: they stay on purpose, for a roll-back (`skip_destroy`), and cost nothing."""
    arns = account.client("ecs").list_task_definitions()["taskDefinitionArns"]
    families = [arn.rpartition("/")[2].rpartition(":")[0] for arn in arns]
    return [family for family in families if not family.endswith(("-api", "-streams"))]
