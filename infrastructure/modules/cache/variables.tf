variable "name" {
  description = "The replication group's name."
  type        = string

  validation {
    condition     = length(var.name) <= 40
    error_message = "It must have 40 characters at most."
  }
}

variable "node_type" {
  description = "Size of each node."
  type        = string
}

variable "replicas" {
  description = "Replicas of each primary. From one on, a failed primary is replaced by itself, in another zone."
  type        = number

  validation {
    condition     = var.replicas >= 0 && var.replicas <= 5
    error_message = "It must be 0 to 5."
  }
}

variable "shards" {
  description = "Primaries of a Redis Cluster; 0: no cluster."
  type        = number

  validation {
    condition     = var.shards == 0 || (var.shards >= 2 && var.shards <= 90)
    error_message = "It must be 0 (no cluster), or 2 to 90."
  }

  validation {
    condition     = var.shards == 0 || var.replicas >= 1
    error_message = "A cluster fails over by itself: replicas must be 1 or more."
  }
}

variable "auth_token" {
  description = "What clients authenticate with."
  type        = string
  sensitive   = true
}

variable "snapshot_days" {
  description = "How long daily snapshots are kept. Redis is a copy: all of it can be rebuilt from PostgreSQL."
  type        = number
}

variable "subnet_ids" {
  description = "Subnets without a way out, in two zones or more."
  type        = list(string)
}

variable "security_group_id" {
  description = "Lets the tasks in, and nobody else."
  type        = string
}

variable "kms_key_arn" {
  description = "The key that encrypts what is on disk."
  type        = string
}
