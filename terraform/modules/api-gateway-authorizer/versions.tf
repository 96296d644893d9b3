terraform {
  required_version = ">= 1.11"

  required_providers {
    # 6.0 is the first with `region` on data.aws_region.
    aws = {
      source  = "hashicorp/aws"
      version = "~> 6.0"
    }
  }
}
