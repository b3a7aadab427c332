/**
 * `experimental.broker`: where the Broker API is served, to which brokers, and which types of references each of them may use.
 * Fails closed: a broker without a list of types is refused, and no type is allowed over TCP unless it says so.
 *
 * @see SPIRE behaviour §11 — experimental.broker
 */
import { dirname, resolve } from 'node:path'
import { type Address, listenAddress } from '../../config/address.ts'
import {
  type Context,
  type Key,
  optional,
  placeOf,
  type Read,
  refine,
  required,
  section,
  type Unsure,
  withDefault,
} from '../../config/check.ts'
import { eachOf } from '../../config/each-of.ts'
import { ifWritten } from '../../config/if-written.ts'
import { addMistake, addWarning } from '../../config/mistake.ts'
import { showKind } from '../../config/tree.ts'
import { socketPath, spiffeIdValue, text, truth, type Value, value } from '../../config/value.ts'
import { pathOf } from '../../spiffe/id.ts'
import { PID_TYPE } from '../broker/parse-reference.ts'
import { ANY_TYPE, type BrokerSettings } from '../broker/settings.ts'

/** As Go listens: without a host, on every address. */
function bindAddress(): Value<Address> {
  const plain = listenAddress()
  return value((node) => {
    if (node.kind !== 'string') return { kind: 'wrong', message: `is ${showKind(node)}` }
    const isOpen = node.value.startsWith(':')
    return plain.parse(isOpen ? { ...node, value: `[::]${node.value}` } : node)
  }, 'ip:port to listen on, such as 0.0.0.0:8443')
}

const allowedType = section({
  allow_over_tcp: withDefault(truth(), 'false', 'also over TCP, not over the Unix socket alone'),
  type_url: required(
    text('a type URL, or *'),
    'type of the references, such as type.googleapis.com/spiffe.broker.WorkloadPIDReference; *: all',
  ),
})

const oneBroker = section({
  allowed_reference_types: required(eachOf(allowedType), 'what it may name workloads by'),
  id: required(spiffeIdValue(), 'SPIFFE ID of the broker, of any trust domain'),
})

const keys = section({
  bind_address: optional(bindAddress(), 'address to serve over TCP'),
  brokers: required(eachOf(oneBroker), 'who may call'),
  socket_path: optional(socketPath(), 'Unix socket; outside of the directory of the Workload API'),
})

type BrokerKeys = (typeof keys)['keys']
export type BrokerRead = Read<BrokerKeys>

const checked = refine(ifWritten(keys), (read, context) => {
  checkWhere(read, context)
  checkBrokers(read, context)
  return {}
})

/** The Broker API is there only when the section is. */
export function broker(): Key<BrokerRead | undefined> {
  return optional(checked, 'Broker API')
}

type Written = Unsure<BrokerRead>

function checkWhere(read: Written, { report }: Context): void {
  const { socket_path: socket, bind_address: tcp } = read
  if (tcp?.kind === 'unix') {
    const message = 'agent.experimental.broker.bind_address is a Unix socket'
    addMistake(report, placeOf(read, 'bind_address'), message, 'host:port; or use socket_path')
  }
  if (socket !== undefined || tcp !== undefined || report.mistakes.length > 0) return
  const message = 'agent.experimental.broker has no address'
  addMistake(report, placeOf(read, 'brokers'), message, 'socket_path, bind_address, or both')
}

function checkBrokers(read: Written, { report }: Context): void {
  const { brokers = [] } = read
  const mistake = (message: string, expected: string) =>
    addMistake(report, placeOf(read, 'brokers'), message, expected)
  const name = 'agent.experimental.broker.brokers'
  if (brokers.length === 0) mistake(`${name} is empty`, 'at least one broker')
  const seen = new Set<string>()
  for (const { id, allowed_reference_types: types } of brokers) {
    if (id === undefined || types === undefined) continue // reported where it was read
    if (seen.has(id)) mistake(`${name} has ${id} twice`, 'each broker once')
    seen.add(id)
    if (pathOf(id) === '') mistake(`${name} has ${id}`, 'the ID of a workload')
    const of = `${name}: allowed_reference_types of ${id}`
    if (types.length === 0) mistake(`${of} is empty`, 'at least one type')
    const isAny = types.some(({ type_url: url }) => url === ANY_TYPE)
    if (isAny && types.length > 1) mistake(`${of} has * and others`, '* alone, or others')
    const urls = types.map(({ type_url: url }) => url)
    if (new Set(urls).size < urls.length) mistake(`${of} has a type twice`, 'each type once')
    const isRemote = types.some((one) => one.allow_over_tcp && one.type_url === PID_TYPE)
    if (isRemote && read.bind_address !== undefined) {
      const why =
        'allows process IDs over TCP: a broker on another machine would name processes of this one'
      addWarning(report, placeOf(read, 'brokers'), `${of} ${why}`)
    }
  }
}

export interface SocketKeys {
  readonly socket_path: string
  readonly disable_workload_api: boolean
  readonly experimental: { readonly broker: BrokerRead | undefined }
}

/** Reports a socket that workloads could come across: their directory is often mounted into theirs. */
export function checkBrokerSocket(
  read: Unsure<SocketKeys> & Parameters<typeof placeOf>[0],
  { report }: Context,
): void {
  const { socket_path: workloads, disable_workload_api: isOff } = read
  const path = read.experimental?.broker?.socket_path
  if (path === undefined || workloads === undefined || isOff === true) return
  const shared = dirname(resolve(workloads))
  if (!resolve(path).startsWith(shared === '/' ? '/' : `${shared}/`)) return
  const message = `agent.experimental.broker.socket_path ${path} is in the directory of agent.socket_path, ${shared}, or below it`
  addMistake(report, placeOf(read, 'experimental'), message, 'a path outside of it')
}

export function brokerSettings(read: BrokerRead | undefined): BrokerSettings | undefined {
  if (read === undefined) return undefined
  return {
    socketPath: read.socket_path,
    bindAddress: tcpOf(read.bind_address),
    brokers: read.brokers.map(({ id, allowed_reference_types: types }) => ({
      id,
      allowedTypes: types.map(({ type_url: typeUrl, allow_over_tcp: isAllowedOverTcp }) => ({
        ...{ typeUrl, isAllowedOverTcp },
      })),
    })),
  }
}

function tcpOf(address: Address | undefined): BrokerSettings['bindAddress'] {
  if (address?.kind !== 'tcp') return undefined
  return { host: address.host, port: address.port }
}
