# What users notice, by the balancer's own counts: it sees also what no task could answer.

locals {
  balancer = { LoadBalancer = var.balancer }

  counts = {
    requests   = "RequestCount"
    target_5xx = "HTTPCode_Target_5XX_Count"
    elb_5xx    = "HTTPCode_ELB_5XX_Count"
  }
}

resource "aws_cloudwatch_metric_alarm" "error_rate" {
  alarm_name          = "${var.name}-error-rate"
  alarm_description   = "More than 5 % of all requests failed (5xx), for 5 minutes."
  comparison_operator = "GreaterThanThreshold"
  threshold           = 5
  evaluation_periods  = 5
  datapoints_to_alarm = 5
  treat_missing_data  = "notBreaching" # no request, no failure
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]

  dynamic "metric_query" {
    for_each = local.counts
    content {
      id = metric_query.key

      metric {
        namespace   = "AWS/ApplicationELB"
        metric_name = metric_query.value
        dimensions  = local.balancer
        stat        = "Sum"
        period      = 60
      }
    }
  }

  metric_query {
    id         = "failed"
    expression = "FILL(target_5xx, 0) + FILL(elb_5xx, 0)"
    label      = "Failed"
  }

  # RequestCount leaves out what found no target at all: where more failed than were counted, all did.
  metric_query {
    id         = "total"
    expression = "MAX([FILL(requests, 0), failed])"
    label      = "Total"
  }

  metric_query {
    id          = "rate"
    expression  = "IF(total > 0, 100 * failed / total, 0)"
    label       = "Failed requests, %"
    return_data = true
  }
}

resource "aws_cloudwatch_metric_alarm" "latency" {
  alarm_name          = "${var.name}-latency"
  alarm_description   = "One request in twenty took longer than 500 ms, for 5 minutes. A stream counts until it has begun."
  namespace           = "AWS/ApplicationELB"
  metric_name         = "TargetResponseTime"
  dimensions          = local.balancer
  extended_statistic  = "p95"
  period              = 60
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0.5
  evaluation_periods  = 5
  datapoints_to_alarm = 5
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]

  # A few slow requests in the night are no percentile.
  evaluate_low_sample_count_percentiles = "ignore"
}
