# The only file that differs by machine: its own address, and the three servers. Change all four addresses.
bind_addr      = "192.0.2.11"
retry_join     = ["192.0.2.11", "192.0.2.12", "192.0.2.13"]
retry_interval = "2s"
