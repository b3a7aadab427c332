/** An issuer that enters everything it signs in the ledger, before anybody is handed it: what cannot be kept is not given. */
import { serverId, type TrustDomain } from '../../spiffe/id.ts'
import { parseCertificate } from '../../spiffe/x509/certificate.ts'
import type { Issuer } from './issuer.ts'
import type { Recorded, SigningLedger } from './signing-ledger.ts'

const ADDS: Recorded = { kind: 'adds' }

export function recordSignatures(
  issuer: Issuer,
  ledger: Pick<SigningLedger, 'record' | 'recordAgentSvid'>,
  trustDomain: TrustDomain,
): Issuer {
  return {
    async issueWorkloadX509Svid(request) {
      const issued = await issuer.issueWorkloadX509Svid(request)
      const { heldBy } = request
      if (heldBy === undefined) {
        await ledger.record({ ...issued, kind: 'minted-x509-svid', holder: request.id }, ADDS)
        return issued
      }
      // An agent holds one SVID of an entry: the newest.
      const slot = `${heldBy.agentId} ${heldBy.entryId}`
      const signed = { ...issued, kind: 'workload-x509-svid', holder: heldBy.agentId } as const
      await ledger.record(signed, { kind: 'replaces', slot })
      return issued
    },
    async issueAgentX509Svid(request) {
      const issued = await issuer.issueAgentX509Svid(request)
      const [leaf] = issued.chain
      if (leaf === undefined) throw new Error('the issuer gave an empty chain')
      const serial = String(parseCertificate(leaf).serial)
      await ledger.recordAgentSvid(serial, issued.authorityId, issued.expiresAt)
      return issued
    },
    async issueServerX509Svid(request) {
      const issued = await issuer.issueServerX509Svid(request)
      const signed = { ...issued, kind: 'server-svid', holder: serverId(trustDomain) } as const
      // One for each port that has names of its own.
      const slot = (request.dnsNames ?? []).join(' ')
      await ledger.record(signed, { kind: 'replaces', slot })
      return issued
    },
    async issueDownstreamCa(request) {
      const issued = await issuer.issueDownstreamCa(request)
      // What was signed with the CA before stays in use, whoever has a newer one.
      await ledger.record({ ...issued, kind: 'downstream-ca', holder: request.heldBy }, ADDS)
      return issued
    },
    async issueJwtSvid(request) {
      const issued = await issuer.issueJwtSvid(request)
      const kind = request.heldBy === undefined ? 'minted-jwt-svid' : 'workload-jwt-svid'
      await ledger.record({ ...issued, kind, holder: request.heldBy ?? request.id }, ADDS)
      return issued
    },
  }
}
