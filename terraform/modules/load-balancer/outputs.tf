output "arn" {
  description = "The load balancer, such as for the module waf."
  value       = aws_lb.this.arn
}

output "arn_suffix" {
  description = "The load balancer, as its metrics name it."
  value       = aws_lb.this.arn_suffix
}

output "security_group_id" {
  description = "The load balancer's security group."
  value       = aws_security_group.this.id
}

# A target group takes nobody in before a listener uses it.
output "target_group_arn" {
  description = "Where targets are registered."
  value       = aws_lb_target_group.this.arn
  depends_on  = [aws_lb_listener.https]
}

output "target_group_arn_suffix" {
  description = "The target group, as its metrics name it."
  value       = aws_lb_target_group.this.arn_suffix
}

output "networks" {
  description = "From where the load balancer asks: what Admit has to trust as proxies."
  value       = data.aws_subnet.public[*].cidr_block
}
