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

run "the_default" {
  command = plan

  # Streams have a service of their own.
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

  # The default survives a zone.
  assert {
    condition     = var.database.multi_az && var.cache.replicas >= 1 && var.zones >= 2 && var.nat == "each_zone" && var.api.tasks_least >= 2 && var.streams.tasks_least >= 2 && var.deletion_protection
    error_message = "Who sets nothing gets what fits production."
  }

  # Secrets are four.
  assert {
    condition     = join(" ", keys(local.secrets)) == "SCOREBOARD_DATABASE_PASSWORD SCOREBOARD_JWT_SECRET SCOREBOARD_ORIGIN_SECRET SCOREBOARD_REDIS_PASSWORD"
    error_message = "Before the first change there is no old JWT secret, and a task that asks for one does not start."
  }

  assert {
    condition     = length(setintersection(keys(local.environment), keys(local.secrets))) == 0
    error_message = "No secret may stand in the environment."
  }

  # Without them it is told of none.
  assert {
    condition     = !contains(keys(local.environment), "SCOREBOARD_DATABASE_READ_URL") && local.environment.SCOREBOARD_REDIS_CLUSTER == "false"
    error_message = "There is no replica, and no cluster."
  }

  # Everything is encrypted with one key that turns.
  assert {
    condition     = length(aws_kms_key.this) == 1 && aws_kms_key.this[0].enable_key_rotation && aws_kms_key.this[0].deletion_window_in_days == 30
    error_message = "The key has to be rotated each year, and to be hard to lose."
  }
}

run "small" {
  command = plan

  variables {
    split_streams = false
    cache         = { replicas = 0 }
  }

  # A variable makes it one service.
  assert {
    condition     = join(" ", keys(local.services)) == "api" && local.services.api.drain_seconds == 60 && local.services.api.most_streams == 10000 && local.services.api.scales_on_cpu
    error_message = "It holds streams too, drains as long as they need, and is scaled on both."
  }

  # Small has fifteen alarms.
  # docs/deployment.md counts on these numbers, as each alarm is paid for.
  assert {
    condition     = length(output.alarm_names) == 15
    error_message = "The cost in docs/deployment.md is for 15."
  }
}

run "production_after_a_change_of_the_jwt_secret" {
  command = plan

  variables {
    database        = { read_replica = true }
    secret_versions = { jwt = 2 }
    kms_key_arn     = "arn:aws:kms:eu-central-1:123456789012:key/mine"
  }

  # Production has twenty three alarms.
  assert {
    condition     = length(output.alarm_names) == 23
    error_message = "The cost in docs/deployment.md is for 23."
  }

  # A changed jwt secret logs nobody out.
  assert {
    condition     = contains(keys(local.secrets), "SCOREBOARD_JWT_OLD_SECRETS")
    error_message = "Tokens of the version before still have to verify."
  }

  # A key of your own makes none.
  assert {
    condition     = length(aws_kms_key.this) == 0 && local.kms_key_arn == var.kms_key_arn
    error_message = "The key that was given has to be used."
  }
}

run "a_replica_and_a_cluster_after_a_leak" {
  command = plan

  variables {
    database                   = { read_replica = true }
    redis_cluster              = 2
    secret_versions            = { jwt = 2 }
    accept_previous_jwt_secret = false
  }

  # A replica and a cluster are wired to the server.
  assert {
    condition     = contains(keys(local.environment), "SCOREBOARD_DATABASE_READ_URL") && local.environment.SCOREBOARD_REDIS_CLUSTER == "true"
    error_message = "The server has to read from the replica, and to know that Redis is a cluster."
  }

  # A leaked jwt secret is not accepted.
  assert {
    condition     = !contains(keys(local.secrets), "SCOREBOARD_JWT_OLD_SECRETS")
    error_message = "Its tokens must count no more."
  }
}

# Each variable has one mistake: too few connections, no way out, a secret in clear, and a digest that is none.
run "mistakes_are_refused" {
  command = plan

  variables {
    database     = { max_connections = 100 }
    nat          = "none"
    environment  = { SCOREBOARD_JWT_SECRET = "in clear, for all to read in the console" }
    image_digest = "latest"
  }

  expect_failures = [var.database, var.nat, var.environment, var.image_digest]
}
