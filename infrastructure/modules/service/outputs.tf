output "balancer" {
  description = "The balancer: its DNS name and zone for a record, its ARN, and how CloudWatch names it."
  value = {
    dns_name = aws_lb.this.dns_name
    zone_id  = aws_lb.this.zone_id
    arn      = aws_lb.this.arn
    metrics  = aws_lb.this.arn_suffix
  }
}

output "target_groups" {
  description = "By service: how CloudWatch names its target group."
  value       = { for name, group in aws_lb_target_group.this : name => group.arn_suffix }
}

output "cluster_name" {
  description = "The ECS cluster."
  value       = aws_ecs_cluster.this.name
}

output "service_names" {
  description = "By service: the dimension ServiceName of its metrics."
  value       = local.service_names
}

output "metrics_namespace" {
  description = "Where the server's own metrics are in CloudWatch."
  value       = local.metrics_namespace
}

output "log_groups" {
  description = "By what they hold: server, collector, metrics."
  value       = { for name, group in aws_cloudwatch_log_group.this : name => group.name }
}

output "migrate_command" {
  description = "For a shell: brings the database to the schema of the image, waits for the end, and fails where that did."
  value = join(" ", [
    "task=$(aws ecs run-task",
    "--cluster ${aws_ecs_cluster.this.name}",
    "--task-definition ${aws_ecs_task_definition.migrate.family}",
    "--launch-type FARGATE",
    "--network-configuration 'awsvpcConfiguration={subnets=[${join(",", var.private_subnet_ids)}],securityGroups=[${var.tasks_security_group_id}],assignPublicIp=DISABLED}'",
    "--query 'tasks[0].taskArn' --output text)",
    "&& aws ecs wait tasks-stopped --cluster ${aws_ecs_cluster.this.name} --tasks \"$task\"",
    "&& test \"$(aws ecs describe-tasks --cluster ${aws_ecs_cluster.this.name} --tasks \"$task\" --query 'tasks[0].containers[0].exitCode' --output text)\" = 0",
  ])
}
