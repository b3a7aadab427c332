/**
 * Which publications are made by one of several servers, and how that one is chosen. Where servers differ in what they
 * are configured to publish, or how, each of them does its own: better twice than not at all.
 */
import { createHash } from 'node:crypto'
import { aborted } from '../../spiffe/aborted.ts'
import type { Clock } from '../../spiffe/clock.ts'
import { type Loop, runLoops } from '../../spiffe/running-loops.ts'
import type { Turns } from '../store/turns.ts'
import type { PublisherConfig } from './publisher.ts'

/** Failures in a row after which another server may try: it may have a way to the place, or better credentials. */
const MAX_FAILURES = 5
/** How long a server keeps back after that, so that another one finds the turn free. */
const REST_MS = 30_000
const DIGITS = 8

export interface Attempts {
  failed(): void
  succeeded(): void
}

export interface InTurnDeps {
  readonly turns: Pick<Turns, 'hold' | 'isShared'>
  readonly clock: Clock
}

/**
 * @param cluster what tells its cluster from others; undefined for a place outside of clusters
 * @returns undefined: the place is each server's own, and every server publishes to it
 */
export function publicationTurn(
  config: PublisherConfig,
  cluster: string | undefined,
): string | undefined {
  switch (config.kind) {
    case 'file': // of this machine
      return undefined
    case 'aws_s3': {
      // Not the credentials: those of one server may differ from those of another, and this is shown.
      const { region, bucket, objectKey, endpoint, format, refreshHintSeconds } = config
      const place = { region, bucket, objectKey, endpoint, format, refreshHintSeconds }
      return named(config.kind, `${bucket}/${objectKey}`, place)
    }
    case 'k8s_configmap':
    case 'k8sbundle':
      return named(config.kind, `${config.namespace}/${config.configMap}`, {
        ...config,
        kubeconfig: cluster,
      })
    case 'k8s_cluster_trust_bundle':
      return named(config.kind, config.name, { ...config, kubeconfig: cluster })
    default:
      return config satisfies never
  }
}

function named(kind: string, place: string, settings: object): string {
  const digest = createHash('sha256').update(JSON.stringify(Object.entries(settings).sort()))
  return `publish ${kind} ${place} ${digest.digest('hex').slice(0, DIGITS)}`
}

/**
 * The loops, run by one server at a time; one that fails again and again lets another try.
 * @param make is given what is to be told of each attempt
 */
export function publishInTurn(
  name: string,
  { turns, clock }: InTurnDeps,
  make: (attempts: Attempts) => readonly Loop[],
): Loop {
  return async (stop) => {
    while (!stop.aborted) {
      const tired = new AbortController()
      let failures = 0
      const loops = make({
        succeeded() {
          failures = 0
        },
        failed() {
          failures += 1
          if (turns.isShared && failures >= MAX_FAILURES) tired.abort()
        },
      })
      await turns.hold(
        name,
        async ({ signal }) => {
          await using running = runLoops(loops)
          await Promise.race([running.failed, aborted(AbortSignal.any([signal, tired.signal]))])
        },
        stop,
      )
      await clock.sleep(REST_MS, stop)
    }
  }
}
