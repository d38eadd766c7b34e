locals {
  names           = sort(keys(var.services))
  default_service = one([for name, service in var.services : name if length(service.paths) == 0])

  # How a task stops (docs/deployment.md): /health/ready answers 503 for the grace, then streams end spread over the
  # drain, then requests have 10 s. The balancer and Fargate both give more than the sum.
  drain_grace_seconds    = 15 # the balancer notices after two checks, 5 s apart
  requests_end_seconds   = 10
  deregistration_seconds = { for name, service in var.services : name => local.drain_grace_seconds + service.drain_seconds + local.requests_end_seconds }
  stop_timeout_seconds   = { for name, seconds in local.deregistration_seconds : name => seconds + 5 }

  metrics_namespace = "Scoreboard"
  # The name that stands as ServiceName at each metric.
  service_names = { for name, _ in var.services : name => "${var.name}-${name}" }
}

resource "aws_ecs_cluster" "this" {
  #checkov:skip=CKV_AWS_65:Container Insights is by variable: its price is by the metric
  name = var.name

  setting {
    name  = "containerInsights"
    value = var.container_insights ? "enabled" : "disabled"
  }
}

resource "aws_ecs_service" "this" {
  for_each = var.services

  name            = each.key
  cluster         = aws_ecs_cluster.this.id
  task_definition = aws_ecs_task_definition.this[each.key].arn
  launch_type     = "FARGATE"
  desired_count   = each.value.tasks_least

  # Never fewer than there were. Where there are two or more, half of them at a time: their streams come back to the
  # others, and never all at once.
  deployment_minimum_healthy_percent = 100
  deployment_maximum_percent         = each.value.tasks_least > 1 ? 150 : 200
  health_check_grace_period_seconds  = 60
  availability_zone_rebalancing      = "DISABLED" # it stops tasks, and with them streams, for no deploy's sake
  enable_execute_command             = false
  propagate_tags                     = "SERVICE"

  # A release that does not get ready is given up, and the one before comes back.
  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  network_configuration {
    subnets          = var.private_subnet_ids
    security_groups  = [var.tasks_security_group_id]
    assign_public_ip = false
  }

  load_balancer {
    target_group_arn = aws_lb_target_group.this[each.key].arn
    container_name   = local.container_name
    container_port   = var.container_port
  }

  lifecycle {
    ignore_changes = [desired_count] # the scaling's
  }

  # A target group must be behind the balancer before tasks can be in it; and a task must be allowed to start.
  depends_on = [aws_lb_listener.https, aws_lb_listener_rule.this, aws_iam_role_policy.execution]
}
