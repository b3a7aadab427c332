/** The version of this package, from its own package.json. */
import { readFileSync } from 'node:fs'

/** From the sources and from what is built of them. */
const PLACES = ['../package.json', '../../package.json']

export function readVersion(): string {
  for (const place of PLACES) {
    let text: string
    try {
      text = readFileSync(new URL(place, import.meta.url), 'utf8')
    } catch {
      continue // the other place
    }
    const found: unknown = JSON.parse(text)
    if (typeof found === 'object' && found !== null && 'version' in found) {
      return String(found.version)
    }
  }
  return 'unknown'
}
