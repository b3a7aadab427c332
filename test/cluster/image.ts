/**
 * The image of the Dockerfile, built without a registry by buildah on bases made of this machine's files, and put into the
 * cluster. It is built of the checkout as it stands.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run } from '../processes/process.ts'
import { peersBin } from './real-cluster.ts'
import type { RealCluster } from './story.ts'

const root = join(import.meta.dirname, '..', '..')
const IMAGE = 'localhost/steeple:cluster'
const BUILD_MS = 15 * 60_000

/** @param existing an image that is in the cluster already, or an OCI archive; undefined or empty: it is built */
export async function prepareImage(
  cluster: RealCluster,
  existing: string | undefined,
): Promise<string> {
  if (existing?.endsWith('.tar')) return await importImage(cluster, existing)
  if (existing !== undefined && existing !== '') return existing
  const dir = mkdtempSync(join(tmpdir(), 'steeple-image-'))
  try {
    const archive = join(dir, 'image.tar')
    await buildImage(dir, archive)
    return await importImage(cluster, archive)
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

async function importImage({ dir }: RealCluster, archive: string): Promise<string> {
  const socket = join(dir, 'containerd.sock')
  await must(join(peersBin, 'ctr'), [
    ...['-a', socket, '-n', 'k8s.io', 'images', 'import', '--index-name', IMAGE, archive],
  ])
  return IMAGE
}

/** @param dir for everything that buildah keeps */
async function buildImage(dir: string, archive: string): Promise<void> {
  const storage = join(dir, 'storage')
  const buildah = ['--root', storage, '--runroot', join(storage, 'run'), '--storage-driver', 'vfs']
  await must('bash', [join(import.meta.dirname, 'local-bases.sh'), storage])
  await must('buildah', [
    ...[...buildah, 'build', '--isolation', 'chroot', '-t', IMAGE],
    ...['--build-arg', 'BUILDER=localhost/steeple-builder:1'],
    ...['--build-arg', 'BASE=localhost/steeple-base:1', root],
  ])
  await must('buildah', [...buildah, 'push', IMAGE, `oci-archive:${archive}:${IMAGE}`])
}

async function must(command: string, args: readonly string[]): Promise<void> {
  const { code, stdout, stderr } = await run(command, args, { timeoutMs: BUILD_MS })
  if (code !== 0) throw new Error(`${command} ended with ${code}:\n${stdout}${stderr}`)
}
