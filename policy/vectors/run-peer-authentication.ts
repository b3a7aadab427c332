/**
 * Runs a vector of PeerAuthentication: which mode a workload and its ports have, and what that does to clients.
 */
import { composePeerAuthentication, type MtlsMode, portMode } from '../mtls.ts'
import { parsePeerAuthentication } from '../parse-peer-authentication.ts'
import type { PeerAuthentication } from '../peer-authentication.ts'
import type { PeerAuthenticationCase } from './vector-file.ts'
import { compared, failed, type VectorResult } from './vector-result.ts'

const ROOT_NAMESPACE = 'istio-system'

/** What becomes of a client that speaks plaintext, and of one with a certificate. */
const CLIENTS: Readonly<
  Record<MtlsMode, { readonly plaintext: string; readonly mutualTls: string }>
> = {
  STRICT: { plaintext: 'deny', mutualTls: 'allow' },
  PERMISSIVE: { plaintext: 'allow', mutualTls: 'allow' },
  DISABLE: {
    plaintext: 'allow',
    mutualTls: 'passed through undecrypted (sidecar) / allowed (ambient)',
  },
}

export function runPeerAuthentication(vector: PeerAuthenticationCase): VectorResult {
  const { id, title = '', workload, expect } = vector
  const of = { section: 'peerAuthenticationCases', id, title } as const
  const policies: PeerAuthentication[] = []
  for (const object of vector.policies) {
    const parsed = parsePeerAuthentication(object)
    if (parsed.kind === 'faults') {
      return failed(of, `a policy cannot be read: ${parsed.faults[0]?.message}`)
    }
    policies.push(parsed.policy)
  }
  const required = composePeerAuthentication(ROOT_NAMESPACE, policies, workload)
  const seen: Record<string, unknown> = {
    mode: required.mode,
    portModes: sorted([...required.perPort].map(([port, mode]) => [String(port), mode])),
  }
  const expected: Record<string, unknown> = {
    mode: expect.mode,
    portModes: expect.portModes && sorted(Object.entries(expect.portModes)),
  }
  for (const [port, client] of Object.entries(expect.perPort ?? {})) {
    const mode = portMode(required, Number(port))
    for (const [name, value] of Object.entries(client)) expected[`${name} of ${port}`] = value
    seen[`mode of ${port}`] = mode
    seen[`plaintext of ${port}`] = CLIENTS[mode].plaintext
    seen[`mutualTls of ${port}`] = CLIENTS[mode].mutualTls
  }
  return compared(of, expected, seen)
}

const sorted = (entries: readonly (readonly [string, string])[]) =>
  [...entries].sort(([one], [other]) => Number(one) - Number(other))
