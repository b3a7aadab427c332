/**
 * The request that somebody asks about: what a file in the form of the decision vectors says, and flags before it. Nothing
 * that was given is passed over in silence.
 */
import type { z } from 'zod'
import type { Place } from '../../policy/attachment.ts'
import type { MeshSettings, Workload } from '../../policy/snapshot.ts'
import { request as requestForm } from '../../policy/vectors/vector-file.ts'
import type { InboundConfig, ProxyConfig } from '../../proxy/config.ts'
import { acceptClients } from '../../proxy/identity/accepted-peers.ts'
import { IdentityError } from '../../spiffe/error.ts'
import { parseSpiffeId, type SpiffeId } from '../../spiffe/id.ts'
import type { FlagValues } from '../flag/flag.ts'
import { choice, integer, list, path, text } from '../flag/kinds.ts'
import { readJsonFile } from '../server/json-file.ts'
import type { Terminal } from '../terminal.ts'
import type { JudgedMesh } from './mesh-flags.ts'

const PLACES = ['http', 'tcp', 'ztunnel', 'waypoint'] as const
const ANSWERS = ['allow', 'deny'] as const
const LOOPBACK = '127.0.0.1'

export const questionFlags = {
  namespace: { ...text('namespace of the workload that is called'), defaultText: 'default' },
  label: list('label of that workload, key=value'),
  place: {
    ...choice('where it is decided', PLACES),
    defaultText: 'http; tcp where -config says so of the port',
  },
  gateway: text('at a waypoint: name of its Gateway'),
  service: text('at a waypoint: name of the Service that is called'),
  request: path('JSON of the request in the form of the decision vectors; flags count before it'),
  from: text('SPIFFE ID of the caller; plaintext when it is left out'),
  sourceIP: { ...text('address of the direct peer'), defaultText: LOOPBACK },
  remoteIP: { ...text('address of the first client'), defaultText: 'that of -sourceIP' },
  destinationIP: { ...text('address that is called'), defaultText: LOOPBACK },
  port: integer('port of the workload'),
  sni: text('server name of the TLS handshake'),
  method: { ...text('method of the request'), defaultText: 'GET' },
  path: { ...text('path of the request, as it is sent'), defaultText: '/' },
  host: text('host of the request, with its port if it is sent'),
  header: list('header of the request, name: value'),
  claims: path('JSON of the claims of a token whose signature and times are good'),
  extAuthz: choice('what external providers answer', ANSWERS),
}

export type QuestionFlags = FlagValues<typeof questionFlags>
export type AskedRequest = z.infer<typeof requestForm>

export interface Question {
  readonly workload: Workload
  readonly place: Place
  readonly request: AskedRequest
  /** Undefined for plaintext. */
  readonly caller: SpiffeId | undefined
  /** The listener in front of the port; undefined when no configuration tells of it. */
  readonly door: Door | undefined
}

/** What a listener asks before any policy. */
export interface Door {
  readonly name: string
  /** It takes mutual TLS alone, whatever PeerAuthentication says. */
  readonly isStrict: boolean
  admits(caller: SpiffeId): boolean
}

/** @throws IdentityError REQUEST_INVALID, or SPIFFE_ID_INVALID for the caller */
export async function readQuestion(
  flags: QuestionFlags & { readonly config: string },
  { mesh, config, isTrustDomainGuessed }: JudgedMesh,
  terminal: Terminal,
): Promise<Question> {
  const workload = workloadOf(flags, config)
  const request = await readRequest(flags, config, terminal)
  const inbound = config?.inbound.find(
    ({ workloadPort }) => workloadPort === request.destination.port,
  )
  const place = placeOf(flags, workload.namespace, inbound)
  if (place.kind === 'sidecar-tcp' || place.kind === 'ztunnel') refuseRequestParts(place, request)
  const { principal } = request.source
  const caller = principal === undefined ? undefined : parseSpiffeId(`spiffe://${principal}`)
  // A guess would be answered as surely as what is known.
  if (caller !== undefined && isTrustDomainGuessed) {
    throw leftToSvid(flags.config, 'trust domain', '-trustDomain')
  }
  const listener = inbound ?? (config && wayIn(config))
  const door = config && listener && doorOf(config, listener, mesh)
  return { workload, place, request, caller, door }
}

type WayIn = Pick<InboundConfig, 'name' | 'mtls' | 'authorize'>

/** What takes connections for ports that no listener is for: captured ones, else tunnels, which are mutual TLS. */
function wayIn({ capture, hbone }: ProxyConfig): WayIn | undefined {
  if (capture !== undefined) return { ...capture, name: 'capture' }
  return hbone && { ...hbone, mtls: 'strict' }
}

function doorOf(config: ProxyConfig, listener: WayIn, mesh: MeshSettings): Door {
  const { trustDomain, trustDomainAliases: aliases } = mesh
  const domains = { trustDomain, aliases, federated: config.mesh.federatedTrustDomains }
  return {
    name: listener.name,
    isStrict: listener.mtls === 'strict' || listener.authorize !== undefined,
    admits: acceptClients(domains, listener.authorize),
  }
}

