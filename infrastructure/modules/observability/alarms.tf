# What an operator has to know before users notice. Each line: what is read, when it is too much, and for how long.

locals {
  database = { DBInstanceIdentifier = var.database_identifier }
  gigabyte = 1024 * 1024 * 1024

  unhealthy = {
    for service, group in var.target_groups : "unhealthy-${service}" => {
      text       = "A task of ${service} is not ready, for 5 minutes. Its log says why; docs/deployment.md, troubleshooting."
      namespace  = "AWS/ApplicationELB"
      metric     = "UnHealthyHostCount"
      dimensions = { LoadBalancer = var.balancer, TargetGroup = group }
      above      = 0
      minutes    = 5
    }
  }

  streams = merge([
    for service, most in var.most_streams : {
      "streams-${service}" = {
        text       = "A task has more than 85 % of the streams it takes: raise tasks_most, if all tasks run already."
        namespace  = var.metrics_namespace
        metric     = "scoreboard_streams"
        dimensions = { ServiceName = var.service_names[service] }
        above      = floor(most * 0.85)
        minutes    = 3
        # Without this metric nothing is scaled: its silence is an alarm too.
        tells_when_silent = true
      }
      "last-stream-${service}" = {
        text       = "From a commit until every stream had its board took more than 500 ms on average, for 5 minutes."
        namespace  = var.metrics_namespace
        metric     = "scoreboard_commit_to_last_stream_seconds"
        dimensions = { ServiceName = var.service_names[service] }
        statistic  = "Average"
        above      = 0.5
        minutes    = 5
      }
    }
  ]...)

  server = merge([
    for service, service_name in var.service_names : {
      "commit-queue-${service}" = {
        text       = "More than 1,000 submissions wait (4,096 is the end): the database is slow, or a lock is held."
        namespace  = var.metrics_namespace
        metric     = "scoreboard_commit_queue_depth"
        dimensions = { ServiceName = service_name }
        above      = 1000
        minutes    = 3
      }
      "copy-behind-${service}" = {
        text       = "The ranking is more than 100 versions behind the database, for 3 minutes: it does not heal by itself."
        namespace  = var.metrics_namespace
        metric     = "scoreboard_copy_lag_versions"
        dimensions = { ServiceName = service_name }
        above      = 100
        minutes    = 3
      }
      "database-lost-${service}" = {
        text       = "A task does not reach PostgreSQL: scores are refused with 503."
        namespace  = var.metrics_namespace
        metric     = "scoreboard_degraded"
        dimensions = { ServiceName = service_name, partner = "store" }
        above      = 0
        minutes    = 2
      }
      "redis-lost-${service}" = {
        text       = "A task does not reach Redis: boards come from PostgreSQL."
        namespace  = var.metrics_namespace
        metric     = "scoreboard_degraded"
        dimensions = { ServiceName = service_name, partner = "ranking" }
        above      = 0
        minutes    = 2
      }
    }
  ]...)

  postgresql = {
    database-connections = {
      text       = "More than 80 % of ${var.max_connections} connections are taken."
      namespace  = "AWS/RDS"
      metric     = "DatabaseConnections"
      dimensions = local.database
      above      = var.max_connections * 0.8
      minutes    = 5
    }
    database-cpu = {
      text       = "The database's processors are busy for more than 80 %, for 10 minutes."
      namespace  = "AWS/RDS"
      metric     = "CPUUtilization"
      dimensions = local.database
      statistic  = "Average"
      above      = 80
      minutes    = 10
    }
    database-disk = {
      text       = "Less than a tenth of the database's disk is free for 15 minutes: it grows by itself after 5, and did not."
      namespace  = "AWS/RDS"
      metric     = "FreeStorageSpace"
      dimensions = local.database
      statistic  = "Minimum"
      below      = var.storage_gb * local.gigabyte / 10
      minutes    = 15
    }
  }

  replica = {
    for name in var.has_replica ? ["replica-lag"] : [] : name => {
      text       = "The replica is more than 30 s behind: histories, exports and fills are that old."
      namespace  = "AWS/RDS"
      metric     = "ReplicaLag"
      dimensions = { DBInstanceIdentifier = var.replica_identifier }
      above      = 30
      minutes    = 5
    }
  }

  redis = merge([
    for node in var.cache_node_ids : {
      "redis-memory-${node}" = {
        text       = "Redis has more than 80 % of its memory in use. It drops nothing: once full, it refuses writes."
        namespace  = "AWS/ElastiCache"
        metric     = "DatabaseMemoryUsagePercentage"
        dimensions = { CacheClusterId = node }
        above      = 80
        minutes    = 5
      }
      "redis-evictions-${node}" = {
        text       = "Redis dropped keys, which noeviction forbids: parts of boards are gone. Run scoreboard verify, then rebuild."
        namespace  = "AWS/ElastiCache"
        metric     = "Evictions"
        dimensions = { CacheClusterId = node }
        statistic  = "Sum"
        above      = 0
        minutes    = 1
      }
    }
  ]...)

  certificate = {
    certificate = {
      text       = "The certificate ends in less than 21 days: ACM should have renewed it by now."
      namespace  = "AWS/CertificateManager"
      metric     = "DaysToExpiry"
      dimensions = { CertificateArn = var.certificate_arn }
      statistic  = "Minimum"
      below      = 21
      minutes    = 1
      period     = 86400 # ACM tells it once a day
    }
  }

  # Their kinds differ in what they leave out.
  alarms = {
    for name, alarm in merge(local.unhealthy, local.streams, local.server, local.postgresql, local.replica, local.redis, local.certificate) :
    name => merge({ statistic = "Maximum", above = null, below = null, period = 60, tells_when_silent = false }, alarm)
  }
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = local.alarms

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = each.value.text
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = each.value.statistic
  period              = each.value.period
  evaluation_periods  = each.value.minutes
  comparison_operator = each.value.above != null ? "GreaterThanThreshold" : "LessThanThreshold"
  threshold           = each.value.above != null ? each.value.above : each.value.below
  treat_missing_data  = each.value.tells_when_silent ? "missing" : "notBreaching"

  alarm_actions             = [aws_sns_topic.alarms.arn]
  ok_actions                = [aws_sns_topic.alarms.arn]
  insufficient_data_actions = each.value.tells_when_silent ? [aws_sns_topic.alarms.arn] : []
}
