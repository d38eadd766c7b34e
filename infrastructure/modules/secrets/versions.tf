terraform {
  required_version = ">= 1.11" # write-only arguments: passwords that never come into the state

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100"
    }
  }
}
