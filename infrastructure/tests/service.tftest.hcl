mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name             = "board"
  image            = "registry.example/board:1.0.0"
  cpu_architecture = "ARM64"

  services = {
    api     = { cpu = 1024, memory_mb = 2048, tasks_least = 2, tasks_most = 4, drain_seconds = 5, paths = [], scales_on_cpu = true }
    streams = { cpu = 1024, memory_mb = 2048, tasks_least = 2, tasks_most = 10, drain_seconds = 60, paths = ["/api/leaderboard/stream"], most_streams = 10000 }
  }

  environment     = { SCOREBOARD_DATABASE_URL = "postgresql://scoreboard@database.example:5432/scoreboard?sslmode=require" }
  secrets         = { SCOREBOARD_JWT_SECRET = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:jwt" }
  secret_arns     = ["arn:aws:secretsmanager:eu-central-1:123456789012:secret:jwt"]
  secret_versions = "jwt=1"

  vpc_id                     = "vpc-a"
  public_subnet_ids          = ["subnet-a", "subnet-b"]
  private_subnet_ids         = ["subnet-c", "subnet-d"]
  trusted_proxies            = ["10.40.0.0/20", "10.40.16.0/20"]
  balancer_security_group_id = "sg-balancer"
  tasks_security_group_id    = "sg-tasks"
  container_port             = 8000

  certificate_arn     = "arn:aws:acm:eu-central-1:123456789012:certificate/a"
  access_logs_bucket  = null
  web_acl_arn         = null
  deletion_protection = true
  repository_arn      = "arn:aws:ecr:eu-central-1:123456789012:repository/board"
  kms_key_arn         = "arn:aws:kms:eu-central-1:123456789012:key/a"
  collector_image     = "registry.example/collector:1"
  container_insights  = true
  log_retention_days  = 30
}

