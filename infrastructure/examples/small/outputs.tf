output "scoreboard" {
  description = "All that the deployment puts out: the balancer's name, where to push to, how to migrate, and more."
  value       = module.scoreboard
}

output "name" {
  description = "What all names begin with."
  value       = module.scoreboard.name
}

output "repository_url" {
  description = "Where images are pushed to."
  value       = module.scoreboard.repository_url
}

output "balancer" {
  description = "What the host's record points at."
  value       = module.scoreboard.balancer
}

output "migrate_command" {
  description = "For a shell: brings the database to the schema of the image, and fails where that did."
  value       = module.scoreboard.migrate_command
}
