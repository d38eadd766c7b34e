output "arns" {
  description = "By name: database, redis, jwt, origin."
  value       = { for name, secret in aws_secretsmanager_secret.this : name => secret.arn }

  # Tasks that start once they know the name find a value in it.
  depends_on = [aws_secretsmanager_secret_version.this]
}

output "database_password" {
  description = "For the database alone; in no plan and no state."
  value       = ephemeral.aws_secretsmanager_secret_version.database.secret_string
  ephemeral   = true
}

output "redis_auth_token" {
  description = "For the cache alone."
  value       = data.aws_secretsmanager_secret_version.redis.secret_string
  sensitive   = true
}
