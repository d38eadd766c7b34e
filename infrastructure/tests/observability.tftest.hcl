mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name                = "board"
  kms_key_arn         = "arn:aws:kms:eu-central-1:123456789012:key/a"
  alarm_email         = "operator@example.com"
  balancer            = "app/board/1"
  target_groups       = { api = "targetgroup/api/1", streams = "targetgroup/streams/1" }
  cluster_name        = "board"
  service_names       = { api = "board-api", streams = "board-streams" }
  most_streams        = { streams = 10000 }
  metrics_namespace   = "Scoreboard"
  database_identifier = "board"
  replica_identifier  = "board-replica"
  has_replica         = true
  max_connections     = 400
  storage_gb          = 100
  cache_node_ids      = ["board-001", "board-002"]
  certificate_arn     = "arn:aws:acm:eu-central-1:123456789012:certificate/a"
}

run "production" {
  module {
    source = "./modules/observability"
  }

  # Five percent errors for five minutes.
  assert {
    condition     = aws_cloudwatch_metric_alarm.error_rate.threshold == 5 && aws_cloudwatch_metric_alarm.error_rate.comparison_operator == "GreaterThanThreshold" && aws_cloudwatch_metric_alarm.error_rate.evaluation_periods == 5
    error_message = "It has to be more than 5 %, for 5 minutes."
  }

  assert {
    condition = toset(flatten([
      for query in aws_cloudwatch_metric_alarm.error_rate.metric_query : [for metric in query.metric : "${metric.metric_name} ${metric.stat} ${metric.period} ${metric.dimensions["LoadBalancer"]}"]
      ])) == toset([
      for name in ["RequestCount", "HTTPCode_Target_5XX_Count", "HTTPCode_ELB_5XX_Count"] : "${name} Sum 60 app/board/1"
    ])
    error_message = "It has to count by the minute what the balancer counts, with what no task could answer."
  }

  assert {
    condition     = [for query in aws_cloudwatch_metric_alarm.error_rate.metric_query : query.expression if query.return_data == true] == ["IF(total > 0, 100 * failed / total, 0)"]
    error_message = "Without requests there are no errors."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.error_rate.treat_missing_data == "notBreaching"
    error_message = "Silence is no error."
  }

  # Half a second at p95.
  assert {
    condition     = aws_cloudwatch_metric_alarm.latency.extended_statistic == "p95" && aws_cloudwatch_metric_alarm.latency.threshold == 0.5 && aws_cloudwatch_metric_alarm.latency.metric_name == "TargetResponseTime"
    error_message = "p95 of the response time must be at most 500 ms."
  }

  # Each part has its alarm.
  assert {
    condition = { for name, alarm in aws_cloudwatch_metric_alarm.this : name => "${alarm.metric_name} ${alarm.comparison_operator == "GreaterThanThreshold" ? ">" : "<"} ${alarm.threshold}" } == {
      unhealthy-api             = "UnHealthyHostCount > 0"
      unhealthy-streams         = "UnHealthyHostCount > 0"
      streams-streams           = "scoreboard_streams > 8500"
      last-stream-streams       = "scoreboard_commit_to_last_stream_seconds > 0.5"
      commit-queue-api          = "scoreboard_commit_queue_depth > 1000"
      commit-queue-streams      = "scoreboard_commit_queue_depth > 1000"
      copy-behind-api           = "scoreboard_copy_lag_versions > 100"
      copy-behind-streams       = "scoreboard_copy_lag_versions > 100"
      database-lost-api         = "scoreboard_degraded > 0"
      database-lost-streams     = "scoreboard_degraded > 0"
      redis-lost-api            = "scoreboard_degraded > 0"
      redis-lost-streams        = "scoreboard_degraded > 0"
      database-connections      = "DatabaseConnections > 320"
      database-cpu              = "CPUUtilization > 80"
      database-disk             = "FreeStorageSpace < 10737418240"
      replica-lag               = "ReplicaLag > 30"
      redis-memory-board-001    = "DatabaseMemoryUsagePercentage > 80"
      redis-memory-board-002    = "DatabaseMemoryUsagePercentage > 80"
      redis-evictions-board-001 = "Evictions > 0"
      redis-evictions-board-002 = "Evictions > 0"
      certificate               = "DaysToExpiry < 21"
    }
    error_message = "An alarm is missing, or has another threshold."
  }

  assert {
    condition     = alltrue([for alarm in aws_cloudwatch_metric_alarm.this : alarm.alarm_actions == toset([aws_sns_topic.alarms.arn]) && alarm.ok_actions == toset([aws_sns_topic.alarms.arn]) && length(alarm.alarm_description) > 0])
    error_message = "Each has to tell, in words, and also when it is over."
  }

  assert {
    condition     = [for name, alarm in aws_cloudwatch_metric_alarm.this : name if alarm.treat_missing_data != "notBreaching"] == ["streams-streams"] && length(aws_cloudwatch_metric_alarm.this["streams-streams"].insufficient_data_actions) == 1
    error_message = "Only the metric that scales is missed when it is silent."
  }

  # Alarms and dashboard read only what is collected.
  # A metric that nobody collects is an alarm that never comes.
  assert {
    condition = length(setsubtract(
      regexall("scoreboard_[a-z_]+", "${aws_cloudwatch_dashboard.this.dashboard_body} ${join(" ", [for alarm in aws_cloudwatch_metric_alarm.this : alarm.metric_name])}"),
      regexall("scoreboard_[a-z_]+", file("./modules/service/collector.yaml.tftpl")),
    )) == 0
    error_message = "The collector has to write every metric that is read."
  }

  assert {
    condition = length(setsubtract(
      regexall("scoreboard_[a-z_]+", file("./modules/service/collector.yaml.tftpl")),
      regexall("scoreboard_[a-z_]+", "${aws_cloudwatch_dashboard.this.dashboard_body} ${join(" ", [for alarm in aws_cloudwatch_metric_alarm.this : alarm.metric_name])}"),
    )) == 0
    error_message = "The collector must not write, for money, what nobody reads."
  }

  # The dashboard shows what was asked.
  assert {
    condition     = length(jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets) == 12
    error_message = "A chart is missing."
  }

  assert {
    condition = alltrue([
      for metric in [
        "RequestCount", "TargetResponseTime", "scoreboard_streams", "scoreboard_scores_accepted_total", "scoreboard_board_reads_total",
        "scoreboard_pool_connections_used", "scoreboard_commit_to_last_stream_seconds", "DatabaseConnections", "DatabaseMemoryUsagePercentage",
      ] : strcontains(aws_cloudwatch_dashboard.this.dashboard_body, "\"${metric}\"")
    ])
    error_message = "It has to show requests, latency, streams, updates, hit rate, pools, and commit to the last browser."
  }

  assert {
    condition     = alltrue([for pool in ["database-writers", "database-readers", "database-replica", "redis"] : strcontains(aws_cloudwatch_dashboard.this.dashboard_body, "\"${pool}\"")])
    error_message = "Each pool has to be shown."
  }

  # Alarms are told encrypted.
  assert {
    condition     = aws_sns_topic.alarms.kms_master_key_id == var.kms_key_arn && aws_sns_topic_subscription.email[0].endpoint == "operator@example.com"
    error_message = "The topic has to be encrypted, and its mail to have somebody to go to."
  }
}

run "without_a_replica_nothing_watches_one" {
  module {
    source = "./modules/observability"
  }

  variables {
    has_replica        = false
    replica_identifier = null
    alarm_email        = null
  }

  assert {
    condition     = !contains(keys(aws_cloudwatch_metric_alarm.this), "replica-lag") && !strcontains(aws_cloudwatch_dashboard.this.dashboard_body, "eplica") && length(aws_sns_topic_subscription.email) == 0
    error_message = "What is not there must not be watched, and nobody be written to."
  }
}
