locals {
  cpu_percent          = 60 # one process uses one core: beyond that, a burst has nowhere to go
  streams_full_percent = 70 # the rest is for those who come while new tasks start
  by_cpu               = { for name, service in var.services : name => service if service.scales_on_cpu }
  by_streams           = { for name, service in var.services : name => service if service.most_streams != null }
}

resource "aws_appautoscaling_target" "this" {
  for_each = var.services

  service_namespace  = "ecs"
  scalable_dimension = "ecs:service:DesiredCount"
  resource_id        = "service/${aws_ecs_cluster.this.name}/${aws_ecs_service.this[each.key].name}"
  min_capacity       = each.value.tasks_least
  max_capacity       = each.value.tasks_most
}

resource "aws_appautoscaling_policy" "cpu" {
  for_each = local.by_cpu

  name               = "cpu"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.this[each.key].service_namespace
  scalable_dimension = aws_appautoscaling_target.this[each.key].scalable_dimension
  resource_id        = aws_appautoscaling_target.this[each.key].resource_id

  target_tracking_scaling_policy_configuration {
    target_value       = local.cpu_percent
    scale_out_cooldown = 60
    scale_in_cooldown  = 300

    predefined_metric_specification {
      predefined_metric_type = "ECSServiceAverageCPUUtilization"
    }
  }
}

resource "aws_appautoscaling_policy" "streams" {
  for_each = local.by_streams

  name               = "streams"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.this[each.key].service_namespace
  scalable_dimension = aws_appautoscaling_target.this[each.key].scalable_dimension
  resource_id        = aws_appautoscaling_target.this[each.key].resource_id

  target_tracking_scaling_policy_configuration {
    target_value       = floor(each.value.most_streams * local.streams_full_percent / 100)
    scale_out_cooldown = 60
    scale_in_cooldown  = 900 # each task that goes moves thousands of browsers

    # Every task writes its own number each half minute: their average is the streams of a task.
    customized_metric_specification {
      namespace   = local.metrics_namespace
      metric_name = "scoreboard_streams"
      statistic   = "Average"

      dimensions {
        name  = "ServiceName"
        value = local.service_names[each.key]
      }
    }
  }
}
