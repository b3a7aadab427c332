/** A broker as raw as gRPC has it: any bytes to any method, over either socket, by any certificate; all that comes back is kept. */
import { readFileSync } from 'node:fs'
import {
  type ChannelCredentials,
  Client,
  credentials,
  Metadata,
  type ServiceError,
  status,
} from '@grpc/grpc-js'
import type { MessageTypeDefinition, MethodDefinition } from '@grpc/proto-loader'
import { brokerApi, definitionsOf } from '../../../proto/load.ts'
import { systemClock } from '../../../spiffe/clock.ts'

type Fields = Readonly<Record<string, unknown>>

/** Cast: the loader types its map by name only, and these are names of messages. */
const messageType = (file: 'broker' | 'errorDetails' | 'status', name: string) =>
  definitionsOf(file)[name] as unknown as MessageTypeDefinition<Fields, Fields>

const TYPES = 'type.googleapis.com/'
export const PID_TYPE = `${TYPES}spiffe.broker.WorkloadPIDReference`
export const OBJECT_TYPE = `${TYPES}spiffe.broker.KubernetesObjectReference`

export type Method =
  | 'FetchJWTSVID'
  | 'SubscribeToJWTBundles'
  | 'SubscribeToX509Bundles'
  | 'SubscribeToX509SVID'

const METHODS: Readonly<Record<Method, MethodDefinition<Fields, Fields>>> = brokerApi()
  .service as never

export interface Request {
  readonly method: Method
  /** Bytes go out as they are. */
  readonly body: Fields | Buffer
  /** Of the broker's header; `true` alone unless told otherwise. */
  readonly header?: readonly string[]
}

/** @returns a reference of this type with these bytes */
export const any = (type_url: string, value: Uint8Array = Buffer.alloc(0)) => ({
  reference: { reference: { type_url, value } },
})

export const pidReference = (pid: number) =>
  any(PID_TYPE, messageType('broker', 'spiffe.broker.WorkloadPIDReference').serialize({ pid }))

export const objectReference = (fields: Fields) =>
  any(
    OBJECT_TYPE,
    messageType('broker', 'spiffe.broker.KubernetesObjectReference').serialize(fields),
  )

export interface Outcome {
  readonly code: string
  readonly text: string
  /** `<domain> <reason>` of google.rpc.ErrorInfo. */
  readonly info: string | undefined
  /** The first message. */
  readonly message: Fields | undefined
}

/** Long enough for the first message of a stream, which goes on. */
const STREAM_MS = 2_500

export interface Broker extends Disposable {
  ask(request: Request): Promise<Outcome>
}

export interface BrokerFiles {
  readonly cert: string
  readonly key: string
  readonly bundle: string
}

/** @param files of no certificate: none is shown */
export function connectBroker(target: string, files: BrokerFiles | { bundle: string }): Broker {
  const client = new Client(target, tls(files), {
    'grpc.max_receive_message_length': 64 << 20,
    'grpc.enable_retries': 0,
    'grpc.default_authority': 'agent',
  })
  return {
    ask: (request) => ask(client, request),
    [Symbol.dispose]: () => client.close(),
  }
}

function tls(files: BrokerFiles | { bundle: string }): ChannelCredentials {
  const [key, cert] =
    'cert' in files ? [readFileSync(files.key), readFileSync(files.cert)] : [null, null]
  // The agent's SVID has no DNS name; that the chain is the trust domain's is verified.
  const options = { checkServerIdentity: () => undefined }
  return credentials.createSsl(readFileSync(files.bundle), key, cert, options)
}

function ask(client: Client, { method, body, header = ['true'] }: Request): Promise<Outcome> {
  const { path, requestSerialize, responseDeserialize } = METHODS[method]
  const metadata = new Metadata()
  for (const value of header) metadata.add('broker.spiffe.io', value)
  const deadline = systemClock.now().getTime() + STREAM_MS
  const stream = client.makeServerStreamRequest<Fields | Buffer, Fields>(
    path,
    (value) => (Buffer.isBuffer(value) ? value : requestSerialize(value)),
    (bytes) => responseDeserialize(bytes),
    body,
    metadata,
    { deadline },
  )
  return new Promise((resolve) => {
    let message: Fields | undefined
    const served = () => resolve({ code: '', text: '', info: undefined, message })
    stream.on('data', (one: Fields) => {
      message ??= one
      stream.cancel() // the first is enough
    })
    stream.on('end', served)
    stream.on('error', (error: ServiceError) => {
      const isCut = [status.CANCELLED, status.DEADLINE_EXCEEDED].includes(error.code)
      if (message !== undefined && isCut) served()
      else resolve({ code: status[error.code], text: error.details, info: infoOf(error), message })
    })
  })
}

function infoOf({ metadata }: ServiceError): string | undefined {
  const [bytes] = metadata.get('grpc-status-details-bin')
  if (!Buffer.isBuffer(bytes)) return undefined
  const { details } = messageType('status', 'google.rpc.Status').deserialize(bytes)
  const infos = (details as readonly { type_url: string; value: Buffer }[])
    .filter(({ type_url }) => type_url === `${TYPES}google.rpc.ErrorInfo`)
    .map(({ value }) => messageType('errorDetails', 'google.rpc.ErrorInfo').deserialize(value))
  return infos.map(({ domain, reason }) => `${domain} ${reason}`).join()
}
