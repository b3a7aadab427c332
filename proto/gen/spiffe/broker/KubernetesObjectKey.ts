// Original file: proto/spiffe/broker/broker.proto


export interface KubernetesObjectKeyInput {
  'namespace'?: (string);
  'name'?: (string);
}

export interface KubernetesObjectKey {
  'namespace': (string);
  'name': (string);
}
