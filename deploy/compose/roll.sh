#!/bin/sh
# Replaces all replicas of a service by as many of today's image and settings:
# first the new ones come, and once they are healthy, the old ones go, one after
# the other, each as slowly as it needs. If the new ones do not become healthy,
# they go again, and the old ones stay.
#
#   deploy/compose/roll.sh chat
#
# "docker compose up" alone would stop all of them at once.
set -eu
cd "$(dirname "$0")/../.."
service="${1:?usage: roll.sh SERVICE}"

old="$(docker compose ps --quiet "$service" | tr '\n' ' ')"
count="$(printf %s "$old" | wc -w)"
if [ "$count" -eq 0 ]; then
	echo "no $service runs" >&2
	exit 1
fi

if ! docker compose up --detach --no-deps --no-recreate --wait --scale "$service=$((2 * count))" "$service"; then
	echo "the new replicas of $service are not healthy; the old ones stay" >&2
	for container in $(docker compose ps --all --quiet "$service"); do
		case " $old" in
		*" $container "*) ;;
		*) docker rm --force "$container" >/dev/null ;;
		esac
	done
	exit 1
fi
for container in $old; do
	docker stop "$container" >/dev/null # which takes the service's stop_grace_period, at most
	docker rm "$container" >/dev/null
done
