{{/* What the names of a release's objects begin with. */}}
{{- define "parley.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride -}}
{{- else if contains "parley" .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-parley" (.Release.Name | trunc 33 | trimSuffix "-") -}}
{{- end -}}
{{- end -}}

{{/* What selects the pods of a component: (dict "root" $ "component" NAME). */}}
{{- define "parley.selector" -}}
{{ include "parley.release" .root }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{/* What selects all pods of a release, the engines' too. */}}
{{- define "parley.release" -}}
app.kubernetes.io/name: parley
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{/* The labels of a component's pods, as parley.selector. */}}
{{- define "parley.podLabels" -}}
{{ include "parley.selector" . }}
app.kubernetes.io/part-of: parley
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
{{- end -}}

{{/* The labels of a component's objects, as parley.selector. */}}
{{- define "parley.labels" -}}
{{ include "parley.podLabels" . }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ .root.Chart.Name }}-{{ .root.Chart.Version | replace "+" "_" }}
{{- end -}}

{{/* The image of a service or of smoke: (dict "root" $ "name" NAME "image" OVERRIDES). */}}
{{- define "parley.image" -}}
{{- $own := .image | default dict -}}
{{- $repository := $own.repository | default (printf "%s-%s" .root.Values.image.repository .name) -}}
{{- if $own.digest -}}
{{- printf "%s@%s" $repository $own.digest -}}
{{- else -}}
{{- printf "%s:%s" $repository ($own.tag | default .root.Values.image.tag | default .root.Chart.AppVersion) -}}
{{- end -}}
{{- end -}}

{{/* A claim to storage: {size, className}. */}}
{{- define "parley.claim" -}}
accessModes: [ReadWriteOnce]
{{- with .className }}
storageClassName: {{ . }}
{{- end }}
resources:
  requests:
    storage: {{ .size }}
{{- end -}}
