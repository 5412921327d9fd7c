# A gateway in Consul's catalogue, for a site that registers by file. Goes to /etc/consul.d of the gateway's machine.
# Its agent must know a token: add `token = "..."` with the gateway's, and give the file mode 0640.
service {
  name = "chiyuan-gateway"
  id   = "chiyuan-gateway"
  port = 8100

  check {
    id       = "chiyuan-gateway-ready"
    name     = "ready"
    http     = "http://127.0.0.1:8101/readyz"
    interval = "2s"
    timeout  = "1s"
  }
}
