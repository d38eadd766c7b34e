# Where it runs: the name, the image, the certificate. All else has a default that fits production.

variable "name" {
  description = "What all names begin with. Two deployments in one account have two names."
  type        = string
  default     = "scoreboard"

  validation {
    condition     = can(regex("^[a-z][a-z0-9]*(-[a-z0-9]+)*$", var.name)) && length(var.name) >= 3 && length(var.name) <= 24
    error_message = "It must have 3 to 24 small letters, digits and single hyphens, and begin with a letter: a balancer's name ends at 32."
  }
}

variable "image_tag" {
  description = "Tag of the image in the repository that is made here. Tags are immutable: a release has one of its own."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$", var.image_tag))
    error_message = "It must be a tag such as 1.4.0."
  }
}

variable "image_digest" {
  description = "Digest of the image (`sha256:…`), where that is to be named rather than the tag."
  type        = string
  default     = null

  validation {
    condition     = var.image_digest == null || can(regex("^sha256:[0-9a-f]{64}$", var.image_digest))
    error_message = "It must be sha256: and 64 hexadecimal digits."
  }
}

variable "certificate_arn" {
  description = "The certificate (ACM, in the same region) for the host that browsers know."
  type        = string

  validation {
    condition     = can(regex("^arn:aws[a-z-]*:acm:", var.certificate_arn))
    error_message = "It must be the ARN of an ACM certificate."
  }
}

variable "environment" {
  description = "Further settings of the server (SCOREBOARD_…), in clear: catalog, CORS origins, rate limits, JWKS address."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for key, _ in var.environment : startswith(key, "SCOREBOARD_")])
    error_message = "Each must begin with SCOREBOARD_."
  }

  validation {
    condition     = length(setintersection(keys(var.environment), ["SCOREBOARD_DATABASE_PASSWORD", "SCOREBOARD_REDIS_PASSWORD", "SCOREBOARD_JWT_SECRET", "SCOREBOARD_JWT_OLD_SECRETS", "SCOREBOARD_ORIGIN_SECRET"])) == 0
    error_message = "Secrets are made in Secrets Manager, and never stand here in clear."
  }
}

# The tasks.

variable "cpu_architecture" {
  description = "What the image is built for: `ARM64` (a fifth cheaper) or `X86_64`."
  type        = string
  default     = "ARM64"

  validation {
    condition     = contains(["ARM64", "X86_64"], var.cpu_architecture)
    error_message = "It must be ARM64 or X86_64."
  }
}

variable "split_streams" {
  description = "Whether streams have a service of their own, so that deploys and scaling of one do not move the other."
  type        = bool
  default     = true
}

variable "api" {
  description = "Tasks that take scores and answer reads (1,024 CPU units are one core), scaled on CPU."
  type = object({
    cpu         = optional(number, 1024)
    memory_mb   = optional(number, 2048)
    tasks_least = optional(number, 2)
    tasks_most  = optional(number, 4)
  })
  default  = {}
  nullable = false
}

