/**
 * Node attestation by the projected service account token of the agent's pod. The kubelet exchanges the file long before
 * the token expires, so it is read at every attestation.
 *
 * @see SPIRE behaviour §2 — k8s_psat
 */
import { writeK8sPsatPayload } from '../../proto/k8s-psat.ts'
import { IdentityError, reasonOf } from '../../spiffe/error.ts'
import type { NodeAttestor } from './node-attestor.ts'

export interface K8sPsatOptions {
  /** As the server names it. */
  readonly cluster: string
  readonly tokenPath: string
}

export interface K8sPsatDeps {
  /** @throws IdentityError CONFIG_INVALID */
  readText(path: string): string
}

const ADVICE =
  'check cluster and token_path of k8s_psat, the projected token volume of the pod, and the clusters of the server'

export function k8sPsatAttestor(
  { cluster, tokenPath }: K8sPsatOptions,
  { readText }: K8sPsatDeps,
): NodeAttestor {
  return {
    type: 'k8s_psat',
    advice: ADVICE,
    async payload() {
      return writeK8sPsatPayload({ cluster, token: readToken(tokenPath, readText) })
    },
    async answer() {
      const why =
        'the server challenged a projected service account token, which answers no challenge'
      throw new IdentityError('INTERNAL', why)
    },
  }
}

/** No message repeats any of the file. */
function readToken(path: string, readText: K8sPsatDeps['readText']): string {
  const cannot = `unable to load token from ${path}`
  let token: string
  try {
    token = readText(path).trim()
  } catch (error) {
    if (!(error instanceof IdentityError)) throw error
    throw new IdentityError(error.code, `${cannot}: ${reasonOf(error)}; ${ADVICE}`, {
      cause: error,
    })
  }
  if (token === '') throw new IdentityError('CONFIG_INVALID', `${cannot}: it is empty; ${ADVICE}`)
  return token
}
