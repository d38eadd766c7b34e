# Some 70,000 streams at 70 % of ten tasks, and any part may fail: two zones with a way out each, a standby and a replica of
# PostgreSQL, a replica of Redis.

module "scoreboard" {
  source = "../.."

  name                = "scoreboard-production"
  image_tag           = var.image_tag
  certificate_arn     = var.certificate_arn
  alarm_email         = var.alarm_email
  deletion_protection = var.deletion_protection
  last_snapshot       = var.last_snapshot
  secret_versions     = var.secret_versions

  api     = { cpu = 1024, memory_mb = 2048, tasks_least = 2, tasks_most = 4 }
  streams = { cpu = 1024, memory_mb = 2048, tasks_least = 2, tasks_most = 10, most_streams = 10000 }

  zones = 2
  nat   = "each_zone"

  database = {
    instance_class  = "db.m7g.large"
    storage_gb      = 100
    storage_most_gb = 1000
    max_connections = 400
    multi_az        = true
    read_replica    = true
    backup_days     = 14
  }

  cache = { node_type = "cache.m7g.large", replicas = 1, snapshot_days = 7 }

  log_retention_days = 90
}
