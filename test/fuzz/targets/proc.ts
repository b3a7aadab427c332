/** What the kernel and the machine say of a process: /proc files, control groups, account files, D-Bus messages, pods. */
import { parseCgroupMounts, parseCgroups } from '../../../agent/attest/container/cgroup-paths.ts'
import { locateByLegacyRules } from '../../../agent/attest/container/legacy-locator.ts'
import {
  locateContainer,
  locatePodContainer,
} from '../../../agent/attest/container/locate-container.ts'
import { compileMatchers, matchContainer } from '../../../agent/attest/docker/cgroup-matchers.ts'
import { readApiPod, readPod } from '../../../agent/attest/k8s/pod.ts'
import { podSelectors } from '../../../agent/attest/k8s/pod-selectors.ts'
import { parseProcessIds, parseStartTicks } from '../../../agent/attest/process-status.ts'
import { parseAccountNames } from '../../../agent/attest/unix/account-names.ts'
import { systemBusPath } from '../../../agent/dbus/bus-address.ts'
import {
  FIXED_HEADER_BYTES,
  MAX_MESSAGE_BYTES,
  messageLength,
  readMessage,
} from '../../../agent/dbus/message.ts'
import { makeMessage } from '../../agent/dbus/bus-messages.ts'
import { answerOf, broken, type FuzzTarget, mustEqual, ofText, readByOther } from '../target.ts'

const ID = 'a'.repeat(64)
const UID = '12345678-1234-1234-1234-123456789abc'
const SLICE = `/kubepods.slice/kubepods-pod${UID.replaceAll('-', '_')}.slice/cri-containerd-${ID}.scope`

const status: FuzzTarget = {
  name: 'proc-status',
  oracle: 'IDs are those of the lines Uid and Gid that the kernel wrote; a name cannot forge them',
  seeds: [
    'Name:\tx\nUid:\t0\t1\t2\t3\nGid:\t4\t5\t6\t7\nGroups:\t8 9 \n',
    'Name:\ta\\nUid:\t0\nUid:\t1\t1\t1\t1\nGid:\t1\t1\t1\t1\nGroups:\t\n',
    '1 (a) b) S 1 1 1 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 12345 0',
  ].map(ofText),
  dictionary: [
    'Uid:\t',
    'Gid:\t',
    'Groups:\t',
    'Name:\t',
    '\n',
    '\t',
    ')',
    '(',
    '4294967295',
    '4294967296',
  ],
  ...{ maxBytes: 2_048, share: 10 },
  run(input) {
    const text = input.toString('latin1')
    const read = answerOf(() => parseProcessIds(text))
    if (read !== undefined) {
      const line = /(?:^|\n)Uid:\t([^\n]*)/.exec(text)?.[1] ?? ''
      mustEqual(
        'user',
        String(read.answer.uid),
        String(Number(line.split(/[\t ]+/).filter((word) => word !== '')[1])),
      )
    }
    const ticks = answerOf(() => parseStartTicks(text))
    if (ticks !== undefined && ticks.answer < 0n) throw broken('a time before boot')
    for (const [id, name] of parseAccountNames(text)) {
      if (name === '' || !(id >= 0 && id <= 4_294_967_295)) throw broken(`account ${id}`)
    }
    answerOf(() => systemBusPath(text))
  },
}

