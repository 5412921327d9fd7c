# What a person on duty needs to see how Consul is. No keys: decisions are read and made by `chiyuan`, which has roles
# and an audit log. Policies, tokens and snapshots take the management token.
operator = "read"

agent_prefix "" {
  policy = "read"
}
node_prefix "" {
  policy = "read"
}
session_prefix "" {
  policy = "read"
}
service "chiyuan-gateway" {
  policy = "read"
}
service "chiyuan-node" {
  policy = "read"
}
service "consul" {
  policy = "read"
}
