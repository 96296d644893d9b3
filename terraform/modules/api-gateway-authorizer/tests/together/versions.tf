terraform {
  required_version = ">= 1.11"

  required_providers {
    # Without this, the test's mock would not reach the modules.
    aws = {
      source  = "hashicorp/aws"
      version = "~> 6.0"
    }
  }
}