const cgroup: FuzzTarget = {
  name: 'proc-cgroup',
  oracle:
    'a container ID is 64 hexadecimal digits of one of the paths, and a pod UID stands there too',
  seeds: [
    `0::${SLICE}\n`,
    `12:pids:/docker/${ID}\n1:name=systemd:/\n`,
    `36 35 0:30 ${SLICE} /sys/fs/cgroup rw shared:1 - cgroup2 cgroup rw\n`,
    `0::/user.slice/user-1000.slice/user@1000.service/pod${UID}/${ID}`,
    `0::/crio-${ID}.scope`,
  ].map(ofText),
  dictionary: [
    ID,
    UID,
    'pod',
    '.slice',
    '.scope',
    'crio-',
    'docker-',
    '/kubepods/',
    '/user-1000.slice/',
    ' - cgroup2 ',
    ' - ',
    ' (deleted)',
    ':',
    '\n',
    '..',
  ],
  ...{ maxBytes: 4_096, share: 10 },
  run(input) {
    const text = input.toString('utf8')
    const cgroups = answerOf(() => parseCgroups(text))?.answer ?? []
    const mounts = answerOf(() => parseCgroupMounts(text))?.answer ?? []
    for (const paths of [cgroups, mounts]) {
      for (const locate of [locatePodContainer, locateByLegacyRules]) {
        const place = answerOf(() => locate(paths, { ownUid: 0 }))?.answer
        if (place === undefined) continue
        mustStand(place.containerId, paths)
        if (place.podUid !== undefined && !/^[0-9A-Fa-f-]{32,36}$/.test(place.podUid))
          throw broken(place.podUid)
      }
      const id = answerOf(() => locateContainer(paths))?.answer
      if (id !== undefined) mustStand(id, paths)
    }
    const [pattern = '', ...rest] = text.split('\n')
    const matchers = answerOf(() => compileMatchers([pattern]))
    if (matchers !== undefined) answerOf(() => matchContainer(matchers.answer, rest))
  },
}

function mustStand(id: string, paths: readonly string[]): void {
  if (!/^[0-9A-Fa-f]{64}$/.test(id)) throw broken(`container ID ${id}`)
  if (!paths.some((path) => path.includes(id))) throw broken('a container ID that no path has')
}

const dbus: FuzzTarget = {
  name: 'proc-dbus',
  oracle: 'a message is as long as it says, and no longer than the bound',
  seeds: [
    makeMessage({
      type: 2,
      replyTo: 1,
      signature: 's',
      body: Buffer.from('\x01\0\0\0a\0', 'latin1'),
    }),
    makeMessage({ type: 3, replyTo: 1, errorName: 'org.example.Error', isBig: true }),
    makeMessage({
      type: 2,
      replyTo: 1,
      signature: 'v',
      body: Buffer.from('\x01s\0\0\x01\0\0\0a\0', 'latin1'),
    }),
  ],
  dictionary: [
    'l\x02\0\x01',
    'B\x02\0\x01',
    '\x05\x01u\0',
    '\x08\x01g\0',
    '\x04\x01s\0',
    'vvvvvv',
    'a{sv}',
    '\xff\xff\xff\xff',
    '\0\0\0\0',
  ],
  ...{ maxBytes: 2_048, share: 10 },
  run(input) {
    if (input.length >= FIXED_HEADER_BYTES) {
      const length = answerOf(() => messageLength(input))?.answer
      if (length !== undefined && !(length >= FIXED_HEADER_BYTES && length <= MAX_MESSAGE_BYTES))
        throw broken(`${length} bytes`)
    }
    answerOf(() => readMessage(input))
  },
}

const pod: FuzzTarget = {
  name: 'proc-pod',
  oracle: 'a pod is read or passed over; its selectors are made of it',
  seeds: [
    `{"metadata":{"name":"a","namespace":"b","uid":"${UID}","labels":{"x":"y"},"ownerReferences":[{"kind":"ReplicaSet","name":"r","uid":"u"}]},"spec":{"serviceAccountName":"s","nodeName":"n","containers":[{"name":"c","image":"i"}]},"status":{"containerStatuses":[{"name":"c","image":"i","imageID":"d","containerID":"containerd://${ID}","ready":true}]}}`,
  ].map(ofText),
  dictionary: [
    '"metadata"',
    '"labels"',
    '"spec"',
    '"status"',
    '"containerStatuses"',
    '"initContainerStatuses"',
    '"ephemeralContainerStatuses"',
    '"containerID"',
    'docker://',
    'null',
    '{}',
    '[]',
    '1',
    '"__proto__"',
  ],
  ...{ maxBytes: 2_048, share: 10 },
  run(input) {
    const object = readByOther<unknown>(() => JSON.parse(input.toString('utf8')))?.answer
    for (const read of [readPod, readApiPod]) {
      const seen = answerOf(() => read(object))?.answer
      if (seen !== undefined) answerOf(() => podSelectors(seen))
    }
  },
}

export const targets: readonly FuzzTarget[] = [status, cgroup, dbus, pod]
