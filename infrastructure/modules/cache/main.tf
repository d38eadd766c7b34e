locals {
  is_cluster = var.shards > 0
  fails_over = var.replicas > 0
}

resource "aws_elasticache_subnet_group" "this" {
  name        = var.name
  description = "Subnets without a way out"
  subnet_ids  = var.subnet_ids
}

resource "aws_elasticache_parameter_group" "this" {
  name        = "${var.name}-redis7${local.is_cluster ? "-cluster" : ""}"
  family      = "redis7"
  description = "Scoreboard"

  # Redis may never drop keys on its own: part of a board would be gone, and nothing would say so.
  parameter {
    name  = "maxmemory-policy"
    value = "noeviction"
  }

  dynamic "parameter" {
    for_each = local.is_cluster ? [1] : []
    content {
      name  = "cluster-enabled"
      value = "yes"
    }
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_elasticache_replication_group" "this" {
  replication_group_id = var.name
  description          = "Rankings of the scoreboard: a copy of what PostgreSQL keeps"
  engine               = "redis"
  engine_version       = "7.1"
  node_type            = var.node_type
  port                 = 6379

  num_cache_clusters      = local.is_cluster ? null : 1 + var.replicas
  num_node_groups         = local.is_cluster ? var.shards : null
  replicas_per_node_group = local.is_cluster ? var.replicas : null

  automatic_failover_enabled = local.fails_over
  multi_az_enabled           = local.fails_over
  parameter_group_name       = aws_elasticache_parameter_group.this.name
  subnet_group_name          = aws_elasticache_subnet_group.this.name
  security_group_ids         = [var.security_group_id]

  transit_encryption_enabled = true
  at_rest_encryption_enabled = true
  kms_key_id                 = var.kms_key_arn
  auth_token                 = var.auth_token
  auth_token_update_strategy = "ROTATE" # the token before stays good until the next change: no task is shut out

  snapshot_retention_limit   = var.snapshot_days
  snapshot_window            = "02:00-03:00"
  maintenance_window         = "sun:03:30-sun:04:30"
  auto_minor_version_upgrade = true
  apply_immediately          = true # a new token must be good before the tasks that use it start
}
