{{- /* Names and labels that several objects share. */ -}}
{{- define "steeple.name" -}}
{{- if .Values.fullnameOverride }}{{ .Values.fullnameOverride | trunc 50 | trimSuffix "-" }}
{{- else if contains "steeple" .Release.Name }}{{ .Release.Name | trunc 50 | trimSuffix "-" }}
{{- else }}{{ printf "%s-steeple" .Release.Name | trunc 50 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "steeple.server" }}{{ include "steeple.name" . }}-server{{ end }}
{{- /* Behind this name is the address of each server that is ready. */ -}}
{{- define "steeple.servers" }}{{ include "steeple.name" . }}-servers{{ end }}
{{- define "steeple.agent" }}{{ include "steeple.name" . }}-agent{{ end }}
{{- define "steeple.bundle" }}{{ include "steeple.name" . }}-bundle{{ end }}
{{- /* Of objects outside of namespaces: two releases of one name may stand in two namespaces. */ -}}
{{- define "steeple.clusterName" }}{{ .Release.Namespace }}-{{ include "steeple.name" . }}{{ end }}

{{- /* In the container, where the command line looks for it unless it is told otherwise; on the node, if it is there for others too. */ -}}
{{- define "steeple.adminSocketDir" }}{{ .Values.agent.adminSocketDir | default "/tmp/spire-agent/private" }}{{ end }}

{{- /* The API server demands the signer's name before it, with a colon for the slash. */ -}}
{{- define "steeple.trustBundle" }}{{ replace "/" ":" .Values.clusterTrustBundle.signerName }}:{{ include "steeple.name" . }}{{ end }}

{{- define "steeple.labels" -}}
app.kubernetes.io/name: steeple
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "steeple.selector" -}}
app.kubernetes.io/name: steeple
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "steeple.image" }}{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}{{ end }}

{{- define "steeple.pullSecrets" -}}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- end }}
