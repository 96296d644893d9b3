# What App Runner needs to fetch the image.
resource "aws_iam_role" "access" {
  name = "${var.name}-access"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "build.apprunner.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
    }]
  })

  tags = var.tags
}

resource "aws_iam_role_policy" "access" {
  name = "pull"
  role = aws_iam_role.access.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(local.pull_statements, [
      {
        # App Runner looks at the image before it fetches it.
        Effect   = "Allow"
        Action   = ["ecr:DescribeImages"]
        Resource = [local.repository_arn]
      },
    ])
  })
}

# With it, App Runner reads the secrets; Admit itself needs nothing of AWS.
resource "aws_iam_role" "instance" {
  name = "${var.name}-instance"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "tasks.apprunner.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
    }]
  })

  tags = var.tags
}

resource "aws_iam_role_policy" "instance" {
  name = "secrets"
  role = aws_iam_role.instance.id

  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = local.secret_statements
  })
}
