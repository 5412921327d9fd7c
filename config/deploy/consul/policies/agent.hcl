# What a Consul agent needs for itself: its entry in the catalogue, and the services of its machine.
node_prefix "" {
  policy = "write"
}
service_prefix "" {
  policy = "read"
}
