{{/*
The services, by name: the keys of their Secret, and what they reach. All else
that they differ in are values; all that they share is below and in the
templates, once.
*/}}
{{- define "parley.services" -}}
auth:
  secrets: [AUTH_KEY_SECRET, AUTH_STORE, REDIS_URL, SMTP_URL]
  reaches: [nats, mongodb, redis, smtp]
  stream: true
social:
  secrets: [SOCIAL_STORE]
  reaches: [nats, mongodb]
  stream: true
chat:
  secrets: [CHAT_STORE]
  reaches: [nats, mongodb]
  stream: true
gateway:
  secrets: [REDIS_URL]
  reaches: [nats, redis]
  stream: false
{{- end -}}

{{/*
A service's values, with those of "defaults" where it has none of its own, its
name and object name, and what parley.services says of it: (list $ NAME).
*/}}
{{- define "parley.service" -}}
{{- $root := first . -}}
{{- $name := last . -}}
{{- $service := deepCopy (index $root.Values $name) -}}
{{- include "parley.fill" (list $service $root.Values.defaults) -}}
{{- $facts := index (include "parley.services" $root | fromYaml) $name -}}
{{- include "parley.fill" (list $service $facts) -}}
{{- $_ := set $service "name" $name -}}
{{- $_ := set $service "fullname" (printf "%s-%s" (include "parley.fullname" $root) $name) -}}
{{- $_ := set $service "graceSeconds" (include "parley.graceSeconds" $service | int) -}}
{{- toYaml $service -}}
{{- end -}}

{{/* Puts into the first map what only the second has, as Helm merges values. */}}
{{- define "parley.fill" -}}
{{- $to := first . -}}
{{- range $key, $value := last . -}}
{{- if not (hasKey $to $key) -}}
{{- $_ := set $to $key (deepCopy $value) -}}
{{- else if and (kindIs "map" $value) (kindIs "map" (index $to $key)) -}}
{{- include "parley.fill" (list (index $to $key) $value) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Whole seconds of a duration as the services read it, such as 1m30s. */}}
{{- define "parley.seconds" -}}
{{- $zero := toDate "2006-01-02 MST" "2000-01-01 UTC" -}}
{{- sub (mustDateModify (toString .) $zero | unixEpoch) (unixEpoch $zero) -}}
{{- end -}}

{{/*
How long a pod may take to stop: what it waits before SIGTERM, what a gateway
takes to send its connections away, and 45 s, in which every service answers
what has reached it, on a slow day too.
*/}}
{{- define "parley.graceSeconds" -}}
{{- $seconds := add 45 .preStopSeconds -}}
{{- if eq .name "gateway" -}}
{{- $drain := get .config "GATEWAY_DRAIN_TIME" | default "5s" -}}
{{- $stop := get .config "GATEWAY_STOP_TIMEOUT" | default "2s" -}}
{{- $seconds = add $seconds (include "parley.seconds" $drain | int) (include "parley.seconds" $stop | int) -}}
{{- end -}}
{{- $seconds -}}
{{- end -}}

{{/* The replicas that there are at least: those asked for, or the autoscaler's minimum. */}}
{{- define "parley.leastReplicas" -}}
{{- if .autoscaling.enabled -}}
{{- .autoscaling.minReplicas | default .replicas | int -}}
{{- else -}}
{{- .replicas | int -}}
{{- end -}}
{{- end -}}
