# Consul's own traffic in TLS: tokens cross the network in it. Files by `consul tls`; see docs/consul.md.
# The names of Consul 1.8; newer ones take them too and recommend a `tls` block.
ca_file   = "/etc/consul.d/tls/consul-agent-ca.pem"
cert_file = "/etc/consul.d/tls/server.pem"
key_file  = "/etc/consul.d/tls/server-key.pem"

verify_incoming_rpc    = true
verify_outgoing        = true
verify_server_hostname = true

# Agents that are no servers get their certificates from the servers.
auto_encrypt {
  allow_tls = true
}
