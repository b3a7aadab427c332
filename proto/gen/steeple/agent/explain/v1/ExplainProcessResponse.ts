// Original file: proto/steeple/agent/explain/v1/explain.proto

import type { SPIFFEIDInput as _spire_api_types_SPIFFEIDInput, SPIFFEID as _spire_api_types_SPIFFEID } from '../../../../spire/api/types/SPIFFEID.ts';
import type { FindingInput as _steeple_agent_explain_v1_FindingInput, Finding as _steeple_agent_explain_v1_Finding } from '../../../../steeple/agent/explain/v1/Finding.ts';
import type { CandidateInput as _steeple_agent_explain_v1_CandidateInput, Candidate as _steeple_agent_explain_v1_Candidate } from '../../../../steeple/agent/explain/v1/Candidate.ts';
import type { Long } from '@grpc/proto-loader';

export interface ExplainProcessResponseInput {
  'agent_id'?: (_spire_api_types_SPIFFEIDInput | null);
  'last_sync_success'?: (number | string | Long);
  'sync_failure'?: (string);
  'entries_count'?: (number);
  'findings'?: (_steeple_agent_explain_v1_FindingInput)[];
  'candidates'?: (_steeple_agent_explain_v1_CandidateInput)[];
}

export interface ExplainProcessResponse {
  'agent_id': (_spire_api_types_SPIFFEID | null);
  'last_sync_success': (number);
  'sync_failure': (string);
  'entries_count': (number);
  'findings': (_steeple_agent_explain_v1_Finding)[];
  'candidates': (_steeple_agent_explain_v1_Candidate)[];
}
