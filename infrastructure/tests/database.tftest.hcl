mock_provider "aws" {
  source = "./tests/mocks"

  mock_resource "aws_db_instance" {
    defaults = { address = "board.example" }
  }
}

variables {
  name                = "board"
  password            = "of the test alone"
  password_version    = 1
  instance_class      = "db.m7g.large"
  storage_gb          = 100
  storage_most_gb     = 1000
  max_connections     = 400
  multi_az            = true
  read_replica        = true
  backup_days         = 14
  deletion_protection = true
  last_snapshot       = true
  subnet_ids          = ["subnet-a", "subnet-b"]
  security_group_id   = "sg-database"
  kms_key_arn         = "arn:aws:kms:eu-central-1:123456789012:key/a"
  log_retention_days  = 30
}

run "production" {
  module {
    source = "./modules/database"
  }

  # Production survives a zone and a mistake.
  assert {
    condition     = aws_db_instance.this.engine == "postgres" && startswith(aws_db_instance.this.engine_version, "15") && aws_db_instance.this.multi_az
    error_message = "It has to be PostgreSQL 15 with a standby."
  }

  assert {
    condition     = aws_db_instance.this.deletion_protection && !aws_db_instance.this.skip_final_snapshot && !aws_db_instance.this.delete_automated_backups && aws_db_instance.this.backup_retention_period == 14
    error_message = "It must be hard to delete, and come back to any second of two weeks."
  }

  assert {
    condition     = aws_db_instance.this.storage_type == "gp3" && aws_db_instance.this.max_allocated_storage == 1000 && aws_db_instance.this.auto_minor_version_upgrade
    error_message = "The disk has to grow, and patches to come, by themselves."
  }

  # Everything is encrypted and nothing public.
  assert {
    condition = alltrue([
      for instance in [aws_db_instance.this, aws_db_instance.replica[0]] : alltrue([
        instance.storage_encrypted,
        !instance.publicly_accessible,
        instance.performance_insights_enabled,
        instance.performance_insights_kms_key_id == var.kms_key_arn,
        instance.monitoring_interval == 60,
        toset(instance.vpc_security_group_ids) == toset(["sg-database"]),
      ])
    ])
    error_message = "Disk and Performance Insights have to be encrypted, behind the one group."
  }

  assert {
    condition     = aws_db_instance.this.kms_key_id == var.kms_key_arn
    error_message = "The primary has to be encrypted with the key; a replica takes it over."
  }

  assert {
    condition     = { for parameter in aws_db_parameter_group.this.parameter : parameter.name => parameter.value }["rds.force_ssl"] == "1"
    error_message = "A connection without TLS must be refused."
  }

  assert {
    condition     = length(aws_cloudwatch_log_group.this) == 4 && alltrue([for group in aws_cloudwatch_log_group.this : group.kms_key_id == var.kms_key_arn && group.retention_in_days == 30])
    error_message = "The logs of both have to be encrypted, and not kept for ever."
  }

  assert {
    condition     = aws_db_instance.this.password == null && aws_db_instance.this.password_wo == null && aws_db_instance.this.password_wo_version == 1
    error_message = "The password must not be in the state."
  }

  # The alarm knows how many connections there are.
  assert {
    condition     = { for parameter in aws_db_parameter_group.this.parameter : parameter.name => parameter.value }["max_connections"] == "400"
    error_message = "max_connections has to be stated, not left to the size of the instance."
  }

  # No user id stands in a log.
  assert {
    condition = alltrue([
      for name in ["log_parameter_max_length", "log_parameter_max_length_on_error"] :
      { for parameter in aws_db_parameter_group.this.parameter : parameter.name => parameter.value }[name] == "0"
    ])
    error_message = "Slow and failed statements have to be logged without their parameters."
  }

  # The server reads from the replica.
  assert {
    condition     = output.url == "postgresql://scoreboard@board.example:5432/scoreboard?sslmode=require" && output.read_url == output.url
    error_message = "Both have an address with TLS and without a password."
  }

  assert {
    condition     = aws_db_instance.replica[0].replicate_source_db == "board" && output.replica_identifier == "board-replica"
    error_message = "The replica has to follow the primary."
  }
}

run "small_has_one_instance" {
  module {
    source = "./modules/database"
  }

  variables {
    multi_az            = false
    read_replica        = false
    deletion_protection = false
  }

  assert {
    condition     = length(aws_db_instance.replica) == 0 && output.read_url == null
    error_message = "There must be no replica, nor an address of one."
  }

  assert {
    condition     = !aws_db_instance.this.deletion_protection && !aws_db_instance.this.skip_final_snapshot && aws_db_instance.this.final_snapshot_identifier == "${var.name}-last"
    error_message = "Without protection it can be destroyed, and a last snapshot has to be taken."
  }

  assert {
    condition     = aws_db_instance.this.storage_encrypted && aws_db_instance.this.backup_retention_period == 14
    error_message = "Encryption and backups are not what is saved."
  }
}

run "a_disk_that_cannot_grow_is_refused" {
  command = plan

  module {
    source = "./modules/database"
  }

  variables {
    storage_most_gb = 100
  }

  expect_failures = [var.storage_most_gb]
}
