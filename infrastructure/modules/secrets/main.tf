# Random values that nobody has seen. They go from AWS to AWS: an ephemeral value is in no plan and no state.
# This is a module of its own because mock providers know no ephemeral resources: all others can be tested with them.

locals {
  secrets = {
    database = "Password of the database user ${var.name}."
    redis    = "AUTH token of Redis."
    jwt      = "What tokens are signed with (HS256): SCOREBOARD_JWT_SECRET. Its previous version still verifies."
    origin   = "What addresses are hashed with before they are kept: SCOREBOARD_ORIGIN_SECRET."
  }
}

resource "aws_secretsmanager_secret" "this" {
  #checkov:skip=CKV2_AWS_57:a new value needs new tasks: it is changed by a version number and an apply, which does both
  for_each = local.secrets

  name                    = "${var.name}/${each.key}"
  description             = each.value
  kms_key_id              = var.kms_key_arn
  recovery_window_in_days = var.recovery_days
}

ephemeral "aws_secretsmanager_random_password" "this" {
  for_each = local.secrets

  password_length     = 64   # of letters and digits: 380 bits
  exclude_punctuation = true # RDS and ElastiCache refuse some of it
}

resource "aws_secretsmanager_secret_version" "this" {
  for_each = local.secrets

  secret_id                = aws_secretsmanager_secret.this[each.key].id
  secret_string_wo         = ephemeral.aws_secretsmanager_random_password.this[each.key].random_password
  secret_string_wo_version = var.versions[each.key]
}

# Read back, not handed on: should the database fail to be made after its secret was, the next apply must not give it
# another value than the secret holds.
ephemeral "aws_secretsmanager_secret_version" "database" {
  secret_id  = aws_secretsmanager_secret.this["database"].id
  version_id = aws_secretsmanager_secret_version.this["database"].version_id
}

# ElastiCache has no write-only argument for its token: this one is in the state, which has to be encrypted.
data "aws_secretsmanager_secret_version" "redis" {
  secret_id  = aws_secretsmanager_secret.this["redis"].id
  version_id = aws_secretsmanager_secret_version.this["redis"].version_id
}
