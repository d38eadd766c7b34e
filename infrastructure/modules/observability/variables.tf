variable "name" {
  description = "What all names begin with."
  type        = string
}

variable "kms_key_arn" {
  description = "The key that encrypts the topic. CloudWatch must be allowed to use it."
  type        = string
}

variable "alarm_email" {
  description = "Who is told; null: nobody but those who subscribe by themselves."
  type        = string
}

variable "balancer" {
  description = "The balancer, as CloudWatch names it."
  type        = string
}

variable "target_groups" {
  description = "By service: its target group, as CloudWatch names it."
  type        = map(string)
}

variable "cluster_name" {
  description = "The ECS cluster."
  type        = string
}

variable "service_names" {
  description = "By service: the dimension ServiceName of its metrics."
  type        = map(string)
}

variable "most_streams" {
  description = "By service that has streams: how many a task takes."
  type        = map(number)
}

variable "metrics_namespace" {
  description = "Where the server's own metrics are in CloudWatch."
  type        = string
}

variable "database_identifier" {
  description = "The database, as CloudWatch names it."
  type        = string
}

variable "replica_identifier" {
  description = "Its replica; null: none."
  type        = string
}

variable "has_replica" {
  description = "Whether there is one."
  type        = bool
}

variable "max_connections" {
  description = "How many connections the database takes."
  type        = number
}

variable "storage_gb" {
  description = "The database's disk."
  type        = number
}

variable "cache_node_ids" {
  description = "Each node of Redis, as CloudWatch names it."
  type        = list(string)
}

variable "certificate_arn" {
  description = "The balancer's certificate."
  type        = string
}
