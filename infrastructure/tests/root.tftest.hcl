# What the root makes of its variables. Ephemeral secrets have no mock provider: this is the real one, at the mock account
# of `make infra-test` (AWS_ENDPOINT_URL), and nothing is applied.

provider "aws" {
  region                      = "eu-central-1"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_region_validation      = true
  max_retries                 = 1
}

variables {
  image_tag       = "1.0.0"
  certificate_arn = "arn:aws:acm:eu-central-1:123456789012:certificate/a"
}

run "streams_have_a_service_of_their_own" {
  command = plan

  assert {
    condition     = { for name, service in local.services : name => service.drain_seconds } == { api = 5, streams = 60 }
    error_message = "Two services from one image: few that commit, and those that hold streams, with a long drain."
  }

  assert {
    condition     = local.services.streams.paths == ["/api/leaderboard/stream"] && length(local.services.api.paths) == 0
    error_message = "The path of streams goes to streams, all else to api."
  }

  assert {
    condition     = local.services.api.scales_on_cpu && local.services.api.most_streams == null && !local.services.streams.scales_on_cpu && local.services.streams.most_streams == 10000
    error_message = "api is scaled on CPU, streams on streams."
  }
}

run "a_variable_makes_it_one_service" {
  command = plan

  variables {
    split_streams = false
  }

  assert {
    condition     = join(" ", keys(local.services)) == "api" && local.services.api.drain_seconds == 60 && local.services.api.most_streams == 10000 && local.services.api.scales_on_cpu
    error_message = "It holds streams too, drains as long as they need, and is scaled on both."
  }
}

run "the_default_survives_a_zone" {
  command = plan

  assert {
    condition     = var.database.multi_az && var.cache.replicas >= 1 && var.zones >= 2 && var.nat == "each_zone" && var.api.tasks_least >= 2 && var.streams.tasks_least >= 2 && var.deletion_protection
    error_message = "Who sets nothing gets what fits production."
  }
}

run "secrets_are_four" {
  command = plan

  assert {
    condition     = join(" ", keys(local.secrets)) == "SCOREBOARD_DATABASE_PASSWORD SCOREBOARD_JWT_SECRET SCOREBOARD_ORIGIN_SECRET SCOREBOARD_REDIS_PASSWORD"
    error_message = "Before the first change there is no old JWT secret, and a task that asks for one does not start."
  }

  assert {
    condition     = length(setintersection(keys(local.environment), keys(local.secrets))) == 0
    error_message = "No secret may stand in the environment."
  }
}

run "a_changed_jwt_secret_logs_nobody_out" {
  command = plan

  variables {
    secret_versions = { jwt = 2 }
  }

  assert {
    condition     = contains(keys(local.secrets), "SCOREBOARD_JWT_OLD_SECRETS")
    error_message = "Tokens of the version before still have to verify."
  }
}

run "a_leaked_jwt_secret_is_not_accepted" {
  command = plan

  variables {
    secret_versions            = { jwt = 2 }
    accept_previous_jwt_secret = false
  }

  assert {
    condition     = !contains(keys(local.secrets), "SCOREBOARD_JWT_OLD_SECRETS")
    error_message = "Its tokens must count no more."
  }
}

run "a_replica_and_a_cluster_are_wired_to_the_server" {
  command = plan

  variables {
    database      = { read_replica = true }
    redis_cluster = 2
  }

  assert {
    condition     = contains(keys(local.environment), "SCOREBOARD_DATABASE_READ_URL") && local.environment.SCOREBOARD_REDIS_CLUSTER == "true"
    error_message = "The server has to read from the replica, and to know that Redis is a cluster."
  }
}

# docs/deployment.md counts on these numbers, as each alarm is paid for.
run "small_has_fifteen_alarms" {
  command = plan

  variables {
    split_streams = false
    cache         = { replicas = 0 }
  }

  assert {
    condition     = length(output.alarm_names) == 15
    error_message = "The cost in docs/deployment.md is for 15."
  }
}

run "production_has_twenty_three_alarms" {
  command = plan

  variables {
    database = { read_replica = true }
  }

  assert {
    condition     = length(output.alarm_names) == 23
    error_message = "The cost in docs/deployment.md is for 23."
  }
}

run "without_them_it_is_told_of_none" {
  command = plan

  assert {
    condition     = !contains(keys(local.environment), "SCOREBOARD_DATABASE_READ_URL") && local.environment.SCOREBOARD_REDIS_CLUSTER == "false"
    error_message = "There is no replica, and no cluster."
  }
}

run "everything_is_encrypted_with_one_key_that_turns" {
  command = plan

  assert {
    condition     = length(aws_kms_key.this) == 1 && aws_kms_key.this[0].enable_key_rotation && aws_kms_key.this[0].deletion_window_in_days == 30
    error_message = "The key has to be rotated each year, and to be hard to lose."
  }
}

run "a_key_of_your_own_makes_none" {
  command = plan

  variables {
    kms_key_arn = "arn:aws:kms:eu-central-1:123456789012:key/mine"
  }

  assert {
    condition     = length(aws_kms_key.this) == 0 && local.kms_key_arn == var.kms_key_arn
    error_message = "The key that was given has to be used."
  }
}

run "too_few_connections_are_refused" {
  command = plan

  variables {
    database = { max_connections = 100 }
  }

  expect_failures = [var.database]
}

run "no_way_out_is_refused" {
  command = plan

  variables {
    nat = "none"
  }

  expect_failures = [var.nat]
}

run "a_secret_in_clear_is_refused" {
  command = plan

  variables {
    environment = { SCOREBOARD_JWT_SECRET = "in clear, for all to read in the console" }
  }

  expect_failures = [var.environment]
}

run "a_digest_that_is_none_is_refused" {
  command = plan

  variables {
    image_digest = "latest"
  }

  expect_failures = [var.image_digest]
}
