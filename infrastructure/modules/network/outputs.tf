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
}
