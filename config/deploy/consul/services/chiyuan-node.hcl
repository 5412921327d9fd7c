# A region node in Consul's catalogue, for a site that registers by file, with any vendor's server behind it. Goes to
# /etc/consul.d of the node's machine. Add `token = "..."` with the nodes' token, and give the file mode 0640.
service {
  name = "chiyuan-node"
  id   = "chiyuan-node-xian-1"
  port = 9101

  # All values are text. `limit`: most requests open at once; left out, it is learnt.
  meta = {
    region = "610100"
    node   = "xian-1"
    scheme = "http"
    weight = "1"
    limit  = "64"
  }

  check {
    id       = "chiyuan-node-xian-1-ready"
    name     = "ready"
    http     = "http://127.0.0.1:9101/readyz"
    interval = "2s"
    timeout  = "1s"
  }
}
