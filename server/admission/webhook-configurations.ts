/**
 * The webhook configurations of the cluster that point at this server: the names by which it is called are read from
 * them, and their `caBundle` is kept equal to the trust bundle, so that the API server goes on trusting the certificate
 * when authorities change. Every server does it, and the same; nobody has to lead.
 */
import type { Cluster } from '../../kubernetes/cluster.ts'
import { copyObjects, type Followed } from '../../kubernetes/follow-objects.ts'
import { listAt, type ObjectMeta, recordAt, textAt } from '../../kubernetes/object.ts'
import type { Log } from '../../log/open-log.ts'
import { createBell } from '../../spiffe/bell.ts'
import { formatBundlePem } from '../../spiffe/bundle/pem.ts'
import type { Bundle } from '../../spiffe/bundle.ts'
import type { Clock } from '../../spiffe/clock.ts'
import type { Random } from '../../spiffe/random.ts'
import type { Loop } from '../../spiffe/running-loops.ts'
import { checkDnsName } from '../entries/dns-name.ts'

export interface WebhookConfigurationsDeps {
  readonly cluster: Cluster
  /** Of the ValidatingWebhookConfiguration. */
  readonly validatingName: string
  /** Of the MutatingWebhookConfiguration; undefined: there is none. */
  readonly mutatingName: string | undefined
  /** Our own, the newest. */
  readonly bundle: {
    current(): Bundle
    onChange(listener: () => void): () => void
  }
  readonly onDnsNames: (names: readonly string[]) => void
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

interface Configuration extends Followed {
  readonly webhooks: readonly Webhook[]
}

interface Webhook {
  readonly name: string
  /** Base64 of PEM. */
  readonly caBundle: string
  readonly dnsName: string | undefined
}

const GROUP = '/apis/admissionregistration.k8s.io/v1'
const RETRY_MS = 5_000
/** In one certificate. */
const MAX_DNS_NAMES = 50

export function webhookConfigurationLoops(deps: WebhookConfigurationsDeps): readonly Loop[] {
  const wanted = [
    { path: `${GROUP}/validatingwebhookconfigurations`, name: deps.validatingName },
    { path: `${GROUP}/mutatingwebhookconfigurations`, name: deps.mutatingName },
  ]
  const bell = createBell()
  const copies = wanted.flatMap(({ path, name }) => {
    if (name === undefined) return []
    const copy = copyObjects({
      ...deps,
      path,
      query: { fieldSelector: `metadata.name=${name}` },
      read: readConfiguration,
      changed: bell.ring,
      synced: bell.ring,
    })
    return [{ path, copy }]
  })
  const keep: Loop = async (signal) => {
    const stopListening = deps.bundle.onChange(bell.ring)
    while (!signal.aborted) {
      bell.reset()
      const all = copies.flatMap(({ path, copy }) =>
        [...copy.values()].map((configuration) => ({ path, configuration })),
      )
      deps.onDnsNames(dnsNamesOf(all.map(({ configuration }) => configuration)))
      let isDone = true
      for (const { path, configuration } of all) {
        isDone = (await keepCurrent(path, configuration, deps, signal)) && isDone
      }
      const rung = AbortSignal.any([bell.signal(), signal])
      await deps.clock.sleep(isDone ? Number.MAX_SAFE_INTEGER : RETRY_MS, rung)
    }
    stopListening()
  }
  return [...copies.map(({ copy }) => copy.follow), keep]
}

export function readConfiguration(object: unknown, meta: ObjectMeta): Configuration {
  return {
    meta,
    webhooks: listAt(object, 'webhooks').map((webhook) => {
      const client = recordAt(webhook, 'clientConfig')
      return {
        name: textAt(webhook, 'name') ?? '',
        caBundle: textAt(client, 'caBundle') ?? '',
        dnsName: nameOf(client),
      }
    }),
  }
}

/** The name that the API server verifies; undefined when it is an address. */
function nameOf(client: unknown): string | undefined {
  const service = recordAt(client, 'service')
  const [name, namespace] = [textAt(service, 'name'), textAt(service, 'namespace')]
  if (name && namespace) return checked(`${name}.${namespace}.svc`)
  const url = textAt(client, 'url')
  return url !== undefined && URL.canParse(url) ? checked(new URL(url).hostname) : undefined
}

function checked(name: string): string | undefined {
  if (/^[\d.]+$|[[\]:]/.test(name)) return undefined
  try {
    checkDnsName(name)
    return name
  } catch {
    return undefined
  }
}

export function dnsNamesOf(
  configurations: readonly Pick<Configuration, 'webhooks'>[],
): readonly string[] {
  const names = configurations.flatMap(({ webhooks }) =>
    webhooks.flatMap(({ dnsName }) => dnsName ?? []),
  )
  return [...new Set(names)].sort().slice(0, MAX_DNS_NAMES)
}

/** @returns whether every webhook has our bundle now */
async function keepCurrent(
  path: string,
  { meta, webhooks }: Configuration,
  { cluster, bundle, log }: WebhookConfigurationsDeps,
  signal: AbortSignal,
): Promise<boolean> {
  const caBundle = Buffer.from(formatBundlePem(bundle.current())).toString('base64')
  const old = webhooks.filter((webhook) => webhook.caBundle !== caBundle)
  if (old.length === 0) return true
  try {
    await cluster.request({
      ...{ method: 'PATCH', path: `${path}/${meta.name}`, signal },
      // Merged by the names of the webhooks: nothing else of them is touched.
      contentType: 'application/strategic-merge-patch+json',
      body: {
        metadata: { uid: meta.uid },
        webhooks: old.map(({ name }) => ({ name, clientConfig: { caBundle } })),
      },
    })
    log.info(
      { name: meta.name, webhooks: old.length },
      'Webhook configuration has the newest bundle',
    )
    return true
  } catch (err) {
    if (!signal.aborted) {
      log.warn(
        { err, name: meta.name },
        'Webhook configuration could not be given the newest bundle',
      )
    }
    return false
  }
}
