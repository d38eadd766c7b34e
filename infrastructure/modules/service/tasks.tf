locals {
  container_name = "scoreboard"
  user           = "10001:10001" # the image's own

  environment = {
    for name, service in var.services : name => merge(var.environment, {
      SCOREBOARD_ENV                 = "production"
      SCOREBOARD_HOST                = "0.0.0.0" # the task's own address: it has no public one
      SCOREBOARD_PORT                = tostring(var.container_port)
      SCOREBOARD_METRICS_PORT        = tostring(local.metrics_port) # on 127.0.0.1, which the collector shares
      SCOREBOARD_TRUSTED_PROXIES     = join(",", var.trusted_proxies)
      SCOREBOARD_DRAIN_GRACE_SECONDS = tostring(local.drain_grace_seconds)
      SCOREBOARD_DRAIN_SECONDS       = tostring(service.drain_seconds)
    }, service.most_streams == null ? {} : { SCOREBOARD_MAX_STREAMS = tostring(service.most_streams) })
  }

  server = {
    for name, service in var.services : name => {
      name       = local.container_name
      image      = var.image
      essential  = true
      entryPoint = ["scoreboard"]
      command    = ["serve"]
      user       = local.user

      environment  = [for key, value in local.environment[name] : { name = key, value = value }]
      secrets      = [for key, value in var.secrets : { name = key, valueFrom = value }]
      portMappings = [{ containerPort = var.container_port, hostPort = var.container_port, protocol = "tcp" }]

      readonlyRootFilesystem = true
      linuxParameters        = { initProcessEnabled = true } # reaps, and passes SIGTERM on
      ulimits                = [{ name = "nofile", softLimit = 65536, hardLimit = 65536 }]
      stopTimeout            = local.stop_timeout_seconds[name]
      dockerLabels           = { "scoreboard.secret-versions" = var.secret_versions }

      # Whether the process is alive; whether it gets requests is the balancer's to say, by /health/ready.
      healthCheck = {
        command     = ["CMD", "python", "-IS", "/app/healthcheck.py"] # the image's own
        interval    = 10
        timeout     = 5
        retries     = 3
        startPeriod = 30
      }

      logConfiguration = local.logging["server"]
    }
  }

  # A log that cannot be written holds nothing up: the oldest lines give way.
  logging = {
    for stream, group in { server = aws_cloudwatch_log_group.this["server"].name, collector = aws_cloudwatch_log_group.this["collector"].name } :
    stream => {
      logDriver = "awslogs"
      options = {
        awslogs-group         = group
        awslogs-region        = data.aws_region.this.name
        awslogs-stream-prefix = stream
        mode                  = "non-blocking"
        max-buffer-size       = "4m"
      }
    }
  }
}

data "aws_region" "this" {}

data "aws_partition" "this" {}

resource "aws_cloudwatch_log_group" "this" {
  for_each = toset(["server", "collector", "metrics"])

  name              = "/${var.name}/${each.key}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
}

resource "aws_ecs_task_definition" "this" {
  for_each = var.services

  family                   = local.service_names[each.key]
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = each.value.cpu
  memory                   = each.value.memory_mb
  execution_role_arn       = aws_iam_role.execution.arn
  task_role_arn            = aws_iam_role.task.arn
  container_definitions    = jsonencode([local.server[each.key], local.collector[each.key]])
  skip_destroy             = true # the circuit breaker goes back to the revision before: it must still be there

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = var.cpu_architecture
  }
}

# One-off, before new code: brings the database to the schema of this image. Whoever asks Terraform for it alone
# (-target), as for the very first start, gets all that it needs to run.
resource "aws_ecs_task_definition" "migrate" {
  family                   = "${var.name}-migrate"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = 256
  memory                   = 512
  execution_role_arn       = aws_iam_role.execution.arn

  container_definitions = jsonencode([{
    name                   = local.container_name
    image                  = var.image
    essential              = true
    entryPoint             = ["scoreboard"]
    command                = ["migrate"]
    user                   = local.user
    readonlyRootFilesystem = true
    environment            = [for key, value in merge(var.environment, { SCOREBOARD_ENV = "production" }) : { name = key, value = value }]
    secrets                = [for key, value in var.secrets : { name = key, valueFrom = value }]
    logConfiguration       = merge(local.logging["server"], { options = merge(local.logging["server"].options, { awslogs-stream-prefix = "migrate" }) })
  }])

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = var.cpu_architecture
  }

  depends_on = [aws_ecs_cluster.this, aws_iam_role_policy.execution]
}
