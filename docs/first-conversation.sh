#!/usr/bin/env bash
# Two people register, become friends and talk through two gateways.
# Needs curl and node, and a running Parley:
#
#   make run ARGS="-addr 127.0.0.1:8080,127.0.0.1:8081"
#   docs/first-conversation.sh
#
# The verification codes stand in Parley's log; you are asked for them. With
# PARLEY_LOG naming a file that has the log, they are read from there.
set -euo pipefail

one=${1:-http://127.0.0.1:8080}
two=${2:-http://127.0.0.1:8081}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
tag=$RANDOM$RANDOM

# call METHOD URL [BODY]: one request as $token, the answer on standard output.
call() {
  curl --silent --show-error --fail-with-body -X "$1" "$2" \
    ${token:+-H "Authorization: Bearer $token"} \
    ${3:+-H "Content-Type: application/json" -d "$3"}
}

# field NAME: one field of the JSON on standard input.
field() {
  node -e 'let s = ""; process.stdin.on("data", d => s += d).on("end", () =>
    console.log(process.argv[1].split(".").reduce((v, k) => v[k], JSON.parse(s))))' "$1"
}

# code N: the N-th verification code since the start.
code() {
  if [ -z "${PARLEY_LOG:-}" ]; then
    read -r -p "The code in Parley's log: " reply </dev/tty
    echo "$reply"
    return
  fi
  for _ in $(seq 200); do
    found=$(grep 'verification code' "$PARLEY_LOG" | grep -Eo '\b[0-9]{6}\b' | sed -n "$1p")
    if [ -n "$found" ]; then echo "$found"; return; fi
    sleep 0.05
  done
  echo "no code in $PARLEY_LOG" >&2
  exit 1
}

# register NAME N: the answer to a registration with the N-th code.
register() {
  email=$1.$tag@example.org
  call POST "$one/api/v1/auth/codes" "{\"email\":\"$email\",\"purpose\":\"register\"}" >&2
  call POST "$one/api/v1/auth/register" \
    "{\"email\":\"$email\",\"code\":\"$(code "$2")\",\"account\":\"$1_$tag\",\"password\":\"correct horse battery\"}"
}

token=
ann=$(register ann 1 | field access_token)
bob=$(register bob 2 | field access_token)
echo "ann and bob are registered"

token=$ann
room=$(call POST "$one/api/v1/friends" "{\"account\":\"bob_$tag\"}" | field room_id)
echo "they are friends; their room is $room"

# Bob listens on the second gateway, Ann sends through the first.
heard=$(mktemp)
trap 'rm -f "$heard"' EXIT
TOKEN=$bob node --experimental-websocket "$here/listen.mjs" "ws${two#http}" >"$heard" &
listener=$!
until grep -q '"op":"ok"' "$heard"; do
  kill -0 "$listener"
  sleep 0.05
done
call POST "$one/api/v1/rooms/$room/messages" '{"client_id":"first","type":"text","content":{"text":"hello, bob"}}'
echo
wait "$listener"
echo "bob heard:"
grep '"op":"message"' "$heard"

echo "and the room remembers:"
token=$bob
call GET "$two/api/v1/rooms/$room/messages"
echo
