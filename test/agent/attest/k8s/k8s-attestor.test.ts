/** From a process to the selectors of its pod, with files of processes that a test has arranged. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { type K8sAttestorOptions, k8sAttestor } from '../../../../agent/attest/k8s/k8s-attestor.ts'
import { noPods } from '../../../../agent/attest/k8s/no-pods.ts'
import { readPod } from '../../../../agent/attest/k8s/pod.ts'
import { indexPods } from '../../../../agent/attest/k8s/pod-list.ts'
import type { PodSource } from '../../../../agent/attest/k8s/pod-source.ts'
import type { UnixCaller } from '../../../../proto/peer-credentials.ts'
import { memoryLog } from '../../../fakes/memory-log.ts'
import { CONTAINER_ID, OTHER_ID, POD_UID, podObject } from './pods.ts'

const PID = 123
const caller: UnixCaller = { kind: 'unix', pid: PID, uid: 0, gid: 0, isAlive: () => true }
const { signal } = new AbortController()
const dirs: string[] = []
afterEach(() => {
  for (const dir of dirs.splice(0)) rmSync(dir, { recursive: true })
})

interface ProcessParts {
  readonly cgroup: string
  readonly mountinfo?: string
  /** As the link `ns/user` has it. */
  readonly userNamespace?: string
}

function proc({ cgroup, mountinfo = '', userNamespace = 'user:[1]' }: ProcessParts) {
  const dir = mkdtempSync(join(tmpdir(), 'proc-'))
  dirs.push(dir)
  for (const [process, namespace] of [
    [String(PID), userNamespace],
    ['self', 'user:[1]'],
  ] as const) {
    mkdirSync(join(dir, process, 'ns'), { recursive: true })
    symlinkSync(namespace, join(dir, process, 'ns', 'user'))
  }
  const write = (text: string) => writeFileSync(join(dir, String(PID), 'cgroup'), text)
  write(cgroup)
  writeFileSync(join(dir, String(PID), 'mountinfo'), mountinfo)
  return { dir, write }
}

const IN_POD = `0::/kubepods/burstable/pod${POD_UID}/${CONTAINER_ID}\n`
const MOUNT = `1543 1542 0:32 /kubepods/pod${POD_UID}/${CONTAINER_ID} /x ro - cgroup2 cgroup rw\n`

const lists = (...pods: readonly unknown[]): PodSource['search'] => {
  const list = indexPods(pods.flatMap((one) => readPod(one) ?? []))
  return async (look) => {
    const value = look(list)
    return value === undefined ? { kind: 'gave-up', problem: undefined } : { kind: 'found', value }
  }
}

function attestor(
  files: { readonly dir: string },
  search: PodSource['search'],
  options: Partial<K8sAttestorOptions> = {},
) {
  const { log, lines } = memoryLog()
  const { attest } = k8sAttestor(
    {
      ...{ disableContainerSelectors: false, usesLegacyLocator: false, refusesProcesses: false },
      ...options,
    },
    {
      source: { search, follow: async () => {} },
      namespaces: undefined,
      openCluster: () => Promise.reject(new Error('nobody asks the API server')),
      files: { proc: files.dir, verboseLog: log },
      ownUid: 0,
      log,
    },
  )
  return { attest: () => attest(caller, signal), lines }
}

test('a process in a container gets the selectors of its pod and of its container', async () => {
  const selectors = await attestor(proc({ cgroup: IN_POD }), lists(podObject())).attest()
  expect(selectors).toContain('k8s:ns:shop')
  expect(selectors).toContain('k8s:container-name:cart')
})

test('an agent that asks no kubelet refuses every process, in a pod or not', async () => {
  for (const files of [proc({ cgroup: IN_POD }), proc({ cgroup: '0::/system.slice/x.service' })]) {
    const { attest } = attestor(files, noPods().search, { refusesProcesses: true })
    await expect(attest()).rejects.toMatchObject({
      code: 'PRECONDITION_FAILED',
      message: 'kubelet client is disabled',
    })
  }
})

test('without container selectors only the pod is told, ready or not', async () => {
  const options = { disableContainerSelectors: true }
  for (const status of [{}, { containerStatuses: [] }]) {
    const files = proc({ cgroup: IN_POD })
    const selectors = await attestor(files, lists(podObject({ status })), options).attest()
    expect(selectors).toContain('k8s:sa:cart')
    expect(selectors.filter((one) => one.startsWith('k8s:container-'))).toEqual([])
  }
})

