"""A deployment as the AWS API reports it, independent of Terraform's plan and source."""

import json
from functools import cached_property
from pathlib import Path
from typing import Any

from infrastructure.trial.mock_account import MockAccount

EVERYBODY = {"0.0.0.0/0", "::/0"}


class Deployed:
    def __init__(self, endpoint: str, state: Path) -> None:
        self._account = MockAccount(endpoint, state)
        self.state = state.read_text()
        self.name: str = json.loads(self.state)["outputs"]["name"]["value"]

    def ask(self, service: str, call: str, key: str, **arguments: Any) -> Any:
        """Return a field of the response, concatenated over its pages."""
        client = self._account.client(service)
        if not client.can_paginate(call):
            return getattr(client, call)(**arguments)[key]
        return [found for page in client.get_paginator(call).paginate(**arguments) for found in page[key]]

    # The network.

    @cached_property
    def vpc(self) -> str:
        (found,) = [vpc for vpc in self.ask("ec2", "describe_vpcs", "Vpcs") if not vpc["IsDefault"]]
        return str(found["VpcId"])

    @cached_property
    def in_vpc(self) -> list[dict[str, Any]]:
        return [{"Name": "vpc-id", "Values": [self.vpc]}]

    @cached_property
    def groups(self) -> dict[str, dict[str, Any]]:
        """Security groups, by the last part of their name."""
        found = self.ask("ec2", "describe_security_groups", "SecurityGroups", Filters=self.in_vpc)
        return {group["GroupName"].removeprefix(f"{self.name}-"): group for group in found}

    @cached_property
    def routes_out(self) -> dict[str, list[str]]:
        """The gateways of the default route, by subnet."""
        tables = self.ask("ec2", "describe_route_tables", "RouteTables", Filters=self.in_vpc)
        return {
            association["SubnetId"]: [
                route.get("GatewayId") or route.get("NatGatewayId") or "?"
                for route in table["Routes"]
                if EVERYBODY & {route.get("DestinationCidrBlock"), route.get("DestinationIpv6CidrBlock")}
            ]
            for table in tables
            for association in table["Associations"]
            if "SubnetId" in association
        }

    # The load balancer.

    @cached_property
    def balancer(self) -> dict[str, Any]:
        (found,) = self.ask("elbv2", "describe_load_balancers", "LoadBalancers")
        return dict(found)

    @cached_property
    def balancer_attributes(self) -> dict[str, str]:
        arn = self.balancer["LoadBalancerArn"]
        found = self.ask("elbv2", "describe_load_balancer_attributes", "Attributes", LoadBalancerArn=arn)
        return {attribute["Key"]: attribute["Value"] for attribute in found}

    @cached_property
    def listeners(self) -> dict[int, dict[str, Any]]:
        """By port."""
        arn = self.balancer["LoadBalancerArn"]
        found = self.ask("elbv2", "describe_listeners", "Listeners", LoadBalancerArn=arn)
        return {listener["Port"]: listener for listener in found}

    @cached_property
    def target_groups(self) -> dict[str, dict[str, Any]]:
        """By service."""
        found = self.ask("elbv2", "describe_target_groups", "TargetGroups")
        return {group["TargetGroupName"].removeprefix(f"{self.name}-"): group for group in found}

    # The tasks.

    @cached_property
    def services(self) -> dict[str, dict[str, Any]]:
        names = self.ask("ecs", "list_services", "serviceArns", cluster=self.name)
        found = self.ask("ecs", "describe_services", "services", cluster=self.name, services=names)
        return {service["serviceName"]: service for service in found}

    @cached_property
    def task_definitions(self) -> dict[str, dict[str, Any]]:
        """Those of the services and of `migrate`, by the last part of their family."""
        arns = self.ask("ecs", "list_task_definitions", "taskDefinitionArns")
        found = [
            self.ask("ecs", "describe_task_definition", "taskDefinition", taskDefinition=arn) for arn in arns
        ]
        return {definition["family"].removeprefix(f"{self.name}-"): definition for definition in found}

    def server_in(self, definition: str) -> dict[str, Any]:
        """Return the container that runs the scoreboard's image."""
        containers = self.task_definitions[definition]["containerDefinitions"]
        (found,) = [container for container in containers if container["name"] == "scoreboard"]
        return dict(found)

    def environment_of(self, definition: str) -> dict[str, str]:
        return {pair["name"]: pair["value"] for pair in self.server_in(definition)["environment"]}

    # The data.

    @cached_property
    def databases(self) -> dict[str, dict[str, Any]]:
        """By identifier. The primary has the name of the deployment."""
        found = self.ask("rds", "describe_db_instances", "DBInstances")
        return {database["DBInstanceIdentifier"]: database for database in found}

    @cached_property
    def database_parameters(self) -> dict[str, str]:
        (group,) = self.databases[self.name]["DBParameterGroups"]
        name = group["DBParameterGroupName"]
        found = self.ask("rds", "describe_db_parameters", "Parameters", DBParameterGroupName=name)
        return {
            parameter["ParameterName"]: parameter["ParameterValue"]
            for parameter in found
            if "ParameterValue" in parameter
        }

    @cached_property
    def redis(self) -> dict[str, Any]:
        (found,) = self.ask("elasticache", "describe_replication_groups", "ReplicationGroups")
        return dict(found)

    @cached_property
    def redis_nodes(self) -> list[dict[str, Any]]:
        return list(self.ask("elasticache", "describe_cache_clusters", "CacheClusters"))

    @cached_property
    def secrets(self) -> dict[str, dict[str, Any]]:
        """The secrets with their values, by the last part of their name."""
        listed = self.ask("secretsmanager", "list_secrets", "SecretList")
        client = self._account.client("secretsmanager")
        return {
            secret["Name"].removeprefix(f"{self.name}/"): secret
            | client.get_secret_value(SecretId=secret["ARN"])
            for secret in listed
        }

    # Monitoring and scaling.

    @cached_property
    def alarms(self) -> list[dict[str, Any]]:
        """Without the alarms that scaling policies create."""
        return list(
            self.ask("cloudwatch", "describe_alarms", "MetricAlarms", AlarmNamePrefix=f"{self.name}-")
        )

    def alarms_on(self, metric: str) -> list[dict[str, Any]]:
        return [alarm for alarm in self.alarms if alarm.get("MetricName") == metric]

    @cached_property
    def scaled(self) -> list[dict[str, Any]]:
        call = "describe_scalable_targets"
        return list(self.ask("application-autoscaling", call, "ScalableTargets", ServiceNamespace="ecs"))

    # Permissions.

    @cached_property
    def policies(self) -> dict[str, list[dict[str, Any]]]:
        """The statements of each role's inline policies, by role."""
        return {
            role["RoleName"]: self._statements(role["RoleName"])
            for role in self.ask("iam", "list_roles", "Roles")
        }

    def _statements(self, role: str) -> list[dict[str, Any]]:
        iam = self._account.client("iam")
        names = iam.list_role_policies(RoleName=role)["PolicyNames"]
        documents = [iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"] for name in names]
        return [statement for document in documents for statement in document["Statement"]]
