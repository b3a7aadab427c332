/**
 * The keys of the `docker` workload attestor, which asks Podman as well.
 *
 * @see https://github.com/spiffe/spire/blob/main/doc/plugin_agent_workloadattestor_docker.md
 */
import { absent } from '../../config/absent.ts'
import {
  type Context,
  optional,
  placeOf,
  type Read,
  refine,
  section,
  type Unsure,
  withDefault,
} from '../../config/check.ts'
import { addMistake, addRefusal } from '../../config/mistake.ts'
import { listOf, text, textLike, truth } from '../../config/value.ts'
import { type CgroupMatchers, compileMatchers } from '../attest/docker/cgroup-matchers.ts'
import { NO_SIGSTORE } from './sigstore.ts'

export interface DockerAttestorConfig {
  readonly kind: 'docker'
  readonly dockerSocketPath: string
  readonly podmanSocketPath: string
  /** Of the user with this ID. */
  readonly userPodmanSocketPath: (uid: number) => string
  /** E.g. `1.44`; undefined: the engine's own. */
  readonly apiVersion: string | undefined
  /** Undefined: containers are found in any layout. */
  readonly matchers: CgroupMatchers | undefined
  readonly isVerbose: boolean
}

const SCHEME = 'unix://'
const unixSocket = () =>
  textLike(/^unix:\/\/\/[^?#]+$/, 'an address such as unix:///run/docker.sock')

const keys = section({
  container_id_cgroup_matchers: withDefault(
    listOf(text(), 'patterns of paths, in which <id> stands for the container and * for any name'),
    '[]',
    'where container IDs stand in control groups; needs use_new_container_locator = false',
  ),
  docker_host: absent('address of Docker', undefined, 'for Windows only; use docker_socket_path'),
  docker_socket_path: withDefault(unixSocket(), 'unix:///var/run/docker.sock', 'socket of Docker'),
  docker_version: optional(
    textLike(/^\d{1,3}\.\d{1,3}$/, 'a version such as "1.44", in quotes'),
    'version of the API to ask for; else the engine’s own',
  ),
  podman_socket_path: withDefault(
    unixSocket(),
    'unix:///run/podman/podman.sock',
    'socket of Podman, for containers of root',
  ),
  podman_socket_path_template: withDefault(
    textLike(/^unix:\/\/\/(?:[^%?#]|%%)*%d(?:[^%?#]|%%)*$/, 'an address with one %d in it'),
    'unix:///run/user/%d/podman/podman.sock',
    'socket of Podman for containers of a user, whose ID stands for %d; what it says is that user’s word',
  ),
  sigstore: absent('verify signatures of images', undefined, NO_SIGSTORE),
  use_new_container_locator: withDefault(
    truth(),
    'true',
    'find containers in any layout of control groups',
  ),
  verbose_container_locator_logs: withDefault(
    truth(),
    'false',
    'log, at debug level, the control groups that are looked at',
  ),
})

export const docker = refine(keys, (read, context) => ({ matchers: readMatchers(read, context) }))

function readMatchers(
  read: Unsure<Read<(typeof keys)['keys']>>,
  { report }: Context,
): CgroupMatchers | undefined {
  const patterns = read.container_id_cgroup_matchers ?? []
  if (patterns.length === 0) return undefined
  const place = placeOf(read, 'container_id_cgroup_matchers')
  if (read.use_new_container_locator !== false) {
    const message = 'container_id_cgroup_matchers is given while use_new_container_locator is true'
    addMistake(report, place, message, 'use_new_container_locator = false')
  }
  try {
    return compileMatchers(patterns)
  } catch (error) {
    addRefusal(report, place, 'container_id_cgroup_matchers', error)
    return undefined
  }
}

type Data = Read<(typeof keys)['keys']> & { readonly matchers: CgroupMatchers | undefined }

export function dockerAttestorConfig(data: Data): DockerAttestorConfig {
  const template = data.podman_socket_path_template.slice(SCHEME.length)
  return {
    kind: 'docker',
    dockerSocketPath: data.docker_socket_path.slice(SCHEME.length),
    podmanSocketPath: data.podman_socket_path.slice(SCHEME.length),
    userPodmanSocketPath: (uid) =>
      template.replaceAll(/%[d%]/g, (found) => (found === '%d' ? String(uid) : '%')),
    apiVersion: data.docker_version,
    matchers: data.matchers,
    isVerbose: data.verbose_container_locator_logs,
  }
}
