/**
 * One stream of DeltaSecrets as a value: what the client wants, what it has, and so what it has to be told. A name that stands
 * for nothing is told as removed and stays wanted, so the secret comes as soon as there is one.
 *
 * @see xDS protocol, incremental variants — subscriptions, wildcard, initial versions
 */
import { createHash } from 'node:crypto'
import type { DeltaDiscoveryRequest } from '../../proto/gen/envoy/service/discovery/v3/DeltaDiscoveryRequest.ts'
import type { WorkloadUpdate } from '../cache/identity.ts'
import { checkNames, checkTypeUrl } from './check-names.ts'
import { type AnyMessage, encodeSecret } from './encode-secret.ts'
import { type EnvoyNode, readEnvoyNode, type Validator, validatorFor } from './envoy-node.ts'
import { chooseSecrets, everySecret, type OfferedSecret } from './offered-secrets.ts'
import type { SdsSettings } from './settings.ts'

export interface DeltaState {
  readonly node: EnvoyNode | undefined
  readonly typeUrl: string
  readonly wantsEverything: boolean
  readonly names: ReadonlySet<string>
  /** What the client has, by name: its version, or undefined where it was told that there is nothing. */
  readonly held: ReadonlyMap<string, string | undefined>
  /** Until the first request nothing is wanted. */
  readonly isOpen: boolean
}

export const NEW_DELTA: DeltaState = {
  node: undefined,
  typeUrl: '',
  wantsEverything: false,
  names: new Set(),
  held: new Map(),
  isOpen: false,
}

const EVERYTHING = '*'

/** @throws IdentityError REQUEST_INVALID for more names than anybody needs */
export function hearDelta(state: DeltaState, request: DeltaDiscoveryRequest): DeltaState {
  const { resource_names_subscribe: more, resource_names_unsubscribe: less } = request
  const versions = Object.entries(request.initial_resource_versions)
  checkNames(more)
  checkNames(less)
  checkNames(versions.map(([name]) => name))
  const isFirst = !state.isOpen
  const names = new Set(state.names)
  const held = new Map<string, string | undefined>(isFirst ? versions : state.held)
  for (const name of less) {
    names.delete(name)
    held.delete(name)
  }
  for (const name of more) {
    names.add(name)
    // Whoever asks once more has lost what it had; what it has at the beginning it says itself.
    if (!isFirst) held.delete(name)
  }
  const wantsEverything =
    more.includes(EVERYTHING) ||
    (isFirst ? more.length === 0 : state.wantsEverything && !less.includes(EVERYTHING))
  names.delete(EVERYTHING)
  names.delete('')
  checkNames([...names])
  if (!wantsEverything) for (const name of held.keys()) if (!names.has(name)) held.delete(name)
  checkTypeUrl(request.type_url)
  const node = readEnvoyNode(request.node) ?? state.node
  const typeUrl = request.type_url === '' ? state.typeUrl : request.type_url
  return { node, typeUrl, wantsEverything, names, held, isOpen: true }
}

export interface DeltaResource {
  readonly name: string
  readonly version: string
  readonly resource: AnyMessage
}

export interface Difference {
  /** After the client has been told. */
  readonly state: DeltaState
  readonly resources: readonly DeltaResource[]
  readonly removed: readonly string[]
  /** Of those removed, the names that stood for nothing when they were asked for. */
  readonly unknown: readonly string[]
}

/** @throws IdentityError INTERNAL, as `encodeSecret` */
export function differenceTo(
  state: DeltaState,
  update: WorkloadUpdate,
  settings: SdsSettings,
): Difference {
  if (!state.isOpen) return { state, resources: [], removed: [], unknown: [] }
  const validator = validatorFor(state.node, settings)
  const wanted = wantedSecrets(state, update, settings)
  const held = new Map<string, string | undefined>()
  const resources: DeltaResource[] = []
  for (const [name, secret] of wanted) {
    const { version, resource } = versioned(secret, validator)
    held.set(name, version)
    if (state.held.get(name) !== version) resources.push({ name, version, resource: resource() })
  }
  const gone = [...state.held].flatMap(([name, version]) =>
    version !== undefined && !wanted.has(name) ? [name] : [],
  )
  const missing = [...state.names].filter((name) => !wanted.has(name))
  for (const name of missing) held.set(name, undefined)
  const unknown = missing.filter((name) => !state.held.has(name))
  return { state: { ...state, held }, resources, removed: [...gone, ...unknown], unknown }
}

/** By name; of two secrets with one name only the first. */
function wantedSecrets(
  { wantsEverything, names }: DeltaState,
  update: WorkloadUpdate,
  settings: SdsSettings,
): ReadonlyMap<string, OfferedSecret> {
  const every = wantsEverything ? everySecret(update) : []
  const { secrets } = chooseSecrets(update, names, settings)
  return new Map([...every, ...secrets].reverse().map((secret) => [secret.name, secret]))
}

/** The same for the same secret, in any agent at any time, so that a client that comes back is sent only what is new. */
function versioned(
  secret: OfferedSecret,
  validator: Validator,
): { readonly version: string; readonly resource: () => AnyMessage } {
  const hash = createHash('sha256')
  if (secret.kind === 'svid') {
    // Envoy shows versions to its operators: they are made of what is public. Another key has another certificate.
    for (const certificate of secret.identity.chain) hash.update(certificate)
    return { version: textOf(hash), resource: () => encodeSecret(secret, validator) }
  }
  const resource = encodeSecret(secret, validator)
  return { version: textOf(hash.update(resource.value)), resource: () => resource }
}

const VERSION_LENGTH = 32

function textOf(hash: ReturnType<typeof createHash>): string {
  return hash.digest('hex').slice(0, VERSION_LENGTH)
}
