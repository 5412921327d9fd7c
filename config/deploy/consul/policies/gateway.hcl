# What a gateway may do. Whoever has this token can make itself an admin of the federation: keep it as a password.

# Operators' decisions, access tokens' hashes, audit log, shares of donors' quotas.
key_prefix "chiyuan/" {
  policy = "write"
}

# Locks that are let go when their gateway dies. A session belongs to the agent's node, whatever that is called.
session_prefix "" {
  policy = "write"
}

# Itself, for the other gateways to see.
service "chiyuan-gateway" {
  policy = "write"
}

# The region nodes, with the machines that they are on.
service "chiyuan-node" {
  policy = "read"
}
node_prefix "" {
  policy = "read"
}