run "two_services" {
  module {
    source = "./modules/service"
  }

  # A release that does not get ready is rolled back.
  assert {
    condition     = alltrue([for service in aws_ecs_service.this : service.deployment_circuit_breaker[0].enable && service.deployment_circuit_breaker[0].rollback])
    error_message = "Both services need the circuit breaker with roll-back."
  }

  assert {
    condition     = alltrue([for task in aws_ecs_task_definition.this : task.skip_destroy])
    error_message = "The revision to roll back to must not be deregistered."
  }

  assert {
    condition     = alltrue([for service in aws_ecs_service.this : service.deployment_minimum_healthy_percent == 100 && service.deployment_maximum_percent == 150])
    error_message = "There must never be fewer tasks, and never more than half may be replaced at a time."
  }

  assert {
    condition     = alltrue([for service in aws_ecs_service.this : service.launch_type == "FARGATE" && service.availability_zone_rebalancing == "DISABLED" && !service.enable_execute_command])
    error_message = "Fargate, no tasks stopped for balance's sake, and no shell in them."
  }

  # Tasks have no public address.
  assert {
    condition = alltrue([
      for service in aws_ecs_service.this : alltrue([
        !service.network_configuration[0].assign_public_ip,
        toset(service.network_configuration[0].subnets) == toset(var.private_subnet_ids),
        toset(service.network_configuration[0].security_groups) == toset(["sg-tasks"]),
      ])
    ])
    error_message = "Tasks lie in the private subnets, behind their group."
  }

  assert {
    condition     = strcontains(output.migrate_command, "assignPublicIp=DISABLED") && strcontains(output.migrate_command, "subnets=[subnet-c,subnet-d]") && strcontains(output.migrate_command, "securityGroups=[sg-tasks]")
    error_message = "The migration runs where the tasks do."
  }

  # The balancer speaks https and hides what is not public.
  assert {
    condition     = aws_lb_listener.http.default_action[0].type == "redirect" && aws_lb_listener.http.default_action[0].redirect[0].protocol == "HTTPS" && aws_lb_listener.http.default_action[0].redirect[0].status_code == "HTTP_301"
    error_message = "Port 80 has to send on to HTTPS."
  }

  assert {
    condition     = aws_lb_listener.https.protocol == "HTTPS" && aws_lb_listener.https.certificate_arn == var.certificate_arn && strcontains(aws_lb_listener.https.ssl_policy, "TLS13")
    error_message = "Port 443 has to speak TLS 1.2 or 1.3 with the certificate."
  }

  assert {
    condition     = aws_lb_listener.https.routing_http_response_strict_transport_security_header_value == "max-age=31536000"
    error_message = "Browsers have to keep to HTTPS."
  }

  assert {
    condition     = aws_lb_listener_rule.closed.action[0].fixed_response[0].status_code == "404" && toset(flatten([for condition in aws_lb_listener_rule.closed.condition : [for pattern in condition.path_pattern : pattern.values]])) == toset(["/admin*", "/api/admin*", "/metrics*"])
    error_message = "Paths of administrators and metrics have to answer 404."
  }

  assert {
    condition     = alltrue([for rule in aws_lb_listener_rule.this : rule.priority > aws_lb_listener_rule.closed.priority])
    error_message = "They have to be closed before anything is forwarded."
  }

  assert {
    condition     = aws_lb.this.enable_http2 && aws_lb.this.idle_timeout >= 60 && aws_lb.this.idle_timeout < 75 && aws_lb.this.drop_invalid_header_fields && aws_lb.this.enable_deletion_protection && !aws_lb.this.internal
    error_message = "HTTP/2 must be on, the idle timeout at least 60 s and below the server's 75 s, and malformed headers dropped."
  }

  # Streams have targets of their own.
  assert {
    condition     = toset(keys(aws_lb_listener_rule.this)) == toset(["streams"]) && toset(flatten([for condition in aws_lb_listener_rule.this["streams"].condition : [for pattern in condition.path_pattern : pattern.values]])) == toset(["/api/leaderboard/stream"])
    error_message = "The path of streams goes to streams, all else to api."
  }

  assert {
    condition = alltrue([
      for group in aws_lb_target_group.this : alltrue([
        group.load_balancing_algorithm_type == "least_outstanding_requests",
        group.target_type == "ip",
        group.health_check[0].path == "/health/ready",
        group.health_check[0].matcher == "200",
        group.health_check[0].interval == 5,
        group.health_check[0].unhealthy_threshold == 2,
      ])
    ])
    error_message = "New streams go where the fewest are, and a task that drains leaves within 10 s."
  }

  assert {
    condition     = { for name, group in aws_lb_target_group.this : name => tonumber(group.deregistration_delay) } == { api = 30, streams = 85 }
    error_message = "The balancer waits for grace, drain and 10 s of last requests."
  }

  # Tasks stop gently and hold thousands of streams.
  assert {
    condition = {
      for name, task in aws_ecs_task_definition.this : name => jsondecode(task.container_definitions)[0].stopTimeout
    } == { api = 35, streams = 90 }
    error_message = "Fargate gives more time than the balancer, and less than its 120 s."
  }

  assert {
    condition = alltrue([
      for task in aws_ecs_task_definition.this :
      jsondecode(task.container_definitions)[0].ulimits[0] == { name = "nofile", softLimit = 65536, hardLimit = 65536 }
    ])
    error_message = "Each stream takes a descriptor."
  }

  assert {
    condition = {
      for name, task in aws_ecs_task_definition.this : name => [
        for setting in jsondecode(task.container_definitions)[0].environment : setting.value
        if contains(["SCOREBOARD_DRAIN_SECONDS", "SCOREBOARD_DRAIN_GRACE_SECONDS", "SCOREBOARD_MAX_STREAMS"], setting.name)
      ]
    } == { api = ["15", "5"], streams = ["15", "60", "10000"] }
    error_message = "The server's grace, drain and most streams have to be what the balancer and the scaling count on."
  }

  # Containers can do little.
  assert {
    condition = alltrue(flatten([
      for task in aws_ecs_task_definition.this : [for container in jsondecode(task.container_definitions) : container.readonlyRootFilesystem]
    ])) && jsondecode(aws_ecs_task_definition.migrate.container_definitions)[0].readonlyRootFilesystem
    error_message = "No container may write to its root."
  }

  assert {
    condition     = alltrue([for task in concat(values(aws_ecs_task_definition.this), [aws_ecs_task_definition.migrate]) : startswith(jsondecode(task.container_definitions)[0].user, "10001")])
    error_message = "The server is nobody's root."
  }

  assert {
    condition     = jsondecode(aws_iam_role_policy.task.policy).Statement[0].Action == ["logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"] && length(jsondecode(aws_iam_role_policy.task.policy).Statement) == 1
    error_message = "A task may write metrics, and nothing else."
  }

  assert {
    condition     = [for statement in jsondecode(aws_iam_role_policy.execution.policy).Statement : statement.Sid if statement.Resource == "*"] == ["Login"]
    error_message = "Only the login to ECR, which knows no narrower resource, may be for all."
  }

  assert {
    condition     = [for statement in jsondecode(aws_iam_role_policy.execution.policy).Statement : jsonencode(statement.Resource) if statement.Sid == "Secrets"] == [jsonencode(var.secret_arns)]
    error_message = "Only the named secrets may be read."
  }

  assert {
    condition     = aws_ecs_task_definition.migrate.task_role_arn == null && jsondecode(aws_ecs_task_definition.migrate.container_definitions)[0].command == ["migrate"]
    error_message = "The migration needs no role of its own."
  }

  # Secrets are never in clear.
  assert {
    condition = alltrue([
      for task in concat(values(aws_ecs_task_definition.this), [aws_ecs_task_definition.migrate]) :
      jsondecode(task.container_definitions)[0].secrets == [{ name = "SCOREBOARD_JWT_SECRET", valueFrom = var.secret_arns[0] }]
    ])
    error_message = "Secrets are read by ECS when a task starts."
  }

  assert {
    condition     = alltrue([for task in aws_ecs_task_definition.this : jsondecode(task.container_definitions)[0].dockerLabels["scoreboard.secret-versions"] == "jwt=1"])
    error_message = "A new version has to make a new task definition."
  }

  assert {
    condition     = alltrue([for group in aws_cloudwatch_log_group.this : group.kms_key_id == var.kms_key_arn && group.retention_in_days == 30])
    error_message = "Logs have to be encrypted, and not kept for ever."
  }

  # Metrics stay on the loopback and are collected.
  assert {
    condition     = alltrue([for task in aws_ecs_task_definition.this : !contains([for setting in jsondecode(task.container_definitions)[0].environment : setting.name], "SCOREBOARD_METRICS_HOST")])
    error_message = "The port of metrics must not be open to the network."
  }

  assert {
    condition     = alltrue([for task in aws_ecs_task_definition.this : length(jsondecode(task.container_definitions)[0].portMappings) == 1 && !jsondecode(task.container_definitions)[1].essential])
    error_message = "One port is open, and without its collector a server goes on."
  }

  assert {
    condition = {
      for name, task in aws_ecs_task_definition.this : name =>
      yamldecode(jsondecode(task.container_definitions)[1].environment[0].value).receivers.prometheus.config.scrape_configs[0].static_configs[0]
    } == { for name in ["api", "streams"] : name => { targets = ["127.0.0.1:9100"], labels = { ServiceName = "board-${name}" } } }
    error_message = "The collector has to read the server beside it, under the service's name."
  }

  assert {
    condition     = yamldecode(jsondecode(aws_ecs_task_definition.this["streams"].container_definitions)[1].environment[0].value).exporters.awsemf.namespace == "Scoreboard" && yamldecode(jsondecode(aws_ecs_task_definition.this["streams"].container_definitions)[1].environment[0].value).exporters.awsemf.log_group_name == "/board/metrics"
    error_message = "They have to go to the log group that the task may write."
  }

  # docs/deployment.md counts on these numbers, as each metric is paid for.
  assert {
    condition = {
      for declaration in yamldecode(jsondecode(aws_ecs_task_definition.this["api"].container_definitions)[1].environment[0].value).exporters.awsemf.metric_declarations :
      join(" ", declaration.dimensions[0]) => length(declaration.metric_name_selectors)
    } == { "ServiceName" = 7, "ServiceName source" = 1, "ServiceName pool" = 2, "ServiceName partner" = 1 }
    error_message = "The cost in docs/deployment.md is for 7 metrics by service, 1 by source, 2 by pool and 1 by partner."
  }

  # Api scales on cpu and streams on streams.
  assert {
    condition     = toset(keys(aws_appautoscaling_policy.cpu)) == toset(["api"]) && toset(keys(aws_appautoscaling_policy.streams)) == toset(["streams"])
    error_message = "Each service has its own reason to grow."
  }

  assert {
    condition     = aws_appautoscaling_policy.cpu["api"].target_tracking_scaling_policy_configuration[0].target_value == 60
    error_message = "CPU is held at 60 %."
  }

  assert {
    condition     = aws_appautoscaling_policy.streams["streams"].target_tracking_scaling_policy_configuration[0].target_value == 7000
    error_message = "Streams are held at 70 % of what a task takes."
  }

  assert {
    condition = alltrue([
      for metric in aws_appautoscaling_policy.streams["streams"].target_tracking_scaling_policy_configuration[0].customized_metric_specification :
      metric.namespace == "Scoreboard" && metric.metric_name == "scoreboard_streams" && metric.statistic == "Average" && [for dimension in metric.dimensions : dimension.value] == ["board-streams"]
    ])
    error_message = "The scaling has to read what the collector writes."
  }

  assert {
    condition     = { for name, target in aws_appautoscaling_target.this : name => "${target.min_capacity} to ${target.max_capacity}" } == { api = "2 to 4", streams = "2 to 10" }
    error_message = "Bounds are those that were asked for."
  }
}