function workloadOf(
  { namespace, label, config: file }: QuestionFlags & { readonly config: string },
  config: ProxyConfig | undefined,
): Workload {
  const known = config?.workload
  if (namespace === '' && known !== undefined && known.namespace === undefined) {
    throw leftToSvid(file, 'namespace', '-namespace')
  }
  const labels = label.map((pair) => {
    const equals = pair.indexOf('=')
    if (equals < 1) throw invalid(`-label is ${JSON.stringify(pair)}, expected key=value`)
    return [pair.slice(0, equals), pair.slice(equals + 1)] as const
  })
  return {
    namespace: namespace || (known?.namespace ?? 'default'),
    name: known?.name ?? '',
    serviceAccount: known?.serviceAccount ?? 'default',
    labels: { ...known?.labels, ...Object.fromEntries(labels) },
  }
}

function placeOf(
  { place: named, gateway, service }: QuestionFlags,
  namespace: string,
  inbound: InboundConfig | undefined,
): Place {
  const place = named || (inbound?.protocol === 'tcp' ? 'tcp' : 'http')
  if (place !== 'waypoint' && (gateway !== '' || service !== '')) {
    throw invalid('-gateway and -service are for -place waypoint')
  }
  switch (place) {
    case 'http':
      return { kind: 'sidecar-http' }
    case 'tcp':
      return { kind: 'sidecar-tcp' }
    case 'ztunnel':
      return { kind: 'ztunnel' }
    case 'waypoint':
      return {
        kind: 'waypoint',
        gateway: gateway === '' ? undefined : { namespace, name: gateway },
        service: service === '' ? undefined : { kind: 'Service', namespace, name: service },
      }
    default:
      throw invalid(`-place is ${JSON.stringify(place)}, expected ${PLACES.join(', ')}`)
  }
}

async function readRequest(
  flags: QuestionFlags,
  config: ProxyConfig | undefined,
  terminal: Terminal,
): Promise<AskedRequest> {
  const written = flags.request === '' ? {} : await readJsonFile(flags.request, terminal)
  const base = object(written, flags.request)
  const source = object(base.source, 'source')
  const destination = object(base.destination, 'destination')
  const sourceIp = flags.sourceIP || (source.ip ?? LOOPBACK)
  const read = requestForm.safeParse({
    ...base,
    source: {
      ...source,
      ip: sourceIp,
      ...given('remoteIp', flags.remoteIP),
      ...given(
        'principal',
        flags.from === '' ? '' : parseSpiffeId(flags.from).slice('spiffe://'.length),
      ),
    },
    destination: {
      ...destination,
      ip: flags.destinationIP || (destination.ip ?? LOOPBACK),
      port: flags.port || (destination.port ?? onlyPort(config)),
    },
    ...given('sni', flags.sni),
    ...given('method', flags.method),
    ...given('path', flags.path),
    ...given('host', flags.host),
    ...given('extAuthz', flags.extAuthz),
    ...(flags.header.length === 0
      ? {}
      : { headers: { ...object(base.headers, 'headers'), ...headersOf(flags.header) } }),
    ...(flags.claims === '' ? {} : { jwt: await readJsonFile(flags.claims, terminal) }),
  })
  if (read.success) return read.data
  const [issue] = read.error.issues
  throw invalid(`the request cannot be read: ${issue?.path.join('.')}: ${issue?.message}`)
}

const given = (name: string, value: string) => (value === '' ? {} : { [name]: value })

function object(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (value === undefined) return {}
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value }
  throw invalid(`${what} is no JSON object`)
}

/** @throws IdentityError when the file does not leave it at one */
function onlyPort(config: ProxyConfig | undefined): number {
  const ports = (config?.inbound ?? []).map(({ workloadPort }) => workloadPort)
  const [port] = ports
  if (port === undefined || ports.length > 1) {
    throw invalid('the port of the workload that is called (-port) must be set')
  }
  return port
}

/** A header that comes twice has two lines, as it has in the request. */
function headersOf(headers: readonly string[]): Readonly<Record<string, readonly string[]>> {
  const pairs = headers.map((header) => {
    const colon = header.indexOf(':')
    if (colon < 1) throw invalid(`-header is ${JSON.stringify(header)}, expected name: value`)
    return [header.slice(0, colon).toLowerCase(), header.slice(colon + 1).trim()] as const
  })
  const groups = Map.groupBy(pairs, ([name]) => name)
  return Object.fromEntries(
    [...groups].map(([name, lines]) => [name, lines.map(([, line]) => line)]),
  )
}

/** Where nobody sees requests, what is said of one would count for nothing. */
function refuseRequestParts({ kind }: Place, request: AskedRequest): void {
  const parts = ['method', 'path', 'host', 'headers', 'jwt'] as const
  const [part] = parts.filter((name) => request[name] !== undefined)
  const where = kind === 'ztunnel' ? 'at a ztunnel' : 'at a TCP port'
  if (part !== undefined) throw invalid(`${where} nobody sees requests: leave out ${part}`)
}

const leftToSvid = (file: string, what: string, flag: string): IdentityError =>
  invalid(
    `${file} leaves the ${what} to the proxy's SVID, which is not at hand; name it by ${flag}`,
  )

const invalid = (message: string): IdentityError => new IdentityError('REQUEST_INVALID', message)
