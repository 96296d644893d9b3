output "issuer" {
  description = "The URL by which Admit is known."
  value       = local.issuer
}

output "security_group_id" {
  description = "The tasks' security group."
  value       = aws_security_group.this.id
}

output "log_group_name" {
  description = "The log, with the audit trail in it."
  value       = aws_cloudwatch_log_group.this.name
}

output "task_role_name" {
  description = "The role of Admit itself, for a policy such as that of a master key in KMS."
  value       = aws_iam_role.task.name
}

output "cluster_name" {
  description = "The ECS cluster."
  value       = aws_ecs_cluster.this.name
}

output "service_name" {
  description = "The ECS service."
  value       = aws_ecs_service.this.name
}

output "load_balancer_arn" {
  description = "The load balancer, such as for the module waf."
  value       = module.load_balancer.arn
}

output "load_balancer_arn_suffix" {
  description = "The load balancer, as its metrics name it."
  value       = module.load_balancer.arn_suffix
}

output "target_group_arn_suffix" {
  description = "The target group, as its metrics name it."
  value       = module.load_balancer.target_group_arn_suffix
}
