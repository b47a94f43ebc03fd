{{/* The environment of a service: (list $ SERVICE), SERVICE from parley.service. */}}
{{- define "parley.env" -}}
{{- $root := first . -}}
{{- $service := last . -}}
- { name: OPS_ADDR, value: ":9090" }
{{- if eq $service.name "gateway" }}
- { name: GATEWAY_ADDR, value: ":8080" }
{{- end }}
{{ include "parley.natsEnv" . }}
{{- range $service.secrets }}
{{ include "parley.secretEnv" (list . $service.existingSecret) }}
{{- end }}
{{- $config := merge (deepCopy $service.config) $root.Values.config }}
{{- range $name := keys $config | sortAlpha }}
- name: {{ $name }}
  value: {{ include "parley.text" (get $config $name) | quote }}
{{- end }}
{{- with include "parley.memoryLimit" $service.resources.limits.memory }}
# Go collects garbage before the kernel kills: nine tenths of the limit.
- { name: GOMEMLIMIT, value: {{ . }} }
{{- end }}
{{- if $root.Values.trust.secret }}
- { name: SSL_CERT_DIR, value: /etc/parley/trust }
{{- end }}
{{- end -}}

{{/* Where NATS is, and who the service is there. The connection has the pod's name. */}}
{{- define "parley.natsEnv" -}}
{{- $root := first . -}}
{{- $service := last . -}}
{{- $nats := $root.Values.nats -}}
- name: NATS_URL
  value: {{ include "parley.natsURL" $root }}
- name: NATS_NAME
  valueFrom:
    fieldRef:
      fieldPath: metadata.name
{{- if $nats.tls.caSecret }}
- { name: NATS_CA_FILE, value: /etc/parley/nats-ca/ca.crt }
{{- end }}
{{- if $nats.tls.clientSecret }}
- { name: NATS_CERT_FILE, value: /etc/parley/nats-client/tls.crt }
- { name: NATS_KEY_FILE, value: /etc/parley/nats-client/tls.key }
{{- end }}
{{- if $service.stream }}
- { name: NATS_STREAM_REPLICAS, value: {{ $nats.streamReplicas | quote }} }
{{- end }}
{{- if eq $nats.auth "nkey" }}
{{ include "parley.secretEnv" (list "NATS_NKEY_SEED" $service.existingSecret) }}
{{- else if eq $nats.auth "password" }}
{{ include "parley.secretEnv" (list "NATS_USER" $service.existingSecret) }}
{{ include "parley.secretEnv" (list "NATS_PASSWORD" $service.existingSecret) }}
{{- end }}
{{- end -}}

{{- define "parley.natsURL" -}}
{{- if .Values.nats.enabled -}}
tls://parley-nats-0.parley-nats:4222,tls://parley-nats-1.parley-nats:4222,tls://parley-nats-2.parley-nats:4222
{{- else -}}
{{- .Values.nats.url -}}
{{- end -}}
{{- end -}}

{{/* A variable from the key of its name in a Secret: (list NAME SECRET). */}}
{{- define "parley.secretEnv" -}}
- name: {{ first . }}
  valueFrom:
    secretKeyRef:
      name: {{ last . }}
      key: {{ first . }}
{{- end -}}

{{/* A setting as the services read it: lists with commas, whole numbers without an exponent. */}}
{{- define "parley.text" -}}
{{- if kindIs "slice" . -}}
{{- join "," . -}}
{{- else if and (kindIs "float64" .) (eq (floor .) .) -}}
{{- int64 . -}}
{{- else -}}
{{- toString . -}}
{{- end -}}
{{- end -}}

{{/* Nine tenths of a limit in Mi or Gi, as Go reads it. */}}
{{- define "parley.memoryLimit" -}}
{{- $number := regexFind "^[0-9]+" . | int64 -}}
{{- if hasSuffix "Gi" . }}{{ $number = mul $number 1024 }}{{ end -}}
{{- printf "%dMiB" (div (mul $number 9) 10) -}}
{{- end -}}
