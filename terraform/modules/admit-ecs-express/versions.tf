terraform {
  required_version = ">= 1.11"

  required_providers {
    # 6.23 is the first with Express Mode.
    aws = {
      source  = "hashicorp/aws"
      version = "~> 6.23"
    }
  }
}
