/**
 * The `docker` attestor: from a process to its container by the kernel, from there to labels, environment and image by
 * the engine that runs it, which is Podman where the control group says so. What a user's own Podman says is the word
 * of that user; entries for such workloads name the user too (`unix:uid`).
 *
 * @see SPIRE behaviour §4 — selectors of the docker attestor
 */
import { statSync } from 'node:fs'
import type { Clock } from '../../../spiffe/clock.ts'
import { IdentityError } from '../../../spiffe/error.ts'
import { type Selector, selector } from '../../../spiffe/selector.ts'
import type { CgroupPaths } from '../container/cgroup-paths.ts'
import { locateContainer } from '../container/locate-container.ts'
import { locateByProcess, type ProcessFiles, readCgroupPaths } from '../container/read-process.ts'
import type { WorkloadAttestor } from '../workload-attestor.ts'
import { type CgroupMatchers, matchContainer } from './cgroup-matchers.ts'
import type { Engine, EngineContainer } from './engine.ts'

export interface DockerAttestorOptions {
  readonly dockerSocketPath: string
  readonly podmanSocketPath: string
  readonly userPodmanSocketPath: (uid: number) => string
  readonly matchers: CgroupMatchers | undefined
}

export interface DockerAttestorDeps {
  readonly engineAt: (socketPath: string) => Engine
  readonly files: ProcessFiles
  readonly clock: Clock
}

const TYPE = 'docker'
/** After the first try. */
const RETRIES = 3
const FIRST_RETRY_MS = 100

export function dockerAttestor(
  options: DockerAttestorOptions,
  deps: DockerAttestorDeps,
): WorkloadAttestor {
  const { engineAt, files, clock } = deps
  return {
    type: TYPE,
    async attest({ pid }, signal, patience = 'full') {
      const id = await findContainerId(pid, options, files)
      if (id === undefined) return []
      const socket = socketFor(readCgroupPaths(pid, files), id, options)
      refuseForeignEngine(socket)
      const engine = engineAt(socket.path)
      const retries = patience === 'once' ? 0 : RETRIES
      const container = await retrying(() => engine.container(id, signal), {
        retries,
        clock,
        signal,
      })
      const digest = await digestOf(engine, container.image, signal)
      return selectorsOf(container, digest)
    },
  }
}

async function findContainerId(
  pid: number,
  { matchers }: DockerAttestorOptions,
  files: ProcessFiles,
): Promise<string | undefined> {
  return matchers === undefined
    ? locateByProcess(pid, files, locateContainer)
    : matchContainer(matchers, readCgroupPaths(pid, files))
}

const PODMAN = /(?:libpod-|\/libpod\/)/
const USER_SLICE = /\/user-(\d+)\.slice\//
const MAX_UID = 2 ** 32 - 1

export interface EngineSocket {
  readonly path: string
  /** Whose it must be, because the container lies where this user arranges things; undefined: it does not. */
  readonly owner: number | undefined
}

/** Which engine made a container, by its control groups; pure. @throws IdentityError ATTESTATION_FAILED */
export function socketFor(
  paths: CgroupPaths,
  containerId: string,
  options: Omit<DockerAttestorOptions, 'matchers'>,
): EngineSocket {
  const own = paths.filter((path) => path.includes(containerId))
  const uids = own.flatMap((path) => USER_SLICE.exec(path)?.[1] ?? [])
  const owner = uids[0] === undefined ? undefined : Number(uids[0])
  if (uids.some((uid) => Number(uid) !== owner || Number(uid) > MAX_UID)) {
    throw refused(`the container's control groups are those of users ${uids.join(', ')}`)
  }
  if (!own.some((path) => PODMAN.test(path))) return { path: options.dockerSocketPath, owner }
  return owner === undefined
    ? { path: options.podmanSocketPath, owner }
    : { path: options.userPodmanSocketPath(owner), owner }
}

/**
 * Fails closed: in his slice a user may name a control group after any container, so that only an engine of his own may
 * say what it is.
 */
function refuseForeignEngine({ path, owner }: EngineSocket): void {
  if (owner === undefined) return
  const uid = statSync(path, { throwIfNoEntry: false })?.uid
  if (uid === owner) return
  const whose = uid === undefined ? 'is not there' : `belongs to user ${uid}`
  throw refused(
    `the container's control group lies in user-${owner}.slice, and the socket ${path} ${whose}`,
  )
}

function refused(why: string): IdentityError {
  return new IdentityError('ATTESTATION_FAILED', why)
}

/** An image that is gone, or that the engine does not tell of, has no digest to show; the rest is known all the same. */
async function digestOf(
  engine: Engine,
  image: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (image === '') return undefined
  try {
    return await engine.imageDigest(image, signal)
  } catch {
    return undefined
  }
}

function selectorsOf(
  { labels, env, image }: EngineContainer,
  digest: string | undefined,
): readonly Selector[] {
  const of = (name: string, value: string) => selector(TYPE, `${name}:${value}`)
  return [
    ...Object.entries(labels).map(([key, value]) => of(`label:${key}`, value)),
    ...env.map((one) => of('env', one)),
    ...(image === '' ? [] : [of('image_id', image)]),
    ...(digest === undefined || digest === '' ? [] : [of('image_config_digest', digest)]),
  ]
}

interface Retrying {
  readonly retries: number
  readonly clock: Clock
  readonly signal: AbortSignal
}

/** A container that was started just now may not be known yet. */
async function retrying<T>(
  ask: () => Promise<T>,
  { retries, clock, signal }: Retrying,
): Promise<T> {
  for (let retry = 0; ; retry++) {
    try {
      return await ask()
    } catch (error) {
      if (retry >= retries || signal.aborted) throw error
      await clock.sleep(FIRST_RETRY_MS * 2 ** retry, signal)
    }
  }
}
