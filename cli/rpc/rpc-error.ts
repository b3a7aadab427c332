/** What went wrong in a call, in the words in which Go programs tell it: scripts look for them. */
import { type ServiceError, status } from '@grpc/grpc-js'
import { fromStatus } from '../../proto/status.ts'
import { IdentityError } from '../../spiffe/error.ts'
import { systemErrorText } from '../output/file-error.ts'

const NAMES: Readonly<Record<number, string>> = {
  [status.OK]: 'OK',
  [status.CANCELLED]: 'Canceled',
  [status.UNKNOWN]: 'Unknown',
  [status.INVALID_ARGUMENT]: 'InvalidArgument',
  [status.DEADLINE_EXCEEDED]: 'DeadlineExceeded',
  [status.NOT_FOUND]: 'NotFound',
  [status.ALREADY_EXISTS]: 'AlreadyExists',
  [status.PERMISSION_DENIED]: 'PermissionDenied',
  [status.RESOURCE_EXHAUSTED]: 'ResourceExhausted',
  [status.FAILED_PRECONDITION]: 'FailedPrecondition',
  [status.ABORTED]: 'Aborted',
  [status.OUT_OF_RANGE]: 'OutOfRange',
  [status.UNIMPLEMENTED]: 'Unimplemented',
  [status.INTERNAL]: 'Internal',
  [status.UNAVAILABLE]: 'Unavailable',
  [status.DATA_LOSS]: 'DataLoss',
  [status.UNAUTHENTICATED]: 'Unauthenticated',
}

export function codeName(code: number): string {
  return NAMES[code] ?? `Code(${code})`
}

/** What grpc-js says of a socket that could not be connected to. */
const NO_CONNECTION = /^No connection established\..*?\bconnect (E[A-Z0-9]+)/

/** `rpc error: code = … desc = …`; a socket that does not answer also says what to do. */
export function toRpcError(error: ServiceError, socketPath: string, dialed: string): IdentityError {
  const own = fromStatus(error)
  const code = own instanceof IdentityError ? own.code : 'INTERNAL'
  const text = `rpc error: code = ${codeName(error.code)} desc = `
  const refused = NO_CONNECTION.exec(error.details)?.[1]
  if (refused !== undefined) {
    const why = systemErrorText(refused)
    const go = `connection error: desc = "transport: Error while dialing: dial unix ${dialed}: connect: ${why}"`
    const hint = hintFor(refused, socketPath)
    return new IdentityError(code, `${text}${go}${hint}`, { cause: error })
  }
  const isOwnDeadline =
    error.code === status.DEADLINE_EXCEEDED && error.details.startsWith('Deadline exceeded after')
  const desc = isOwnDeadline ? 'context deadline exceeded' : error.details
  return new IdentityError(code, text + desc, { cause: error })
}

/** Whether nobody answered at the socket. */
export function isNotConnected(error: unknown): boolean {
  return error instanceof IdentityError && error.message.includes('Error while dialing')
}

function hintFor(code: string, socketPath: string): string {
  if (code === 'EACCES') return `\nThis user may not open ${socketPath}`
  const why =
    code === 'ENOENT' ? `There is no socket ${socketPath}` : `Nobody listens on ${socketPath}`
  return `\n${why}: is it running, and is this the -socketPath of its configuration?`
}
