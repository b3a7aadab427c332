/** The secrets of one request, whole: by name what the workload may have, or nothing of it at all. */
import type { Log } from '../../log/open-log.ts'
import type { RandomBytes } from '../../spiffe/random.ts'
import type { IdentitySource, WorkloadUpdate } from '../cache/identity.ts'
import type { WhyNone, Workload } from '../workload-api/workload.ts'
import { type AnyMessage, encodeSecret } from './encode-secret.ts'
import { type EnvoyNode, validatorFor } from './envoy-node.ts'
import { notAuthorized, whyUnknown } from './not-authorized.ts'
import { chooseSecrets, everySecret } from './offered-secrets.ts'
import type { SdsSettings } from './settings.ts'

export interface SecretsDeps {
  readonly source: Pick<IdentitySource, 'watchEveryX509'>
  readonly settings: SdsSettings
  readonly randomBytes: RandomBytes
  readonly log: Log
  /** What the log is told of a workload without an identity; nobody else is. */
  readonly whyNone?: WhyNone
}

export interface Wish {
  /** Empty: everything. */
  readonly names: ReadonlySet<string>
  readonly node: EnvoyNode | undefined
}

/**
 * Fails closed: one name that the workload may not have, and it is given none.
 * @throws IdentityError REQUEST_INVALID in SPIRE's words, INTERNAL
 */
export function secretsFor(
  { settings, whyNone }: SecretsDeps,
  workload: Workload,
  update: WorkloadUpdate,
  { names, node }: Wish,
): readonly AnyMessage[] {
  const { secrets, unknown } =
    names.size === 0
      ? { secrets: everySecret(update), unknown: [] }
      : chooseSecrets(update, names, settings)
  if (unknown.length > 0) {
    throw notAuthorized(unknown, whyUnknown(unknown, update, workload, whyNone))
  }
  const validator = validatorFor(node, settings)
  return secrets.map((secret) => encodeSecret(secret, validator))
}

const NONCE_BYTES = 4

/** Tells the answers of one stream apart; nobody has to be unable to guess it. */
export function nextNonce({ randomBytes }: SecretsDeps): string {
  return Buffer.from(randomBytes(NONCE_BYTES)).toString('hex')
}
