{{/* The files that services get: certificates, from Secrets that exist. */}}
{{- define "parley.volumes" -}}
{{- with .Values.nats.tls.caSecret }}
- name: nats-ca
  secret:
    secretName: {{ . }}
    items: [{ key: ca.crt, path: ca.crt }]
{{- end }}
{{- with .Values.nats.tls.clientSecret }}
- name: nats-client
  secret:
    secretName: {{ . }}
    defaultMode: 0440
    items: [{ key: tls.crt, path: tls.crt }, { key: tls.key, path: tls.key }]
{{- end }}
{{- with .Values.trust.secret }}
- name: trust
  secret:
    secretName: {{ . }}
    items: [{ key: ca.crt, path: ca.crt }]
{{- end }}
{{- end -}}

{{- define "parley.mounts" -}}
{{- if .Values.nats.tls.caSecret }}
- { name: nats-ca, mountPath: /etc/parley/nats-ca, readOnly: true }
{{- end }}
{{- if .Values.nats.tls.clientSecret }}
- { name: nats-client, mountPath: /etc/parley/nats-client, readOnly: true }
{{- end }}
{{- if .Values.trust.secret }}
- { name: trust, mountPath: /etc/parley/trust, readOnly: true }
{{- end }}
{{- end -}}
