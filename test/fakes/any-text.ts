/**
 * Texts of any code points, for parsers of what comes from outside. fast-check's own `unit: 'binary'` lists all 1.1 million
 * of them when it is first used: most of a second and over 100 MB, in every process of tests.
 */
import fc from 'fast-check'

const SURROGATES_FROM = 0xd800
const SURROGATES = 0x800
const MAX_CODE_POINT = 0x10ffff

const codePoint = fc
  .integer({ min: 0, max: MAX_CODE_POINT - SURROGATES })
  .map((at) => String.fromCodePoint(at < SURROGATES_FROM ? at : at + SURROGATES))

/** Names that every object has. */
const inherited = fc.constantFrom(
  '__proto__',
  'constructor',
  'toString',
  'valueOf',
  'hasOwnProperty',
)

/** @param constraints `maxLength` in code points, of which a name that every object has counts as one */
export const anyText = (constraints: { readonly maxLength?: number } = {}): fc.Arbitrary<string> =>
  fc.string({
    unit: fc.oneof({ weight: 99, arbitrary: codePoint }, { weight: 1, arbitrary: inherited }),
    ...constraints,
  })
