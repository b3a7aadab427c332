{{- /* server.conf as JSON: what the chart decides, overlaid by `server.config`. */ -}}
{{- define "steeple.serverConfig" -}}
{{- $v := .Values -}}
{{- $agents := printf "%s:%s" .Release.Namespace (include "steeple.agent" .) -}}
{{- $server := dict
  "trust_domain" $v.trustDomain
  "bind_address" "0.0.0.0"
  "bind_port" 8081
  "data_dir" "/var/lib/steeple"
  "socket_path" "/tmp/spire-server/private/api.sock"
  "log_level" $v.server.logLevel
  "log_format" "json"
  "audit_log_enabled" $v.server.auditLog
  "ca_ttl" $v.server.caTtl
  "default_x509_svid_ttl" $v.server.defaultX509SvidTtl
  "default_jwt_svid_ttl" $v.server.defaultJwtSvidTtl
-}}
{{- with $v.server.jwtIssuer }}{{ $_ := set $server "jwt_issuer" . }}{{ end -}}
{{- $attest := dict "clusters" (dict $v.clusterName (dict "service_account_allow_list" (list $agents))) -}}
{{- $bundle := dict "namespace" .Release.Namespace "config_map" (include "steeple.bundle" .) "config_map_key" "bundle.crt" -}}
{{- $isPostgres := eq $v.server.database.type "postgres" -}}
{{- if and (not $isPostgres) (or $v.server.database.secretName $v.server.database.filesSecretName) -}}
{{- fail "server.database names a Secret, which SQLite has no use for: set server.database.type to postgres" -}}
{{- end -}}
{{- $store := dict "database_type" "sqlite3" "connection_string" "/var/lib/steeple/datastore.sqlite3" -}}
{{- if $isPostgres }}{{ $store = dict "database_type" "postgres" "connection_string" "$STEEPLE_DATABASE" }}{{ end -}}
{{- $plugins := dict
  "DataStore" (dict "sql" (dict "plugin_data" $store))
  "KeyManager" (dict "disk" (dict "plugin_data" (dict "keys_path" "/var/lib/steeple/keys.json")))
  "NodeAttestor" (dict "k8s_psat" (dict "plugin_data" $attest))
  "Notifier" (dict "k8sbundle" (dict "plugin_data" $bundle))
-}}
{{- $health := dict "listener_enabled" true "bind_address" "0.0.0.0" "bind_port" 8080 -}}
{{- $config := dict "server" $server "plugins" $plugins "health_checks" $health -}}
{{- if $v.controllerManager.enabled -}}
{{- $controller := dict
  "cluster_name" $v.clusterName
  "cluster_domain" $v.clusterDomain
  "watch_classless" $v.controllerManager.watchClassless
  "ignore_namespaces" (append $v.controllerManager.ignoreNamespaces (printf "^%s$" .Release.Namespace))
  "leader_election" (dict "leader_elect" false)
-}}
{{- with $v.controllerManager.className }}{{ $_ := set $controller "class_name" . }}{{ end -}}
{{- if $v.controllerManager.webhook.enabled -}}
{{- $_ := set $controller "webhook" (dict "port" 9443) -}}
{{- $_ := set $controller "validating_webhook_configuration_name" (include "steeple.clusterName" .) -}}
{{- end -}}
{{- $_ := set $config "controller_manager" $controller -}}
{{- end -}}
{{- if $v.policies.enabled -}}
{{- $_ := set $config "policy_status" (dict "lease_namespace" .Release.Namespace "root_namespace" $v.policies.rootNamespace) -}}
{{- end -}}
{{- if $v.injection.enabled -}}
{{- if not (and $v.controllerManager.enabled $v.controllerManager.webhook.enabled) -}}
{{- fail "injection needs controllerManager.webhook, by which the API server asks for it" -}}
{{- end -}}
{{- $injection := dict
  "image" (include "steeple.image" .)
  "image_pull_policy" $v.image.pullPolicy
  "agent_socket_name" $v.agent.socketName
  "root_namespace" $v.policies.rootNamespace
  "mesh_addresses" $v.injection.meshAddresses
  "plaintext_addresses" $v.injection.plaintextAddresses
  "excluded_inbound_ports" $v.injection.excludedInboundPorts
-}}
{{- if $v.injection.csiDriver -}}
{{- $_ := set $injection "csi_driver" $v.injection.csiDriver -}}
{{- else -}}
{{- $_ := set $injection "agent_socket_dir" $v.agent.socketDir -}}
{{- end -}}
{{- $tracing := $v.injection.tracing -}}
{{- if $tracing.otlpEndpoint -}}
{{- $_ := set $injection "tracing" (dict "otlp_endpoint" $tracing.otlpEndpoint "sampling" (toString $tracing.sampling)) -}}
{{- end -}}
{{- $_ := set $config "sidecar_injection" (mustMergeOverwrite $injection (deepCopy $v.injection.config)) -}}
{{- $_ := set $config.controller_manager "mutating_webhook_configuration_name" (include "steeple.clusterName" .) -}}
{{- end -}}
{{- if $v.clusterTrustBundle.enabled -}}
{{- $signer := required "clusterTrustBundle.signerName is needed" $v.clusterTrustBundle.signerName -}}
{{- $published := dict "signer_name" $signer "name" (include "steeple.trustBundle" .) -}}
{{- $_ := set $plugins "BundlePublisher" (dict "k8s_cluster_trust_bundle" (dict "plugin_data" $published)) -}}
{{- end -}}
{{- if $v.podCertificates.enabled -}}
{{- $signer := required "podCertificates.signerName is needed" $v.podCertificates.signerName -}}
{{- $_ := set $config "pod_certificates" (dict $v.clusterName (dict "signer_name" $signer)) -}}
{{- end -}}
{{- if $v.metrics.enabled }}{{ $_ := set $config "telemetry" (dict "Prometheus" (dict "host" "0.0.0.0" "port" (int $v.metrics.port))) }}{{ end -}}
{{- $config = mustMergeOverwrite $config (deepCopy $v.server.config) -}}
{{- if and (gt (int $v.server.replicas) 1) (ne (dig "plugins" "DataStore" "sql" "plugin_data" "database_type" "" $config) "postgres") -}}
{{- fail "server.replicas above 1 needs server.database.type postgres: SQLite is a file of one server" -}}
{{- end -}}
{{- if $isPostgres -}}
{{- /* The server puts the environment in; every other dollar sign stands for itself. */ -}}
{{- toPrettyJson $config | replace "$" "$$" | replace "\"$$STEEPLE_DATABASE\"" "\"$STEEPLE_DATABASE\"" -}}
{{- else -}}
{{- toPrettyJson $config -}}
{{- end -}}
{{- end }}
