mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name         = "board"
  kms_key_arn  = "arn:aws:kms:eu-central-1:123456789012:key/a"
  force_delete = false
}

run "registry" {
  module {
    source = "./modules/registry"
  }

  # Images are scanned encrypted and never overwritten.
  assert {
    condition     = aws_ecr_repository.this.image_tag_mutability == "IMMUTABLE"
    error_message = "A tag must mean the same tomorrow."
  }

  assert {
    condition     = aws_ecr_repository.this.image_scanning_configuration[0].scan_on_push && aws_ecr_repository.this.encryption_configuration[0].kms_key == var.kms_key_arn
    error_message = "Images have to be scanned on push, and encrypted with the key."
  }

  assert {
    condition     = !aws_ecr_repository.this.force_delete
    error_message = "Images must not go with the repository, unless somebody said so."
  }

  # Old images go and enough stay to roll back.
  assert {
    condition = {
      for rule in jsondecode(aws_ecr_lifecycle_policy.this.policy).rules : rule.selection.tagStatus => rule.selection.countNumber
    } == { untagged = 7, any = 30 }
    error_message = "Thirty images stay, and layers without a tag for a week."
  }
}
