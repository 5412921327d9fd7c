# The Consul agent on the machine of a gateway or a region node. Goes to /etc/consul.d with addresses.hcl, gossip.hcl,
# tls-client.hcl and the acl-agent.hcl that setup.sh has made.
datacenter = "dc1"
data_dir   = "/var/lib/consul"

server = false

acl {
  enabled        = true
  default_policy = "deny"
  # While no server is reached, what was allowed before stays allowed.
  down_policy              = "extend-cache"
  enable_token_persistence = true
}

client_addr = "127.0.0.1"

# Each process of a gateway keeps a few watches open; the default of 200 is too little for many workers.
limits {
  http_max_conns_per_client = 2000
}

leave_on_terminate      = true
disable_update_check    = true
