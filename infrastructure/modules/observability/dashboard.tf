# One page, in the order in which one looks: do users get answers, do they see changes, and if not, which part is full.

locals {
  region   = data.aws_region.this.name
  services = sort(keys(var.service_names))
  watched  = sort(keys(var.most_streams))

  alb = "AWS/ApplicationELB"
  own = var.metrics_namespace

  pools = concat(["database-writers", "database-readers"], var.has_replica ? ["database-replica"] : [], ["redis"])

  charts = [
    {
      title = "Requests a minute, and those that failed"
      metrics = [
        [local.alb, "RequestCount", "LoadBalancer", var.balancer, { stat = "Sum" }],
        [local.alb, "HTTPCode_Target_5XX_Count", "LoadBalancer", var.balancer, { stat = "Sum" }],
        [local.alb, "HTTPCode_ELB_5XX_Count", "LoadBalancer", var.balancer, { stat = "Sum" }],
      ]
    },
    {
      title = "Latency, seconds"
      metrics = [
        for stat in ["p50", "p95", "p99"] :
        [local.alb, "TargetResponseTime", "LoadBalancer", var.balancer, { stat = stat, label = stat }]
      ]
    },
    {
      title = "Open streams"
      metrics = concat([], [
        for service in local.watched : [
          [local.own, "scoreboard_streams", "ServiceName", var.service_names[service], { stat = "Average", id = "streams_${service}", label = "${service}: of a task" }],
          [local.own, "scoreboard_streams", "ServiceName", var.service_names[service], { stat = "Maximum", label = "${service}: of the fullest task" }],
          [local.alb, "HealthyHostCount", "TargetGroup", var.target_groups[service], "LoadBalancer", var.balancer, { stat = "Average", id = "tasks_${service}", visible = false }],
          [{ expression = "streams_${service} * tasks_${service}", label = "${service}: of all tasks" }],
        ]
      ]...)
    },
    {
      title = "Commit to the last browser, seconds (average)"
      metrics = concat(
        [for service in local.watched : [local.own, "scoreboard_commit_to_last_stream_seconds", "ServiceName", var.service_names[service], { stat = "Average", label = "${service}: to every stream" }]],
        [for service in local.services : [local.own, "scoreboard_commit_seconds", "ServiceName", var.service_names[service], { stat = "Average", label = "${service}: at the database" }]],
      )
    },
    {
      title = "Score updates a second"
      metrics = concat([], [
        for service in local.services : [
          [local.own, "scoreboard_scores_accepted_total", "ServiceName", var.service_names[service], { stat = "Sum", id = "scores_${service}", visible = false }],
          [{ expression = "scores_${service} / PERIOD(scores_${service})", label = service }],
        ]
      ]...)
    },
    {
      title = "Submissions that wait; versions that Redis is behind"
      metrics = concat([], [
        for service in local.services : [
          [local.own, "scoreboard_commit_queue_depth", "ServiceName", var.service_names[service], { stat = "Maximum", label = "${service}: waiting" }],
          [local.own, "scoreboard_copy_lag_versions", "ServiceName", var.service_names[service], { stat = "Maximum", label = "${service}: behind" }],
        ]
      ]...)
    },
    {
      title = "Hit rate: boards that came from Redis, %"
      metrics = concat([], [
        for service in local.services : [
          [local.own, "scoreboard_board_reads_total", "ServiceName", var.service_names[service], "source", "ranking", { stat = "Sum", id = "hits_${service}", visible = false }],
          [local.own, "scoreboard_board_reads_total", "ServiceName", var.service_names[service], "source", "store", { stat = "Sum", id = "misses_${service}", visible = false }],
          [{ expression = "100 * hits_${service} / (hits_${service} + FILL(misses_${service}, 0))", label = service }],
        ]
      ]...)
    },
    {
      title = "Pools: connections in use, % (average of the tasks)"
      metrics = concat([], [
        for service in local.services : concat([], [
          for pool in local.pools : [
            [local.own, "scoreboard_pool_connections_used", "ServiceName", var.service_names[service], "pool", pool, { stat = "Average", id = replace("used_${service}_${pool}", "-", "_"), visible = false }],
            [local.own, "scoreboard_pool_connections_most", "ServiceName", var.service_names[service], "pool", pool, { stat = "Average", id = replace("most_${service}_${pool}", "-", "_"), visible = false }],
            [{ expression = replace("100 * used_${service}_${pool} / most_${service}_${pool}", "-", "_"), label = "${service}: ${pool}" }],
          ]
        ]...)
      ]...)
    },
    {
      title = "PostgreSQL: connections, processor %"
      metrics = concat(
        [
          ["AWS/RDS", "DatabaseConnections", "DBInstanceIdentifier", var.database_identifier, { stat = "Maximum" }],
          ["AWS/RDS", "CPUUtilization", "DBInstanceIdentifier", var.database_identifier, { stat = "Average", yAxis = "right" }],
        ],
        var.has_replica ? [["AWS/RDS", "ReplicaLag", "DBInstanceIdentifier", var.replica_identifier, { stat = "Maximum", yAxis = "right" }]] : [],
      )
    },
    {
      title = "Redis: memory and processor, %"
      metrics = concat([], [
        for node in var.cache_node_ids : [
          ["AWS/ElastiCache", "DatabaseMemoryUsagePercentage", "CacheClusterId", node, { stat = "Maximum" }],
          ["AWS/ElastiCache", "EngineCPUUtilization", "CacheClusterId", node, { stat = "Maximum" }],
        ]
      ]...)
    },
    {
      title = "Tasks: processor and memory, % (average)"
      metrics = concat([], [
        for service in local.services : [
          ["AWS/ECS", "CPUUtilization", "ClusterName", var.cluster_name, "ServiceName", service, { stat = "Average" }],
          ["AWS/ECS", "MemoryUtilization", "ClusterName", var.cluster_name, "ServiceName", service, { stat = "Average" }],
        ]
      ]...)
    },
    {
      title   = "Streams that were told to come back later, a minute"
      metrics = [for service in local.watched : [local.own, "scoreboard_streams_refused_total", "ServiceName", var.service_names[service], { stat = "Sum", label = service }]]
    },
  ]
}

resource "aws_cloudwatch_dashboard" "this" {
  dashboard_name = var.name
  dashboard_body = jsonencode({
    widgets = [
      for index, chart in local.charts : {
        type       = "metric"
        x          = index % 2 * 12
        y          = floor(index / 2) * 6
        width      = 12
        height     = 6
        properties = { title = chart.title, metrics = chart.metrics, region = local.region, view = "timeSeries", period = 60 }
      }
    ]
  })
}
