#!/bin/sh
# Makes the regions' keys, and a list by which donors may sign for their neighbours for a month. To try it; docs/codes.md tells
# how it is done in earnest. May be run again: keys stay, the list is signed anew.
#   trust.sh FOLDER
set -eu
umask 077
cd "${1:?say in which folder keys and list go: trust.sh FOLDER}"
from=$(node -p 'new Date(Date.now() - 60000).toISOString()')
until=$(node -p 'new Date(Date.now() + 30 * 86400000).toISOString()')
[ -d root ] || chiyuan keys new --dir root --region 100000
chiyuan keys jwks --dir root > root.json
echo 'issuers:' > trust.yaml
for region in 610100 610400 610500 610000; do
  [ -d "$region" ] || chiyuan keys new --dir "$region" --region "$region"
  chiyuan keys jwks --dir "$region" > "$region.json"
  printf '  - { region: "%s", jwks: %s.json }\n' "$region" "$region" >> trust.yaml
done
echo 'delegations:' >> trust.yaml
for pair in 610400:610100 610500:610100 610000:610100 610100:610400 610100:610500 610000:610400 610000:610500; do
  printf '  - { donor: "%s", hom: "%s", from: "%s", until: "%s" }\n' "${pair%:*}" "${pair#*:}" "$from" "$until" >> trust.yaml
done
chiyuan trust sign trust.yaml --dir root --out trust.jws
