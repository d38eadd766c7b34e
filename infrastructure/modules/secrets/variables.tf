variable "name" {
  description = "What the secrets' names begin with."
  type        = string
}

variable "kms_key_arn" {
  description = "The key that encrypts them."
  type        = string
}

variable "versions" {
  description = "By secret: raise a number by one, and a new random value is written."
  type = object({
    database = number
    redis    = number
    jwt      = number
    origin   = number
  })
}

variable "recovery_days" {
  description = "How long a deleted secret can be brought back; 0: not at all."
  type        = number

  validation {
    condition     = var.recovery_days == 0 || (var.recovery_days >= 7 && var.recovery_days <= 30)
    error_message = "It must be 0, or 7 to 30."
  }
}
