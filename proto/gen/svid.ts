import type * as grpc from '@grpc/grpc-js';
import type { MessageTypeDefinition } from '@grpc/proto-loader';

import type { BatchNewWITSVIDRequestInput as _spire_api_server_svid_v1_BatchNewWITSVIDRequestInput, BatchNewWITSVIDRequest as _spire_api_server_svid_v1_BatchNewWITSVIDRequest } from './spire/api/server/svid/v1/BatchNewWITSVIDRequest.ts';
import type { BatchNewWITSVIDResponseInput as _spire_api_server_svid_v1_BatchNewWITSVIDResponseInput, BatchNewWITSVIDResponse as _spire_api_server_svid_v1_BatchNewWITSVIDResponse } from './spire/api/server/svid/v1/BatchNewWITSVIDResponse.ts';
import type { BatchNewX509SVIDRequestInput as _spire_api_server_svid_v1_BatchNewX509SVIDRequestInput, BatchNewX509SVIDRequest as _spire_api_server_svid_v1_BatchNewX509SVIDRequest } from './spire/api/server/svid/v1/BatchNewX509SVIDRequest.ts';
import type { BatchNewX509SVIDResponseInput as _spire_api_server_svid_v1_BatchNewX509SVIDResponseInput, BatchNewX509SVIDResponse as _spire_api_server_svid_v1_BatchNewX509SVIDResponse } from './spire/api/server/svid/v1/BatchNewX509SVIDResponse.ts';
import type { MintJWTSVIDRequestInput as _spire_api_server_svid_v1_MintJWTSVIDRequestInput, MintJWTSVIDRequest as _spire_api_server_svid_v1_MintJWTSVIDRequest } from './spire/api/server/svid/v1/MintJWTSVIDRequest.ts';
import type { MintJWTSVIDResponseInput as _spire_api_server_svid_v1_MintJWTSVIDResponseInput, MintJWTSVIDResponse as _spire_api_server_svid_v1_MintJWTSVIDResponse } from './spire/api/server/svid/v1/MintJWTSVIDResponse.ts';
import type { MintWITSVIDRequestInput as _spire_api_server_svid_v1_MintWITSVIDRequestInput, MintWITSVIDRequest as _spire_api_server_svid_v1_MintWITSVIDRequest } from './spire/api/server/svid/v1/MintWITSVIDRequest.ts';
import type { MintWITSVIDResponseInput as _spire_api_server_svid_v1_MintWITSVIDResponseInput, MintWITSVIDResponse as _spire_api_server_svid_v1_MintWITSVIDResponse } from './spire/api/server/svid/v1/MintWITSVIDResponse.ts';
import type { MintX509SVIDRequestInput as _spire_api_server_svid_v1_MintX509SVIDRequestInput, MintX509SVIDRequest as _spire_api_server_svid_v1_MintX509SVIDRequest } from './spire/api/server/svid/v1/MintX509SVIDRequest.ts';
import type { MintX509SVIDResponseInput as _spire_api_server_svid_v1_MintX509SVIDResponseInput, MintX509SVIDResponse as _spire_api_server_svid_v1_MintX509SVIDResponse } from './spire/api/server/svid/v1/MintX509SVIDResponse.ts';
import type { NewDownstreamX509CARequestInput as _spire_api_server_svid_v1_NewDownstreamX509CARequestInput, NewDownstreamX509CARequest as _spire_api_server_svid_v1_NewDownstreamX509CARequest } from './spire/api/server/svid/v1/NewDownstreamX509CARequest.ts';
import type { NewDownstreamX509CAResponseInput as _spire_api_server_svid_v1_NewDownstreamX509CAResponseInput, NewDownstreamX509CAResponse as _spire_api_server_svid_v1_NewDownstreamX509CAResponse } from './spire/api/server/svid/v1/NewDownstreamX509CAResponse.ts';
import type { NewJWTSVIDRequestInput as _spire_api_server_svid_v1_NewJWTSVIDRequestInput, NewJWTSVIDRequest as _spire_api_server_svid_v1_NewJWTSVIDRequest } from './spire/api/server/svid/v1/NewJWTSVIDRequest.ts';
import type { NewJWTSVIDResponseInput as _spire_api_server_svid_v1_NewJWTSVIDResponseInput, NewJWTSVIDResponse as _spire_api_server_svid_v1_NewJWTSVIDResponse } from './spire/api/server/svid/v1/NewJWTSVIDResponse.ts';
import type { NewWITSVIDParamsInput as _spire_api_server_svid_v1_NewWITSVIDParamsInput, NewWITSVIDParams as _spire_api_server_svid_v1_NewWITSVIDParams } from './spire/api/server/svid/v1/NewWITSVIDParams.ts';
import type { NewX509SVIDParamsInput as _spire_api_server_svid_v1_NewX509SVIDParamsInput, NewX509SVIDParams as _spire_api_server_svid_v1_NewX509SVIDParams } from './spire/api/server/svid/v1/NewX509SVIDParams.ts';
import type { SVIDClient as _spire_api_server_svid_v1_SVIDClient, SVIDDefinition as _spire_api_server_svid_v1_SVIDDefinition } from './spire/api/server/svid/v1/SVID.ts';
import type { JWTSVIDInput as _spire_api_types_JWTSVIDInput, JWTSVID as _spire_api_types_JWTSVID } from './spire/api/types/JWTSVID.ts';
import type { PermissionDeniedDetailsInput as _spire_api_types_PermissionDeniedDetailsInput, PermissionDeniedDetails as _spire_api_types_PermissionDeniedDetails } from './spire/api/types/PermissionDeniedDetails.ts';
import type { SPIFFEIDInput as _spire_api_types_SPIFFEIDInput, SPIFFEID as _spire_api_types_SPIFFEID } from './spire/api/types/SPIFFEID.ts';
import type { StatusInput as _spire_api_types_StatusInput, Status as _spire_api_types_Status } from './spire/api/types/Status.ts';
import type { WITSVIDInput as _spire_api_types_WITSVIDInput, WITSVID as _spire_api_types_WITSVID } from './spire/api/types/WITSVID.ts';
import type { X509SVIDInput as _spire_api_types_X509SVIDInput, X509SVID as _spire_api_types_X509SVID } from './spire/api/types/X509SVID.ts';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  spire: {
    api: {
      server: {
        svid: {
          v1: {
            BatchNewWITSVIDRequest: MessageTypeDefinition<_spire_api_server_svid_v1_BatchNewWITSVIDRequestInput, _spire_api_server_svid_v1_BatchNewWITSVIDRequest>
            BatchNewWITSVIDResponse: MessageTypeDefinition<_spire_api_server_svid_v1_BatchNewWITSVIDResponseInput, _spire_api_server_svid_v1_BatchNewWITSVIDResponse>
            BatchNewX509SVIDRequest: MessageTypeDefinition<_spire_api_server_svid_v1_BatchNewX509SVIDRequestInput, _spire_api_server_svid_v1_BatchNewX509SVIDRequest>
            BatchNewX509SVIDResponse: MessageTypeDefinition<_spire_api_server_svid_v1_BatchNewX509SVIDResponseInput, _spire_api_server_svid_v1_BatchNewX509SVIDResponse>
            MintJWTSVIDRequest: MessageTypeDefinition<_spire_api_server_svid_v1_MintJWTSVIDRequestInput, _spire_api_server_svid_v1_MintJWTSVIDRequest>
            MintJWTSVIDResponse: MessageTypeDefinition<_spire_api_server_svid_v1_MintJWTSVIDResponseInput, _spire_api_server_svid_v1_MintJWTSVIDResponse>
            MintWITSVIDRequest: MessageTypeDefinition<_spire_api_server_svid_v1_MintWITSVIDRequestInput, _spire_api_server_svid_v1_MintWITSVIDRequest>
            MintWITSVIDResponse: MessageTypeDefinition<_spire_api_server_svid_v1_MintWITSVIDResponseInput, _spire_api_server_svid_v1_MintWITSVIDResponse>
            MintX509SVIDRequest: MessageTypeDefinition<_spire_api_server_svid_v1_MintX509SVIDRequestInput, _spire_api_server_svid_v1_MintX509SVIDRequest>
            MintX509SVIDResponse: MessageTypeDefinition<_spire_api_server_svid_v1_MintX509SVIDResponseInput, _spire_api_server_svid_v1_MintX509SVIDResponse>
            NewDownstreamX509CARequest: MessageTypeDefinition<_spire_api_server_svid_v1_NewDownstreamX509CARequestInput, _spire_api_server_svid_v1_NewDownstreamX509CARequest>
            NewDownstreamX509CAResponse: MessageTypeDefinition<_spire_api_server_svid_v1_NewDownstreamX509CAResponseInput, _spire_api_server_svid_v1_NewDownstreamX509CAResponse>
            NewJWTSVIDRequest: MessageTypeDefinition<_spire_api_server_svid_v1_NewJWTSVIDRequestInput, _spire_api_server_svid_v1_NewJWTSVIDRequest>
            NewJWTSVIDResponse: MessageTypeDefinition<_spire_api_server_svid_v1_NewJWTSVIDResponseInput, _spire_api_server_svid_v1_NewJWTSVIDResponse>
            NewWITSVIDParams: MessageTypeDefinition<_spire_api_server_svid_v1_NewWITSVIDParamsInput, _spire_api_server_svid_v1_NewWITSVIDParams>
            NewX509SVIDParams: MessageTypeDefinition<_spire_api_server_svid_v1_NewX509SVIDParamsInput, _spire_api_server_svid_v1_NewX509SVIDParams>
            SVID: SubtypeConstructor<typeof grpc.Client, _spire_api_server_svid_v1_SVIDClient> & { service: _spire_api_server_svid_v1_SVIDDefinition }
          }
        }
      }
      types: {
        JWTSVID: MessageTypeDefinition<_spire_api_types_JWTSVIDInput, _spire_api_types_JWTSVID>
        PermissionDeniedDetails: MessageTypeDefinition<_spire_api_types_PermissionDeniedDetailsInput, _spire_api_types_PermissionDeniedDetails>
        SPIFFEID: MessageTypeDefinition<_spire_api_types_SPIFFEIDInput, _spire_api_types_SPIFFEID>
        Status: MessageTypeDefinition<_spire_api_types_StatusInput, _spire_api_types_Status>
        WITSVID: MessageTypeDefinition<_spire_api_types_WITSVIDInput, _spire_api_types_WITSVID>
        X509SVID: MessageTypeDefinition<_spire_api_types_X509SVIDInput, _spire_api_types_X509SVID>
      }
    }
  }
}

