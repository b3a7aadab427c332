// Original file: proto/spiffe/broker/broker.proto


export interface KubernetesObjectTypeInput {
  'plural'?: (string);
  'group'?: (string);
}

export interface KubernetesObjectType {
  'plural': (string);
  'group': (string);
}