test('a process of the machine gets no selectors, and nobody is asked', async () => {
  const never: PodSource['search'] = () => expect.fail('the pods were asked for')
  expect(await attestor(proc({ cgroup: '0::/system.slice/ssh.service' }), never).attest()).toEqual(
    [],
  )
})

test('says which container is not known, and why', async () => {
  const { attest, lines } = attestor(proc({ cgroup: IN_POD }), lists())
  await expect(attest()).rejects.toMatchObject({
    code: 'DEADLINE_EXCEEDED',
    message: `no selectors found after max poll attempts: pod ${POD_UID} is not among the 0 known pods of this node`,
  })
  expect(lines.filter(({ msg }) => msg === 'Waiting for a container')).toHaveLength(1)
})

test('says why the pods are not known', async () => {
  const search = async () => ({ kind: 'gave-up', problem: 'it answered 403' }) as const
  await expect(attestor(proc({ cgroup: IN_POD }), search).attest()).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    message: `the pod of container ${CONTAINER_ID} is not known: it answered 403`,
  })
})

test('a process that goes to another container while its pod is looked for is refused', async () => {
  const files = proc({ cgroup: IN_POD })
  const moving: PodSource['search'] = async (look, options) => {
    files.write(IN_POD.replace(CONTAINER_ID, OTHER_ID))
    return lists(podObject())(look, options)
  }
  await expect(attestor(files, moving).attest()).rejects.toMatchObject({
    code: 'ATTESTATION_FAILED',
    message: expect.stringMatching(/was in container 9bca.* and is now in 09bc/),
  })
})

test('a process that leaves its container meanwhile is refused', async () => {
  const files = proc({ cgroup: IN_POD })
  const leaving: PodSource['search'] = async (look, options) => {
    files.write('0::/\n')
    return lists(podObject())(look, options)
  }
  await expect(attestor(files, leaving).attest()).rejects.toMatchObject({
    message: expect.stringMatching(/and is now in none/),
  })
})

test('mounts are believed where control groups are silent and the process has no user namespace of its own', async () => {
  const files = proc({ cgroup: '0::/\n', mountinfo: MOUNT })
  expect(await attestor(files, lists(podObject())).attest()).toContain('k8s:ns:shop')
})

test('mounts that a user has made in a namespace of his own are refused', async () => {
  const files = proc({ cgroup: '0::/\n', mountinfo: MOUNT, userNamespace: 'user:[2]' })
  await expect(attestor(files, lists(podObject())).attest()).rejects.toMatchObject({
    code: 'ATTESTATION_FAILED',
    message: expect.stringMatching(/its mounts, which do, are not believed/),
  })
})

test('a user namespace alone is no reason for a refusal', async () => {
  const files = proc({ cgroup: '0::/\n', userNamespace: 'user:[2]' })
  expect(await attestor(files, lists(podObject())).attest()).toEqual([])
})

test('control groups win over mounts that name another pod', async () => {
  const mountinfo = MOUNT.replace(CONTAINER_ID, OTHER_ID)
  const selectors = await attestor(proc({ cgroup: IN_POD, mountinfo }), lists(podObject())).attest()
  expect(selectors).toContain(`k8s:container-image:shop/cart@sha256:${CONTAINER_ID}`)
})

test('the older rules never look at mounts', async () => {
  const files = proc({ cgroup: '0::/\n', mountinfo: MOUNT })
  const older = attestor(files, lists(podObject()), { usesLegacyLocator: true })
  expect(await older.attest()).toEqual([])
})

test('a process that has ended is refused', async () => {
  const files = proc({ cgroup: IN_POD })
  rmSync(join(files.dir, String(PID)), { recursive: true })
  await expect(attestor(files, lists(podObject())).attest()).rejects.toMatchObject({
    code: 'ATTESTATION_FAILED',
    message: expect.stringMatching(/cannot read .*123\/cgroup/),
  })
})

test('more mounts than anybody needs are refused', async () => {
  const mountinfo = MOUNT.repeat(50_000)
  const files = proc({ cgroup: '0::/\n', mountinfo })
  await expect(attestor(files, lists(podObject())).attest()).rejects.toMatchObject({
    message: expect.stringMatching(/more than 4194304 bytes/),
  })
})

test('what was looked at is in the log where it is asked for', async () => {
  const { attest, lines } = attestor(proc({ cgroup: IN_POD }), lists(podObject()))
  await attest()
  expect(lines).toContainEqual(
    expect.objectContaining({ msg: 'Control groups of the process', pid: PID }),
  )
})
