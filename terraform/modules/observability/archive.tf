# The audit trail where nobody can change it. Admit writes each sealed entry to its log; CloudWatch hands those lines to Firehose, and that
# writes them to a bucket in which Object Lock keeps them. The entries' numbers show what is missing, and their hashes what was changed.

resource "aws_s3_bucket" "archive" {
  #checkov:skip=CKV_AWS_18:Firehose alone writes here; CloudTrail says who reads.
  #checkov:skip=CKV_AWS_144:A copy in another region is for who needs it.
  #checkov:skip=CKV2_AWS_62:Nobody waits for a file; an alarm says when none comes.
  count = var.audit_archive == null ? 0 : 1

  bucket              = "${var.name}-audit-${local.account}-${local.region}"
  object_lock_enabled = true
  tags                = var.tags

  lifecycle {
    precondition {
      condition     = length("${var.name}-audit-${local.account}-${local.region}") <= 63
      error_message = "Take a shorter name: that of the bucket for the audit trail is made of it, with account and region, and S3 takes 63 characters."
    }
  }
}

resource "aws_s3_bucket_versioning" "archive" {
  count = var.audit_archive == null ? 0 : 1

  bucket = aws_s3_bucket.archive[0].id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_object_lock_configuration" "archive" {
  count = var.audit_archive == null ? 0 : 1

  bucket = aws_s3_bucket.archive[0].id

  rule {
    default_retention {
      mode  = var.audit_archive.mode
      years = var.audit_archive.years
    }
  }

  depends_on = [aws_s3_bucket_versioning.archive]
}

resource "aws_s3_bucket_server_side_encryption_configuration" "archive" {
  count = var.audit_archive == null ? 0 : 1

  bucket = aws_s3_bucket.archive[0].id

  rule {
    bucket_key_enabled = true

    apply_server_side_encryption_by_default {
      sse_algorithm     = var.kms_key_arn == null ? "AES256" : "aws:kms"
      kms_master_key_id = var.kms_key_arn
    }
  }
}

resource "aws_s3_bucket_public_access_block" "archive" {
  count = var.audit_archive == null ? 0 : 1

  bucket                  = aws_s3_bucket.archive[0].id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "archive" {
  count = var.audit_archive == null ? 0 : 1

  bucket = aws_s3_bucket.archive[0].id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "archive" {
  count = var.audit_archive == null ? 0 : 1

  bucket = aws_s3_bucket.archive[0].id

  rule {
    id     = "cold"
    status = "Enabled"
    filter {}

    # Read at once when it is needed, which is seldom.
    transition {
      days          = 90
      storage_class = "GLACIER_IR"
    }
    abort_incomplete_multipart_upload {
      days_after_initiation = 1
    }
  }

  depends_on = [aws_s3_bucket_versioning.archive]
}

resource "aws_s3_bucket_policy" "archive" {
  count = var.audit_archive == null ? 0 : 1

  bucket = aws_s3_bucket.archive[0].id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "TLS"
      Effect    = "Deny"
      Principal = "*"
      Action    = "s3:*"
      Resource  = [aws_s3_bucket.archive[0].arn, "${aws_s3_bucket.archive[0].arn}/*"]
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
  })

  depends_on = [aws_s3_bucket_public_access_block.archive]
}

# --- the way there ------------------------------------------------------

resource "aws_cloudwatch_log_group" "archive" {
  #checkov:skip=CKV_AWS_338:It says why something could not be delivered, and is of use until it is.
  count = var.audit_archive == null ? 0 : 1

  name              = "/aws/kinesisfirehose/${var.name}-audit"
  retention_in_days = 90
  kms_key_id        = var.kms_key_arn
  tags              = var.tags
}

resource "aws_cloudwatch_log_stream" "archive" {
  count = var.audit_archive == null ? 0 : 1

  name           = "delivery"
  log_group_name = aws_cloudwatch_log_group.archive[0].name
}

resource "aws_iam_role" "archive" {
  count = var.audit_archive == null ? 0 : 1

  name = "${var.name}-audit-archive"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "firehose.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
    }]
  })

  tags = var.tags
}

