output "vpc_id" {
  description = "The VPC."
  value       = aws_vpc.this.id
}

output "public_subnet_ids" {
  description = "For the balancer."
  value       = local.ids["public"]
}

output "private_subnet_ids" {
  description = "For the tasks."
  value       = local.ids["private"]

  # A task that starts before it has a way out gets no image.
  depends_on = [aws_route.private, aws_route_table_association.this, aws_vpc_endpoint.s3, aws_vpc_endpoint.interface]
}

output "isolated_subnet_ids" {
  description = "For the database and the cache."
  value       = local.ids["isolated"]
}

output "public_cidrs" {
  description = "Addresses that the balancer speaks from: the proxies whose X-Forwarded-For is believed."
  value       = [for subnet in local.subnets : subnet.cidr if subnet.ring == "public"]
}

output "security_group_ids" {
  description = "By name: balancer, tasks, database, cache, endpoints."
  value       = { for name, group in aws_security_group.this : name => group.id }

  # … nor its secrets, before it may speak to anybody.
  depends_on = [
    aws_vpc_security_group_ingress_rule.public,
    aws_vpc_security_group_ingress_rule.this,
    aws_vpc_security_group_egress_rule.this,
    aws_vpc_security_group_egress_rule.https,
  ]
}
