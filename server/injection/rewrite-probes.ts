/**
 * Probes and hooks that the kubelet asks from outside, turned into questions to the proxy: it has no identity, and would not be
 * let in under STRICT. Pure. What asks another host, or runs a program, stays as it is.
 */
import { isRecord, listAt, numberAt, recordAt, textAt } from '../../kubernetes/object.ts'
import type { JsonPatchOperation } from '../admission/routes.ts'
import { PORTS } from './injection-config.ts'

/** As the blocks of proxy.conf have them. */
export type ProbeBlock =
  | {
      readonly kind: 'http'
      readonly port: number
      readonly path: string
      readonly scheme: 'http' | 'https'
      readonly headers: Readonly<Record<string, string>>
    }
  | { readonly kind: 'tcp'; readonly port: number }
  | { readonly kind: 'grpc'; readonly port: number; readonly service: string }

export interface RewrittenProbes {
  readonly patch: readonly JsonPatchOperation[]
  /** By name. */
  readonly blocks: ReadonlyMap<string, ProbeBlock>
  readonly warnings: readonly string[]
}

const PROBES = ['startupProbe', 'readinessProbe', 'livenessProbe'] as const
const HOOKS = ['postStart', 'preStop'] as const
/** What a request line takes, and the proxy's configuration. */
const PATH = /^\/[\x21-\x7e]{0,2047}$/
const HEADER = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
const HEADER_VALUE = /^[\t\x20-\x7e]*$/
const SERVICE = /^[A-Za-z0-9_./-]{0,253}$/
const MAX_PORT = 65_535
/** Of one probe; of more the proxy would not read its configuration. */
const MAX_HEADERS = 100
/** The kubelet reaches them as they are, and the proxy must not ask itself. */
const OWN_PORTS: readonly number[] = Object.values(PORTS)

/** @param pod as it came, before anything is put into it: the patch speaks of its positions */
export function rewriteProbes(pod: unknown): RewrittenProbes {
  const patch: JsonPatchOperation[] = []
  const blocks = new Map<string, ProbeBlock>()
  const warnings: string[] = []
  const spec = recordAt(pod, 'spec')
  for (const list of ['initContainers', 'containers'] as const) {
    for (const [index, container] of listAt(spec, list).entries()) {
      const rewrite = (field: string, at: string, probe: unknown) => {
        if (!isRecord(probe)) return
        const read = readProbe(probe, container)
        if (read.kind === 'left') return
        const name = `${list === 'containers' ? 'container' : 'init'}-${index}-${field}`
        if (read.kind === 'unclear') {
          const whose = textAt(container, 'name') ?? String(index)
          warnings.push(`the ${field} of container ${whose} is left as it is: ${read.why}`)
          return
        }
        blocks.set(name, read.block)
        const { [read.field]: _, ...rest } = probe
        const httpGet = { path: `/probe/${name}`, port: PORTS.probes, scheme: 'HTTP' }
        patch.push({
          op: 'replace',
          path: `/spec/${list}/${index}/${at}`,
          value: { ...rest, httpGet },
        })
      }
      for (const field of PROBES) {
        rewrite(field, field, isRecord(container) ? container[field] : undefined)
      }
      const lifecycle = recordAt(container, 'lifecycle')
      for (const field of HOOKS) rewrite(field, `lifecycle/${field}`, lifecycle[field])
    }
  }
  return { patch, blocks, warnings }
}

type ReadProbe =
  | { readonly kind: 'block'; readonly field: string; readonly block: ProbeBlock }
  /** The kubelet does not come to the pod's ports for it. */
  | { readonly kind: 'left' }
  | { readonly kind: 'unclear'; readonly why: string }

const LEFT: ReadProbe = { kind: 'left' }

function readProbe(probe: unknown, container: unknown): ReadProbe {
  const [field] = ['httpGet', 'tcpSocket', 'grpc'].filter((name) => isThere(probe, name))
  if (field === undefined) return LEFT
  const asked = recordAt(probe, field)
  // Another host is not this pod.
  if (field !== 'grpc' && (textAt(asked, 'host') ?? '') !== '') return LEFT
  const port = portOf(asked, container)
  if (port === undefined) return unclear('its port is neither a number nor the name of one')
  if (OWN_PORTS.includes(port)) return LEFT
  switch (field) {
    case 'tcpSocket':
      return { kind: 'block', field, block: { kind: 'tcp', port } }
    case 'grpc': {
      const service = textAt(asked, 'service') ?? ''
      if (!SERVICE.test(service)) return unclear('its service has characters that no name has')
      return { kind: 'block', field, block: { kind: 'grpc', port, service } }
    }
    default:
      return readHttp(field, asked, port)
  }
}

function readHttp(field: string, asked: unknown, port: number): ReadProbe {
  const text = textAt(asked, 'path') ?? ''
  const path = text.startsWith('/') ? text : `/${text}`
  if (!PATH.test(path)) return unclear('its path has characters that no request line takes')
  const headers: Record<string, string> = Object.create(null)
  const written = listAt(asked, 'httpHeaders')
  if (written.length > MAX_HEADERS) return unclear(`it has more than ${MAX_HEADERS} headers`)
  for (const header of written) {
    const [name = '', value = ''] = [textAt(header, 'name'), textAt(header, 'value')]
    if (!HEADER.test(name) || !HEADER_VALUE.test(value)) return unclear('a header of it is none')
    const known = headers[name]
    headers[name] = known === undefined ? value : `${known}, ${value}`
  }
  const scheme = textAt(asked, 'scheme')?.toUpperCase() === 'HTTPS' ? 'https' : 'http'
  return { kind: 'block', field, block: { kind: 'http', port, path, scheme, headers } }
}

const unclear = (why: string): ReadProbe => ({ kind: 'unclear', why })

const isThere = (value: unknown, name: string): boolean => isRecord(value) && isRecord(value[name])

function portOf(asked: unknown, container: unknown): number | undefined {
  const name = textAt(asked, 'port')
  const number =
    name === undefined
      ? numberAt(asked, 'port')
      : (listAt(container, 'ports')
          .filter((one) => textAt(one, 'name') === name)
          .map((one) => numberAt(one, 'containerPort'))[0] ??
        (/^\d+$/.test(name) ? Number(name) : undefined))
  if (number === undefined || !Number.isInteger(number)) return undefined
  return number >= 1 && number <= MAX_PORT ? number : undefined
}
