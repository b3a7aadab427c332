/** Raw calls to a server's port, as whoever holds a certificate: what no command line can do. */
import { type Client, credentials, type ServiceError, status as statusOf } from '@grpc/grpc-js'
import {
  agentApi,
  bundleApi,
  debugApi,
  entryApi,
  localAuthorityApi,
  loggerApi,
  svidApi,
  trustDomainApi,
} from '../../../proto/load.ts'
import { toPem } from '../../../spiffe/x509/pem.ts'
import type { Server } from '../../processes/cluster.ts'
import { type Served, succeed } from './cell.ts'

export interface Identity {
  /** PEM, leaf first. */
  readonly chain: string
  /** PEM. */
  readonly key: string
}

/** What a workload was served, as it shows it to the server. */
export const identityOf = ({ chain, key }: Pick<Served, 'chain' | 'key'>): Identity => ({
  chain: chain.map(({ der }) => toPem('CERTIFICATE', der)).join(''),
  key: toPem('PRIVATE KEY', key),
})

/** Clients at the server's port, that trust the bundle of this moment; without an identity they are anonymous. */
export async function connect(server: Server, identity?: Identity) {
  const roots = await succeed(server, 'bundle', 'show')
  const channel = credentials.createSsl(
    Buffer.from(roots),
    identity === undefined ? null : Buffer.from(identity.key),
    identity === undefined ? null : Buffer.from(identity.chain),
    // A SPIFFE server has no host name to check, and its chain is judged by the bundle.
    { checkServerIdentity: () => undefined },
  )
  const address = `127.0.0.1:${server.port}`
  // An IP address is no server name; nobody looks at this one.
  const options = { 'grpc.ssl_target_name_override': 'localhost' }
  const clients = {
    agent: new (agentApi())(address, channel, options),
    bundle: new (bundleApi())(address, channel, options),
    debug: new (debugApi())(address, channel, options),
    entry: new (entryApi())(address, channel, options),
    localAuthority: new (localAuthorityApi())(address, channel, options),
    logger: new (loggerApi())(address, channel, options),
    svid: new (svidApi())(address, channel, options),
    trustDomain: new (trustDomainApi())(address, channel, options),
  } satisfies Record<string, Client>
  return {
    ...clients,
    [Symbol.dispose]() {
      for (const client of Object.values(clients)) client.close()
    },
  }
}

export type Clients = Awaited<ReturnType<typeof connect>>

export type Done<Res> = (error: ServiceError | null, reply?: Res) => void

/** One unary call. @throws ServiceError */
export function call<Res>(start: (done: Done<Res>) => unknown): Promise<Res> {
  return new Promise((resolve, reject) => {
    start((error, reply) => {
      if (error !== null || reply === undefined) reject(error ?? new Error('no reply'))
      else resolve(reply)
    })
  })
}

/** Name of a call's status, and what it says. */
export async function verdict(calling: Promise<unknown>): Promise<string> {
  try {
    await calling
    return 'OK'
  } catch (error) {
    // Cast: what a call of grpc-js throws, unless something else went wrong.
    const { code, details } = error as Partial<ServiceError>
    if (code === undefined) throw error
    return `${statusOf[code]}: ${details}`
  }
}
