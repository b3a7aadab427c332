// Original file: null


export interface FloatValueInput {
  'value'?: (number | string);
}

export interface FloatValue {
  'value': (number);
}
