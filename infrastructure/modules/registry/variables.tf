variable "name" {
  description = "The repository's name."
  type        = string
}

variable "kms_key_arn" {
  description = "The key that encrypts the images."
  type        = string
}

variable "images_kept" {
  description = "How many tagged images stay: so far back a roll-back can go."
  type        = number
  default     = 30

  validation {
    condition     = var.images_kept >= 2
    error_message = "It must be 2 or more: a roll-back needs the image before."
  }
}

variable "force_delete" {
  description = "Whether the repository may be deleted while it holds images."
  type        = bool
}
