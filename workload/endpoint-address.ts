/**
 * Where the Workload API is: given by the program, else by the environment.
 *
 * @see Workload-Endpoint §4 — locating the endpoint
 */
import {
  ENDPOINT_FORMS,
  type EndpointAddress,
  parseEndpointAddress,
} from '../proto/endpoint-address.ts'
import { IdentityError } from '../spiffe/error.ts'

const SOCKET_VARIABLE = 'SPIFFE_ENDPOINT_SOCKET'

/**
 * @param socket wins over the environment when it is given
 * @throws IdentityError CONFIG_INVALID when neither says where, or when the address has another form
 */
export function readEndpointAddress(
  socket: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): EndpointAddress {
  if (socket !== undefined) return parseEndpointAddress(socket, 'socket')
  const fromEnv = env[SOCKET_VARIABLE]
  if (fromEnv === undefined || fromEnv === '') {
    throw new IdentityError(
      'CONFIG_INVALID',
      `the Workload API address is not known: set ${SOCKET_VARIABLE} or pass socket; ${ENDPOINT_FORMS}`,
    )
  }
  return parseEndpointAddress(fromEnv, SOCKET_VARIABLE)
}
