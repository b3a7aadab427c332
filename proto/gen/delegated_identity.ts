import type * as grpc from '@grpc/grpc-js';
import type { MessageTypeDefinition } from '@grpc/proto-loader';

import type { DelegatedIdentityClient as _spire_api_agent_delegatedidentity_v1_DelegatedIdentityClient, DelegatedIdentityDefinition as _spire_api_agent_delegatedidentity_v1_DelegatedIdentityDefinition } from './spire/api/agent/delegatedidentity/v1/DelegatedIdentity.ts';
import type { FetchJWTSVIDsRequestInput as _spire_api_agent_delegatedidentity_v1_FetchJWTSVIDsRequestInput, FetchJWTSVIDsRequest as _spire_api_agent_delegatedidentity_v1_FetchJWTSVIDsRequest } from './spire/api/agent/delegatedidentity/v1/FetchJWTSVIDsRequest.ts';
import type { FetchJWTSVIDsResponseInput as _spire_api_agent_delegatedidentity_v1_FetchJWTSVIDsResponseInput, FetchJWTSVIDsResponse as _spire_api_agent_delegatedidentity_v1_FetchJWTSVIDsResponse } from './spire/api/agent/delegatedidentity/v1/FetchJWTSVIDsResponse.ts';
import type { SubscribeToJWTBundlesRequestInput as _spire_api_agent_delegatedidentity_v1_SubscribeToJWTBundlesRequestInput, SubscribeToJWTBundlesRequest as _spire_api_agent_delegatedidentity_v1_SubscribeToJWTBundlesRequest } from './spire/api/agent/delegatedidentity/v1/SubscribeToJWTBundlesRequest.ts';
import type { SubscribeToJWTBundlesResponseInput as _spire_api_agent_delegatedidentity_v1_SubscribeToJWTBundlesResponseInput, SubscribeToJWTBundlesResponse as _spire_api_agent_delegatedidentity_v1_SubscribeToJWTBundlesResponse } from './spire/api/agent/delegatedidentity/v1/SubscribeToJWTBundlesResponse.ts';
import type { SubscribeToX509BundlesRequestInput as _spire_api_agent_delegatedidentity_v1_SubscribeToX509BundlesRequestInput, SubscribeToX509BundlesRequest as _spire_api_agent_delegatedidentity_v1_SubscribeToX509BundlesRequest } from './spire/api/agent/delegatedidentity/v1/SubscribeToX509BundlesRequest.ts';
import type { SubscribeToX509BundlesResponseInput as _spire_api_agent_delegatedidentity_v1_SubscribeToX509BundlesResponseInput, SubscribeToX509BundlesResponse as _spire_api_agent_delegatedidentity_v1_SubscribeToX509BundlesResponse } from './spire/api/agent/delegatedidentity/v1/SubscribeToX509BundlesResponse.ts';
import type { SubscribeToX509SVIDsRequestInput as _spire_api_agent_delegatedidentity_v1_SubscribeToX509SVIDsRequestInput, SubscribeToX509SVIDsRequest as _spire_api_agent_delegatedidentity_v1_SubscribeToX509SVIDsRequest } from './spire/api/agent/delegatedidentity/v1/SubscribeToX509SVIDsRequest.ts';
import type { SubscribeToX509SVIDsResponseInput as _spire_api_agent_delegatedidentity_v1_SubscribeToX509SVIDsResponseInput, SubscribeToX509SVIDsResponse as _spire_api_agent_delegatedidentity_v1_SubscribeToX509SVIDsResponse } from './spire/api/agent/delegatedidentity/v1/SubscribeToX509SVIDsResponse.ts';
import type { X509SVIDWithKeyInput as _spire_api_agent_delegatedidentity_v1_X509SVIDWithKeyInput, X509SVIDWithKey as _spire_api_agent_delegatedidentity_v1_X509SVIDWithKey } from './spire/api/agent/delegatedidentity/v1/X509SVIDWithKey.ts';
import type { JWTSVIDInput as _spire_api_types_JWTSVIDInput, JWTSVID as _spire_api_types_JWTSVID } from './spire/api/types/JWTSVID.ts';
import type { SPIFFEIDInput as _spire_api_types_SPIFFEIDInput, SPIFFEID as _spire_api_types_SPIFFEID } from './spire/api/types/SPIFFEID.ts';
import type { SelectorInput as _spire_api_types_SelectorInput, Selector as _spire_api_types_Selector } from './spire/api/types/Selector.ts';
import type { SelectorMatchInput as _spire_api_types_SelectorMatchInput, SelectorMatch as _spire_api_types_SelectorMatch } from './spire/api/types/SelectorMatch.ts';
import type { X509SVIDInput as _spire_api_types_X509SVIDInput, X509SVID as _spire_api_types_X509SVID } from './spire/api/types/X509SVID.ts';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  spire: {
    api: {
      agent: {
        delegatedidentity: {
          v1: {
            DelegatedIdentity: SubtypeConstructor<typeof grpc.Client, _spire_api_agent_delegatedidentity_v1_DelegatedIdentityClient> & { service: _spire_api_agent_delegatedidentity_v1_DelegatedIdentityDefinition }
            FetchJWTSVIDsRequest: MessageTypeDefinition<_spire_api_agent_delegatedidentity_v1_FetchJWTSVIDsRequestInput, _spire_api_agent_delegatedidentity_v1_FetchJWTSVIDsRequest>
            FetchJWTSVIDsResponse: MessageTypeDefinition<_spire_api_agent_delegatedidentity_v1_FetchJWTSVIDsResponseInput, _spire_api_agent_delegatedidentity_v1_FetchJWTSVIDsResponse>
            SubscribeToJWTBundlesRequest: MessageTypeDefinition<_spire_api_agent_delegatedidentity_v1_SubscribeToJWTBundlesRequestInput, _spire_api_agent_delegatedidentity_v1_SubscribeToJWTBundlesRequest>
            SubscribeToJWTBundlesResponse: MessageTypeDefinition<_spire_api_agent_delegatedidentity_v1_SubscribeToJWTBundlesResponseInput, _spire_api_agent_delegatedidentity_v1_SubscribeToJWTBundlesResponse>
            SubscribeToX509BundlesRequest: MessageTypeDefinition<_spire_api_agent_delegatedidentity_v1_SubscribeToX509BundlesRequestInput, _spire_api_agent_delegatedidentity_v1_SubscribeToX509BundlesRequest>
            SubscribeToX509BundlesResponse: MessageTypeDefinition<_spire_api_agent_delegatedidentity_v1_SubscribeToX509BundlesResponseInput, _spire_api_agent_delegatedidentity_v1_SubscribeToX509BundlesResponse>
            SubscribeToX509SVIDsRequest: MessageTypeDefinition<_spire_api_agent_delegatedidentity_v1_SubscribeToX509SVIDsRequestInput, _spire_api_agent_delegatedidentity_v1_SubscribeToX509SVIDsRequest>
            SubscribeToX509SVIDsResponse: MessageTypeDefinition<_spire_api_agent_delegatedidentity_v1_SubscribeToX509SVIDsResponseInput, _spire_api_agent_delegatedidentity_v1_SubscribeToX509SVIDsResponse>
            X509SVIDWithKey: MessageTypeDefinition<_spire_api_agent_delegatedidentity_v1_X509SVIDWithKeyInput, _spire_api_agent_delegatedidentity_v1_X509SVIDWithKey>
          }
        }
      }
      types: {
        JWTSVID: MessageTypeDefinition<_spire_api_types_JWTSVIDInput, _spire_api_types_JWTSVID>
        SPIFFEID: MessageTypeDefinition<_spire_api_types_SPIFFEIDInput, _spire_api_types_SPIFFEID>
        Selector: MessageTypeDefinition<_spire_api_types_SelectorInput, _spire_api_types_Selector>
        SelectorMatch: MessageTypeDefinition<_spire_api_types_SelectorMatchInput, _spire_api_types_SelectorMatch>
        X509SVID: MessageTypeDefinition<_spire_api_types_X509SVIDInput, _spire_api_types_X509SVID>
      }
    }
  }
}

