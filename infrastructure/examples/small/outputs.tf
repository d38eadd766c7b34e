output "scoreboard" {
  description = "All that the deployment puts out: the balancer's name, where to push to, how to migrate, and more."
  value       = module.scoreboard
}

output "name" {
  description = "What all names begin with."
  value       = module.scoreboard.name
}

output "migrate_command" {
  description = "Brings the database to the schema of the image."
  value       = module.scoreboard.migrate_command
}
