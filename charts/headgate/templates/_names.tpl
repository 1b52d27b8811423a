{{/* A Service's name begins with a letter and has no dot, which an installation's may have. */}}
{{- define "headgate.name" -}}
{{- $name := .Values.fullnameOverride -}}
{{- if not $name -}}
{{- $suffix := ternary "" "-headgate" (contains "headgate" .Release.Name) -}}
{{- $name = printf "%s%s" .Release.Name $suffix | replace "." "-" | trunc 50 | trimAll "-" -}}
{{- end -}}
{{- if not (regexMatch "^[a-z]" $name) -}}
{{- fail (printf "%s does not begin with a letter: choose another fullnameOverride" $name) -}}
{{- end -}}
{{- $name -}}
{{- end -}}

{{- define "headgate.account" -}}
{{- .Values.serviceAccount.name | default (include "headgate.name" .) -}}
{{- end -}}

{{- define "headgate.image" -}}
{{- .Values.image.repository -}}
{{- if .Values.image.digest }}@{{ .Values.image.digest }}{{ else }}:{{ .Values.image.tag | default .Chart.AppVersion }}{{ end -}}
{{- end -}}

{{- define "headgate.selector" -}}
app.kubernetes.io/name: headgate
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end -}}

{{- define "headgate.labels" -}}
{{ include "headgate.labelsWith" (list . dict) }}
{{- end -}}

{{/* Labels of an object that has some of its own, which commonLabels may name, too. */}}
{{- define "headgate.labelsWith" -}}
{{- $chart := index . 0 -}}
{{- $labels := include "headgate.selector" $chart | fromYaml -}}
{{- $_ := set $labels "app.kubernetes.io/version" $chart.Chart.AppVersion -}}
{{- $_ := set $labels "app.kubernetes.io/managed-by" $chart.Release.Service -}}
{{- $_ := set $labels "helm.sh/chart" (printf "%s-%s" $chart.Chart.Name $chart.Chart.Version) -}}
{{- merge $labels (index . 1) $chart.Values.commonLabels | toYaml -}}
{{- end -}}

{{/* What the operator may do in a namespace: its own kind, and the children it makes. */}}
{{- define "headgate.rules" -}}
- apiGroups: [headgate.dev]
  resources: [modeldeployments]
  verbs: [get, list, watch]
- apiGroups: [headgate.dev]
  resources: [modeldeployments/status]
  verbs: [update]
# Replicas that were left out are written once, for autoscalers to read.
- apiGroups: [headgate.dev]
  resources: [modeldeployments/scale]
  verbs: [patch]
# blockOwnerDeletion on our children needs this where that admission plugin is on.
- apiGroups: [headgate.dev]
  resources: [modeldeployments/finalizers]
  verbs: [update]
- apiGroups: [apps]
  resources: [deployments]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [apps]
  resources: [controllerrevisions]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [policy]
  resources: [poddisruptionbudgets]
  verbs: [list, watch, create, patch, delete]
- apiGroups: [""]
  resources: [services]
  verbs: [get, list, watch, create, patch]
- apiGroups: [""]
  resources: [pods]
  verbs: [list, watch, delete]
# One condition: that a pod is warm.
- apiGroups: [""]
  resources: [pods/status]
  verbs: [patch]
# Those that a template uses are read, watched and copied; the copies go with their revision.
- apiGroups: [""]
  resources: [configmaps]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [""]
  resources: [events]
  verbs: [create]
{{- end -}}
