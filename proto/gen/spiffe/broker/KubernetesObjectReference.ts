// Original file: proto/spiffe/broker/broker.proto

import type { KubernetesObjectTypeInput as _spiffe_broker_KubernetesObjectTypeInput, KubernetesObjectType as _spiffe_broker_KubernetesObjectType } from '../../spiffe/broker/KubernetesObjectType.ts';
import type { KubernetesObjectKeyInput as _spiffe_broker_KubernetesObjectKeyInput, KubernetesObjectKey as _spiffe_broker_KubernetesObjectKey } from '../../spiffe/broker/KubernetesObjectKey.ts';

export interface KubernetesObjectReferenceInput {
  'type'?: (_spiffe_broker_KubernetesObjectTypeInput | null);
  'key'?: (_spiffe_broker_KubernetesObjectKeyInput | null);
  'uid'?: (string);
}

export interface KubernetesObjectReference {
  'type': (_spiffe_broker_KubernetesObjectType | null);
  'key': (_spiffe_broker_KubernetesObjectKey | null);
  'uid': (string);
}
