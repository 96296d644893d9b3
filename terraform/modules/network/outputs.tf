# What uses a subnet needs its way out as well.
output "vpc_id" {
  description = "The VPC."
  value       = aws_vpc.this.id
}

output "public_subnet_ids" {
  description = "For load balancers, one in each zone."
  value       = aws_subnet.public[*].id
  depends_on  = [aws_route_table_association.public]
}

output "private_subnet_ids" {
  description = "For Admit and its database, one in each zone."
  value       = aws_subnet.private[*].id
  depends_on  = [aws_route.nat, aws_route_table_association.private, aws_vpc_endpoint.interface, aws_vpc_endpoint.s3]
}
