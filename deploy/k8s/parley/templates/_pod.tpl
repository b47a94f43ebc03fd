{{/* The pod of a service: (list $ SERVICE), SERVICE from parley.service. */}}
{{- define "parley.pod" -}}
{{- $root := first . -}}
{{- $service := last . -}}
serviceAccountName: {{ $service.fullname }}
{{ include "parley.podSecurity" 65532 }}
{{- include "parley.pullSecrets" $root }}
terminationGracePeriodSeconds: {{ $service.graceSeconds }}
{{- include "parley.placement" . }}
containers:
  # The name is the same for all services, so that one patch fits them.
  - name: parley
    image: {{ include "parley.image" (dict "root" $root "name" $service.name "image" $service.image) }}
    imagePullPolicy: {{ $root.Values.image.pullPolicy }}
    {{- include "parley.containerSecurity" . | nindent 4 }}
    ports:
      {{- if eq $service.name "gateway" }}
      - { name: http, containerPort: 8080 }
      {{- end }}
      - { name: ops, containerPort: 9090 }
    env:
      {{- include "parley.env" . | nindent 6 }}
    startupProbe:
      {{- include "parley.probe" (list "/readyz" $service.probes.startup) | nindent 6 }}
    readinessProbe:
      {{- include "parley.probe" (list "/readyz" $service.probes.readiness) | nindent 6 }}
    livenessProbe:
      {{- include "parley.probe" (list "/healthz" $service.probes.liveness) | nindent 6 }}
    {{- with int $service.preStopSeconds }}
    lifecycle:
      preStop:
        # Until load balancers know that the pod leaves, it serves.
        sleep: { seconds: {{ . }} }
    {{- end }}
    resources:
      {{- toYaml $service.resources | nindent 6 }}
    {{- with include "parley.mounts" $root | trim }}
    volumeMounts:
      {{- . | nindent 6 }}
    {{- end }}
{{- with include "parley.volumes" $root | trim }}
volumes:
  {{- . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "parley.probe" -}}
httpGet: { path: {{ first . }}, port: ops }
{{ toYaml (last .) }}
{{- end -}}

{{/* Where the pod runs. */}}
{{- define "parley.placement" -}}
{{- $root := first . -}}
{{- $service := last . -}}
{{- with $service.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with $service.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $service.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $service.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- $spread := $service.topologySpread }}
{{- if or $spread.zone $spread.host }}
topologySpreadConstraints:
  {{- range $key, $otherwise := dict "topology.kubernetes.io/zone" $spread.zone "kubernetes.io/hostname" $spread.host }}
  {{- with $otherwise }}
  - maxSkew: 1
    topologyKey: {{ $key }}
    whenUnsatisfiable: {{ . }}
    labelSelector:
      matchLabels:
        {{- include "parley.selector" (dict "root" $root "component" $service.name) | nindent 8 }}
    # Counted among the pods of one version: an update is spread, too.
    matchLabelKeys: [pod-template-hash]
  {{- end }}
  {{- end }}
{{- end }}
{{- end -}}
