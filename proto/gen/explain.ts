import type * as grpc from '@grpc/grpc-js';
import type { MessageTypeDefinition } from '@grpc/proto-loader';

import type { SPIFFEIDInput as _spire_api_types_SPIFFEIDInput, SPIFFEID as _spire_api_types_SPIFFEID } from './spire/api/types/SPIFFEID.ts';
import type { SelectorInput as _spire_api_types_SelectorInput, Selector as _spire_api_types_Selector } from './spire/api/types/Selector.ts';
import type { SelectorMatchInput as _spire_api_types_SelectorMatchInput, SelectorMatch as _spire_api_types_SelectorMatch } from './spire/api/types/SelectorMatch.ts';
import type { CandidateInput as _steeple_agent_explain_v1_CandidateInput, Candidate as _steeple_agent_explain_v1_Candidate } from './steeple/agent/explain/v1/Candidate.ts';
import type { ExplainClient as _steeple_agent_explain_v1_ExplainClient, ExplainDefinition as _steeple_agent_explain_v1_ExplainDefinition } from './steeple/agent/explain/v1/Explain.ts';
import type { ExplainProcessRequestInput as _steeple_agent_explain_v1_ExplainProcessRequestInput, ExplainProcessRequest as _steeple_agent_explain_v1_ExplainProcessRequest } from './steeple/agent/explain/v1/ExplainProcessRequest.ts';
import type { ExplainProcessResponseInput as _steeple_agent_explain_v1_ExplainProcessResponseInput, ExplainProcessResponse as _steeple_agent_explain_v1_ExplainProcessResponse } from './steeple/agent/explain/v1/ExplainProcessResponse.ts';
import type { FindingInput as _steeple_agent_explain_v1_FindingInput, Finding as _steeple_agent_explain_v1_Finding } from './steeple/agent/explain/v1/Finding.ts';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  spire: {
    api: {
      types: {
        SPIFFEID: MessageTypeDefinition<_spire_api_types_SPIFFEIDInput, _spire_api_types_SPIFFEID>
        Selector: MessageTypeDefinition<_spire_api_types_SelectorInput, _spire_api_types_Selector>
        SelectorMatch: MessageTypeDefinition<_spire_api_types_SelectorMatchInput, _spire_api_types_SelectorMatch>
      }
    }
  }
  steeple: {
    agent: {
      explain: {
        v1: {
          Candidate: MessageTypeDefinition<_steeple_agent_explain_v1_CandidateInput, _steeple_agent_explain_v1_Candidate>
          Explain: SubtypeConstructor<typeof grpc.Client, _steeple_agent_explain_v1_ExplainClient> & { service: _steeple_agent_explain_v1_ExplainDefinition }
          ExplainProcessRequest: MessageTypeDefinition<_steeple_agent_explain_v1_ExplainProcessRequestInput, _steeple_agent_explain_v1_ExplainProcessRequest>
          ExplainProcessResponse: MessageTypeDefinition<_steeple_agent_explain_v1_ExplainProcessResponseInput, _steeple_agent_explain_v1_ExplainProcessResponse>
          Finding: MessageTypeDefinition<_steeple_agent_explain_v1_FindingInput, _steeple_agent_explain_v1_Finding>
        }
      }
    }
  }
}

