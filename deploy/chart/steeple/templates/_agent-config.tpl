{{- /* agent.conf as JSON: what the chart decides, overlaid by `agent.config`. */ -}}
{{- define "steeple.agentConfig" -}}
{{- $v := .Values -}}
{{- /* Of several servers agents choose themselves: they leave one that is silent, which a Service would send them back to. */ -}}
{{- $areSeveral := gt (int $v.server.replicas) 1 -}}
{{- $servers := ternary (include "steeple.servers" .) (include "steeple.server" .) $areSeveral -}}
{{- $agent := dict
  "trust_domain" $v.trustDomain
  "server_address" (printf "%s.%s.svc" $servers .Release.Namespace)
  "server_port" (ternary 8081 (int $v.server.service.port) $areSeveral)
  "data_dir" "/var/lib/steeple"
  "socket_path" (printf "%s/%s" $v.agent.socketDir $v.agent.socketName)
  "admin_socket_path" (printf "%s/admin.sock" (include "steeple.adminSocketDir" .))
  "trust_bundle_path" "/etc/steeple/bundle/bundle.crt"
  "log_level" $v.agent.logLevel
  "log_format" "json"
-}}
{{- $attest := dict "cluster" $v.clusterName "token_path" "/var/run/secrets/tokens/spire-agent" -}}
{{- $k8s := dict
  "node_name_env" "MY_NODE_NAME"
  "kubelet_secure_port" (int $v.agent.kubeletPort)
  "skip_kubelet_verification" (not $v.agent.verifyKubelet)
-}}
{{- if eq $v.agent.podSource "api_server" -}}
{{- $k8s = dict "node_name_env" "MY_NODE_NAME" "pod_source" "api_server" -}}
{{- end -}}
{{- if $v.agent.namespaceLabels }}{{ $_ := set $k8s "enable_namespace_labels" true }}{{ end -}}
{{- $plugins := dict
  "KeyManager" (dict "memory" (dict "plugin_data" dict))
  "NodeAttestor" (dict "k8s_psat" (dict "plugin_data" $attest))
  "WorkloadAttestor" (dict "k8s" (dict "plugin_data" $k8s))
-}}
{{- $health := dict "listener_enabled" true "bind_address" (ternary "127.0.0.1" "0.0.0.0" $v.agent.hostNetwork) "bind_port" 9982 -}}
{{- $config := dict "agent" $agent "plugins" $plugins "health_checks" $health -}}
{{- if $v.metrics.enabled }}{{ $_ := set $config "telemetry" (dict "Prometheus" (dict "host" "0.0.0.0" "port" (int $v.metrics.port))) }}{{ end -}}
{{- mustMergeOverwrite $config (deepCopy $v.agent.config) | toPrettyJson -}}
{{- end }}