variable "streams" {
  description = "Tasks that hold streams, scaled on open streams a task. Without a service of its own, only most_streams counts."
  type = object({
    cpu          = optional(number, 1024)
    memory_mb    = optional(number, 2048)
    tasks_least  = optional(number, 2)
    tasks_most   = optional(number, 10)
    most_streams = optional(number, 10000) # of a task; its core writes to so many within 100 ms
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.streams.most_streams >= 100 && var.streams.most_streams <= 60000
    error_message = "most_streams must be 100 to 60,000: a task has 65,536 descriptors."
  }
}

variable "collector_image" {
  description = "The ADOT collector, which writes the server's metrics to CloudWatch. A mirror, where tasks have no way out."
  type        = string
  default     = "public.ecr.aws/aws-observability/aws-otel-collector:v0.43.3"
}

# The data.

variable "database" {
  description = "PostgreSQL: its size, how it fails over, how far back it can be restored."
  type = object({
    instance_class  = optional(string, "db.m7g.large")
    storage_gb      = optional(number, 100)
    storage_most_gb = optional(number, 1000)
    max_connections = optional(number, 400)
    pool_size       = optional(number, 5) # of each task: SCOREBOARD_DATABASE_POOL_SIZE
    multi_az        = optional(bool, true)
    read_replica    = optional(bool, false)
    backup_days     = optional(number, 14)
  })
  default  = {}
  nullable = false

  validation {
    # Each task has one connection more, which asks whether the database is there; while a release is rolled out, up to
    # twice the tasks are there.
    condition     = 2 * (var.database.pool_size + 1) * (var.api.tasks_most + (var.split_streams ? var.streams.tasks_most : 0)) <= var.database.max_connections * 0.8
    error_message = "max_connections is too small: all tasks at most, twice (a deploy), times pool_size + 1 have to stay below the 80 % that the alarm tells of."
  }
}

variable "cache" {
  description = "Redis: the size of a node, replicas of each primary, days that snapshots are kept."
  type = object({
    node_type     = optional(string, "cache.m7g.large")
    replicas      = optional(number, 1)
    snapshot_days = optional(number, 1)
  })
  default  = {}
  nullable = false
}

variable "redis_cluster" {
  description = "Whether Redis is a cluster (SCOREBOARD_REDIS_CLUSTER), and of how many shards; 0: it is none."
  type        = number
  default     = 0
}

# Secrets.

variable "secret_versions" {
  description = "Raise a number by one, and that secret gets a new random value; tasks are replaced."
  type = object({
    database = optional(number, 1)
    redis    = optional(number, 1)
    jwt      = optional(number, 1)
    origin   = optional(number, 1)
  })
  default  = {}
  nullable = false
}

variable "accept_previous_jwt_secret" {
  description = "Whether tokens that were signed with the secret before still count. `false` once it has leaked."
  type        = bool
  default     = true
}

variable "kms_key_arn" {
  description = "A key of your own for all that is encrypted; null: one is made. CloudWatch Logs and CloudWatch need to be allowed to use it."
  type        = string
  default     = null
}

# The network.

variable "vpc_cidr" {
  description = "Addresses of the VPC."
  type        = string
  default     = "10.40.0.0/16"
}

variable "zones" {
  description = "In how many availability zones it runs."
  type        = number
  default     = 2
}

variable "nat" {
  description = "NAT gateways: `one` for all zones (cheaper), one in `each_zone`, or `none` (then interface_endpoints, and a mirror of collector_image)."
  type        = string
  default     = "each_zone"

  validation {
    condition     = var.nat != "none" || var.interface_endpoints
    error_message = "Without NAT, tasks reach AWS by interface endpoints alone: set interface_endpoints."
  }
}

variable "interface_endpoints" {
  description = "Whether ECR, logs and secrets are reached inside the VPC (8 USD or so a month for each of four, in each zone)."
  type        = bool
  default     = false
}

variable "access_logs_bucket" {
  description = "Bucket for the balancer's access logs; null: none are kept."
  type        = string
  default     = null
}

variable "web_acl_arn" {
  description = "Web ACL (WAFv2, regional) in front of the balancer; null: none."
  type        = string
  default     = null
}

# Operations.

variable "alarm_email" {
  description = "Who is told of alarms. Others subscribe to the topic that is put out."
  type        = string
  default     = null
}

variable "log_retention_days" {
  description = "How long logs are kept."
  type        = number
  default     = 30

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731], var.log_retention_days)
    error_message = "It must be a number of days that CloudWatch knows: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545 or 731."
  }
}

variable "container_insights" {
  description = "Whether ECS writes each task's own figures to CloudWatch, which are paid for by the metric."
  type        = bool
  default     = true
}

variable "deletion_protection" {
  description = "Whether deleting is refused (balancer, database), secrets can be brought back, and images stay. Set it to false, apply, then destroy."
  type        = bool
  default     = true
}

variable "last_snapshot" {
  description = "Whether a snapshot of the database is taken when it is destroyed. It costs money until you delete it."
  type        = bool
  default     = true
}
