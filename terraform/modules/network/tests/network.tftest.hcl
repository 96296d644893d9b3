mock_provider "aws" {
  source = "./tests/mocks/aws"

  override_data {
    target = data.aws_availability_zones.available
    values = { names = ["us-east-1a", "us-east-1b", "us-east-1c", "us-east-1d"] }
  }
}

variables {
  name = "admit"
}

run "private_subnets_are_in_two_zones_and_reach_the_internet_by_nat_alone" {
  command = apply

  assert {
    condition     = aws_subnet.private[*].availability_zone == ["us-east-1a", "us-east-1b"] && aws_subnet.public[*].availability_zone == ["us-east-1a", "us-east-1b"]
    error_message = "Each kind of subnet is in two zones."
  }
  assert {
    condition     = aws_subnet.public[*].cidr_block == ["10.20.0.0/24", "10.20.1.0/24"] && aws_subnet.private[*].cidr_block == ["10.20.16.0/20", "10.20.32.0/20"]
    error_message = "The subnets overlap, or have moved: moved ones are made anew."
  }
  assert {
    condition     = length(aws_nat_gateway.this) == 1 && alltrue([for route in aws_route.nat : route.nat_gateway_id == aws_nat_gateway.this[0].id])
    error_message = "Both private subnets go out by the one NAT gateway."
  }
  assert {
    condition     = alltrue([for subnet in concat(aws_subnet.public, aws_subnet.private) : subnet.map_public_ip_on_launch != true])
    error_message = "Nothing gets a public address by itself."
  }
  assert {
    condition     = aws_flow_log.this.traffic_type == "ALL" && aws_cloudwatch_log_group.flow.retention_in_days == 30
    error_message = "All traffic is logged, for thirty days."
  }
  assert {
    condition     = jsondecode(aws_iam_role.flow.assume_role_policy).Statement[0].Condition.StringEquals["aws:SourceAccount"] == "123456789012"
    error_message = "The role is for this account's flow logs."
  }
  assert {
    condition = { for statement in jsondecode(aws_iam_role_policy.flow.policy).Statement : join(" ", statement.Action) => statement.Resource } == {
      "logs:CreateLogStream logs:PutLogEvents logs:DescribeLogStreams" = "${aws_cloudwatch_log_group.flow.arn}:*"
      "logs:DescribeLogGroups"                                         = "*"
    }
    error_message = "The role may do more than flow logs need, or less."
  }
}

run "each_zone_has_a_way_out_of_its_own" {
  command = apply

  variables {
    zones        = 3
    nat_gateways = "each-zone"
    cidr         = "172.16.0.0/19"
  }

  assert {
    condition     = [for index, route in aws_route.nat : route.nat_gateway_id == aws_nat_gateway.this[index].id] == [true, true, true]
    error_message = "A zone goes out by its own gateway."
  }
  assert {
    condition     = aws_subnet.public[2].cidr_block == "172.16.0.64/27" && aws_subnet.private[2].cidr_block == "172.16.6.0/23"
    error_message = "The least network still has room for a load balancer."
  }
}

run "without_nat_there_are_endpoints_that_private_subnets_alone_reach" {
  command = apply

  variables {
    nat_gateways        = "none"
    interface_endpoints = ["ecr.api", "ecr.dkr", "logs", "secretsmanager"]
  }

  assert {
    condition     = length(aws_nat_gateway.this) == 0 && length(aws_route.nat) == 0
    error_message = "There is no NAT gateway, and no route to one."
  }
  assert {
    condition = alltrue([
      for endpoint in aws_vpc_endpoint.interface : endpoint.private_dns_enabled && endpoint.security_group_ids == toset([aws_security_group.endpoints[0].id])
    ]) && length(aws_vpc_endpoint.interface) == 4
    error_message = "The endpoints answer to the services' usual names, behind a security group of theirs."
  }
  assert {
    condition     = aws_vpc_security_group_ingress_rule.endpoints[*].cidr_ipv4 == ["10.20.16.0/20", "10.20.32.0/20"] && alltrue([for rule in aws_vpc_security_group_ingress_rule.endpoints : rule.from_port == 443 && rule.to_port == 443])
    error_message = "Only private subnets reach them, by HTTPS."
  }
}

run "what_is_wrong_is_refused" {
  command = plan

  variables {
    name                    = "-admit"
    cidr                    = "8.8.0.0/16"
    nat_gateways            = "two"
    flow_log_retention_days = 31
    kms_key_arn             = "alias/admit"
  }

  expect_failures = [var.name, var.cidr, var.nat_gateways, var.flow_log_retention_days, var.kms_key_arn]
}

# Its public subnets would be of /28.
run "a_network_without_room_for_a_load_balancer_is_refused" {
  command = plan

  variables {
    cidr = "172.16.0.0/20"
  }

  expect_failures = [var.cidr]
}

run "one_zone_is_refused" {
  command = plan

  variables {
    zones = 1
  }

  expect_failures = [var.zones]
}

run "services_are_named_as_aws_names_them" {
  command = plan

  variables {
    interface_endpoints = ["com.amazonaws.us-east-1.ECR"]
  }

  expect_failures = [var.interface_endpoints]
}

run "tasks_that_could_not_start_are_refused" {
  command = plan

  variables {
    nat_gateways        = "none"
    interface_endpoints = ["logs"]
  }

  expect_failures = [var.interface_endpoints]
}