resource "aws_iam_role_policy" "archive" {
  count = var.audit_archive == null ? 0 : 1

  name = "write"
  role = aws_iam_role.archive[0].id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [
        {
          Effect   = "Allow"
          Action   = ["s3:AbortMultipartUpload", "s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads", "s3:PutObject"]
          Resource = [aws_s3_bucket.archive[0].arn, "${aws_s3_bucket.archive[0].arn}/*"]
        },
        {
          Effect   = "Allow"
          Action   = ["logs:PutLogEvents"]
          Resource = ["${aws_cloudwatch_log_group.archive[0].arn}:log-stream:${aws_cloudwatch_log_stream.archive[0].name}"]
        },
      ],
      [
        for key in var.kms_key_arn[*] : {
          Effect    = "Allow"
          Action    = ["kms:Decrypt", "kms:GenerateDataKey"]
          Resource  = [key]
          Condition = { StringEquals = { "kms:ViaService" = "s3.${local.region}.amazonaws.com" } }
        }
      ],
    )
  })
}

resource "aws_kinesis_firehose_delivery_stream" "archive" {
  #checkov:skip=CKV_AWS_241:What waits in the stream is encrypted with AWS's key; what is kept, with that of kms_key_arn.
  count = var.audit_archive == null ? 0 : 1

  name        = "${var.name}-audit"
  destination = "extended_s3"
  tags        = var.tags

  server_side_encryption {
    enabled = true
  }

  extended_s3_configuration {
    role_arn            = aws_iam_role.archive[0].arn
    bucket_arn          = aws_s3_bucket.archive[0].arn
    prefix              = "audit/!{timestamp:yyyy/MM/dd}/"
    error_output_prefix = "failed/!{firehose:error-output-type}/!{timestamp:yyyy/MM/dd}/"
    compression_format  = "GZIP"
    file_extension      = ".jsonl.gz"
    buffering_interval  = 300
    buffering_size      = 5

    # CloudWatch packs lines into an envelope of its own; what is kept are the lines as Admit wrote them.
    processing_configuration {
      enabled = true

      processors {
        type = "Decompression"

        parameters {
          parameter_name  = "CompressionFormat"
          parameter_value = "GZIP"
        }
      }
      processors {
        type = "CloudWatchLogProcessing"

        parameters {
          parameter_name  = "DataMessageExtraction"
          parameter_value = "true"
        }
      }
      processors {
        type = "AppendDelimiterToRecord"
      }
    }

    cloudwatch_logging_options {
      enabled         = true
      log_group_name  = aws_cloudwatch_log_group.archive[0].name
      log_stream_name = aws_cloudwatch_log_stream.archive[0].name
    }
  }

  # Nothing is written before it is kept.
  depends_on = [aws_iam_role_policy.archive, aws_s3_bucket_object_lock_configuration.archive, aws_s3_bucket_server_side_encryption_configuration.archive]
}

resource "aws_iam_role" "subscription" {
  count = var.audit_archive == null ? 0 : 1

  name = "${var.name}-audit-subscription"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "logs.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringLike = { "aws:SourceArn" = "arn:${local.partition}:logs:${local.region}:${local.account}:*" } }
    }]
  })

  tags = var.tags
}

resource "aws_iam_role_policy" "subscription" {
  count = var.audit_archive == null ? 0 : 1

  name = "put"
  role = aws_iam_role.subscription[0].id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = ["firehose:PutRecord", "firehose:PutRecordBatch"]
      Resource = [aws_kinesis_firehose_delivery_stream.archive[0].arn]
    }]
  })
}

resource "aws_cloudwatch_log_subscription_filter" "archive" {
  count = var.audit_archive == null ? 0 : 1

  name            = "${var.name}-audit"
  log_group_name  = var.log_group_name
  destination_arn = aws_kinesis_firehose_delivery_stream.archive[0].arn
  role_arn        = aws_iam_role.subscription[0].arn
  # Audit entries have a number and a hash; no other line of the log has both.
  filter_pattern = "{ ($.seq > 0) && ($.hash = \"*\") }"

  depends_on = [aws_iam_role_policy.subscription]
}
