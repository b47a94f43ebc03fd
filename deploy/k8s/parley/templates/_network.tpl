{{/* Peers that are pods of this release: (list $ COMPONENT COMPONENT…). */}}
{{- define "parley.pods" -}}
{{- $root := first . -}}
{{- range $i, $component := rest . -}}
{{- if $i }}
{{ end -}}
- podSelector:
    matchLabels:
      {{- include "parley.selector" (dict "root" $root "component" $component) | nindent 6 }}
{{- end }}
{{- end -}}

{{/* The ports of a rule: (list PORT…). */}}
{{- define "parley.ports" -}}
ports:
  {{- range . }}
  - { protocol: TCP, port: {{ . }} }
  {{- end }}
{{- end -}}

{{/* Egress to the cluster's name server. */}}
{{- define "parley.toDNS" -}}
- to:
    {{- toYaml .Values.networkPolicy.dns.to | nindent 4 }}
  ports:
    - { protocol: UDP, port: 53 }
    - { protocol: TCP, port: 53 }
{{- end -}}

{{/*
Egress to an engine by the name that it has in values, the small one of this
chart or one elsewhere: (list $ NAME).
*/}}
{{- define "parley.toEngine" -}}
{{- $root := first . -}}
{{- $name := last . -}}
{{- $inside := get (dict "nats" (list "nats" 4222) "mongodb" (list "mongodb" 27017) "redis" (list "redis" 6379) "smtp" (list "mailpit" 1025)) $name -}}
{{- if and $inside (index $root.Values (first $inside)).enabled -}}
- to:
    {{- include "parley.pods" (list $root (first $inside)) | nindent 4 }}
  {{- include "parley.ports" (list (last $inside)) | nindent 2 }}
{{- else -}}
{{- $outside := index $root.Values.networkPolicy $name -}}
- {{ include "parley.ports" $outside.ports | nindent 2 | trim }}
  {{- with $outside.to }}
  to:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end -}}
{{- end -}}

{{/* Ingress of who reads metrics: (list $ PORT). */}}
{{- define "parley.fromMonitoring" -}}
{{- $port := last . -}}
{{- with (first .).Values.networkPolicy.monitoring.from -}}
- from:
    {{- toYaml . | nindent 4 }}
  {{- include "parley.ports" (list $port) | nindent 2 }}
{{- end }}
{{- end -}}

{{/* Not empty when the service sends traces: (list $ SERVICE). */}}
{{- define "parley.traces" -}}
{{- $own := printf "%s_OTEL_EXPORTER_OTLP_ENDPOINT" (upper (last .).name) -}}
{{- get (last .).config $own | default (get (first .).Values.config "OTEL_EXPORTER_OTLP_ENDPOINT") -}}
{{- end -}}
