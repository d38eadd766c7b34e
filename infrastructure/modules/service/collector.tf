# Beside each server runs a collector: it reads /metrics on the loopback and writes it as EMF, of which CloudWatch makes
# metrics. Should it fail, the server goes on.

locals {
  metrics_port = 9100

  collector = {
    for name, service_name in local.service_names : name => {
      name      = "collector"
      image     = var.collector_image
      essential = false
      cpu       = 32
      memory    = 256

      environment = [{
        name = "AOT_CONFIG_CONTENT"
        value = templatefile("${path.module}/collector.yaml.tftpl", {
          service_name = service_name
          metrics_port = local.metrics_port
          namespace    = local.metrics_namespace
          log_group    = aws_cloudwatch_log_group.this["metrics"].name
          region       = data.aws_region.this.name
        })
      }]

      readonlyRootFilesystem = true
      restartPolicy          = { enabled = true }
      healthCheck            = { command = ["CMD", "/healthcheck"], interval = 30, timeout = 5, retries = 3, startPeriod = 15 }
      logConfiguration       = local.logging["collector"]
    }
  }
}
