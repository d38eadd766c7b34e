variable "region" {
  description = "Where it runs."
  type        = string
  default     = "eu-central-1"
}

variable "certificate_arn" {
  description = "The certificate (ACM, in the same region) for the host that browsers know."
  type        = string
}

variable "image_tag" {
  description = "Tag of the image."
  type        = string
}

variable "alarm_email" {
  description = "Who is told of alarms."
  type        = string
  default     = null
}

variable "deletion_protection" {
  description = "Whether deleting is refused. Set it to false, apply, then destroy."
  type        = bool
  default     = true
}

variable "last_snapshot" {
  description = "Whether a snapshot of the database is taken when it is destroyed."
  type        = bool
  default     = true
}

variable "secret_versions" {
  description = "Raise a number by one, and that secret gets a new value: database, redis, jwt, origin."
  type        = map(number)
  default     = {}
}
