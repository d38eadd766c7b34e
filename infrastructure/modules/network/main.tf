# Three rings of subnets in each zone: public for the balancer and NAT alone, private for the tasks, isolated for the
# data. Each ring takes a quarter of the addresses, and the last quarter is left for what comes later.

data "aws_availability_zones" "this" {
  #checkov:skip=CKV_AWS_394:the first so many are taken, in alphabetical order: AWS adds zones at the end
  state = "available"

  filter {
    name   = "opt-in-status"
    values = ["opt-in-not-required"] # no local zones: they have no RDS
  }
}

locals {
  zones     = slice(data.aws_availability_zones.this.names, 0, var.zones)
  nat_zones = { none = [], one = slice(local.zones, 0, 1), each_zone = local.zones }[var.nat]

  ring = { public = 0, private = 4, isolated = 8 }
  subnets = merge([
    for ring, first in local.ring : {
      for index, zone in local.zones :
      "${ring}-${zone}" => { ring = ring, zone = zone, cidr = cidrsubnet(var.cidr, 4, first + index) }
    }
  ]...)
  ids = {
    for ring, _ in local.ring :
    ring => [for zone in local.zones : aws_subnet.this["${ring}-${zone}"].id]
  }
}

resource "aws_vpc" "this" {
  cidr_block           = var.cidr
  enable_dns_support   = true
  enable_dns_hostnames = true # private names of the interface endpoints

  tags = { Name = var.name }
}

resource "aws_subnet" "this" {
  for_each = local.subnets

  vpc_id                  = aws_vpc.this.id
  availability_zone       = each.value.zone
  cidr_block              = each.value.cidr
  map_public_ip_on_launch = false

  tags = { Name = "${var.name}-${each.key}" }
}

# What nobody named a group for gets one through which nothing goes.
resource "aws_default_security_group" "this" {
  vpc_id = aws_vpc.this.id

  tags = { Name = "${var.name}-closed" }
}
