locals {
  host = local.is_cluster ? aws_elasticache_replication_group.this.configuration_endpoint_address : aws_elasticache_replication_group.this.primary_endpoint_address
}

output "url" {
  description = "SCOREBOARD_REDIS_URL. Without a token: that comes by SCOREBOARD_REDIS_PASSWORD."
  value       = "rediss://${local.host}:6379/0"
}

output "node_ids" {
  description = "Each node, as CloudWatch names it (AWS forms these names from the group's)."
  value = local.is_cluster ? [
    for pair in setproduct(range(1, var.shards + 1), range(1, var.replicas + 2)) :
    format("%s-%04d-%03d", var.name, pair[0], pair[1])
  ] : [for node in range(1, var.replicas + 2) : format("%s-%03d", var.name, node)]
}
