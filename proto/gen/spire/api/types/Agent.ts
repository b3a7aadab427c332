// Original file: proto/spire/api/types/agent.proto

import type { SPIFFEIDInput as _spire_api_types_SPIFFEIDInput, SPIFFEID as _spire_api_types_SPIFFEID } from '../../../spire/api/types/SPIFFEID.ts';
import type { SelectorInput as _spire_api_types_SelectorInput, Selector as _spire_api_types_Selector } from '../../../spire/api/types/Selector.ts';
import type { Long } from '@grpc/proto-loader';

export interface AgentInput {
  'id'?: (_spire_api_types_SPIFFEIDInput | null);
  'attestation_type'?: (string);
  'x509svid_serial_number'?: (string);
  'x509svid_expires_at'?: (number | string | Long);
  'selectors'?: (_spire_api_types_SelectorInput)[];
  'banned'?: (boolean);
  'can_reattest'?: (boolean);
  'agent_version'?: (string);
}

export interface Agent {
  'id': (_spire_api_types_SPIFFEID | null);
  'attestation_type': (string);
  'x509svid_serial_number': (string);
  'x509svid_expires_at': (number);
  'selectors': (_spire_api_types_Selector)[];
  'banned': (boolean);
  'can_reattest': (boolean);
  'agent_version': (string);
}
