// Original file: proto/spire/api/types/federationrelationship.proto

import type { HTTPSWebProfileInput as _spire_api_types_HTTPSWebProfileInput, HTTPSWebProfile as _spire_api_types_HTTPSWebProfile } from '../../../spire/api/types/HTTPSWebProfile.ts';
import type { HTTPSSPIFFEProfileInput as _spire_api_types_HTTPSSPIFFEProfileInput, HTTPSSPIFFEProfile as _spire_api_types_HTTPSSPIFFEProfile } from '../../../spire/api/types/HTTPSSPIFFEProfile.ts';
import type { BundleInput as _spire_api_types_BundleInput, Bundle as _spire_api_types_Bundle } from '../../../spire/api/types/Bundle.ts';

export interface FederationRelationshipInput {
  'trust_domain'?: (string);
  'bundle_endpoint_url'?: (string);
  'https_web'?: (_spire_api_types_HTTPSWebProfileInput | null);
  'https_spiffe'?: (_spire_api_types_HTTPSSPIFFEProfileInput | null);
  'trust_domain_bundle'?: (_spire_api_types_BundleInput | null);
  'bundle_endpoint_profile'?: "https_web"|"https_spiffe";
}

export interface FederationRelationship {
  'trust_domain': (string);
  'bundle_endpoint_url': (string);
  'https_web'?: (_spire_api_types_HTTPSWebProfile | null);
  'https_spiffe'?: (_spire_api_types_HTTPSSPIFFEProfile | null);
  'trust_domain_bundle': (_spire_api_types_Bundle | null);
  'bundle_endpoint_profile'?: "https_web"|"https_spiffe";
}
