locals {
  # Without a password: that comes by SCOREBOARD_DATABASE_PASSWORD.
  url = "postgresql://${var.user}@%s:5432/scoreboard?sslmode=require"
}

output "url" {
  description = "SCOREBOARD_DATABASE_URL."
  value       = format(local.url, aws_db_instance.this.address)
}

output "read_url" {
  description = "SCOREBOARD_DATABASE_READ_URL; null where there is no replica."
  value       = var.read_replica ? format(local.url, aws_db_instance.replica[0].address) : null
}

output "identifier" {
  description = "The instance, as CloudWatch names it."
  value       = aws_db_instance.this.identifier
}

output "replica_identifier" {
  description = "The replica, as CloudWatch names it; null where there is none."
  value       = var.read_replica ? aws_db_instance.replica[0].identifier : null
}
