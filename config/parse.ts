/**
 * Reads a configuration text in the format its file name announces: `.yaml` and `.yml` as YAML,
 * `.json` as JSON, anything else as HCL, where a text that begins with a brace is JSON as in SPIRE.
 */
import { parseHcl } from './hcl.ts'
import { parseJson } from './json.ts'
import { refuseAt } from './mistake.ts'
import { type ConfigNode, MAX_CONFIG_BYTES, type Place } from './tree.ts'
import { parseYaml } from './yaml.ts'

/** @throws IdentityError CONFIG_INVALID at the first thing that the format does not allow */
export function parseConfig(file: string, text: string): ConfigNode {
  const start: Place = { kind: 'file', file, line: 1, column: 1 }
  if (Buffer.byteLength(text) > MAX_CONFIG_BYTES) {
    refuseAt(start, 'the file is too large', `at most ${MAX_CONFIG_BYTES} bytes`)
  }
  const root = parserFor(file, text)(file, text)
  if (root.kind === 'null') return { kind: 'object', members: [], place: start }
  if (root.kind !== 'object') refuseAt(root.place, 'the file holds no keys', 'an object')
  return root
}

function parserFor(file: string, text: string): (file: string, text: string) => ConfigNode {
  if (/\.ya?ml$/i.test(file)) return parseYaml
  return /\.json$/i.test(file) || /^\s*\{/.test(text) ? parseJson : parseHcl
}
