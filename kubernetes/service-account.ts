/**
 * The way from inside of a pod to its cluster, by what Kubernetes puts into each container: two variables and three files. No
 * library is loaded for it, because every proxy in a pod goes this way. Token and certificates are read for each request: they are
 * exchanged on disk, and no message ever shows one.
 */
import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import type { RequestOptions } from 'node:https'
import { isIPv6 } from 'node:net'
import { join } from 'node:path'
import { IdentityError, reasonOf } from '../spiffe/error.ts'

/** Where Kubernetes mounts them, in every cluster: `token`, `ca.crt` and `namespace`. */
export const SERVICE_ACCOUNT_DIRECTORY = '/var/run/secrets/kubernetes.io/serviceaccount'
const PORT = /^[1-9]\d{0,4}$/
/** As an HTTP header takes it: a token with anything else is none. */
const TOKEN = /^[\x21-\x7e]+$/

export interface ServiceAccount {
  /** URL of the API server. */
  readonly server: string
  authenticate(options: RequestOptions): Promise<void>
}

/** @throws IdentityError CONFIG_INVALID when we are in no pod, or in one without a service account's token */
export function readServiceAccount(
  env: Readonly<Record<string, string | undefined>> = process.env,
  directory = SERVICE_ACCOUNT_DIRECTORY,
): ServiceAccount {
  const { KUBERNETES_SERVICE_HOST: host = '', KUBERNETES_SERVICE_PORT: port = '443' } = env
  if (host === '' || !PORT.test(port)) {
    const why = 'KUBERNETES_SERVICE_HOST names none; outside of a pod, a kubeconfig must be named'
    throw unusable('the API server of this pod', why)
  }
  const [tokenPath, caPath] = [join(directory, 'token'), join(directory, 'ca.crt')]
  for (const path of [tokenPath, caPath]) {
    try {
      readFileSync(path)
    } catch (error) {
      throw unusable('the service account of this pod', reasonOf(error), error)
    }
  }
  return {
    server: `https://${isIPv6(host) ? `[${host}]` : host}:${port}`,
    async authenticate(options) {
      const [token, ca] = await Promise.all([readFile(tokenPath, 'utf8'), readFile(caPath)])
      const bearer = token.trim()
      if (!TOKEN.test(bearer)) throw new Error(`the token in ${tokenPath} is empty or no text`)
      options.headers = { ...options.headers, authorization: `Bearer ${bearer}` }
      options.ca = ca
    },
  }
}

function unusable(what: string, why: string, cause?: unknown): IdentityError {
  return new IdentityError('CONFIG_INVALID', `cannot use ${what}: ${why}`, { cause })
}
