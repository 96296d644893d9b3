# What AWS would choose, well-formed: the modules look at such values.

mock_resource "aws_acm_certificate" {
  defaults = {
    arn                       = "arn:aws:acm:us-east-1:123456789012:certificate/ec864fe9-9b53-4704-8887-2ac591067ef2"
    domain_validation_options = [{ resource_record_name = "_ec864fe99b539704b8872ac591067ef2.mock-domain-name.", resource_record_type = "CNAME", resource_record_value = "_ec864fe99b539704b8872ac5.acm-validations.aws." }]
    id                        = "arn:aws:acm:us-east-1:123456789012:certificate/ec864fe9-9b53-4704-8887-2ac591067ef2"
    status                    = "PENDING_VALIDATION"
  }
}

mock_resource "aws_acm_certificate_validation" {
  defaults = {
    id = "2024-01-01 00:00:00 +0000 UTC"
  }
}

mock_resource "aws_apprunner_auto_scaling_configuration_version" {
  defaults = {
    arn                                 = "arn:aws:apprunner:us-east-1:123456789012:autoscalingconfiguration/mock-auto-scaling-configuration-name/1/ec864fe99b539704b8872ac591067ef2"
    auto_scaling_configuration_revision = 1
    id                                  = "arn:aws:apprunner:us-east-1:123456789012:autoscalingconfiguration/mock-auto-scaling-configuration-name/1/ec864fe99b539704b8872ac591067ef2"
    latest                              = true
  }
}

mock_resource "aws_apprunner_custom_domain_association" {
  defaults = {
    dns_target = "ec864fe99b.us-east-1.awsapprunner.com"
    id         = "mock-domain-name,arn:aws:mock:us-east-1:123456789012:mock"
    status     = "pending_certificate_dns_validation"
  }
}

mock_resource "aws_apprunner_service" {
  defaults = {
    arn         = "arn:aws:apprunner:us-east-1:123456789012:service/mock-service-name/ec864fe99b539704b8872ac591067ef2"
    id          = "arn:aws:apprunner:us-east-1:123456789012:service/mock-service-name/ec864fe99b539704b8872ac591067ef2"
    service_id  = "ec864fe99b539704b8872ac591067ef2"
    service_url = "ec864fe99b.us-east-1.awsapprunner.com"
    status      = "RUNNING"
  }
}

mock_resource "aws_apprunner_vpc_connector" {
  defaults = {
    arn                    = "arn:aws:apprunner:us-east-1:123456789012:vpcconnector/mock-vpc-connector-name/1/ec864fe99b539704b8872ac591067ef2"
    id                     = "arn:aws:apprunner:us-east-1:123456789012:vpcconnector/mock-vpc-connector-name/1/ec864fe99b539704b8872ac591067ef2"
    status                 = "ACTIVE"
    vpc_connector_revision = 1
  }
}

mock_resource "aws_cloudwatch_dashboard" {
  defaults = {
    dashboard_arn = "arn:aws:cloudwatch::123456789012:dashboard/mock-dashboard-name"
    id            = "mock-dashboard-name"
  }
}

mock_resource "aws_cloudwatch_log_group" {
  defaults = {
    arn = "arn:aws:logs:us-east-1:123456789012:log-group:terraform-ec864fe99b53"
    id  = "terraform-ec864fe99b53"
  }
}

mock_resource "aws_cloudwatch_metric_alarm" {
  defaults = {
    arn = "arn:aws:cloudwatch:us-east-1:123456789012:alarm:mock-alarm-name"
    id  = "mock-alarm-name"
  }
}

mock_resource "aws_cognito_resource_server" {
  defaults = {
    id                = "mock-user-pool-id|mock-identifier"
    scope_identifiers = []
  }
}

mock_resource "aws_cognito_user" {
  defaults = {
    status = "CONFIRMED"
    sub    = "ec864fe9-9b53-4704-8887-2ac591067ef2"
  }
}

