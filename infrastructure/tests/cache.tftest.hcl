mock_provider "aws" {
  source = "./tests/mocks"

  mock_resource "aws_elasticache_replication_group" {
    defaults = { primary_endpoint_address = "primary.example", configuration_endpoint_address = "cluster.example" }
  }
}

variables {
  name              = "board"
  node_type         = "cache.m7g.large"
  replicas          = 1
  shards            = 0
  auth_token        = "of-the-test-alone"
  snapshot_days     = 7
  subnet_ids        = ["subnet-a", "subnet-b"]
  security_group_id = "sg-cache"
  kms_key_arn       = "arn:aws:kms:eu-central-1:123456789012:key/a"
}

run "production" {
  module {
    source = "./modules/cache"
  }

  # Production fails over and drops no key.
  assert {
    condition     = aws_elasticache_replication_group.this.automatic_failover_enabled && aws_elasticache_replication_group.this.multi_az_enabled && aws_elasticache_replication_group.this.num_cache_clusters == 2
    error_message = "A replica in another zone has to take over by itself."
  }

  assert {
    condition     = startswith(aws_elasticache_replication_group.this.engine_version, "7.") && aws_elasticache_parameter_group.this.family == "redis7"
    error_message = "It has to be Redis 7."
  }

  assert {
    condition     = { for parameter in aws_elasticache_parameter_group.this.parameter : parameter.name => parameter.value } == { maxmemory-policy = "noeviction" }
    error_message = "Redis must never drop keys on its own."
  }

  assert {
    condition     = aws_elasticache_replication_group.this.parameter_group_name == aws_elasticache_parameter_group.this.name
    error_message = "The group has to use these parameters."
  }

  assert {
    condition     = join(" ", output.node_ids) == "board-001 board-002"
    error_message = "Alarms need each node's name."
  }

  # Redis asks for tls and a token.
  assert {
    condition     = aws_elasticache_replication_group.this.transit_encryption_enabled && aws_elasticache_replication_group.this.at_rest_encryption_enabled && aws_elasticache_replication_group.this.kms_key_id == var.kms_key_arn
    error_message = "It has to be encrypted on the way and at rest, with the key."
  }

  assert {
    condition     = aws_elasticache_replication_group.this.auth_token == var.auth_token && aws_elasticache_replication_group.this.auth_token_update_strategy == "ROTATE"
    error_message = "It has to ask for the token, and to take the one before while tasks are replaced."
  }

  assert {
    condition     = output.url == "rediss://primary.example:6379/0"
    error_message = "The address is with TLS and without the token."
  }
}

run "small_has_one_node" {
  module {
    source = "./modules/cache"
  }

  variables {
    replicas = 0
  }

  assert {
    condition     = aws_elasticache_replication_group.this.num_cache_clusters == 1 && !aws_elasticache_replication_group.this.automatic_failover_enabled && !aws_elasticache_replication_group.this.multi_az_enabled
    error_message = "One node has nobody to fail over to."
  }
}

run "a_cluster_by_variable" {
  module {
    source = "./modules/cache"
  }

  variables {
    shards = 2
  }

  assert {
    condition     = aws_elasticache_replication_group.this.num_node_groups == 2 && aws_elasticache_replication_group.this.replicas_per_node_group == 1
    error_message = "It has to have two shards of two nodes."
  }

  assert {
    condition     = { for parameter in aws_elasticache_parameter_group.this.parameter : parameter.name => parameter.value } == { maxmemory-policy = "noeviction", cluster-enabled = "yes" }
    error_message = "Cluster mode has to be on, and still no key be dropped."
  }

  assert {
    condition     = output.url == "rediss://cluster.example:6379/0" && join(" ", output.node_ids) == "board-0001-001 board-0001-002 board-0002-001 board-0002-002"
    error_message = "The address is that of the whole, and alarms need each node's name."
  }
}

run "a_cluster_without_replicas_is_refused" {
  command = plan

  module {
    source = "./modules/cache"
  }

  variables {
    shards   = 2
    replicas = 0
  }

  expect_failures = [var.shards]
}
