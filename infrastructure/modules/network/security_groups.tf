# Who may talk to whom, in one place. What is not listed here is closed.
#
#   browsers ──443, 80──▶ balancer ──8000──▶ tasks ──5432──▶ database
#                                              │ └──6379──▶ cache
#                                              └────443───▶ AWS's services, key sets of those who sign tokens

locals {
  groups = {
    balancer  = "Browsers to the balancer"
    tasks     = "The balancer to the tasks"
    database  = "The tasks to PostgreSQL"
    cache     = "The tasks to Redis"
    endpoints = "The tasks to the VPC endpoints"
  }
  everybody = "0.0.0.0/0"

  ways = {
    balancer_tasks  = { from = "balancer", to = "tasks", port = var.container_port }
    tasks_database  = { from = "tasks", to = "database", port = var.database_port }
    tasks_cache     = { from = "tasks", to = "cache", port = var.cache_port }
    tasks_endpoints = { from = "tasks", to = "endpoints", port = 443 }
  }
}

resource "aws_security_group" "this" {
  #checkov:skip=CKV2_AWS_5:other modules attach them, which the scan does not follow
  for_each = local.groups

  name        = "${var.name}-${each.key}"
  description = each.value
  vpc_id      = aws_vpc.this.id

  tags = { Name = "${var.name}-${each.key}" }
}

resource "aws_vpc_security_group_ingress_rule" "public" {
  #checkov:skip=CKV_AWS_260:port 80 answers with a redirect to HTTPS, and nothing else
  for_each = { http = 80, https = 443 }

  security_group_id = aws_security_group.this["balancer"].id
  description       = each.key == "http" ? "Browsers, to be sent on to HTTPS" : "Browsers"
  cidr_ipv4         = local.everybody
  ip_protocol       = "tcp"
  from_port         = each.value
  to_port           = each.value
}

resource "aws_vpc_security_group_ingress_rule" "this" {
  for_each = local.ways

  security_group_id            = aws_security_group.this[each.value.to].id
  referenced_security_group_id = aws_security_group.this[each.value.from].id
  description                  = "From the ${each.value.from}"
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port
}

resource "aws_vpc_security_group_egress_rule" "this" {
  for_each = local.ways

  security_group_id            = aws_security_group.this[each.value.from].id
  referenced_security_group_id = aws_security_group.this[each.value.to].id
  description                  = "To the ${each.value.to}"
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port
}

resource "aws_vpc_security_group_egress_rule" "https" {
  security_group_id = aws_security_group.this["tasks"].id
  description       = "AWS services, and the key sets (JWKS) of those who sign tokens"
  cidr_ipv4         = local.everybody
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}
