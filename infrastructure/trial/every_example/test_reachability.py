"""Only the load balancer is reachable from the internet."""

from infrastructure.trial.deployed import EVERYBODY, Deployed


def test_only_the_balancer_lets_everybody_in(deployed: Deployed) -> None:
    open_ports = {
        (name, permission["FromPort"], permission["ToPort"])
        for name, group in deployed.groups.items()
        for permission in group["IpPermissions"]
        if EVERYBODY
        & {
            span.get("CidrIp") or span.get("CidrIpv6")
            for span in permission["IpRanges"] + permission["Ipv6Ranges"]
        }
    }

    assert open_ports == {("balancer", 80, 80), ("balancer", 443, 443)}


def test_tasks_are_reached_by_the_balancer_alone_and_data_by_tasks_alone(deployed: Deployed) -> None:
    from_groups = {
        (name, permission["FromPort"], pair["GroupId"])
        for name, group in deployed.groups.items()
        for permission in group["IpPermissions"]
        for pair in permission["UserIdGroupPairs"]
    }
    balancer, tasks = (deployed.groups[name]["GroupId"] for name in ("balancer", "tasks"))

    assert from_groups == {
        ("tasks", 8000, balancer),
        ("database", 5432, tasks),
        ("cache", 6379, tasks),
        ("endpoints", 443, tasks),
    }


def test_every_part_is_in_the_group_that_was_made_for_it(deployed: Deployed) -> None:
    ids = {name: group["GroupId"] for name, group in deployed.groups.items()}

    assert deployed.balancer["SecurityGroups"] == [ids["balancer"]]
    for service in deployed.services.values():
        assert service["networkConfiguration"]["awsvpcConfiguration"]["securityGroups"] == [ids["tasks"]]
    for database in deployed.databases.values():
        assert [group["VpcSecurityGroupId"] for group in database["VpcSecurityGroups"]] == [ids["database"]]
    for node in deployed.redis_nodes:
        assert [group["SecurityGroupId"] for group in node["SecurityGroups"]] == [ids["cache"]]


def test_tasks_and_databases_have_no_public_address(deployed: Deployed) -> None:
    assert deployed.services
    for service in deployed.services.values():
        assert service["networkConfiguration"]["awsvpcConfiguration"]["assignPublicIp"] == "DISABLED"
    assert deployed.databases
    for database in deployed.databases.values():
        assert database["PubliclyAccessible"] is False
    subnets = deployed.ask("ec2", "describe_subnets", "Subnets", Filters=deployed.in_vpc)
    assert not any(subnet["MapPublicIpOnLaunch"] for subnet in subnets)


def test_the_data_has_no_way_out_and_tasks_have_none_in(deployed: Deployed) -> None:
    of_database = {
        subnet["SubnetIdentifier"] for subnet in deployed.databases[deployed.name]["DBSubnetGroup"]["Subnets"]
    }
    groups = deployed.ask("elasticache", "describe_cache_subnet_groups", "CacheSubnetGroups")
    (of_cache,) = [
        {subnet["SubnetIdentifier"] for subnet in group["Subnets"]}
        for group in groups
        if group["VpcId"] == deployed.vpc
    ]
    of_tasks = {
        subnet
        for service in deployed.services.values()
        for subnet in service["networkConfiguration"]["awsvpcConfiguration"]["subnets"]
    }

    assert len(of_database) >= 2
    assert len(of_cache) >= 2
    assert {
        subnet: deployed.routes_out[subnet]
        for subnet in of_database | of_cache
        if deployed.routes_out[subnet]
    } == {}
    assert len(of_tasks) >= 2
    for subnet in of_tasks:  # a NAT gateway accepts no connections from outside
        assert [gateway[:4] for gateway in deployed.routes_out[subnet]] == ["nat-"]
