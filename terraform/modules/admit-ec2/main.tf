module "load_balancer" {
  source = "../load-balancer"

  name                     = var.name
  domain_name              = var.domain_name
  zone_id                  = var.zone_id
  vpc_id                   = var.vpc_id
  public_subnet_ids        = var.public_subnet_ids
  target_type              = "instance"
  target_security_group_id = aws_security_group.this.id
  allowed_cidrs            = var.allowed_cidrs
  access_logs              = var.access_logs
  deletion_protection      = var.deletion_protection
  tags                     = var.tags
}

data "aws_subnet" "this" {
  id = var.private_subnet_ids[0]
}

data "aws_ssm_parameter" "ami" {
  name = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-${var.architecture}"
}

locals {
  trusted_proxies = module.load_balancer.networks
  secret_arns     = [var.master_key_secret_arn]

  # For docker, which takes them as they stand: no quotes, one line each.
  container_env = join("", [
    for name, value in merge(local.container_environment, {
      ADMIT_DATABASE        = "/data/admit.db"
      ADMIT_MASTER_KEY_FILE = "/run/secrets/master.key"
    }) : "${name}=${value}\n"
  ])

  # For the units and scripts. There is nothing secret in it.
  instance_env = <<-END
    NAME=${var.name}
    AWS_DEFAULT_REGION=${local.region}
    IMAGE=${var.image}
    IMAGE_REGION=${local.image.region}
    LOG_GROUP=${aws_cloudwatch_log_group.this.name}
    MASTER_KEY_SECRET_ARN=${var.master_key_secret_arn}
    VOLUME_ID=${aws_ebs_volume.data.id}
    BACKUP_BUCKET=${aws_s3_bucket.backups.bucket}
    BACKUP_RECIPIENT=${var.backup_recipient}
  END

  backup_timer = <<-END
    [Unit]
    Description=Backup of Admit

    [Timer]
    OnCalendar=${var.backup_schedule}
    RandomizedDelaySec=15min
    Persistent=true

    [Install]
    WantedBy=timers.target
  END

  # At the first start of an instance; systemd does the later ones.
  user_data = {
    package_upgrade = true
    packages        = ["docker"]
    write_files = [
      { path = "/etc/admit/container.env", permissions = "0600", content = local.container_env },
      { path = "/etc/admit/instance.env", permissions = "0600", content = local.instance_env },
      { path = "/etc/systemd/system/admit-backup.service", permissions = "0644", content = file("${path.module}/files/admit-backup.service") },
      { path = "/etc/systemd/system/admit-backup.timer", permissions = "0644", content = local.backup_timer },
      { path = "/etc/systemd/system/admit-volume.service", permissions = "0644", content = file("${path.module}/files/admit-volume.service") },
      { path = "/etc/systemd/system/admit.service", permissions = "0644", content = file("${path.module}/files/admit.service") },
      { path = "/usr/local/sbin/admit-backup", permissions = "0755", content = file("${path.module}/files/backup.sh") },
      { path = "/usr/local/sbin/admit-prepare", permissions = "0755", content = file("${path.module}/files/prepare.sh") },
      { path = "/usr/local/sbin/admit-volume", permissions = "0755", content = file("${path.module}/files/volume.sh") },
    ]
    runcmd = [
      ["systemctl", "daemon-reload"],
      ["systemctl", "enable", "--now", "docker.service", "admit-backup.timer"],
      # It waits for the volume, which is attached to a running instance; cloud-init does not have to.
      ["systemctl", "enable", "admit.service"],
      ["systemctl", "start", "--no-block", "admit.service"],
    ]
  }
}

# --- who may talk to whom -----------------------------------------------

resource "aws_security_group" "this" {
  name        = "${var.name}-instance"
  description = "The instance of Admit"
  vpc_id      = var.vpc_id
  tags        = merge(var.tags, { Name = "${var.name}-instance" })
}

resource "aws_vpc_security_group_egress_rule" "https" {
  security_group_id = aws_security_group.this.id
  description       = "AWS, FHIR servers, and where clients publish their keys"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  tags              = var.tags
}

# --- the data -----------------------------------------------------------

resource "aws_ebs_volume" "data" {
  availability_zone = data.aws_subnet.this.availability_zone
  size              = var.volume_size
  type              = "gp3"
  encrypted         = true
  kms_key_id        = var.kms_key_arn
  final_snapshot    = true
  tags              = merge(var.tags, { Name = "${var.name}-data", Snapshots = var.name })

  lifecycle {
    # Whatever else changes, no plan replaces the only disk with the database.
    ignore_changes = [availability_zone, encrypted, kms_key_id]
  }
}

resource "aws_volume_attachment" "data" {
  device_name = "/dev/sdf"
  volume_id   = aws_ebs_volume.data.id
  instance_id = aws_instance.this.id
  # The old instance has closed its database before the new one opens it.
  stop_instance_before_detaching = true
}

# --- the instance -------------------------------------------------------

resource "aws_instance" "this" {
  ami                         = coalesce(var.ami_id, data.aws_ssm_parameter.ami.insecure_value)
  instance_type               = var.instance_type
  subnet_id                   = data.aws_subnet.this.id
  vpc_security_group_ids      = [aws_security_group.this.id]
  associate_public_ip_address = false
  iam_instance_profile        = aws_iam_instance_profile.this.name
  user_data                   = "#cloud-config\n${yamlencode(local.user_data)}"
  user_data_replace_on_change = true
  ebs_optimized               = true
  monitoring                  = true
  tags                        = merge(var.tags, { Name = var.name })

  metadata_options {
    http_endpoint = "enabled"
    http_tokens   = "required"
    # The instance itself, and no container: Admit needs nothing of AWS.
    http_put_response_hop_limit = 1
  }

  maintenance_options {
    # On other hardware, with the same disks and address.
    auto_recovery = "default"
  }

  root_block_device {
    volume_type = "gp3"
    volume_size = 16
    encrypted   = true
    kms_key_id  = var.kms_key_arn
  }

  depends_on = [aws_iam_role_policy.instance, aws_vpc_security_group_egress_rule.https]

  lifecycle {
    # A newer image of Amazon Linux is taken when the instance is replaced for another reason, or by ami_id.
    ignore_changes = [ami]
  }
}

resource "aws_lb_target_group_attachment" "this" {
  target_group_arn = module.load_balancer.target_group_arn
  target_id        = aws_instance.this.id
  port             = 8080
}