mock_resource "aws_cognito_user_pool" {
  defaults = {
    arn                       = "arn:aws:cognito-idp:us-east-1:123456789012:userpool/us-east-1_ec864fe99"
    custom_domain             = ""
    domain                    = ""
    endpoint                  = "cognito-idp.us-east-1.amazonaws.com/us-east-1_ec864fe99"
    estimated_number_of_users = 0
    id                        = "us-east-1_ec864fe99"
  }
}

mock_resource "aws_cognito_user_pool_client" {
  defaults = {
    client_secret = "ec864fe99b539704b8872ac591067ef22d836a8d942087f2dba"
    id            = "ec864fe99b539704b8872ac591"
  }
}

mock_resource "aws_cognito_user_pool_domain" {
  defaults = {
    aws_account_id                  = "123456789012"
    cloudfront_distribution         = "ec864fe99b5397.cloudfront.net"
    cloudfront_distribution_arn     = "ec864fe99b5397.cloudfront.net"
    cloudfront_distribution_zone_id = "Z2FDTNDATAQYW2"
    id                              = "mock-domain"
    s3_bucket                       = "aws-cognito-prod-us-east-1-assets"
    version                         = "20240101000000"
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

mock_resource "aws_ecs_cluster" {
  defaults = {
    arn = "arn:aws:ecs:us-east-1:123456789012:cluster/mock-name"
    id  = "arn:aws:ecs:us-east-1:123456789012:cluster/mock-name"
  }
}

mock_resource "aws_ecs_service" {
  defaults = {
    arn = "arn:aws:ecs:us-east-1:123456789012:service/default/mock-name"
    id  = "arn:aws:ecs:us-east-1:123456789012:service/default/mock-name"
  }
}

mock_resource "aws_ecs_task_definition" {
  defaults = {
    arn                  = "arn:aws:ecs:us-east-1:123456789012:task-definition/mock-family:1"
    arn_without_revision = "arn:aws:ecs:us-east-1:123456789012:task-definition/mock-family"
    id                   = "mock-family"
    revision             = 1
  }
}

mock_resource "aws_iam_instance_profile" {
  defaults = {
    arn = "arn:aws:iam::123456789012:instance-profile/mock-name"
  }
}

mock_resource "aws_iam_role" {
  defaults = {
    arn       = "arn:aws:iam::123456789012:role/terraform-ec864fe99b53"
    id        = "terraform-ec864fe99b53"
    unique_id = "AROAec864fe99b539704b"
  }
}

mock_resource "aws_iam_role_policy" {
  defaults = {
    id = "mock-role:terraform-ec864fe99b53"
  }
}

mock_resource "aws_iam_role_policy_attachment" {
  defaults = {
    id = "mock-role-ec864fe99b53"
  }
}

mock_resource "aws_kms_alias" {
  defaults = {
    arn            = "arn:aws:kms:us-east-1:123456789012:mock-name"
    id             = "mock-name"
    target_key_arn = "arn:aws:kms:us-east-1:123456789012:key/mock-target-key-id"
  }
}

mock_resource "aws_kms_key" {
  defaults = {
    arn    = "arn:aws:kms:us-east-1:123456789012:key/ec864fe9-9b53-4704-8887-2ac591067ef2"
    id     = "ec864fe9-9b53-4704-8887-2ac591067ef2"
    key_id = "ec864fe9-9b53-4704-8887-2ac591067ef2"
  }
}

mock_resource "aws_lambda_alias" {
  defaults = {
    arn = "arn:aws:lambda:us-east-1:123456789012:function:mock-function-name:mock-name"
    id  = "arn:aws:lambda:us-east-1:123456789012:function:mock-function-name:mock-name"
  }
}

mock_resource "aws_lambda_function" {
  defaults = {
    arn                         = "arn:aws:lambda:us-east-1:123456789012:function:mock-function-name"
    id                          = "mock-function-name"
    invoke_arn                  = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:123456789012:function:mock-function-name/invocations"
    qualified_arn               = "arn:aws:lambda:us-east-1:123456789012:function:mock-function-name:$LATEST"
    qualified_invoke_arn        = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:123456789012:function:mock-function-name:$LATEST/invocations"
    signing_job_arn             = ""
    signing_profile_version_arn = ""
    version                     = "$LATEST"
  }
}

mock_resource "aws_lambda_permission" {
  defaults = {
    id = "mock-statement-id-prefixec864fe99b53"
  }
}

mock_resource "aws_lb" {
  defaults = {
    arn        = "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/tf-lb-ec864fe99b53/ec864fe99b539704"
    arn_suffix = "app/tf-lb-ec864fe99b53/ec864fe99b539704"
    dns_name   = "tf-lb-ec864fe99b53-ec864fe99b.us-east-1.elb.amazonaws.com"
    id         = "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/tf-lb-ec864fe99b53/ec864fe99b539704"
    vpc_id     = "vpc-ec864fe99b539704b"
    zone_id    = "Z35SXDOTRQ7X7K"
  }
}

mock_resource "aws_lb_listener" {
  defaults = {
    arn = "arn:aws:elasticloadbalancing:us-east-1:123456789012:listener/app/lb/ec864fe99b539704/ec864fe99b53"
    id  = "arn:aws:elasticloadbalancing:us-east-1:123456789012:listener/app/lb/ec864fe99b539704/ec864fe99b53"
  }
}

mock_resource "aws_lb_target_group" {
  defaults = {
    arn        = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/tf-ec864fe99b53/ec864fe99b539704"
    arn_suffix = "targetgroup/tf-ec864fe99b53/ec864fe99b539704"
    id         = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/tf-ec864fe99b53/ec864fe99b539704"
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

mock_resource "aws_route53_record" {
  defaults = {
    fqdn = "mock-name"
    id   = "mock-zone-id_mock-name_mock-type"
  }
}

mock_resource "aws_s3_bucket" {
  defaults = {
    arn                         = "arn:aws:s3:::terraform-ec864fe99b53"
    bucket_domain_name          = "terraform-ec864fe99b53.s3.amazonaws.com"
    bucket_regional_domain_name = "terraform-ec864fe99b53.s3.us-east-1.amazonaws.com"
    hosted_zone_id              = "Z3AQBSTGFYJSTF"
    id                          = "terraform-ec864fe99b53"
  }
}

mock_resource "aws_s3_bucket_policy" {
  defaults = {
    id = "mock-bucket"
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
    arn                  = "arn:aws:secretsmanager:us-east-1:123456789012:secret:mock-AbCdEf"
    has_secret_string_wo = true
    id                   = "mock-secret-id|ec864fe9-9b53-4704-8887-2ac591067ef2"
    secret_arn           = "arn:aws:secretsmanager:us-east-1:123456789012:secret:mock-AbCdEf"
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

mock_resource "aws_ssm_parameter" {
  defaults = {
    arn     = "arn:aws:ssm:us-east-1:123456789012:parameter/mock-name"
    id      = "mock-name"
    version = 1
  }
}

mock_resource "aws_subnet" {
  defaults = {
    arn      = "arn:aws:ec2:us-east-1:123456789012:subnet/subnet-ec864fe99b539704b"
    id       = "subnet-ec864fe99b539704b"
    owner_id = "123456789012"
  }
}

mock_resource "aws_vpc" {
  defaults = {
    arn      = "arn:aws:ec2:us-east-1:123456789012:vpc/vpc-ec864fe99b539704b"
    id       = "vpc-ec864fe99b539704b"
    owner_id = "123456789012"
  }
}

mock_resource "aws_vpc_endpoint" {
  defaults = {
    arn = "arn:aws:ec2:us-east-1:123456789012:vpc-endpoint/vpce-ec864fe99b539704b"
    id  = "vpce-ec864fe99b539704b"
  }
}

mock_resource "aws_vpc_security_group_egress_rule" {
  defaults = {
    id                     = "sgr-ec864fe99b539704b"
    security_group_rule_id = "sgr-ec864fe99b539704b"
  }
}

mock_resource "aws_vpc_security_group_ingress_rule" {
  defaults = {
    id                     = "sgr-ec864fe99b539704b"
    security_group_rule_id = "sgr-ec864fe99b539704b"
  }
}

mock_resource "aws_wafv2_web_acl" {
  defaults = {
    arn        = "arn:aws:wafv2:us-east-1:123456789012:regional/webacl/mock-name/ec864fe9-9b53-4704-8887-2ac591067ef2"
    capacity   = 700
    id         = "ec864fe9-9b53-4704-8887-2ac591067ef2"
    lock_token = "ec864fe9-9b53-4704-8887-2ac591067ef2"
  }
}

mock_resource "aws_wafv2_web_acl_association" {
  defaults = {
    id = "arn:aws:mock:us-east-1:123456789012:mock,arn:aws:mock:us-east-1:123456789012:mock"
  }
}

mock_data "aws_acm_certificate" {
  defaults = {
    arn = "arn:aws:acm:us-east-1:123456789012:certificate/ec864fe9-9b53-4704-8887-2ac591067ef2"
  }
}

mock_data "aws_availability_zones" {
  defaults = {
    group_names = ["us-east-1"]
    id          = "us-east-1"
    names       = ["us-east-1a", "us-east-1b", "us-east-1c"]
    zone_ids    = ["use1-az1", "use1-az2", "use1-az4"]
  }
}

mock_data "aws_caller_identity" {
  defaults = {
    account_id = "123456789012"
    arn        = "arn:aws:iam::123456789012:user/offline"
    id         = "123456789012"
    user_id    = "AIDAec864fe99b539704b"
  }
}

mock_data "aws_iam_role" {
  defaults = {
    arn = "arn:aws:iam::123456789012:role/mock-name"
    id  = "mock-name"
  }
}

mock_data "aws_kms_alias" {
  defaults = {
    arn            = "arn:aws:kms:us-east-1:123456789012:mock-name"
    target_key_arn = "arn:aws:kms:us-east-1:123456789012:key/ec864fe9-9b53-4704-8887-2ac591067ef2"
    target_key_id  = "ec864fe9-9b53-4704-8887-2ac591067ef2"
  }
}

mock_data "aws_kms_key" {
  defaults = {
    arn = "arn:aws:kms:us-east-1:123456789012:key/ec864fe9-9b53-4704-8887-2ac591067ef2"
    id  = "ec864fe9-9b53-4704-8887-2ac591067ef2"
  }
}

mock_data "aws_lambda_function" {
  defaults = {
    arn = "arn:aws:lambda:us-east-1:123456789012:function:mock-function-name"
  }
}

mock_data "aws_partition" {
  defaults = {
    dns_suffix         = "amazonaws.com"
    id                 = "aws"
    partition          = "aws"
    reverse_dns_prefix = "com.amazonaws"
  }
}

mock_data "aws_region" {
  defaults = {
    description = "US East (N. Virginia)"
    id          = "us-east-1"
  }
}

mock_data "aws_secretsmanager_secret" {
  defaults = {
    arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:mock-name-ec864f"
    id  = "arn:aws:secretsmanager:us-east-1:123456789012:secret:mock-name-ec864f"
  }
}

mock_data "aws_secretsmanager_secret_version" {
  defaults = {
    secret_string = "{\"username\":\"offline\",\"password\":\"ec864fe99b539704b8872ac5\"}"
  }
}

mock_data "aws_security_group" {
  defaults = {
    id = "sg-ec864fe99b539704b"
  }
}

mock_data "aws_ssm_parameter" {
  defaults = {
    arn   = "arn:aws:ssm:us-east-1:123456789012:parametermock-name"
    type  = "String"
    value = "value-of-mock-name"
  }
}

mock_data "aws_subnet" {
  defaults = {
    id = "subnet-ec864fe99b539704b"
  }
}

mock_data "aws_vpc" {
  defaults = {
    arn = "arn:aws:ec2:us-east-1:123456789012:vpc/vpc-ec864fe99b539704b"
    id  = "vpc-ec864fe99b539704b"
  }
}

mock_resource "aws_kinesis_firehose_delivery_stream" {
  defaults = {
    arn = "arn:aws:firehose:us-east-1:123456789012:deliverystream/mock-name"
  }
}
