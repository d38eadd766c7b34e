"""Responses that the AWS provider needs and moto 5.2.5 lacks.

Without them an apply fails, or every plan contains a change. One process is one account, so the state is
global.
"""

import json
from collections.abc import Callable
from inspect import signature
from typing import Any

from moto.applicationautoscaling.responses import ApplicationAutoScalingResponse
from moto.core.responses import EmptyResult
from moto.ec2.models.security_groups import SecurityGroupRule
from moto.ecs.models import EC2ContainerServiceBackend
from moto.ecs.responses import EC2ContainerServiceResponse
from moto.elasticache.models import ElastiCacheBackend
from moto.elasticache.responses import ElastiCacheResponse
from moto.rds.models import RDSBackend

SERVICE_OPTIONS = {
    "healthCheckGracePeriodSeconds": "health_check_grace_period_seconds",
    "deploymentConfiguration": "deployment_configuration",
}
"""Options of an ECS service that moto drops: the attribute in its model, by the name in the request."""

_tags_of_targets: dict[str, dict[str, str]] = {}


def complete(owner: type, name: str, add_to: Callable[..., None]) -> None:
    """Wrap a method of moto: `add_to` receives its result and arguments, and completes the result."""
    original = getattr(owner, name)

    def completed(self: Any, *given: Any, **named: Any) -> Any:
        result = original(self, *given, **named)
        add_to(self, result, *given, **named)
        return result

    setattr(owner, name, completed)


def add() -> None:
    complete(ApplicationAutoScalingResponse, "register_scalable_target", _keep_tags)
    ApplicationAutoScalingResponse.list_tags_for_resource = _tags_of_target

    complete(ElastiCacheBackend, "create_replication_group", _make_clusters_of_group)
    complete(ElastiCacheBackend, "delete_replication_group", _let_group_go)
    complete(ElastiCacheBackend, "create_cache_cluster", _tell_groups)
    ElastiCacheResponse.delete_cache_subnet_group = _delete_subnet_group

    complete(RDSBackend, "create_db_instance", _keep_performance_insights)
    complete(RDSBackend, "create_db_instance_read_replica", _keep_performance_insights)
    complete(RDSBackend, "create_db_instance_read_replica", _give_replica_its_id)
    RDSBackend.modify_db_parameter_group = _as_user(RDSBackend.modify_db_parameter_group)

    complete(EC2ContainerServiceBackend, "create_service", _set_zone_rebalancing)
    complete(EC2ContainerServiceResponse, "create_service", _keep_service_options)
    complete(EC2ContainerServiceResponse, "update_service", _keep_service_options)

    SecurityGroupRule.description = property(_description)


def _keep_tags(request: Any, answer: str) -> None:
    if tags := request._get_param("Tags"):
        _tags_of_targets[json.loads(answer)["ScalableTargetARN"]] = tags


def _tags_of_target(request: Any) -> str:
    return json.dumps({"Tags": _tags_of_targets.get(request._get_param("ResourceARN"), {})})


def _make_clusters_of_group(backend: Any, group: Any, **named: Any) -> None:
    """Create the members of a group. moto only names them; the provider reads more from them."""
    if not named.get("num_node_groups"):
        count = named.get("num_cache_clusters") or 1
        group.member_clusters = [
            f"{group.replication_group_id}-{number:03d}" for number in range(1, count + 1)
        ]
    for member in group.member_clusters:
        options = {name: named.get(name) for name in _taken_by_cluster} | {
            "cache_cluster_id": member,
            "replication_group_id": group.replication_group_id,
            "engine": "redis",
            "num_cache_nodes": 1,
            "tags": [],
        }
        cluster = backend.create_cache_cluster(**options)
        cluster.at_rest_encryption_enabled = group.at_rest_encryption_enabled


_taken_by_cluster = [
    name for name in signature(ElastiCacheBackend.create_cache_cluster).parameters if name != "self"
]


def _tell_groups(_: Any, cluster: Any, *__: Any, **___: Any) -> None:
    """Report the groups under the names that AWS uses."""
    cluster.cache_parameter_group = {"CacheParameterGroupName": cluster.cache_parameter_group_name}
    cluster.security_groups = [
        {"SecurityGroupId": group, "Status": "active"} for group in cluster.security_group_ids or ()
    ]


def _let_group_go(backend: Any, group: Any, *_: Any, **__: Any) -> None:
    """Delete a group: in moto it stays in the state "deleting"."""
    name = group.replication_group_id
    for member, cluster in list(backend.cache_clusters.items()):
        if getattr(cluster, "replication_group_id", None) == name:
            del backend.cache_clusters[member]
    del backend.replication_groups[name]


def _delete_subnet_group(request: Any) -> EmptyResult:
    request.elasticache_backend.cache_subnet_groups.pop(request._get_param("CacheSubnetGroupName"), None)
    return EmptyResult()


def _keep_performance_insights(_: Any, database: Any, options: dict[str, Any]) -> None:
    database.performance_insights_enabled = bool(options.get("enable_performance_insights"))
    database.performance_insights_kms_key_id = options.get("performance_insights_kms_key_id")
    database.performance_insights_retention_period = options.get("performance_insights_retention_period")


def _give_replica_its_id(_: Any, replica: Any, __: dict[str, Any]) -> None:
    """Give a replica an id of its own: moto copies that of the source, so the provider finds two."""
    replica.dbi_resource_id = "db-" + replica.db_instance_identifier.upper().replace("-", "")


def _as_user(modify: Callable[..., Any]) -> Callable[..., Any]:
    """Mark parameters as set by the user: the provider ignores others."""
    return lambda backend, name, parameters: modify(
        backend, name, [{**parameter, "Source": "user"} for parameter in parameters]
    )


def _set_zone_rebalancing(_: Any, service: Any, *__: Any, **___: Any) -> None:
    """Set the default, which moto omits."""
    service.availability_zone_rebalancing = "DISABLED"


def _keep_service_options(request: Any, answer: Any) -> None:
    for asked, attribute in SERVICE_OPTIONS.items():
        if (value := request._get_param(asked)) is not None:
            setattr(answer.result["service"], attribute, value)


def _description(rule: Any) -> str | None:
    """A rule for a security group has its description next to the id of that group."""
    told: str | None = rule.ip_range.get("Description") or (rule.source_group or {}).get("Description")
    return told
