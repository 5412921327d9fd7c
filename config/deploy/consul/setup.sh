#!/bin/sh
# Makes Consul's policies and tokens for a federation, once three servers have a leader. May be run again: what is there stays.
#   setup.sh FOLDER     of yours alone; keep FOLDER/management-token in a safe afterwards
# Asks the agent that CONSUL_HTTP_ADDR names, by default the one on this machine. CHIYUAN_OWNER: user and group whom the
# files of gateways and nodes are given to, such as 10001:10001; CONSUL_OWNER: the same for the agents' file; by default
# nobody else. RELOAD: addresses of agents that read that file by now and are told to.
set -eu
umask 077
out=${1:?say in which folder the tokens go: setup.sh FOLDER}
policies=$(dirname "$0")/policies
mkdir -p "$out/agent" "$out/gateway" "$out/node" "$out/operator"

# Whoever gets here first owns this Consul: that must be us.
if [ ! -s "$out/management-token" ]; then
  made=$(consul acl bootstrap) || {
    echo "setup.sh: Consul gave no management token. Without a leader try again; if it was set up before, put its management token into $out/management-token" >&2
    exit 1
  }
  printf '%s\n' "$made" | awk '$1 == "SecretID:" { print $2 }' > "$out/management-token"
fi
export CONSUL_HTTP_TOKEN_FILE="$out/management-token"

policy() {
  if consul acl policy read -name "chiyuan-$1" > /dev/null 2>&1; then
    consul acl policy update -no-merge -name "chiyuan-$1" -rules "@$policies/$1.hcl" -description "$2" > /dev/null
  else
    consul acl policy create -name "chiyuan-$1" -rules "@$policies/$1.hcl" -description "$2" > /dev/null
  fi
}

# token POLICY: a new secret with that policy, to standard output
token() {
  consul acl token create -policy-name "chiyuan-$1" -description "chiyuan $1" |
    awk '$1 == "SecretID:" { print $2 }' | grep .
}

# once FILE COMMAND...: what the command says, into a file that is whole or not there
once() {
  file=$1
  shift
  [ ! -s "$file" ] || return 0
  "$@" > "$file.new"
  mv "$file.new" "$file"
}

agent_file() {
  secret=$(token agent)
  printf '# This is a secret.\nacl {\n  tokens {\n    agent = "%s"\n  }\n}\n' "$secret"
}

resident_key() {
  head -c 32 /dev/urandom | od -An -v -tx1 | tr -d ' \n'
}

policy agent 'what a Consul agent needs for itself'
policy gateway 'gateways of the federation'
policy node 'region nodes'
policy operator 'people on duty: they see, and change nothing'
once "$out/agent/acl-agent.hcl" agent_file
once "$out/gateway/consul-token" token gateway
once "$out/node/consul-token" token node
once "$out/operator/consul-token" token operator
# The same on all gateways, so that a resident has the same node on all.
once "$out/gateway/resident.key" resident_key

if [ -n "${CHIYUAN_OWNER:-}" ]; then
  chown -R "$CHIYUAN_OWNER" "$out/gateway" "$out/node"
fi
if [ -n "${CONSUL_OWNER:-}" ]; then
  chown -R "$CONSUL_OWNER" "$out/agent"
fi
for agent in ${RELOAD:-}; do
  consul reload -http-addr="$agent"
done
echo "setup.sh: policies are in force, tokens are in $out"
