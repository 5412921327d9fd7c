# The agent's side of tls-server.hcl: it knows the authority, and gets a certificate of its own from the servers.
ca_file = "/etc/consul.d/tls/consul-agent-ca.pem"

verify_outgoing        = true
verify_server_hostname = true

auto_encrypt {
  tls = true
}
