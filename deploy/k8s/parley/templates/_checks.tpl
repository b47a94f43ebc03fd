{{/* What the schema can't say: values that contradict each other. */}}
{{- define "parley.checks" -}}
{{- range $name := keys (include "parley.services" . | fromYaml) | sortAlpha -}}
{{- $service := include "parley.service" (list $ $name) | fromYaml -}}
{{- with $service.autoscaling -}}
{{- if .enabled -}}
{{- if lt (int .maxReplicas) (include "parley.leastReplicas" $service | int) -}}
{{- fail (printf "%s.autoscaling.maxReplicas is %v, less than its minReplicas, or replicas, of %s" $name .maxReplicas (include "parley.leastReplicas" $service)) -}}
{{- end -}}
{{- if not (or .cpu .connections) -}}
{{- fail (printf "%s.autoscaling has nothing to count: set cpu%s" $name (ternary " or connections" "" (eq $name "gateway"))) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $gateway := include "parley.service" (list . "gateway") | fromYaml -}}
{{- $most := get $gateway.config "GATEWAY_MAX_CONNS" | default 100000 | toString | int64 -}}
{{- if and $gateway.autoscaling.enabled (ge ($gateway.autoscaling.connections | int64) $most) -}}
{{- fail (printf "gateway.autoscaling.connections must be less than GATEWAY_MAX_CONNS, %d: full gateways refuse before there are more" $most) -}}
{{- end -}}
{{- if and .Values.nats.enabled (ne .Values.nats.auth "nkey") -}}
{{- fail "nats.auth must be nkey with nats.enabled: those servers know no passwords" -}}
{{- end -}}
{{- if and .Values.nats.enabled (not .Values.nats.tls.caSecret) -}}
{{- fail "nats.tls.caSecret is needed with nats.enabled: those servers speak TLS only" -}}
{{- end -}}
{{- if and .Values.mailpit.enabled (not .Values.trust.secret) -}}
{{- fail "trust.secret is needed with mailpit.enabled: auth must trust the authority of its certificate" -}}
{{- end -}}
{{- end -}}
