# What a region node may do: say that it is there, and how it is. It reads no key and no other service.
service "chiyuan-node" {
  policy = "write"
}
