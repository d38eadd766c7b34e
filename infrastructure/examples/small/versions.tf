terraform {
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100"
    }
  }

  # The state holds the Redis token, which ElastiCache takes in no other way: keep it encrypted, and from the eyes of most.
  # backend "s3" {
  #   bucket       = "…"
  #   key          = "scoreboard/terraform.tfstate"
  #   region       = "eu-central-1"
  #   encrypt      = true
  #   kms_key_id   = "…"
  #   use_lockfile = true
  # }
}

provider "aws" {
  region = var.region

  default_tags {
    tags = { Application = "scoreboard-small" }
  }
}
