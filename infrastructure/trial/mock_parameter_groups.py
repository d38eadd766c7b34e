"""ElastiCache parameter groups, which moto 5.2.5 lacks. One of them sets `noeviction`."""

from typing import Any

from moto.core.responses import ActionResult, EmptyResult
from moto.elasticache.exceptions import ElastiCacheException
from moto.elasticache.models import ElastiCacheBackend
from moto.elasticache.responses import ElastiCacheResponse

_groups: dict[str, dict[str, Any]] = {}
_parameters: dict[str, dict[str, str]] = {}
"""The values by group and name."""

_tags_of_others = ElastiCacheBackend.list_tags_for_resource


def add() -> None:
    ElastiCacheResponse.create_cache_parameter_group = _create
    ElastiCacheResponse.describe_cache_parameter_groups = _describe
    ElastiCacheResponse.describe_cache_parameters = _describe_parameters
    ElastiCacheResponse.modify_cache_parameter_group = _modify
    ElastiCacheResponse.delete_cache_parameter_group = _delete
    ElastiCacheBackend.list_tags_for_resource = _tags


def _create(request: Any) -> ActionResult:
    name = request._get_param("CacheParameterGroupName")
    arn = f"arn:aws:elasticache:{request.region}:{request.current_account}:parametergroup:{name}"
    fields = ("CacheParameterGroupName", "CacheParameterGroupFamily", "Description")
    _groups[name] = {field: request._get_param(field) for field in fields} | {"IsGlobal": False, "ARN": arn}
    _parameters[name] = {}
    request.elasticache_backend.tagging_service.tag_resource(arn, request._get_param("Tags", []))
    return ActionResult({"CacheParameterGroup": _groups[name]})


def _describe(request: Any) -> ActionResult:
    name = request._get_param("CacheParameterGroupName")
    if not name:
        return ActionResult({"CacheParameterGroups": list(_groups.values())})
    return ActionResult({"CacheParameterGroups": [_groups[_existing(name)]]})


def _describe_parameters(request: Any) -> ActionResult:
    found = _parameters[_existing(request._get_param("CacheParameterGroupName"))]
    told = [
        {"ParameterName": name, "ParameterValue": value, "Source": "user"} for name, value in found.items()
    ]
    return ActionResult({"Parameters": told})


def _modify(request: Any) -> ActionResult:
    name = _existing(request._get_param("CacheParameterGroupName"))
    for parameter in request._get_param("ParameterNameValues", []):
        _parameters[name][parameter["ParameterName"]] = parameter["ParameterValue"]
    return ActionResult({"CacheParameterGroupName": name})


def _delete(request: Any) -> EmptyResult:
    name = _existing(request._get_param("CacheParameterGroupName"))
    del _groups[name], _parameters[name]
    return EmptyResult()


def _existing(name: str) -> str:
    if name not in _groups:
        raise ElastiCacheException("CacheParameterGroupNotFound", f"CacheParameterGroup {name} not found.")
    return name


def _tags(backend: Any, arn: str) -> Any:
    if ":parametergroup:" in arn:
        return backend.tagging_service.list_tags_for_resource(arn)
    return _tags_of_others(backend, arn)
