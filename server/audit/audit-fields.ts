/**
 * What the audit log tells of a request: which identities and entries it was about. Only fields named here are ever
 * taken, so that no token, key or bundle can get into the log.
 */

/** Of a batch, this many are named; the rest is counted. */
const MAX_NAMED = 50
/** Longer texts are of no use to anybody who reads the log. */
const MAX_TEXT_LENGTH = 256

/** Field of a request → what SPIRE calls it. */
const TEXTS: ReadonlyMap<string, string> = new Map([
  ['agent_version', 'agent_version'],
  ['authority_id', 'authority_id'],
  ['entry_id', 'entry_id'],
  ['mode', 'mode'],
  ['new_level', 'new_level'],
  ['server_key', 'server_key'],
  ['step', 'step'],
  ['trust_domain', 'trust_domain_id'],
  ['ttl', 'ttl'],
])
const IDS: ReadonlyMap<string, string> = new Map([
  ['agent_id', 'agent_id'],
  ['id', 'spiffe_id'],
  ['parent_id', 'parent_id'],
  ['spiffe_id', 'spiffe_id'],
])
/** Lists of things with an ID, or of the names themselves. */
const BATCHES = [
  'bundle',
  'entries',
  'federation_relationships',
  'params',
  'trust_domains',
] as const

export function auditFields(request: unknown): Readonly<Record<string, unknown>> {
  if (!isRecord(request)) return {}
  const fields: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(request)) Object.assign(fields, fieldOf(key, value))
  return fields
}

function fieldOf(key: string, value: unknown): Record<string, unknown> {
  const id = IDS.get(key)
  if (id !== undefined && isRecord(value)) return { [id]: idOf(value) }
  if (key === 'id' && typeof value === 'string') return { entry_id: clip(value) }
  if (key === 'ids' && Array.isArray(value)) return { entry_ids: named(value), count: value.length }
  const text = TEXTS.get(key)
  const isPlain = typeof value === 'string' || typeof value === 'number'
  if (text !== undefined && isPlain && value !== '') return { [text]: clip(value) }
  if (key === 'audience' && Array.isArray(value)) return { audience: named(value) }
  if (BATCHES.some((batch) => batch === key) && Array.isArray(value)) return batchOf(value)
  return {}
}

/** Each field once, with the values of all items. */
function batchOf(items: readonly unknown[]): Record<string, unknown> {
  if (items.every((item) => typeof item === 'string')) {
    return { trust_domain_ids: named(items), count: items.length }
  }
  const told = new Map<string, unknown[]>()
  for (const item of items.slice(0, MAX_NAMED)) {
    for (const [name, value] of Object.entries(auditFields(item))) {
      told.set(`${name}s`, [...(told.get(`${name}s`) ?? []), value])
    }
  }
  return { ...Object.fromEntries(told), count: items.length }
}

function named(items: readonly unknown[]): readonly unknown[] {
  return items.slice(0, MAX_NAMED).map((item) => (typeof item === 'string' ? clip(item) : null))
}

function idOf({ trust_domain: domain, path }: Record<string, unknown>): unknown {
  return clip(`spiffe://${String(domain ?? '')}${String(path ?? '')}`)
}

function clip(value: string | number): string | number {
  return typeof value === 'string' ? value.slice(0, MAX_TEXT_LENGTH) : value
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
