// Original file: proto/spire/api/server/agent/v1/agent.proto

import type { SelectorMatchInput as _spire_api_types_SelectorMatchInput, SelectorMatch as _spire_api_types_SelectorMatch } from '../../../../../spire/api/types/SelectorMatch.ts';
import type { BoolValueInput as _google_protobuf_BoolValueInput, BoolValue as _google_protobuf_BoolValue } from '../../../../../google/protobuf/BoolValue.ts';

export interface _spire_api_server_agent_v1_CountAgentsRequest_FilterInput {
  'by_attestation_type'?: (string);
  'by_selector_match'?: (_spire_api_types_SelectorMatchInput | null);
  'by_banned'?: (_google_protobuf_BoolValueInput | null);
  'by_can_reattest'?: (_google_protobuf_BoolValueInput | null);
  'by_expires_before'?: (string);
}

export interface _spire_api_server_agent_v1_CountAgentsRequest_Filter {
  'by_attestation_type': (string);
  'by_selector_match': (_spire_api_types_SelectorMatch | null);
  'by_banned': (_google_protobuf_BoolValue | null);
  'by_can_reattest': (_google_protobuf_BoolValue | null);
  'by_expires_before': (string);
}

export interface CountAgentsRequestInput {
  'filter'?: (_spire_api_server_agent_v1_CountAgentsRequest_FilterInput | null);
}

export interface CountAgentsRequest {
  'filter': (_spire_api_server_agent_v1_CountAgentsRequest_Filter | null);
}
