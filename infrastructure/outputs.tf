output "name" {
  description = "What all names begin with."
  value       = var.name
}

output "balancer" {
  description = "What the host's record points at (CNAME, or an alias with the zone)."
  value       = { dns_name = module.service.balancer.dns_name, zone_id = module.service.balancer.zone_id }
}

output "repository_url" {
  description = "Where images are pushed to."
  value       = module.registry.repository_url
}

output "migrate_command" {
  description = "For a shell: brings the database to the schema of the image, and fails where that did. Before the services get it."
  value       = module.service.migrate_command
}

output "cluster_name" {
  description = "The ECS cluster."
  value       = module.service.cluster_name
}

output "secret_arns" {
  description = "By name: database, redis, jwt, origin. Whoever signs tokens reads jwt."
  value       = module.secrets.arns
}

output "log_groups" {
  description = "By what they hold: server, collector, metrics."
  value       = module.service.log_groups
}

output "dashboard_url" {
  description = "The dashboard in the console."
  value       = module.observability.dashboard_url
}

output "alarm_topic_arn" {
  description = "Where alarms are told: subscribe to it."
  value       = module.observability.topic_arn
}

output "alarm_names" {
  description = "All alarms."
  value       = module.observability.alarm_names
}
