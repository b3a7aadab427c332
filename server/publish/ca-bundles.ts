/**
 * Keeps the `caBundle` of labelled webhook configurations and APIServices as new as the bundle, also of those that are
 * made later. They are followed by watch; what was changed by somebody else is put right again.
 *
 * @see https://github.com/spiffe/spire/blob/main/doc/plugin_server_notifier_k8sbundle.md — webhook_label
 */
import type { Cluster } from '../../kubernetes/cluster.ts'
import { copyObjects } from '../../kubernetes/follow-objects.ts'
import { isRecord, listAt, type ObjectMeta, recordAt, textAt } from '../../kubernetes/object.ts'
import { statusOf } from '../../kubernetes/status.ts'
import type { Log } from '../../log/open-log.ts'
import { createBell } from '../../spiffe/bell.ts'
import { formatBundlePem } from '../../spiffe/bundle/pem.ts'
import type { Clock } from '../../spiffe/clock.ts'
import type { Random } from '../../spiffe/random.ts'
import type { PublishDeps } from './publish-bundle.ts'

export type CaBundleKind = 'mutating-webhooks' | 'validating-webhooks' | 'api-services'

export interface CaBundleDeps {
  readonly cluster: Cluster
  readonly kind: CaBundleKind
  /** Those are meant whose label of this name is `true`. */
  readonly label: string
  readonly bundle: PublishDeps['bundle']
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

/** A configuration, and what each of its webhooks trusts; an APIService counts as one webhook without a name. */
export interface Trusting {
  readonly meta: ObjectMeta
  readonly webhooks: readonly {
    readonly name: string
    /** Base64, as it stands there. */
    readonly caBundle: string | undefined
  }[]
}

const PATHS: Readonly<Record<CaBundleKind, string>> = {
  'mutating-webhooks': '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations',
  'validating-webhooks': '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations',
  'api-services': '/apis/apiregistration.k8s.io/v1/apiservices',
}

const FIRST_RETRY_MS = 1_000
const MAX_RETRY_MS = 60_000
/** After something was written: somebody who writes the same field must not make the two of us busy. */
const ROUND_MS = 1_000
/** Nothing has to be done until something rings; this is only an end to the sleep. */
const LOOK_AGAIN_MS = 60 * 60_000

/** Runs until the signal aborts; never rejects. */
export async function keepCaBundles(deps: CaBundleDeps, signal: AbortSignal): Promise<void> {
  const { kind, label, bundle, clock, random } = deps
  const changed = createBell()
  const stopListening = bundle.onChange(changed.ring)
  const copy = copyObjects<Trusting>({
    ...deps,
    path: PATHS[kind],
    query: { labelSelector: `${label}=true` },
    read: (object, meta) => readTrusting(kind, object, meta),
    changed: changed.ring,
  })
  const following = copy.follow(signal)
  let retryMs = FIRST_RETRY_MS
  while (!signal.aborted) {
    changed.reset()
    const caBundle = Buffer.from(formatBundlePem(bundle.current())).toString('base64')
    let failures = 0
    let written = 0
    for (const object of [...copy.values()]) {
      if (signal.aborted || isCurrent(object, caBundle)) continue
      if (await update(deps, object, caBundle, signal)) written += 1
      else failures += 1
    }
    if (written > 0) await clock.sleep(ROUND_MS, signal)
    retryMs = failures === 0 ? FIRST_RETRY_MS : Math.min(retryMs * 2, MAX_RETRY_MS)
    const pauseMs = failures === 0 ? LOOK_AGAIN_MS : retryMs * (0.5 + random() / 2)
    await clock.sleep(pauseMs, AbortSignal.any([signal, changed.signal()]))
  }
  stopListening()
  await following
}

/** @returns whether nothing is left to do, as far as is known */
async function update(
  { cluster, kind, log }: CaBundleDeps,
  object: Trusting,
  caBundle: string,
  signal: AbortSignal,
): Promise<boolean> {
  const { name } = object.meta
  try {
    await cluster.request({
      ...{ method: 'PATCH', path: `${PATHS[kind]}/${encodeURIComponent(name)}`, signal },
      contentType: 'application/strategic-merge-patch+json',
      body: caBundlePatch(kind, object, caBundle),
    })
    log.debug({ kind, name }, 'Set bundle for object')
    return true
  } catch (err) {
    const status = statusOf(err)
    // It changed or went meanwhile: the watch brings what is to be done, if anything.
    if (signal.aborted || status === 404) return true
    if (status !== 409) log.error({ kind, name, err }, 'Unable to set bundle for object')
    return false
  }
}

function readTrusting(kind: CaBundleKind, object: unknown, meta: ObjectMeta): Trusting {
  if (kind === 'api-services') {
    return {
      meta,
      webhooks: [{ name: '', caBundle: textAt(recordAt(object, 'spec'), 'caBundle') }],
    }
  }
  const webhooks = listAt(object, 'webhooks')
    .filter(isRecord)
    .map((webhook) => ({
      name: textAt(webhook, 'name') ?? '',
      caBundle: textAt(recordAt(webhook, 'clientConfig'), 'caBundle'),
    }))
  return { meta, webhooks }
}

function isCurrent({ webhooks }: Trusting, caBundle: string): boolean {
  return webhooks.every((webhook) => webhook.caBundle === caBundle)
}

/** A strategic merge patch: webhooks are found by their names, and nothing else of them changes. */
function caBundlePatch(kind: CaBundleKind, { meta, webhooks }: Trusting, caBundle: string) {
  const metadata = { resourceVersion: meta.resourceVersion }
  if (kind === 'api-services') return { metadata, spec: { caBundle } }
  return {
    metadata,
    webhooks: webhooks.map(({ name }) => ({ name, clientConfig: { caBundle } })),
  }
}
