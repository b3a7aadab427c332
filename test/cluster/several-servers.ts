/** The chart with three servers on a PostgreSQL of this machine: a release of its own, and everything that it needs. */

import { randomUUID } from 'node:crypto'
import { chownSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../../spiffe/clock.ts'
import { toPem } from '../../spiffe/x509/pem.ts'
import { testCa } from '../fakes/ca.ts'
import { freePort } from '../processes/free-port.ts'
import { type Postgres, startPostgres } from '../processes/postgres.ts'
import { helm } from './install-chart.ts'
import type { Chart, StoryContext } from './story.ts'

export const several: Chart = {
  release: 'steeple',
  namespace: 'stories-several',
  trustDomain: 'several.example',
  clusterName: 'several',
  className: 'stories-several',
  socketDir: '/run/stories-several/agent-sockets',
  socketName: 'spire-agent.sock',
}

export const SERVERS = 3
export const PODS = Array.from({ length: SERVERS }, (_, n) => `${several.release}-server-${n}`)

const CHART_DIR = join(import.meta.dirname, '..', '..', 'deploy', 'chart', 'steeple')
const STORAGE_CLASS = 'stories-several'
/** The user of the image. */
const NONROOT = 65532
/** This machine's address in the network of pods, as the cluster script gives it. */
const HOST = '198.18.1.10'
const PODS_NETWORK = '198.18.0.0/16'
const DAY_MS = 24 * 60 * 60_000
const SECRETS = { uri: 'database', files: 'database-files' }

export interface Database {
  readonly postgres: Postgres
  /** Nothing of ours may show it. */
  readonly password: string
}

/** PostgreSQL with TLS and a password, and the Secrets that say how to get there; gone after the story. */
export async function openDatabase(context: StoryContext): Promise<Database> {
  const now = systemClock.now().getTime()
  const times = { notBefore: new Date(now - DAY_MS), notAfter: new Date(now + DAY_MS) }
  const ca = await testCa(times)
  const leaf = await ca.leaf('/db', { ...times, dnsNames: ['database'] })
  const roots = toPem('CERTIFICATE', ca.certificate)
  const port = await freePort()
  const postgres = await startPostgres({
    port,
    settings: [`listen_addresses=${HOST}`],
    hba: [`hostssl all several ${PODS_NETWORK} scram-sha-256`, 'host all all 0.0.0.0/0 reject'],
    tls: {
      certificate: toPem('CERTIFICATE', leaf.certificate),
      key: leaf.key.export({ format: 'pem', type: 'pkcs8' }).toString(),
      clientRoots: roots,
    },
  })
  context.afterwards(async () => await postgres[Symbol.asyncDispose]())
  // In a URI `$` needs no percent, and must reach the database as it is.
  const password = `${randomUUID()}$HOME`
  await postgres.sql(`create role several login password '${password}'`)
  await postgres.sql('create database several owner several')
  const uri = `postgres://several:${password}@${HOST}:${port}/several?sslmode=verify-ca&sslrootcert=/etc/steeple-database/ca.crt`
  const { namespace } = several
  const secret = (name: string, stringData: object) => ({
    ...{ apiVersion: 'v1', kind: 'Secret', metadata: { namespace, name }, stringData },
  })
  await context.apply(secret(SECRETS.uri, { uri }), secret(SECRETS.files, { 'ca.crt': roots }))
  return { postgres, password }
}

/** A volume for each server; gone after the story. */
export async function openVolumes(context: StoryContext): Promise<void> {
  const data = mkdtempSync(join(tmpdir(), 'steeple-several-'))
  context.afterwards(async () => rmSync(data, { recursive: true, force: true }))
  for (const pod of PODS) {
    const path = join(data, pod)
    mkdirSync(path)
    chownSync(path, NONROOT, NONROOT)
    const name = `${STORAGE_CLASS}-${pod}`
    await context.apply({
      ...{ apiVersion: 'v1', kind: 'PersistentVolume', metadata: { name } },
      spec: {
        ...{ capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'] },
        ...{ storageClassName: STORAGE_CLASS, hostPath: { path } },
      },
    })
    context.afterwards(() =>
      context.mustKubectl(['delete', 'persistentvolume', name, '--wait=false']),
    )
  }
}

/** Installs or changes the release, and waits until it is ready. @param more laid over the values of `server` */
export async function upgradeSeveral(
  { cluster, image }: StoryContext,
  more: object = {},
): Promise<void> {
  const [repository = '', tag = ''] = image.split(/:(?=[^:]*$)/)
  const values = {
    ...{ trustDomain: several.trustDomain, clusterName: several.clusterName },
    image: { repository, tag, pullPolicy: 'Never' },
    server: {
      replicas: SERVERS,
      database: { type: 'postgres', secretName: SECRETS.uri, filesSecretName: SECRETS.files },
      ...{ persistence: { storageClass: STORAGE_CLASS }, defaultX509SvidTtl: '2m' },
      ...more,
    },
    controllerManager: { className: several.className, webhook: { failurePolicy: 'Ignore' } },
    // Beside the agents of another release, whose ports in the node's network are theirs.
    agent: { socketDir: several.socketDir, hostNetwork: false, podSource: 'api_server' },
  }
  const args = ['upgrade', '--install', several.release, CHART_DIR, '-n', several.namespace]
  const waiting = ['-f', '-', '--wait', '--timeout', '300s']
  await helm(cluster, [...args, ...waiting], JSON.stringify(values))
}

/** What `steeple server …` prints in the pod of one server. */
export async function askPod(
  { mustKubectl }: Pick<StoryContext, 'mustKubectl'>,
  pod: string,
  ...words: readonly string[]
): Promise<string> {
  return await mustKubectl([
    ...['exec', '-n', several.namespace, pod, '-c', 'server', '--', 'steeple', ...words],
  ])
}
