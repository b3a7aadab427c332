// Original file: proto/steeple/agent/explain/v1/explain.proto

import type { SelectorInput as _spire_api_types_SelectorInput, Selector as _spire_api_types_Selector } from '../../../../spire/api/types/Selector.ts';

export interface FindingInput {
  'attestor'?: (string);
  'selectors'?: (_spire_api_types_SelectorInput)[];
  'error'?: (string);
}

export interface Finding {
  'attestor': (string);
  'selectors': (_spire_api_types_Selector)[];
  'error': (string);
}
