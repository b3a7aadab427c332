/** Chains that the server judges: of its callers, of nodes that attest by their certificate, of bundle endpoints. */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { writeX509PopPayload } from '../../../proto/x509pop.ts'
import { parseAgentPathTemplate } from '../../../server/attest/agent-path-template.ts'
import { x509PopAttestor } from '../../../server/attest/x509pop.ts'
import { bundleFetcher } from '../../../server/federation/fetch-bundle.ts'
import { identifyPeer } from '../../../server/listen/identify-peer.ts'
import { formatBundleDocument } from '../../../spiffe/bundle/jwks.ts'
import { systemClock } from '../../../spiffe/clock.ts'
import { trustDomainOf } from '../../../spiffe/id.ts'
import { toPem, toPemChain } from '../../../spiffe/x509/pem.ts'
import { ours, type Presented } from './attacks.ts'
import type { ChainCheck } from './chain-check.ts'
import { isRefused } from './is-refused.ts'

const clock = systemClock
const bundlesOf = ({ bundles }: Presented) => new Map(bundles.map((one) => [one.trustDomain, one]))

async function callServer(presented: Presented): Promise<boolean> {
  const { identity } = presented
  const bundles = bundlesOf(presented)
  // An administrator of that very ID would be let in: the chain alone decides.
  let named: string | undefined
  const asking = identifyPeer(identity.chain, {
    ...{ trustDomain: ours.trustDomain, adminIds: new Set([identity.id]), clock },
    bundleOf: async (trustDomain) => bundles.get(trustDomain),
  })
  const isOut = await isRefused(
    asking.then((peer) => {
      named = peer.kind
    }),
  )
  return !isOut && named === 'peer'
}

async function attestNode({ identity }: Presented): Promise<boolean> {
  let isChallenged = false
  const attestor = x509PopAttestor(
    {
      trust: { mode: 'spiffe', svidPrefix: '/spire-exchange' },
      pathTemplate: parseAgentPathTemplate('/x509pop/{{ .Fingerprint }}'),
      ...{ maxIntermediates: 10, maxRsaBits: 4096, verifyClientIp: false },
    },
    { trustDomain: ours.trustDomain, bundle: () => ours.bundle, clock, randomBytes },
  )
  const challenge = async () => {
    isChallenged = true
    return new Uint8Array()
  }
  const attesting = attestor.attest(writeX509PopPayload(identity.chain), challenge, undefined)
  await isRefused(attesting) // without the answer to the challenge, whoever it is
  return isChallenged
}

async function fetchBundle(presented: Presented): Promise<boolean> {
  const { identity } = presented
  const bundles = bundlesOf(presented)
  const cert = toPemChain(identity.chain)
  const server = createServer({ cert, key: toPem('PRIVATE KEY', identity.key) }, (_, response) =>
    response.end(formatBundleDocument(ours.bundle)),
  )
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo // cast: it listens on TCP
  const fetch = bundleFetcher({ bundleOf: async (domain) => bundles.get(domain), clock })
  const relationship = {
    ...{ trustDomain: trustDomainOf(identity.id), endpointUrl: `https://127.0.0.1:${port}/` },
    profile: { kind: 'https_spiffe', endpointId: identity.id },
  } as const
  try {
    return !(await isRefused(fetch(relationship, new AbortController().signal)))
  } finally {
    server.close()
    server.closeAllConnections()
  }
}

export const SERVER_CHECKS: readonly ChainCheck[] = [
  { place: 'the server’s port', believes: 'federated', path: '/admin', judge: callServer },
  {
    ...{ place: 'node attestation by an SVID', believes: 'own', path: '/spire-exchange/node' },
    judge: attestNode,
  },
  {
    ...{ place: 'the client of bundle endpoints', believes: 'federated', path: '/spire/server' },
    judge: fetchBundle,
  },
]
