/** The SVID of an agent for the key in its CSR. Whatever else the CSR asks for is not read. */
import type { X509SVIDInput } from '../../../proto/gen/spire/api/types/X509SVID.ts'
import { toWireId } from '../../../proto/wire.ts'
import { unixSeconds } from '../../../spiffe/clock.ts'
import type { SpiffeId } from '../../../spiffe/id.ts'
import { parseCertificate } from '../../../spiffe/x509/certificate.ts'
import { parseCsr } from '../../../spiffe/x509/csr.ts'
import type { Issuer } from '../../issue/issuer.ts'
import { invalid, within } from '../refusal.ts'

export interface SignedAgentSvid {
  /** Decimal. */
  readonly serialNumber: string
  readonly expiresAt: Date
  readonly wire: X509SVIDInput
}

export async function signAgentSvid(
  id: SpiffeId,
  csr: Uint8Array,
  issuer: Pick<Issuer, 'issueAgentX509Svid'>,
): Promise<SignedAgentSvid> {
  const { spki } = within('failed to parse CSR', () => {
    const parsed = parseCsr(csr)
    // SPIRE does not ask for this proof that the agent has the key; every SPIRE agent gives it.
    if (!parsed.verify()) throw invalid('its signature does not fit its key')
    return parsed
  })
  const { chain, expiresAt } = await issuer.issueAgentX509Svid({ id, spki })
  const [leaf] = chain
  if (leaf === undefined) throw new Error('the issuer gave an empty chain')
  return {
    serialNumber: String(parseCertificate(leaf).serial),
    expiresAt,
    wire: { id: toWireId(id), cert_chain: [...chain], expires_at: unixSeconds(expiresAt) },
  }
}
