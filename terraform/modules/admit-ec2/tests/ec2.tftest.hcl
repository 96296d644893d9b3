mock_provider "aws" {
  source = "./tests/mocks/aws"
}

variables {
  name                  = "admit"
  image                 = "123456789012.dkr.ecr.us-east-1.amazonaws.com/admit:1.0.0"
  domain_name           = "auth.example.org"
  zone_id               = "Z0123456789ABCDEFGHIJ"
  vpc_id                = "vpc-0123456789abcdef0"
  public_subnet_ids     = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]
  private_subnet_ids    = ["subnet-0123456789abcdef2"]
  master_key_secret_arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:admit/master-key-AbCdEf"
  secrets_kms_key_arn   = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555"
  kms_key_arn           = "arn:aws:kms:us-east-1:123456789012:key/66666666-7777-8888-9999-000000000000"
  backup_recipient      = "age14z8jhe7w6kw2q6asdjyas50pcjpg9a27mw5vw67xy9qrq7nak9asualnj7"
  settings              = { ADMIT_ORGANIZATION = "Example Hospital: \"north\"" }
}

run "the_data_outlives_the_instance" {
  command = apply

  assert {
    condition     = aws_ebs_volume.data.encrypted && aws_ebs_volume.data.kms_key_id == var.kms_key_arn && aws_ebs_volume.data.final_snapshot && aws_instance.this.root_block_device[0].encrypted
    error_message = "The disks are encrypted, and the data leave a snapshot."
  }
  assert {
    condition     = aws_volume_attachment.data.stop_instance_before_detaching && aws_volume_attachment.data.volume_id == aws_ebs_volume.data.id && aws_volume_attachment.data.force_detach != true
    error_message = "The database is closed before its disk goes."
  }
  assert {
    condition     = aws_instance.this.metadata_options[0].http_tokens == "required" && aws_instance.this.metadata_options[0].http_put_response_hop_limit == 1
    error_message = "The container could take on the instance's role."
  }
  assert {
    condition     = aws_instance.this.associate_public_ip_address == false && aws_instance.this.vpc_security_group_ids == toset([aws_security_group.this.id]) && aws_vpc_security_group_egress_rule.https.from_port == 443 && aws_vpc_security_group_egress_rule.https.to_port == 443
    error_message = "The instance is private, and reaches others by HTTPS alone."
  }
}

run "what_the_first_start_writes_down" {
  command = apply

  assert {
    condition     = { for file in yamldecode(trimprefix(aws_instance.this.user_data, "#cloud-config\n")).write_files : file.path => file.content }["/etc/admit/container.env"] == <<-END
      ADMIT_AUDIT_LOG=stdout
      ADMIT_DATABASE=/data/admit.db
      ADMIT_ISSUER=https://auth.example.org
      ADMIT_LOG_FORMAT=json
      ADMIT_MASTER_KEY_FILE=/run/secrets/master.key
      ADMIT_ORGANIZATION=Example Hospital: "north"
      ADMIT_TRUSTED_PROXIES=10.20.0.0/24,10.20.0.0/24
      PORT=8080
    END
    error_message = "The container is told something else."
  }
  assert {
    condition     = { for file in yamldecode(trimprefix(aws_instance.this.user_data, "#cloud-config\n")).write_files : file.path => file.content }["/etc/admit/instance.env"] == <<-END
      NAME=admit
      AWS_DEFAULT_REGION=us-east-1
      IMAGE=123456789012.dkr.ecr.us-east-1.amazonaws.com/admit:1.0.0
      IMAGE_REGION=us-east-1
      LOG_GROUP=/admit/admit/server
      MASTER_KEY_SECRET_ARN=arn:aws:secretsmanager:us-east-1:123456789012:secret:admit/master-key-AbCdEf
      VOLUME_ID=${aws_ebs_volume.data.id}
      BACKUP_BUCKET=admit-backups-123456789012-us-east-1
      BACKUP_RECIPIENT=age14z8jhe7w6kw2q6asdjyas50pcjpg9a27mw5vw67xy9qrq7nak9asualnj7
    END
    error_message = "Units and scripts are told something else."
  }
  assert {
    condition = {
      for file in yamldecode(trimprefix(aws_instance.this.user_data, "#cloud-config\n")).write_files : file.path => file.content == file("files/${trimprefix(basename(file.path), "admit-")}.sh")
      if startswith(file.path, "/usr/local/sbin/")
    } == { "/usr/local/sbin/admit-backup" = true, "/usr/local/sbin/admit-prepare" = true, "/usr/local/sbin/admit-volume" = true }
    error_message = "A script is written down as it is, or it is another one than was checked."
  }
  assert {
    condition     = length(aws_instance.this.user_data) < 16384 && aws_instance.this.user_data_replace_on_change
    error_message = "EC2 takes 16 KiB, and another image is another instance."
  }
}

