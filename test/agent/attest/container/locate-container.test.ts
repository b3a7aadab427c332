/** A table of recorded control group layouts, and of those that somebody has arranged. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseCgroupMounts, parseCgroups } from '../../../../agent/attest/container/cgroup-paths.ts'
import { locateByLegacyRules } from '../../../../agent/attest/container/legacy-locator.ts'
import {
  locateContainer,
  locatePodContainer,
} from '../../../../agent/attest/container/locate-container.ts'
import { IdentityError } from '../../../../spiffe/error.ts'

const POD = '2c48913c-b29f-11e7-9350-020968147796'
const SYSTEMD_POD = POD.replaceAll('-', '_')
const OTHER_POD = 'a2830d0d-b0f0-4ff0-81b5-0ee4e299cf80'
const STATIC_POD = 'f0a1c5b7d9e84263a1b0c9d8e7f60514'
const ID = '9bca8d63d5fa610783847915bcff0ecac1273e5b4bed3f6fa1b07350e0135961'
const OTHER_ID = '09bc3d7ade839efec32b6bec4ec79d099027a668ddba043083ec21d3c3b8f1e6'
const NODE_ID = '93529524695bb00d91c1f6dba692ea8d3550c3b94fb2463af7bc9ec82f992d26'

const NOBODY = { ownUid: 0 }
const locate = (...lines: readonly string[]) =>
  locatePodContainer(parseCgroups(lines.join('\n')), NOBODY)
const refusal = (message: RegExp) =>
  expect.objectContaining({ code: 'ATTESTATION_FAILED', message: expect.stringMatching(message) })

const V1 = `/kubepods/burstable/pod${POD}/${ID}`
const SLICE = `/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod${SYSTEMD_POD}.slice`

test.for([
  ['version 1, cgroupfs driver', [`11:hugetlb:${V1}`, `1:name=systemd:${V1}`]],
  ['version 1 beside an empty version 2', [`4:memory:${V1}`, '0::/']],
  ['version 1 with a controller that nobody uses', [`2:freezer:${V1}`, '3:rdma:/']],
  ['version 1, systemd driver, Docker', [`9:pids:${SLICE}/docker-${ID}.scope`]],
  [
    'version 1, systemd driver with dashes',
    [`9:pids:${SLICE.replaceAll('_', '-')}/docker-${ID}.scope`],
  ],
  ['version 2, systemd driver, containerd', [`0::${SLICE}/cri-containerd-${ID}.scope`]],
  ['version 2, cgroupfs driver', [`0::${V1}`]],
  [
    'CRI-O, systemd driver',
    [`0::${SLICE}/crio-${ID}.scope`, '1:name=systemd:/system.slice/crio.service'],
  ],
  ['CRI-O with its container below the scope', [`0::${SLICE}/crio-${ID}.scope/container`]],
  ['seen from inside another container', [`0::/../../pod${POD}/${ID}`]],
  [
    'version 2 seen from inside another container, own prefix of the kubelet',
    [
      `0::/../../kubelet-kubepods-besteffort.slice/kubelet-kubepods-besteffort-pod${SYSTEMD_POD}.slice/cri-containerd-${ID}.scope`,
    ],
  ],
  [
    'containerd that puts pod and container in one name',
    [
      `5:cpu:/system.slice/containerd.service/kubepods-besteffort-pod${SYSTEMD_POD}.slice:cri-containerd:${ID}`,
    ],
  ],
  [
    'a node that is a container itself (kind)',
    [
      `2:cpu:/docker/${NODE_ID}/kubepods/besteffort/pod${POD}/${ID}`,
      `0::/docker/${NODE_ID}/system.slice/containerd.service`,
    ],
  ],
  [
    'kind, told in the other order',
    [
      `0::/docker/${NODE_ID}/system.slice/containerd.service`,
      `2:cpu:/docker/${NODE_ID}/kubepods/besteffort/pod${POD}/${ID}`,
    ],
  ],
  ['a group that a process inside made for its own children', [`0::${V1}/workers/7`]],
  ['a group that is being removed', [`0::${V1} (deleted)`]],
] as const)('finds pod and container: %s', ([, lines]) => {
  expect(locate(...lines)).toEqual({ containerId: ID, podUid: POD })
})

test('a static pod is known by the hash of its manifest', () => {
  const path = `/kubepods/burstable/pod${STATIC_POD}/${ID}`
  expect(locate(`4:memory:${path}`)).toEqual({ containerId: ID, podUid: STATIC_POD })
})

test.for([
  ['CRI-O next to ourselves in one pod', `0::/../crio-${ID}.scope`],
  ['Docker without a cluster', `4:devices:/docker/${ID}`],
] as const)('finds a container without a pod: %s', ([, line]) => {
  expect(locate(line)).toEqual({ containerId: ID, podUid: undefined })
})

test.for([
  ['a process of the machine', ['9:pids:/user.slice/user-1000.slice', '3:rdma:/', '0::/']],
  ['a service', ['0::/system.slice/containerd.service']],
  ['a pod without a container', [`0::/kubepods/besteffort/pod${POD}`]],
  ['an ID that is too short', [`0::/docker/${ID.slice(1)}`]],
  ['an ID that is too long', [`0::/docker/${ID}0`]],
  ['an ID that is part of a word', [`0::/docker/x${ID}`]],
  ['nothing', []],
] as const)('finds no container: %s', ([, lines]) => {
  expect(locate(...lines)).toBeUndefined()
})

test.for([
  [
    'two pods in two hierarchies',
    [`2:cpu:${V1}`, `3:pids:/kubepods/pod${OTHER_POD}/${ID}`],
    /pod UIDs/,
  ],
  [
    'two containers in two hierarchies',
    [`2:cpu:${V1}`, `3:pids:/kubepods/pod${POD}/${OTHER_ID}`],
    /container IDs/,
  ],
  [
    'two pods in one path',
    [`0::/kubepods/pod${OTHER_POD}/${OTHER_ID}/pod${POD}/${ID}`],
    /pod UIDs/,
  ],
  [
    'two pods in one path, the first without a container',
    [`0::/pod${OTHER_POD}/pod${POD}/${ID}`],
    /pod UIDs/,
  ],
  [
    'a container that calls its own group as another container',
    [`0::${V1}/${OTHER_ID}`],
    /container IDs/,
  ],
  [
    'the same in one name',
    [`0::${SLICE}/cri-containerd-${ID}.scope/x:${OTHER_ID}`],
    /container IDs/,
  ],
  [
    'the same where the layout shows no pod',
    [`0::/../crio-${ID}.scope/${OTHER_ID}`],
    /container IDs/,
  ],
  [
    'two containers without pods',
    [`2:cpu:/docker/${ID}`, `3:pids:/docker/${OTHER_ID}`],
    /container IDs/,
  ],
  [
    'a user’s own group under the name of a pod',
    [`0::/user.slice/user-1000.slice/user@1000.service/pod${POD}/${ID}`],
    /user-1000\.slice, where that user/,
  ],
  [
    'a user’s own group under the name of a container',
    [`0::/user.slice/user-1000.slice/user@1000.service/crio-${ID}.scope`],
    /user-1000\.slice/,
  ],
] as const)('refuses %s', ([, lines, message]) => {
  expect(() => locate(...lines)).toThrow(refusal(message))
})

test('what a user arranges is believed by an agent that runs as this user', () => {
  const paths = [`/user.slice/user-1000.slice/user@1000.service/kubelet/pod${POD}/${ID}`]
  expect(locatePodContainer(paths, { ownUid: 1000 })).toEqual({ containerId: ID, podUid: POD })
  expect(() => locatePodContainer(paths, { ownUid: 1001 })).toThrow(refusal(/user-1000/))
})

test.for([
  ['a container', [`10:devices:/docker/${ID}`], ID],
  ['a container beside an empty hierarchy', [`10:devices:/docker/${ID}`, '0::/'], ID],
  ['a scope of systemd', [`4:devices:/system.slice/docker-${ID}.scope`], ID],
  ['a scope without a prefix', [`4:devices:/system.slice/${ID}.scope`], ID],
  [
    'Docker for Desktop',
    [`6:devices:/docker/${ID}/docker/${ID}/system.slice/containerd.service`],
    ID,
  ],
  ['Podman', [`0::/machine.slice/libpod-${ID}.scope/container`], ID],
  ['a container in a container', [`0::/docker/${OTHER_ID}/docker/${ID}`], ID],
  ['none', ['0::/system.slice/ssh.service'], undefined],
] as const)('without pods finds %s', ([, lines, id]) => {
  expect(locateContainer(parseCgroups(lines.join('\n')))).toBe(id)
})

test('without pods, too, two containers are refused', () => {
  const paths = [`/docker/${ID}`, `/docker/${OTHER_ID}`]
  expect(() => locateContainer(paths)).toThrow(refusal(/multiple container IDs/))
})

const MOUNT = '1543 1542 0:32'
test('mounts of control groups show their roots, all others nothing', () => {
  const text = [
    `${MOUNT} ${V1} /sys/fs/cgroup ro,nosuid - cgroup2 cgroup rw,nsdelegate`,
    `${MOUNT} ${V1} /sys/fs/cgroup/cpu ro,nosuid master:16 shared:2 - cgroup  rw,cpu`,
    `${MOUNT} / /sys/fs/cgroup rw - cgroup2 cgroup rw`,
    `${MOUNT} ${V1} /data rw - ext4 /dev/sda rw`,
    '119 206 0:68 / /local rw,relatime - tmpfs  rw,size=8192k',
  ].join('\n')
  expect(parseCgroupMounts(text)).toEqual([V1, V1])
})

test.for([
  ['a mount without a dash', () => parseCgroupMounts(`${MOUNT} / /x rw cgroup cgroup rw`)],
  ['a mount with too few fields', () => parseCgroupMounts(`${MOUNT} / /x - cgroup cgroup rw`)],
  ['a mount without a file system', () => parseCgroupMounts(`${MOUNT} / /x rw -`)],
  ['a mount with an empty file system', () => parseCgroupMounts(`${MOUNT} / /x rw -  cgroup`)],
  ['a control group of two fields', () => parseCgroups(`0:${V1}`)],
  ['a control group without colons', () => parseCgroups('garbage')],
] as const)('refuses %s', ([, parse]) => {
  expect(parse).toThrow(refusal(/expected/))
})

test('the path of a control group may have colons', () => {
  expect(parseCgroups('1:cpu:/a:b:c\n0::/')).toEqual(['/a:b:c', '/'])
})

test.for([
  ['cgroupfs', V1, POD],
  ['systemd', `${SLICE}/docker-${ID}.scope`, POD],
  ['a name with colons', `/kubepods-besteffort-pod${SYSTEMD_POD}.slice:cri-containerd:${ID}`, POD],
  ['inside another container', `/../../pod${POD}/${ID}`, POD],
  ['CRI-O without a pod', `/../crio-${ID}.scope`, undefined],
] as const)('the older rules find pod and container: %s', ([, path, podUid]) => {
  expect(locateByLegacyRules([path, '/'], NOBODY)).toEqual({ containerId: ID, podUid })
})

test.for([
  ['a path that goes on behind the container', `${V1}/workers`],
  ['a container of Docker alone', `/docker/${ID}`],
  ['CRI-O below a pod in another form', `/pod${POD}--crio-${ID}.scope`],
] as const)('the older rules find no container: %s', ([, path]) => {
  expect(locateByLegacyRules([path], NOBODY)).toBeUndefined()
})

test.for([
  ['two containers', `/kubepods/pod${POD}/${OTHER_ID}`, /multiple container IDs found in cgroups/],
  ['two pods', `/kubepods/pod${OTHER_POD}/${ID}`, /multiple pod UIDs found in cgroups/],
  ['a user’s own group', `/user.slice/user-7.slice/pod${POD}/${ID}`, /user-7/],
] as const)('the older rules refuse %s', ([, path, message]) => {
  expect(() => locateByLegacyRules([V1, path], NOBODY)).toThrow(refusal(message))
})

const hex = fc.stringMatching(/^[0-9a-f]{64}$/)
const uid = fc.uuid()
const segment = fc.stringMatching(/^[a-z.:_-]{0,12}$/)

test('whatever stands around them, a pod and its container are found or refused, never others', () => {
  fc.assert(
    fc.property(
      fc.array(segment),
      uid,
      fc.array(segment),
      hex,
      fc.array(segment),
      (a, pod, b, id, c) => {
        const path = ['', ...a, `pod${pod}`, ...b, id, ...c].join('/')
        expect(locatePodContainer([path], NOBODY)).toEqual({ containerId: id, podUid: pod })
      },
    ),
  )
})

test('any text is read or refused as one that says nothing', () => {
  const part = fc.oneof(
    fc.constantFrom(
      '/',
      ':',
      '\n',
      '-',
      ' ',
      ' - cgroup2 ',
      'pod',
      POD,
      ID,
      OTHER_ID,
      'user-7.slice/',
    ),
    fc.string({ maxLength: 8 }),
  )
  fc.assert(
    fc.property(fc.array(part, { maxLength: 24 }), (parts) => {
      for (const parse of [parseCgroups, parseCgroupMounts]) {
        try {
          const paths = parse(parts.join(''))
          attempt(() => locateContainer(paths))
          attempt(() => locateByLegacyRules(paths, NOBODY))
          const found = locatePodContainer(paths, NOBODY)
          if (found !== undefined) expect([ID, OTHER_ID]).toContain(found.containerId)
        } catch (error) {
          expect(error).toBeInstanceOf(IdentityError)
        }
      }
    }),
  )
})

function attempt(read: () => unknown): void {
  try {
    read()
  } catch (error) {
    expect(error).toBeInstanceOf(IdentityError)
  }
}
