# A Consul server of the federation, one of three. Goes to /etc/consul.d with addresses.hcl, gossip.hcl and tls-server.hcl.
# Written for Consul 1.8 and newer.
datacenter = "dc1"
data_dir   = "/var/lib/consul"

server           = true
bootstrap_expect = 3

# Nobody reads or writes anything without a token; setup.sh makes the tokens.
acl {
  enabled                  = true
  default_policy           = "deny"
  enable_token_persistence = true
}

# The API answers this machine alone; gateways ask the agent of their own machine.
client_addr = "127.0.0.1"

# A leader that dies is replaced within seconds; the default is for slow machines.
performance {
  raft_multiplier = 1
}

# A server that is stopped for maintenance stays a member, so that two of three are still a majority of three.
leave_on_terminate      = false
skip_leave_on_interrupt = true
disable_update_check    = true