run "the_instance_may_write_backups_and_not_read_them" {
  command = apply

  assert {
    condition = {
      for statement in jsondecode(aws_iam_role_policy.instance.policy).Statement : join(" ", statement.Action) => statement.Resource
      } == {
      "ecr:GetAuthorizationToken"                                                                                                                               = ["*"]
      "ecr:BatchCheckLayerAvailability ecr:BatchGetImage ecr:GetDownloadUrlForLayer"                                                                            = ["arn:aws:ecr:us-east-1:123456789012:repository/admit"]
      "logs:CreateLogStream logs:PutLogEvents"                                                                                                                  = ["${aws_cloudwatch_log_group.this.arn}:*"]
      "secretsmanager:GetSecretValue"                                                                                                                           = [var.master_key_secret_arn]
      "kms:Decrypt"                                                                                                                                             = [var.secrets_kms_key_arn]
      "s3:PutObject s3:AbortMultipartUpload"                                                                                                                    = ["${aws_s3_bucket.backups.arn}/admit/*"]
      "cloudwatch:PutMetricData"                                                                                                                                = ["*"]
      "kms:GenerateDataKey kms:Decrypt"                                                                                                                         = [var.kms_key_arn]
      "ssm:UpdateInstanceInformation ssmmessages:CreateControlChannel ssmmessages:CreateDataChannel ssmmessages:OpenControlChannel ssmmessages:OpenDataChannel" = ["*"]
    }
    error_message = "The instance may do more, or less."
  }
  assert {
    condition     = alltrue([aws_s3_bucket_public_access_block.backups.block_public_acls, aws_s3_bucket_public_access_block.backups.block_public_policy, aws_s3_bucket_public_access_block.backups.ignore_public_acls, aws_s3_bucket_public_access_block.backups.restrict_public_buckets]) && aws_s3_bucket_versioning.backups.versioning_configuration[0].status == "Enabled"
    error_message = "Backups are not public, and not overwritten."
  }
  assert {
    condition     = jsondecode(aws_s3_bucket_policy.backups.policy).Statement[0].Effect == "Deny" && jsondecode(aws_s3_bucket_policy.backups.policy).Statement[0].Condition.Bool["aws:SecureTransport"] == "false"
    error_message = "The bucket takes TLS alone."
  }
  assert {
    condition     = one(aws_s3_bucket_server_side_encryption_configuration.backups.rule).apply_server_side_encryption_by_default[0].kms_master_key_id == var.kms_key_arn
    error_message = "The bucket is encrypted with the key."
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.backups.treat_missing_data == "breaching" && aws_cloudwatch_metric_alarm.backups.evaluation_periods * aws_cloudwatch_metric_alarm.backups.period > 86400
    error_message = "A backup that is missing says nothing."
  }
}

run "snapshots_are_there_where_they_are_asked_for" {
  command = plan

  variables {
    snapshots = { keep = 7 }
  }

  assert {
    condition     = aws_dlm_lifecycle_policy.snapshots[0].policy_details[0].target_tags == tomap({ Snapshots = "admit" }) && aws_ebs_volume.data.tags["Snapshots"] == "admit" && aws_dlm_lifecycle_policy.snapshots[0].policy_details[0].schedule[0].retain_rule[0].count == 7
    error_message = "Snapshots are of this volume, seven of them."
  }
}

run "what_is_wrong_is_refused" {
  command = plan

  variables {
    private_subnet_ids    = []
    instance_type         = "t2.small"
    ami_id                = "al2023"
    volume_size           = 1
    backup_recipient      = "AGE-SECRET-KEY-1"
    backup_schedule       = "03:00\nOnBootSec=1"
    backup_retention_days = 0
    snapshots             = { time = "4 am" }
    alarm_topic_arns      = ["operations"]
    settings              = { ADMIT_ORGANIZATION = "Example\nADMIT_ISSUER=https://other.example.org" }
  }

  expect_failures = [
    var.private_subnet_ids, var.instance_type, var.ami_id, var.volume_size, var.backup_recipient, var.backup_schedule,
    var.backup_retention_days, var.snapshots, var.alarm_topic_arns, var.settings,
  ]
}

run "the_instance_is_for_the_image" {
  command = plan

  variables {
    architecture = "x86_64"
  }

  expect_failures = [var.instance_type]
}

run "a_name_that_s3_would_not_take_is_refused" {
  command = plan

  override_data {
    target = data.aws_region.current
    values = { region = "ap-southeast-1" }
  }

  variables {
    name = "a-name-that-is-far-too-long-abc"
  }

  expect_failures = [aws_s3_bucket.backups]
}
