# Well-formed values for what the cloud would choose: Terraform's own are random text, which is no ARN.

mock_resource "aws_cloudwatch_log_group" {
  defaults = {
    arn = "arn:aws:logs:us-east-1:123456789012:log-group:terraform-ec864fe99b53"
    id  = "terraform-ec864fe99b53"
  }
}

mock_resource "aws_db_instance" {
  defaults = {
    address            = "terraform-ec864fe99b53.ec864fe99b53.us-east-1.rds.amazonaws.com"
    arn                = "arn:aws:rds:us-east-1:123456789012:db:terraform-ec864fe99b53"
    endpoint           = "terraform-ec864fe99b53.ec864fe99b53.us-east-1.rds.amazonaws.com:5432"
    hosted_zone_id     = "Z2R2ITUGPM61AM"
    id                 = "db-ec864fe99b539704b8872ac591"
    master_user_secret = [{ secret_arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:rds!db-ec864fe9-9b53-4704-8887-2ac591067ef2-ec864f", secret_status = "active", kms_key_id = "arn:aws:kms:us-east-1:123456789012:key/ec864fe9-9b53-4704-8887-2ac591067ef2" }]
    resource_id        = "db-ec864fe99b539704b8872ac591"
    status             = "available"
  }
}

mock_resource "aws_db_subnet_group" {
  defaults = {
    arn = "arn:aws:rds:us-east-1:123456789012:subgrp:terraform-ec864fe99b53"
    id  = "terraform-ec864fe99b53"
  }
}

mock_resource "aws_rds_cluster" {
  defaults = {
    arn                 = "arn:aws:rds:us-east-1:123456789012:cluster:tf-ec864fe99b53"
    cluster_resource_id = "cluster-ec864fe99b539704b8872ac591"
    endpoint            = "tf-ec864fe99b53.cluster-ec864fe99b53.us-east-1.rds.amazonaws.com"
    id                  = "tf-ec864fe99b53"
    master_user_secret  = [{ secret_arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:rds!cluster-ec864fe9-9b53-4704-8887-2ac591067ef2-ec864f", secret_status = "active", kms_key_id = "arn:aws:kms:us-east-1:123456789012:key/ec864fe9-9b53-4704-8887-2ac591067ef2" }]
    reader_endpoint     = "tf-ec864fe99b53.cluster-ro-ec864fe99b53.us-east-1.rds.amazonaws.com"
  }
}

mock_resource "aws_rds_cluster_instance" {
  defaults = {
    arn      = "arn:aws:rds:us-east-1:123456789012:db:tf-ec864fe99b53"
    endpoint = "tf-ec864fe99b53.ec864fe99b53.us-east-1.rds.amazonaws.com"
    id       = "tf-ec864fe99b53"
    port     = 5432
    writer   = true
  }
}

mock_resource "aws_secretsmanager_secret" {
  defaults = {
    arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:terraform-ec864fe99b53-ec864f"
    id  = "arn:aws:secretsmanager:us-east-1:123456789012:secret:terraform-ec864fe99b53-ec864f"
  }
}

mock_resource "aws_secretsmanager_secret_version" {
  defaults = {
    arn                  = "arn:aws:secretsmanager:us-east-1:123456789012:secret:mock-ec864f"
    has_secret_string_wo = true
    id                   = "mock-secret-id|ec864fe9-9b53-4704-8887-2ac591067ef2"
    secret_arn           = "arn:aws:secretsmanager:us-east-1:123456789012:secret:mock-ec864f"
    version_id           = "ec864fe9-9b53-4704-8887-2ac591067ef2"
  }
}

mock_resource "aws_security_group" {
  defaults = {
    arn      = "arn:aws:ec2:us-east-1:123456789012:security-group/sg-ec864fe99b539704b"
    id       = "sg-ec864fe99b539704b"
    owner_id = "123456789012"
  }
}
