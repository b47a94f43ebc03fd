#!/bin/sh
# Lays out as files, each readable only by who needs it, what containers with
# read-only file systems cannot get from their environment: certificates, keys
# and the replica set's key. It runs before everything else on every "up", so
# that renewed secrets arrive.
#
# /client is of the services, /server of the engines; all but MongoDB (user 999)
# run as user 65532. Its arguments, USER:DIRECTORY, say whose a volume is.
set -eu
umask 077

# put FILE OWNER MODE TEXT: whole or not at all, for those who read it meanwhile.
put() {
	printf '%s\n' "$4" >"$1.new"
	chmod "$3" "$1.new"
	chown "$2" "$1.new"
	mv "$1.new" "$1"
}

chmod 755 "${CLIENT:=/client}" "${SERVER:=/server}"
put "$CLIENT/ca.crt" 0:0 444 "$TLS_CA_CERT"
put "$CLIENT/tls.crt" 0:0 444 "$TLS_CLIENT_CERT"
put "$CLIENT/tls.key" 65532:65532 400 "$TLS_CLIENT_KEY"

put "$SERVER/ca.crt" 0:0 444 "$TLS_CA_CERT"
put "$SERVER/tls.crt" 0:0 444 "$TLS_CERT"
put "$SERVER/tls.key" 65532:65532 400 "$TLS_KEY"
put "$SERVER/mongo.pem" 999:999 400 "$TLS_CERT
$TLS_KEY"
put "$SERVER/mongo.key" 999:999 400 "$MONGO_KEYFILE"

for volume in "$@"; do
	chown "${volume%%:*}:${volume%%:*}" "${volume#*:}"
done
