variable "name" {
  description = "What all names begin with."
  type        = string
}

variable "image" {
  description = "The image: repository with a tag, or with a digest."
  type        = string
}

variable "cpu_architecture" {
  description = "What the image was built for: `ARM64` or `X86_64`."
  type        = string
}

variable "services" {
  description = "By name: its size, its bounds, the paths it answers (none: all that no other does), what it is scaled on."
  type = map(object({
    cpu           = number # 1,024 are one core
    memory_mb     = number
    tasks_least   = number
    tasks_most    = number
    drain_seconds = number
    paths         = list(string)
    most_streams  = optional(number)      # of a task; scaled on 70 % of it
    scales_on_cpu = optional(bool, false) # to 60 %
  }))

  validation {
    condition     = length([for service in var.services : service if length(service.paths) == 0]) == 1
    error_message = "Exactly one service must have no paths: it answers all that no other does."
  }

  validation {
    condition     = alltrue([for service in var.services : service.tasks_least >= 1 && service.tasks_least <= service.tasks_most])
    error_message = "Each must have tasks_least of 1 or more, and tasks_most of that or more."
  }

  validation {
    condition     = alltrue([for service in var.services : service.drain_seconds >= 0 && service.drain_seconds <= 90])
    error_message = "Each must have drain_seconds of 0 to 90: Fargate kills 120 s after SIGTERM, and the server needs 25 s beside them."
  }
}

variable "environment" {
  description = "Settings of the server, in clear."
  type        = map(string)
}

variable "secrets" {
  description = "Settings of the server that are secrets: by setting, what ECS reads it from."
  type        = map(string)
}

variable "secret_arns" {
  description = "The secrets that these lie in: the only ones that may be read."
  type        = list(string)
}

variable "secret_versions" {
  description = "Versions of the secrets as one text: when it changes, so does the task definition, and tasks are replaced."
  type        = string
}

variable "vpc_id" {
  description = "The VPC."
  type        = string
}

variable "public_subnet_ids" {
  description = "For the balancer."
  type        = list(string)
}

variable "private_subnet_ids" {
  description = "For the tasks."
  type        = list(string)
}

variable "trusted_proxies" {
  description = "Networks that the balancer speaks from."
  type        = list(string)
}

variable "balancer_security_group_id" {
  description = "Lets browsers in."
  type        = string
}

variable "tasks_security_group_id" {
  description = "Lets the balancer in."
  type        = string
}

variable "container_port" {
  description = "Where the tasks listen."
  type        = number
}

variable "certificate_arn" {
  description = "The certificate (ACM) of the balancer."
  type        = string
}

variable "access_logs_bucket" {
  description = "Bucket for the balancer's access logs; null: none are kept."
  type        = string
}

variable "web_acl_arn" {
  description = "Web ACL (WAFv2) in front of the balancer; null: none."
  type        = string
}

variable "deletion_protection" {
  description = "Whether deleting the balancer is refused."
  type        = bool
}

variable "repository_arn" {
  description = "Where the image may be pulled from."
  type        = string
}

variable "kms_key_arn" {
  description = "The key that encrypts secrets and logs."
  type        = string
}

variable "collector_image" {
  description = "The image of the ADOT collector."
  type        = string
}

variable "container_insights" {
  description = "Whether ECS writes each task's own figures, which are paid for by the metric."
  type        = bool
}

variable "log_retention_days" {
  description = "How long logs are kept."
  type        = number
}
