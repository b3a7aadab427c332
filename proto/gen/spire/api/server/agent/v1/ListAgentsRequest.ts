// Original file: proto/spire/api/server/agent/v1/agent.proto

import type { AgentMaskInput as _spire_api_types_AgentMaskInput, AgentMask as _spire_api_types_AgentMask } from '../../../../../spire/api/types/AgentMask.ts';
import type { SelectorMatchInput as _spire_api_types_SelectorMatchInput, SelectorMatch as _spire_api_types_SelectorMatch } from '../../../../../spire/api/types/SelectorMatch.ts';
import type { BoolValueInput as _google_protobuf_BoolValueInput, BoolValue as _google_protobuf_BoolValue } from '../../../../../google/protobuf/BoolValue.ts';

export interface _spire_api_server_agent_v1_ListAgentsRequest_FilterInput {
  'by_attestation_type'?: (string);
  'by_selector_match'?: (_spire_api_types_SelectorMatchInput | null);
  'by_banned'?: (_google_protobuf_BoolValueInput | null);
  'by_can_reattest'?: (_google_protobuf_BoolValueInput | null);
  'by_expires_before'?: (string);
}

export interface _spire_api_server_agent_v1_ListAgentsRequest_Filter {
  'by_attestation_type': (string);
  'by_selector_match': (_spire_api_types_SelectorMatch | null);
  'by_banned': (_google_protobuf_BoolValue | null);
  'by_can_reattest': (_google_protobuf_BoolValue | null);
  'by_expires_before': (string);
}

export interface ListAgentsRequestInput {
  'filter'?: (_spire_api_server_agent_v1_ListAgentsRequest_FilterInput | null);
  'output_mask'?: (_spire_api_types_AgentMaskInput | null);
  'page_size'?: (number);
  'page_token'?: (string);
}

export interface ListAgentsRequest {
  'filter': (_spire_api_server_agent_v1_ListAgentsRequest_Filter | null);
  'output_mask': (_spire_api_types_AgentMask | null);
  'page_size': (number);
  'page_token': (string);
}
