/**
 * Taints a root above our old authority, or takes a tainted one out of the bundle, by an operator's hand. The root that
 * vouches for what signs now can be neither: everything below would be cut off. Refused in SPIRE's words.
 *
 * @see SPIRE behaviour §7 — forced rotation with an upstream authority
 */
import type { Log } from '../../log/open-log.ts'
import { revokeX509Authority, taintX509Authority } from '../../spiffe/bundle/merge.ts'
import type { Bundle } from '../../spiffe/bundle.ts'
import { type ErrorCode, IdentityError } from '../../spiffe/error.ts'
import type { Authorities } from '../ca/authorities.ts'
import type { Publication } from '../ca/publication.ts'
import type { Slots } from '../ca/slots.ts'
import type { X509Ca } from '../ca/x509-ca.ts'

export function operateRoots(
  x509: Pick<Authorities<X509Ca>, 'slots'>,
  publication: Publication,
  log: Pick<Log, 'info'>,
) {
  const said = (upstream_authority_id: string, msg: string) =>
    log.info({ upstream_authority_id }, msg)
  return {
    async taint(subjectKeyId: string): Promise<void> {
      mustBeAboveOld(x509.slots(), subjectKeyId, 'provided subject key id is not valid')
      await write('taint', publication, (bundle) => {
        const next = taintX509Authority(bundle, subjectKeyId)
        if (next === bundle) throw new IdentityError('ALREADY_EXISTS', 'it is tainted already')
        return next
      })
      said(subjectKeyId, 'X.509 upstream authority tainted successfully')
    },
    async revoke(subjectKeyId: string): Promise<void> {
      mustBeAboveOld(x509.slots(), subjectKeyId, 'invalid subject key ID')
      await write('revoke', publication, (bundle) => revokeX509Authority(bundle, subjectKeyId))
      said(subjectKeyId, 'X.509 upstream authority successfully revoked')
    },
  }
}

/** @param context what the refusal begins with. @throws IdentityError REQUEST_INVALID */
export function mustBeAboveOld(
  { active, prepared, old }: Slots<X509Ca>,
  subjectKeyId: string,
  context: string,
): void {
  const refusal = (why: string) => new IdentityError('REQUEST_INVALID', `${context}: ${why}`)
  if (subjectKeyId === '') throw refusal('no subject key ID provided')
  if (active?.upstream?.authorityId === subjectKeyId) {
    throw refusal('unable to use upstream authority singing current authority')
  }
  if (prepared !== undefined) {
    throw refusal('only upstream authorities signing an old authority can be used')
  }
  if (old?.upstream?.authorityId !== subjectKeyId) {
    throw refusal("upstream authority didn't sign the old local authority")
  }
}

const REFUSALS: Readonly<Record<'taint' | 'revoke', Partial<Record<ErrorCode, string>>>> = {
  taint: {
    NOT_FOUND: 'no ca found with provided subject key ID',
    ALREADY_EXISTS: 'root CA is already tainted',
  },
  revoke: {
    NOT_FOUND: 'no root CA found with provided subject key ID',
    PRECONDITION_FAILED: 'it is not possible to revoke an untainted root CA',
  },
}

async function write(
  verb: 'taint' | 'revoke',
  publication: Publication,
  change: (bundle: Bundle) => Bundle,
): Promise<void> {
  try {
    await publication.update(change)
  } catch (error) {
    const why = error instanceof IdentityError ? REFUSALS[verb][error.code] : undefined
    if (why === undefined) throw error
    const what = verb === 'taint' ? 'upstream authority' : 'X.509 upstream authority'
    const message = `failed to ${verb} ${what}: ${why}`
    throw new IdentityError('INTERNAL', message, { cause: error })
  }
}
