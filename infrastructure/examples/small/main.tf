# About 1,000 people at once, as cheap as it gets without giving up what would hurt: backups, encryption and alarms stay.
# What it gives up: a zone that fails, a node of Redis or a database that fails stops it for minutes (nothing that was
# acknowledged is lost: Redis is rebuilt from PostgreSQL).

module "scoreboard" {
  source = "../.."

  name                = "scoreboard-small"
  image_tag           = var.image_tag
  certificate_arn     = var.certificate_arn
  alarm_email         = var.alarm_email
  deletion_protection = var.deletion_protection
  last_snapshot       = var.last_snapshot
  secret_versions     = var.secret_versions

  # One service for all, of one task; a second one comes under load and while a release is rolled out.
  split_streams = false
  api           = { cpu = 256, memory_mb = 1024, tasks_least = 1, tasks_most = 3 }
  streams       = { most_streams = 2000 }

  # One way out for all zones. Tasks with public addresses would save its 35 USD or so a month, and open them to the Internet but
  # for one security group; interface endpoints in its place cost nearly the same in one zone, and twice that in two.
  nat = "one"

  database = {
    instance_class  = "db.t4g.micro"
    storage_gb      = 20
    storage_most_gb = 100
    max_connections = 80
    multi_az        = false
    backup_days     = 7
  }

  cache = { node_type = "cache.t4g.micro", replicas = 0, snapshot_days = 1 }

  container_insights = false
  log_retention_days = 14
}
