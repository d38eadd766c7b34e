variable "name" {
  description = "The instance's name."
  type        = string
}

variable "user" {
  description = "The one user: it owns the tables, and the server and its migrations both connect as it."
  type        = string
  default     = "scoreboard"
}

variable "password" {
  description = "Its password."
  type        = string
  ephemeral   = true
}

variable "password_version" {
  description = "Raised by one whenever the password has changed."
  type        = number
}

variable "instance_class" {
  description = "Size of the instance, and of its replica."
  type        = string
}

variable "storage_gb" {
  description = "Disk at the start."
  type        = number

  validation {
    condition     = var.storage_gb >= 20
    error_message = "It must be 20 or more: gp3 has no smaller ones."
  }
}

variable "storage_most_gb" {
  description = "How far the disk grows by itself."
  type        = number

  validation {
    condition     = var.storage_most_gb >= var.storage_gb * 1.1
    error_message = "It must be at least a tenth more than storage_gb: RDS wants that."
  }
}

variable "max_connections" {
  description = "PostgreSQL's max_connections: stated, so that the alarm's 80 % is of a number that is known."
  type        = number

  validation {
    condition     = var.max_connections >= 25 && var.max_connections <= 5000
    error_message = "It must be 25 to 5,000."
  }
}

variable "multi_az" {
  description = "Whether a standby in another zone takes over."
  type        = bool
}

variable "read_replica" {
  description = "Whether a replica answers fills, histories and exports."
  type        = bool
}

variable "backup_days" {
  description = "How far back the database can be restored, to the second."
  type        = number

  validation {
    condition     = var.backup_days >= 1 && var.backup_days <= 35
    error_message = "It must be 1 to 35."
  }
}

variable "deletion_protection" {
  description = "Whether deleting is refused; where it is not, the automated backups are deleted with the database."
  type        = bool
}

variable "last_snapshot" {
  description = "Whether a snapshot is taken when the database is destroyed."
  type        = bool
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
  description = "The key that encrypts disk, backups, Performance Insights and logs."
  type        = string
}

variable "log_retention_days" {
  description = "How long PostgreSQL's log is kept."
  type        = number
}
