/**
 * A proxy on several cores: workers that share its addresses, each with an event loop and connections of its own, while one thread holds the streams to the agent
 * and to the source of policies and tells all workers what it learns. The kernel spreads connections over them.
 */
import { runLoops } from '../../spiffe/running-loops.ts'
import { wildcard } from '../capture/wildcard.ts'
import type { ProxyConfig } from '../config.ts'
import { type DataPlaneOptions, newContext } from '../data-plane.ts'
import { openProviders } from '../ext-authz/providers.ts'
import { openJudges } from '../judges.ts'
import { openTokenKeys } from '../policy-source/issuer-keys.ts'
import type { ServingPlane } from '../serving-plane.ts'
import type { OpenAccessLog } from '../telemetry/access-log.ts'
import { shareDocuments } from './documents.ts'
import { type KeptWorker, keepWorker } from './keep-worker.ts'
import { followKnowledge, identitiesByKey } from './knowledge.ts'
import { mergeReports } from './merge-reports.ts'
import { reserveAddresses } from './reserve-addresses.ts'

export interface WorkersOptions extends DataPlaneOptions {
  readonly accessLog: OpenAccessLog
}

export interface Workers extends ServingPlane {
  readonly all: readonly KeptWorker[]
}

/** How often workers are asked what they have counted, so that little is forgotten with one that is lost. */
const REPORT_MS = 5_000

/** Resolves when all of them listen. @throws IdentityError as `openDataPlane` */
export async function openWorkers(options: WorkersOptions): Promise<Workers> {
  const { clock, log, accessLog, self, identities, source, killSwitch } = options
  await using opening = new AsyncDisposableStack()
  const stopping = new AbortController()
  opening.defer(() => stopping.abort())
  const config = await reserveAddresses(options.config)
  const context = newContext(config, { ...options, identity: identities.own }, stopping.signal)
  // What is judged here is for operators to see: this thread has no connections, asks no provider and follows no issuer.
  const providers = opening.use(
    openProviders({
      ...{ providers: [], clock, log, logLimit: context.logLimit, socketMark: undefined },
    }),
  )
  const nobody = openTokenKeys({ fetch: options.fetch, ca: undefined, clock, log })
  const verify = opening.use(nobody).verify
  const judging = { ...options, config, context, providers, verify }
  const { engine, workloads } = opening.use(await openJudges(judging))
  const all: KeptWorker[] = []
  const knowledge = opening.use(
    followKnowledge({
      ...{ source, killSwitch, workloads },
      identities: identitiesByKey(
        identities.own,
        config,
        (own) => workloads.of(own).context.identity,
      ),
      tell: (message) => {
        for (const one of all) one.tell(message)
      },
    }),
  )
  const fetch = shareDocuments(options.fetch, clock, stopping.signal)
  for (let number = 1; number <= config.workers; number += 1) {
    const worker = keepWorker({
      ...{ number, clock, log, fetch, drainTimeoutMs: config.drainTimeoutMs },
      start: () => ({
        ...{ config, self, knowledge: knowledge.now(), logLevel: log.level },
        hasAccessLog: accessLog.isOn,
      }),
      writeAccess: accessLog.append,
    })
    all.push(opening.use(worker))
  }
  await Promise.all(all.map(({ ready }) => ready))
  const look = async () => {
    const report = mergeReports(await Promise.all(all.map((one) => one.report())))
    return { ...report, dropped: report.dropped + accessLog.dropped }
  }
  const loops = opening.use(
    runLoops([
      async (stop) => {
        while (!stop.aborted) {
          await clock.sleep(REPORT_MS, stop)
          await look()
        }
      },
    ]),
  )
  const opened = opening.move()
  return {
    ...{ all, engine, workloads, look, failed: loops.failed },
    open: placesOf(config),
    workers: () => all.map((one) => one.status()),
    async drain() {
      await Promise.all(all.map((one) => one.drain()))
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}

function placesOf({ inbound, outbound, hbone, capture }: ProxyConfig): ServingPlane['open'] {
  const captured =
    capture === undefined
      ? []
      : [
          { name: 'captured-inbound', address: wildcard(capture.inboundPort) },
          { name: 'captured-outbound', address: wildcard(capture.outboundPort) },
        ]
  return [
    ...[...inbound, ...outbound, ...(hbone === undefined ? [] : [hbone])].map(
      ({ name, listen: address }) => ({ name, address }),
    ),
    ...captured,
  ]
}
