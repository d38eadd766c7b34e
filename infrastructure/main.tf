# The whole, from the network up. Each module says what it needs; here is who gets what from whom.

locals {
  container_port = 8000
  # Fargate ends a task 120 s after SIGTERM: that is the longest drain which leaves room for grace and last requests.
  streams_drain_seconds = 60
  api_drain_seconds     = 5

  # One image, two services by the balancer's path rule; or one that does both.
  services = merge(
    {
      api = merge(var.api, {
        paths         = []
        scales_on_cpu = true
        drain_seconds = var.split_streams ? local.api_drain_seconds : local.streams_drain_seconds
        most_streams  = var.split_streams ? null : var.streams.most_streams
      })
    },
    {
      for name in var.split_streams ? ["streams"] : [] : name => merge(var.streams, {
        paths         = ["/api/leaderboard/stream"]
        scales_on_cpu = false # a busy board is written less often, not later: its core may be full
        drain_seconds = local.streams_drain_seconds
      })
    },
  )

  image = "${module.registry.repository_url}${var.image_digest == null ? ":${var.image_tag}" : "@${var.image_digest}"}"

  environment = merge(
    {
      SCOREBOARD_DATABASE_URL       = module.database.url
      SCOREBOARD_DATABASE_POOL_SIZE = tostring(var.database.pool_size)
      SCOREBOARD_REDIS_URL          = module.cache.url
      SCOREBOARD_REDIS_CLUSTER      = tostring(var.redis_cluster > 0)
    },
    var.database.read_replica ? { SCOREBOARD_DATABASE_READ_URL = module.database.read_url } : {},
    var.environment,
  )

  secrets = merge(
    {
      SCOREBOARD_DATABASE_PASSWORD = module.secrets.arns["database"]
      SCOREBOARD_REDIS_PASSWORD    = module.secrets.arns["redis"]
      SCOREBOARD_JWT_SECRET        = module.secrets.arns["jwt"]
      SCOREBOARD_ORIGIN_SECRET     = module.secrets.arns["origin"]
    },
    # The version before is there from the first change on; a task that asks for one that is not does not start.
    var.secret_versions.jwt > 1 && var.accept_previous_jwt_secret ? {
      SCOREBOARD_JWT_OLD_SECRETS = "${module.secrets.arns["jwt"]}::AWSPREVIOUS:"
    } : {},
  )
}

module "network" {
  source = "./modules/network"

  name                = var.name
  cidr                = var.vpc_cidr
  zones               = var.zones
  nat                 = var.nat
  interface_endpoints = var.interface_endpoints
  container_port      = local.container_port
  kms_key_arn         = local.kms_key_arn
  log_retention_days  = var.log_retention_days
}

module "registry" {
  source = "./modules/registry"

  name         = var.name
  kms_key_arn  = local.kms_key_arn
  force_delete = !var.deletion_protection
}

module "secrets" {
  source = "./modules/secrets"

  name          = var.name
  kms_key_arn   = local.kms_key_arn
  versions      = var.secret_versions
  recovery_days = var.deletion_protection ? 30 : 0
}

module "database" {
  source = "./modules/database"

  name                = var.name
  password            = module.secrets.database_password
  password_version    = var.secret_versions.database
  instance_class      = var.database.instance_class
  storage_gb          = var.database.storage_gb
  storage_most_gb     = var.database.storage_most_gb
  max_connections     = var.database.max_connections
  multi_az            = var.database.multi_az
  read_replica        = var.database.read_replica
  backup_days         = var.database.backup_days
  deletion_protection = var.deletion_protection
  last_snapshot       = var.last_snapshot
  subnet_ids          = module.network.isolated_subnet_ids
  security_group_id   = module.network.security_group_ids["database"]
  kms_key_arn         = local.kms_key_arn
  log_retention_days  = var.log_retention_days
}

module "cache" {
  source = "./modules/cache"

  name              = var.name
  node_type         = var.cache.node_type
  replicas          = var.cache.replicas
  shards            = var.redis_cluster
  auth_token        = module.secrets.redis_auth_token
  snapshot_days     = var.cache.snapshot_days
  subnet_ids        = module.network.isolated_subnet_ids
  security_group_id = module.network.security_group_ids["cache"]
  kms_key_arn       = local.kms_key_arn
}

module "service" {
  source = "./modules/service"

  name             = var.name
  image            = local.image
  cpu_architecture = var.cpu_architecture
  services         = local.services
  environment      = local.environment
  secrets          = local.secrets
  secret_arns      = values(module.secrets.arns)
  secret_versions  = join(" ", [for secret, version in var.secret_versions : "${secret}=${version}"])

  vpc_id                     = module.network.vpc_id
  public_subnet_ids          = module.network.public_subnet_ids
  private_subnet_ids         = module.network.private_subnet_ids
  trusted_proxies            = module.network.public_cidrs
  balancer_security_group_id = module.network.security_group_ids["balancer"]
  tasks_security_group_id    = module.network.security_group_ids["tasks"]
  container_port             = local.container_port

  certificate_arn     = var.certificate_arn
  access_logs_bucket  = var.access_logs_bucket
  web_acl_arn         = var.web_acl_arn
  deletion_protection = var.deletion_protection
  repository_arn      = module.registry.repository_arn
  kms_key_arn         = local.kms_key_arn
  collector_image     = var.collector_image
  container_insights  = var.container_insights
  log_retention_days  = var.log_retention_days
}

module "observability" {
  source = "./modules/observability"

  name                = var.name
  kms_key_arn         = local.kms_key_arn
  alarm_email         = var.alarm_email
  balancer            = module.service.balancer.metrics
  target_groups       = module.service.target_groups
  cluster_name        = module.service.cluster_name
  service_names       = module.service.service_names
  most_streams        = { for name, service in local.services : name => service.most_streams if service.most_streams != null }
  metrics_namespace   = module.service.metrics_namespace
  database_identifier = module.database.identifier
  replica_identifier  = module.database.replica_identifier
  has_replica         = var.database.read_replica
  max_connections     = var.database.max_connections
  storage_gb          = var.database.storage_gb
  cache_node_ids      = module.cache.node_ids
  certificate_arn     = var.certificate_arn
}
