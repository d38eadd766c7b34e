mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name                = "board"
  cidr                = "10.40.0.0/16"
  zones               = 2
  nat                 = "each_zone"
  interface_endpoints = false
  container_port      = 8000
  kms_key_arn         = "arn:aws:kms:eu-central-1:123456789012:key/a"
  log_retention_days  = 30
}

run "production" {
  module {
    source = "./modules/network"
  }

  # Production has three rings in two zones and a way out in each.
  assert {
    condition     = length(aws_subnet.this) == 6 && length(distinct([for subnet in aws_subnet.this : subnet.availability_zone])) == 2
    error_message = "Three rings of subnets have to lie in two zones."
  }

  assert {
    condition     = length(distinct([for subnet in aws_subnet.this : subnet.cidr_block])) == 6
    error_message = "Subnets must not overlap."
  }

  assert {
    condition     = alltrue([for subnet in aws_subnet.this : !subnet.map_public_ip_on_launch])
    error_message = "No subnet may hand out public addresses."
  }

  assert {
    condition     = length(aws_nat_gateway.this) == 2 && alltrue([for zone, route in aws_route.private : route.nat_gateway_id == aws_nat_gateway.this[zone].id])
    error_message = "Each zone has to go out by its own gateway."
  }

  assert {
    condition = alltrue([
      for key, association in aws_route_table_association.this :
      association.route_table_id == aws_route_table.isolated.id if startswith(key, "isolated")
    ]) && !contains([for route in aws_route.private : route.route_table_id], aws_route_table.isolated.id) && aws_route.public.route_table_id != aws_route_table.isolated.id
    error_message = "The data's subnets must have no route out."
  }

  assert {
    condition     = join(" ", output.public_cidrs) == "10.40.0.0/20 10.40.16.0/20"
    error_message = "The balancer's networks have to be told to the server as its proxies."
  }

  # Only the balancer is open to all.
  assert {
    condition = alltrue([
      for rule in aws_vpc_security_group_ingress_rule.public : rule.security_group_id == aws_security_group.this["balancer"].id
    ]) && toset([for rule in aws_vpc_security_group_ingress_rule.public : rule.from_port]) == toset([80, 443])
    error_message = "Everybody may reach the balancer on 80 and 443, and nothing else."
  }

  assert {
    condition     = alltrue([for rule in aws_vpc_security_group_ingress_rule.this : rule.cidr_ipv4 == null && rule.from_port == rule.to_port])
    error_message = "Behind the balancer, groups let in groups, on one port each."
  }

  assert {
    condition = {
      for name, rule in aws_vpc_security_group_ingress_rule.this : name => rule.from_port
    } == { balancer_tasks = 8000, tasks_database = 5432, tasks_cache = 6379, tasks_endpoints = 443 }
    error_message = "The ways are: balancer to tasks, tasks to PostgreSQL, Redis and endpoints."
  }

  assert {
    condition = alltrue([
      for to, way in { tasks = "balancer_tasks", database = "tasks_database", cache = "tasks_cache", endpoints = "tasks_endpoints" } : alltrue([
        aws_vpc_security_group_ingress_rule.this[way].security_group_id == aws_security_group.this[to].id,
        aws_vpc_security_group_ingress_rule.this[way].referenced_security_group_id == aws_security_group.this[to == "tasks" ? "balancer" : "tasks"].id,
        aws_vpc_security_group_egress_rule.this[way].security_group_id == aws_security_group.this[to == "tasks" ? "balancer" : "tasks"].id,
        aws_vpc_security_group_egress_rule.this[way].referenced_security_group_id == aws_security_group.this[to].id,
      ])
    ])
    error_message = "Only the balancer may reach the tasks, and only tasks the database, Redis and the endpoints."
  }

  assert {
    condition     = aws_vpc_security_group_egress_rule.https.security_group_id == aws_security_group.this["tasks"].id && aws_vpc_security_group_egress_rule.https.from_port == 443
    error_message = "Tasks may leave by HTTPS alone; the others not at all."
  }

  assert {
    condition     = aws_default_security_group.this.vpc_id == aws_vpc.this.id && length(aws_default_security_group.this.ingress) == 0 && length(aws_default_security_group.this.egress) == 0
    error_message = "The default group must let nothing through."
  }

  # Flow logs are kept encrypted.
  assert {
    condition     = aws_flow_log.this.vpc_id == aws_vpc.this.id && aws_cloudwatch_log_group.flow.kms_key_id == var.kms_key_arn && aws_cloudwatch_log_group.flow.retention_in_days == 30
    error_message = "Refused connections have to be logged, encrypted, and not for ever."
  }
}

run "one_gateway_serves_all_zones" {
  module {
    source = "./modules/network"
  }

  variables {
    nat = "one"
  }

  assert {
    condition     = length(aws_nat_gateway.this) == 1 && length(aws_route.private) == 2
    error_message = "Both zones have to go out by the one gateway."
  }
}

run "without_nat_aws_is_reached_by_endpoints" {
  module {
    source = "./modules/network"
  }

  variables {
    nat                 = "none"
    interface_endpoints = true
  }

  assert {
    condition     = length(aws_nat_gateway.this) == 0 && length(aws_route.private) == 0 && length(aws_eip.nat) == 0
    error_message = "Nothing of NAT may be made."
  }

  assert {
    condition     = toset(keys(aws_vpc_endpoint.interface)) == toset(["ecr.api", "ecr.dkr", "logs", "secretsmanager"]) && alltrue([for endpoint in aws_vpc_endpoint.interface : endpoint.private_dns_enabled])
    error_message = "A task starts only where it reaches ECR, its secrets and its log."
  }

  assert {
    condition     = aws_vpc_endpoint.s3.vpc_endpoint_type == "Gateway"
    error_message = "Layers come from S3, by the gateway that costs nothing."
  }
}

run "one_zone_is_refused" {
  command = plan

  module {
    source = "./modules/network"
  }

  variables {
    zones = 1
  }

  expect_failures = [var.zones]
}