run "one_service_with_access_logs_and_a_web_acl" {
  module {
    source = "./modules/service"
  }

  variables {
    access_logs_bucket = "logs.example"
    web_acl_arn        = "arn:aws:wafv2:eu-central-1:123456789012:regional/webacl/board/a"

    services = {
      api = { cpu = 256, memory_mb = 1024, tasks_least = 1, tasks_most = 3, drain_seconds = 60, paths = [], scales_on_cpu = true, most_streams = 2000 }
    }
  }

  assert {
    condition     = length(aws_ecs_service.this) == 1 && length(aws_lb_listener_rule.this) == 0 && aws_ecs_service.this["api"].deployment_maximum_percent == 200
    error_message = "One service takes all paths; a single task is replaced by a second one."
  }

  assert {
    condition     = toset(keys(aws_appautoscaling_policy.cpu)) == toset(["api"]) && toset(keys(aws_appautoscaling_policy.streams)) == toset(["api"])
    error_message = "It grows by either."
  }

  # Access logs and a web ACL by variable.
  assert {
    condition     = aws_lb.this.access_logs[0].enabled && aws_lb.this.access_logs[0].bucket == "logs.example"
    error_message = "Access logs have to go to the bucket."
  }

  assert {
    condition     = aws_wafv2_web_acl_association.this[0].web_acl_arn == var.web_acl_arn && aws_wafv2_web_acl_association.this[0].resource_arn == aws_lb.this.arn
    error_message = "The web ACL has to stand in front of the balancer."
  }
}

run "a_drain_that_fargate_would_cut_is_refused" {
  command = plan

  module {
    source = "./modules/service"
  }

  variables {
    services = {
      api = { cpu = 256, memory_mb = 1024, tasks_least = 1, tasks_most = 3, drain_seconds = 120, paths = [] }
    }
  }

  expect_failures = [var.services]
}
