// Original file: proto/spire/api/types/selector.proto


export interface SelectorInput {
  'type'?: (string);
  'value'?: (string);
}

export interface Selector {
  'type': (string);
  'value': (string);
}
