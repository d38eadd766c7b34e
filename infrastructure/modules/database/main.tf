locals {
  slow_statement_ms = 250 # half of the p95 that the alarm allows a request
  logs              = ["postgresql", "upgrade"]
  replica           = "${var.name}-replica"
  instances         = var.read_replica ? [var.name, local.replica] : [var.name]
}

resource "aws_db_subnet_group" "this" {
  name        = var.name
  description = "Subnets without a way out"
  subnet_ids  = var.subnet_ids
}

resource "aws_db_parameter_group" "this" {
  name_prefix = "${var.name}-"
  family      = "postgres15"
  description = "Scoreboard"

  parameter {
    name  = "rds.force_ssl"
    value = "1"
  }

  parameter {
    name         = "max_connections"
    value        = tostring(var.max_connections)
    apply_method = "pending-reboot"
  }

  parameter {
    name  = "log_min_duration_statement"
    value = tostring(local.slow_statement_ms)
  }

  # Statements are logged without their parameters, slow ones and failed ones: no user id and no name stands in a log.
  dynamic "parameter" {
    for_each = toset(["log_parameter_max_length", "log_parameter_max_length_on_error"])
    content {
      name  = parameter.value
      value = "0" # bytes
    }
  }

  parameter {
    name  = "log_lock_waits"
    value = "1"
  }

  lifecycle {
    create_before_destroy = true
  }
}

# Made here, else RDS makes them, without a key and for ever.
resource "aws_cloudwatch_log_group" "this" {
  #checkov:skip=CKV_AWS_338:how long logs are kept is by variable, and not a year by default
  for_each = toset([for pair in setproduct(local.instances, local.logs) : join("/", pair)])

  name              = "/aws/rds/instance/${each.key}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
}

resource "aws_db_instance" "this" {
  #checkov:skip=CKV_AWS_157:a standby is by variable, and there by default
  #checkov:skip=CKV_AWS_161:the server and its migrations log in with a password, which Secrets Manager keeps
  identifier     = var.name
  engine         = "postgres"
  engine_version = "15"
  instance_class = var.instance_class

  db_name             = "scoreboard"
  username            = var.user
  password_wo         = var.password
  password_wo_version = var.password_version

  multi_az               = var.multi_az
  db_subnet_group_name   = aws_db_subnet_group.this.name
  vpc_security_group_ids = [var.security_group_id]
  publicly_accessible    = false
  parameter_group_name   = aws_db_parameter_group.this.name

  storage_type          = "gp3"
  allocated_storage     = var.storage_gb
  max_allocated_storage = var.storage_most_gb
  storage_encrypted     = true
  kms_key_id            = var.kms_key_arn

  backup_retention_period   = var.backup_days
  backup_window             = "02:00-03:00"
  maintenance_window        = "sun:03:30-sun:04:30"
  copy_tags_to_snapshot     = true
  delete_automated_backups  = !var.deletion_protection
  deletion_protection       = var.deletion_protection
  skip_final_snapshot       = !var.last_snapshot
  final_snapshot_identifier = "${var.name}-last"

  auto_minor_version_upgrade = true
  apply_immediately          = false # what needs a restart waits for the maintenance window

  performance_insights_enabled          = true
  performance_insights_kms_key_id       = var.kms_key_arn
  performance_insights_retention_period = 7 # days; longer ones are paid for
  monitoring_interval                   = 60
  monitoring_role_arn                   = aws_iam_role.monitoring.arn
  enabled_cloudwatch_logs_exports       = local.logs

  depends_on = [aws_cloudwatch_log_group.this, aws_iam_role_policy_attachment.monitoring]
}

resource "aws_db_instance" "replica" {
  #checkov:skip=CKV_AWS_133:the primary has the backups
  #checkov:skip=CKV_AWS_157:it holds nothing that the primary and its standby do not
  count = var.read_replica ? 1 : 0

  identifier          = local.replica
  replicate_source_db = aws_db_instance.this.identifier
  instance_class      = var.instance_class

  vpc_security_group_ids = [var.security_group_id]
  publicly_accessible    = false
  parameter_group_name   = aws_db_parameter_group.this.name # a standby refuses to start with fewer connections

  storage_type          = "gp3"
  max_allocated_storage = var.storage_most_gb
  storage_encrypted     = true # with the primary's key: AWS wants none to be named here

  copy_tags_to_snapshot = true
  deletion_protection   = var.deletion_protection
  skip_final_snapshot   = true # a replica can have none

  auto_minor_version_upgrade = true
  maintenance_window         = "sun:05:00-sun:06:00" # never together with the primary's

  performance_insights_enabled          = true
  performance_insights_kms_key_id       = var.kms_key_arn
  performance_insights_retention_period = 7
  monitoring_interval                   = 60
  monitoring_role_arn                   = aws_iam_role.monitoring.arn
  enabled_cloudwatch_logs_exports       = local.logs

  depends_on = [aws_cloudwatch_log_group.this, aws_iam_role_policy_attachment.monitoring]
}
