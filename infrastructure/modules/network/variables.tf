variable "name" {
  description = "What all names begin with."
  type        = string
}

variable "cidr" {
  description = "Addresses of the VPC. A /16 gives each subnet 4,091 of them."
  type        = string

  validation {
    condition     = can(cidrsubnet(var.cidr, 4, 15)) && tonumber(split("/", var.cidr)[1]) <= 22
    error_message = "It must be an IPv4 network of /22 or larger, such as 10.40.0.0/16."
  }
}

variable "zones" {
  description = "In how many availability zones the subnets lie."
  type        = number

  validation {
    condition     = contains([2, 3, 4], var.zones)
    error_message = "It must be 2, 3 or 4: the balancer and the database want two at least."
  }
}

variable "nat" {
  description = "NAT gateways: `none`, `one` for all zones, or one in `each_zone`."
  type        = string

  validation {
    condition     = contains(["none", "one", "each_zone"], var.nat)
    error_message = "It must be none, one or each_zone."
  }
}

variable "interface_endpoints" {
  description = "Whether AWS's own services are reached inside the VPC (ECR, logs, secrets). S3 always is."
  type        = bool
}

variable "container_port" {
  description = "Where the tasks listen."
  type        = number
}

variable "database_port" {
  description = "Where PostgreSQL listens."
  type        = number
  default     = 5432
}

variable "cache_port" {
  description = "Where Redis listens."
  type        = number
  default     = 6379
}

variable "kms_key_arn" {
  description = "The key that encrypts the flow logs."
  type        = string
}

variable "log_retention_days" {
  description = "How long flow logs are kept."
  type        = number
}
